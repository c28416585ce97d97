-- SPDX-License-Identifier: Apache-2.0

-- name: factor_find
SELECT secret, confirmed_at, last_step FROM second_factor WHERE account = %(account)s;

-- name: factor_begin
INSERT INTO second_factor AS f (account, secret, created_at) VALUES (%(account)s, %(secret)s, %(now)s)
ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at, last_step = 0
WHERE f.confirmed_at IS NULL;

-- name: factor_confirm
UPDATE second_factor SET confirmed_at = %(now)s, last_step = %(step)s WHERE account = %(account)s;

-- name: factor_use
UPDATE second_factor SET last_step = %(step)s WHERE account = %(account)s AND last_step < %(step)s;

-- name: factor_remove
DELETE FROM second_factor WHERE account = %(account)s;

-- name: recovery_add
INSERT INTO recovery_code (account, code_hash) VALUES (%(account)s, %(code_hash)s);

-- name: recovery_remove
DELETE FROM recovery_code WHERE account = %(account)s;

-- name: recovery_use
UPDATE recovery_code SET used_at = %(now)s
WHERE account = %(account)s AND code_hash = %(code_hash)s AND used_at IS NULL;

-- name: recovery_left
SELECT count(*) FROM recovery_code WHERE account = %(account)s AND used_at IS NULL;

-- name: factors_stale
SELECT account, secret FROM second_factor WHERE substr(secret, 1, 5) <> %(head)s::bytea ORDER BY account LIMIT %(limit)s;

-- name: factor_renew
-- What was begun anew meanwhile, with the newest key, stays.
UPDATE second_factor SET secret = %(value)s WHERE account = %(key_0)s AND substr(secret, 1, 5) <> %(head)s::bytea;
