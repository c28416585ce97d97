-- SPDX-License-Identifier: Apache-2.0

-- name: account_insert
INSERT INTO account (name, password_hash, roles, created_at, shown_name)
VALUES (%(name)s, %(password_hash)s, '{}', %(now)s, %(shown_name)s) ON CONFLICT DO NOTHING;

-- name: accounts
SELECT a.name, a.shown_name, a.roles, a.created_at, a.disabled_at, f.confirmed_at IS NOT NULL AS second_factor
FROM account a LEFT JOIN second_factor f ON f.account = a.name WHERE a.kind = 'staff' ORDER BY a.name;

-- name: account_close
UPDATE account SET disabled_at = %(now)s WHERE name = %(name)s AND disabled_at IS NULL;

-- name: account_open
UPDATE account SET disabled_at = NULL WHERE name = %(name)s AND disabled_at IS NOT NULL;

-- name: account_password
UPDATE account SET password_hash = %(password_hash)s WHERE name = %(name)s AND kind = 'staff';

-- name: account_lock
SELECT roles FROM account WHERE name = %(name)s AND kind = 'staff' AND disabled_at IS NULL FOR UPDATE;

-- name: account_roles
UPDATE account SET roles = %(roles)s WHERE name = %(name)s;

-- name: power_holders
SELECT name FROM account WHERE %(power)s = ANY (roles) AND disabled_at IS NULL;
