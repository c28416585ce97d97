-- SPDX-License-Identifier: Apache-2.0
-- Who is told and who does the work, by role; what was told by which order; which case an order opened.

CREATE TABLE operations_contact (
    id text PRIMARY KEY,
    role text NOT NULL,
    name jsonb NOT NULL,
    channel text NOT NULL CHECK (channel IN ('case', 'email', 'sms', 'push', 'webhook')),
    address bytea NOT NULL,
    secret bytea,
    lang text NOT NULL,
    version integer NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE operations_contact IS 'A department (channel case) or an address for a role; address and secret are encrypted.';
CREATE INDEX operations_contact_role ON operations_contact (role);

CREATE TABLE operations_message (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL,
    contact_id text NOT NULL,
    channel text NOT NULL,
    content bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    tries integer NOT NULL DEFAULT 0,
    problem text NOT NULL DEFAULT '',
    queued_at timestamptz NOT NULL,
    settled_at timestamptz,
    UNIQUE (order_id, contact_id)
);
COMMENT ON TABLE operations_message IS 'What an order told a contact; content is encrypted. One row however often the order is given.';

CREATE TABLE operations_task (
    order_id text PRIMARY KEY,
    case_id bigint NOT NULL,
    means text NOT NULL,
    entity_id text NOT NULL,
    at timestamptz NOT NULL
);
COMMENT ON TABLE operations_task IS 'The case that an order of work opened.';
CREATE INDEX operations_task_case ON operations_task (case_id);
