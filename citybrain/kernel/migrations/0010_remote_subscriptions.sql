-- SPDX-License-Identifier: Apache-2.0
-- Subscriptions that this broker made at context sources on behalf of its own.

CREATE TABLE remote_subscription (
    remote_id text PRIMARY KEY,
    body bytea NOT NULL
);
COMMENT ON TABLE remote_subscription IS 'A subscription at a context source and the one here that it serves, as JSON.';
