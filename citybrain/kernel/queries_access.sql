-- SPDX-License-Identifier: Apache-2.0

-- name: account_count
SELECT count(*) FROM account;

-- name: account_add
WITH ended AS (DELETE FROM session WHERE account = %(name)s)
INSERT INTO account (name, password_hash, roles, created_at) VALUES (%(name)s, %(password_hash)s, %(roles)s, %(now)s)
ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, roles = excluded.roles;

-- name: account_find
SELECT name, password_hash, roles FROM account WHERE name = %(name)s;

-- name: attempt
-- One statement counts and locks. While locked nothing moves; when a lock is over, counting starts anew.
INSERT INTO sign_in_attempt AS a (name, failures, last_at) VALUES (%(name)s, 1, %(now)s)
ON CONFLICT (name) DO UPDATE SET
    failures = CASE
        WHEN a.locked_until > %(now)s THEN a.failures + 1
        WHEN a.locked_until IS NOT NULL THEN 1
        ELSE a.failures + 1 END,
    locked_until = CASE
        WHEN a.locked_until > %(now)s THEN a.locked_until
        WHEN a.locked_until IS NULL AND a.failures + 1 >= %(allowed)s THEN %(until)s END,
    last_at = %(now)s
RETURNING failures, locked_until;

-- name: attempt_forget
DELETE FROM sign_in_attempt WHERE name = %(name)s;

-- name: attempts_prune
DELETE FROM sign_in_attempt WHERE last_at < %(before)s AND (locked_until IS NULL OR locked_until < %(before)s);

-- name: session_add
INSERT INTO session (token_hash, account, created_at, expires_at)
VALUES (%(token_hash)s, %(account)s, %(now)s, %(expires_at)s);

-- name: session_find
SELECT a.name, a.roles, s.expires_at FROM session s JOIN account a ON a.name = s.account
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s;

-- name: session_extend
UPDATE session SET expires_at = %(expires_at)s WHERE token_hash = %(token_hash)s;

-- name: session_remove
DELETE FROM session WHERE token_hash = %(token_hash)s;

-- name: sessions_prune
DELETE FROM session WHERE expires_at <= %(now)s;

-- name: service_add
INSERT INTO service_token (name, token_hash, may, created_by, created_at, expires_at)
VALUES (%(name)s, %(token_hash)s, %(may)s, %(by)s, %(now)s, %(expires_at)s)
ON CONFLICT (name) DO UPDATE SET token_hash = excluded.token_hash, may = excluded.may,
    created_by = excluded.created_by, created_at = excluded.created_at, expires_at = excluded.expires_at;

-- name: service_find
SELECT name, may, created_by, created_at, expires_at FROM service_token WHERE token_hash = %(token_hash)s;

-- name: services
SELECT name, may, created_by, created_at, expires_at FROM service_token ORDER BY name;

-- name: service_remove
DELETE FROM service_token WHERE name = %(name)s;
