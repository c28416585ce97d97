-- SPDX-License-Identifier: Apache-2.0
-- Context source registrations: which other systems hold what.

CREATE TABLE registration (
    number bigint GENERATED ALWAYS AS IDENTITY,
    tenant text NOT NULL,
    id text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE registration IS 'A context source registration; the body is its JSON with internal names.';
