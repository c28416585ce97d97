-- SPDX-License-Identifier: Apache-2.0
-- Messages whose signature is not what is asked of their sender: kept aside until a person decides.

CREATE TABLE cap_quarantine (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender text NOT NULL,
    identifier text NOT NULL,
    sent timestamptz NOT NULL,
    status text NOT NULL,
    msg_type text NOT NULL,
    verdict text NOT NULL,
    posted_by text NOT NULL,
    received_at timestamptz NOT NULL,
    times integer NOT NULL DEFAULT 1,
    hash bytea NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'released', 'discarded')),
    decided_by text NOT NULL DEFAULT '',
    decided_at timestamptz,
    note text NOT NULL DEFAULT '',
    UNIQUE (posted_by, hash)
);
COMMENT ON TABLE cap_quarantine IS 'A message that was not believed, byte by byte, why, how often it came, and what became of it.';
CREATE INDEX cap_quarantine_waiting ON cap_quarantine (number) WHERE state = 'waiting';

ALTER TABLE cap_alert DROP CONSTRAINT cap_alert_signature_check;
ALTER TABLE cap_alert ADD CONSTRAINT cap_alert_signature_check CHECK (signature IN
    ('none', 'unchecked', 'valid', 'outdated', 'revoked', 'stale', 'wrong', 'unknown', 'unsupported'));
