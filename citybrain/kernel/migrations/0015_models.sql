-- SPDX-License-Identifier: Apache-2.0
-- What is expected of entities by type, and what was found not to fit.

CREATE TABLE model_policy (
    type text PRIMARY KEY,
    policy text NOT NULL CHECK (policy IN ('off', 'warn', 'refuse')),
    every_s double precision CHECK (every_s > 0),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE model_policy IS 'What happens when an entity of a type does not fit its model, and how often it promises to be observed.';

CREATE TABLE model_finding (
    tenant text NOT NULL,
    entity_id text NOT NULL,
    attribute text NOT NULL,
    code text NOT NULL,
    type text NOT NULL,
    facts jsonb NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (tenant, entity_id, attribute, code)
);
COMMENT ON TABLE model_finding IS 'What of an entity does not fit its model now: the mark on what was kept with a warning.';
CREATE INDEX model_finding_type ON model_finding (type, code);
