-- SPDX-License-Identifier: Apache-2.0
-- Shifts that were handed over, with the report as it was then.

CREATE TABLE operations_handover (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    comments text NOT NULL,
    report jsonb NOT NULL,
    from_by text NOT NULL,
    to_by text NOT NULL,
    handed_at timestamptz NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamptz
);
COMMENT ON TABLE operations_handover IS 'A shift that one officer handed to another, who acknowledged it. since and until are city time, the others the clock''s. A report is never edited.';
