-- SPDX-License-Identifier: Apache-2.0
-- Services that write or read for themselves: each has a token, and permissions of its own.

CREATE TABLE service_token (
    name text PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    may text[] NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE service_token IS 'What a service may do until when, by the SHA-256 of its token; the token itself is nowhere.';
