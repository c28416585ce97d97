-- SPDX-License-Identifier: Apache-2.0

-- name: account_known
SELECT count(*) FROM account WHERE name = %(name)s;

-- name: account_add
WITH ended AS (DELETE FROM session WHERE account = %(name)s)
INSERT INTO account (name, password_hash, roles, created_at) VALUES (%(name)s, %(password_hash)s, %(roles)s, %(now)s)
ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash, roles = excluded.roles, disabled_at = NULL;

-- name: account_find
SELECT name, password_hash, roles FROM account WHERE name = %(name)s AND disabled_at IS NULL;

-- name: account_password_own
UPDATE account SET password_hash = %(password_hash)s WHERE name = %(name)s;
