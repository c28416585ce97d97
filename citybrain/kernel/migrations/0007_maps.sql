-- SPDX-License-Identifier: Apache-2.0
-- Snapshots of entities, and the name by which other brokers know this one.

CREATE TABLE snapshot (
    tenant text NOT NULL,
    id text NOT NULL,
    created_at timestamptz NOT NULL,
    about bytea NOT NULL,
    entities bytea NOT NULL,
    PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE snapshot IS 'Entities as they were at one time: what is told of it as JSON, the entities as compressed JSON.';

CREATE TABLE broker (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    alias text NOT NULL
);
COMMENT ON TABLE broker IS 'The name by which other brokers recognize this one in a request that went round; it never changes.';
