-- SPDX-License-Identifier: Apache-2.0
-- Warnings that came in and that the city let out, as they were written, and what each says of those before it.

CREATE TABLE cap_alert (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender text NOT NULL,
    identifier text NOT NULL,
    sent timestamptz NOT NULL,
    version text NOT NULL,
    status text NOT NULL,
    msg_type text NOT NULL,
    scope text NOT NULL,
    is_ours boolean NOT NULL,
    is_signed boolean NOT NULL,
    posted_by text NOT NULL,
    received_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_because text NOT NULL DEFAULT '',
    event_id text NOT NULL,
    told text NOT NULL DEFAULT 'nothing' CHECK (told IN ('nothing', 'open', 'over')),
    body bytea NOT NULL,
    UNIQUE (sender, identifier, sent)
);
COMMENT ON COLUMN cap_alert.told IS 'What the journal knows of the event: not yet, that it goes on, that it is over.';
COMMENT ON TABLE cap_alert IS 'A CAP message, byte by byte; closed when it was cancelled, replaced or ran out.';
CREATE INDEX cap_alert_identifier ON cap_alert (identifier);
CREATE INDEX cap_alert_open ON cap_alert (expires_at) WHERE closed_at IS NULL;
CREATE INDEX cap_alert_untold ON cap_alert (number) WHERE NOT is_ours AND told <> 'over';

CREATE TABLE cap_reference (
    number bigint NOT NULL REFERENCES cap_alert ON DELETE CASCADE,
    sender text NOT NULL,
    identifier text NOT NULL,
    sent timestamptz,
    PRIMARY KEY (number, sender, identifier)
);
COMMENT ON TABLE cap_reference IS 'What a message refers to; the message referred to may come later, or never.';
CREATE INDEX cap_reference_to ON cap_reference (identifier, sender);
