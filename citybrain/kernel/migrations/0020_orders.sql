-- SPDX-License-Identifier: Apache-2.0
-- Orders of people: who gave them, who agreed, how long they stand, and what became of them.

CREATE TABLE standing_order (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    key text,
    turn bigint,
    means text NOT NULL,
    entity_id text NOT NULL,
    parameters jsonb NOT NULL,
    reason text NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'standing', 'ended', 'refused')),
    two_person boolean NOT NULL,
    lasts boolean NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    expires_at timestamptz,
    settled boolean NOT NULL DEFAULT false,
    ending_by text,
    ending_at timestamptz,
    ended_why text CHECK (ended_why IN ('done', 'failed', 'ended', 'expired', 'replaced', 'withdrawn', 'late', 'refused')),
    ended_by text,
    ended_at timestamptz,
    ended_reason text NOT NULL DEFAULT '',
    replaced_by text REFERENCES standing_order (id),
    undo text NOT NULL DEFAULT 'none' CHECK (undo IN ('none', 'due', 'done')),
    undone_at timestamptz,
    UNIQUE (proposed_by, key)
);
COMMENT ON TABLE standing_order IS 'An order of a person or program. expires_at and undone_at are city time, the others the clock''s; turn is the order in which they came into force.';
CREATE INDEX standing_order_entity ON standing_order (entity_id, number);
CREATE INDEX standing_order_open ON standing_order (number) WHERE state IN ('proposed', 'standing');
CREATE INDEX standing_order_undo ON standing_order (number) WHERE undo <> 'none';
CREATE SEQUENCE standing_order_turn;

CREATE TABLE standing_order_act (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id text NOT NULL REFERENCES standing_order (id),
    act text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    facts jsonb NOT NULL
);
COMMENT ON TABLE standing_order_act IS 'What was done with an order, by whom and when; never edited.';
CREATE INDEX standing_order_act_order ON standing_order_act (order_id, number);

-- What people last wished of each signal was a setting: [mode, who] by signal.
INSERT INTO standing_order
    (id, turn, means, entity_id, parameters, reason, state, two_person, lasts, proposed_by, proposed_at, settled)
SELECT gen_random_uuid()::text, nextval('standing_order_turn'), 'traffic.set_control_mode', wish.key,
    jsonb_build_object('mode', wish.value -> 0), '', 'standing', false, true, wish.value ->> 1, now(), true
FROM setting, jsonb_each(setting.value) AS wish
WHERE setting.name = 'control_wishes' AND jsonb_typeof(setting.value) = 'object';
INSERT INTO standing_order_act (order_id, act, by, at, facts)
SELECT id, 'give', proposed_by, proposed_at, '{}' FROM standing_order;
DELETE FROM setting WHERE name = 'control_wishes';
