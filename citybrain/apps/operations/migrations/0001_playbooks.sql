-- SPDX-License-Identifier: Apache-2.0
-- Playbooks in versions, what they did about which event, line by line, and whether it helped.

CREATE TABLE operations_playbook (
    id text PRIMARY KEY,
    shipped boolean NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL
);
COMMENT ON TABLE operations_playbook IS 'A playbook; what it says stands in its versions.';

CREATE TABLE operations_playbook_version (
    playbook text NOT NULL REFERENCES operations_playbook (id),
    version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'active', 'retired')),
    body jsonb NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    proposed_by text,
    proposed_at timestamptz,
    activated_by text,
    activated_at timestamptz,
    retired_by text,
    retired_at timestamptz,
    PRIMARY KEY (playbook, version)
);
COMMENT ON TABLE operations_playbook_version IS 'What a playbook says in one version; a body is never edited. proposed_by is the first of two persons who put it in force.';
CREATE UNIQUE INDEX operations_playbook_active ON operations_playbook_version (playbook) WHERE state = 'active';

CREATE TABLE operations_run (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    event_id text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    entity_id text NOT NULL,
    "group" text,
    playbook text NOT NULL,
    playbook_version integer NOT NULL,
    because jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'done')),
    started_at timestamptz NOT NULL,
    city_at timestamptz NOT NULL,
    event_at timestamptz NOT NULL,
    event_ended_at timestamptz,
    ended_at timestamptz,
    UNIQUE (event_id, playbook),
    FOREIGN KEY (playbook, playbook_version) REFERENCES operations_playbook_version (playbook, version)
);
COMMENT ON TABLE operations_run IS 'A playbook at work on one event. started_at and ended_at are the clock''s, the other times the city''s.';
CREATE INDEX operations_run_open ON operations_run (number) WHERE state = 'open';
CREATE INDEX operations_run_place ON operations_run (entity_id, kind, number);
CREATE INDEX operations_run_group ON operations_run ("group") WHERE "group" IS NOT NULL;

CREATE TABLE operations_line (
    run_id text NOT NULL REFERENCES operations_run (id),
    number integer NOT NULL,
    part integer NOT NULL,
    means text NOT NULL,
    spec jsonb NOT NULL,
    entity_id text NOT NULL,
    parameters jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'proposed', 'due', 'ordered', 'executed', 'refused', 'failed', 'late',
        'skipped', 'checked')),
    at timestamptz NOT NULL,
    city_at timestamptz NOT NULL,
    code text NOT NULL,
    facts jsonb NOT NULL,
    order_id text,
    tries integer NOT NULL,
    confirmed_by text,
    second_by text,
    ordered_at timestamptz,
    executed_at timestamptz,
    verdict text CHECK (verdict IN ('helped', 'missed', 'unknown')),
    checks boolean NOT NULL,
    two_person boolean NOT NULL,
    undo text NOT NULL CHECK (undo IN ('none', 'due', 'done', 'refused')),
    version integer NOT NULL,
    PRIMARY KEY (run_id, number, part)
);
COMMENT ON TABLE operations_line IS 'A line of a run on one entity. at and ordered_at are the clock''s, city_at and executed_at the city''s; an order has the key run:line.';
CREATE INDEX operations_line_order ON operations_line (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE operations_check (
    order_id text PRIMARY KEY,
    means text NOT NULL,
    entity_id text NOT NULL,
    event_id text,
    run_id text REFERENCES operations_run (id),
    line integer,
    part integer,
    attribute text NOT NULL,
    of_entity text NOT NULL,
    becomes text NOT NULL,
    value jsonb,
    parameters jsonb NOT NULL,
    before jsonb,
    after jsonb,
    executed_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'helped', 'missed', 'unknown')),
    checked_at timestamptz
);
COMMENT ON TABLE operations_check IS 'Whether an order did what its means promises: the values of an attribute before and after, all times the city''s.';
CREATE INDEX operations_check_waiting ON operations_check (due_at) WHERE state = 'waiting';
CREATE INDEX operations_check_at ON operations_check (executed_at);

CREATE TABLE operations_position (
    name text PRIMARY KEY,
    outbox_id bigint NOT NULL
);
COMMENT ON TABLE operations_position IS 'How far the committed events were dealt with.';
