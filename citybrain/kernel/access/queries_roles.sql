-- SPDX-License-Identifier: Apache-2.0

-- name: roles
SELECT name, shown_name, permissions, version, changed_by, changed_at FROM role ORDER BY name;

-- name: role_insert
INSERT INTO role (name, shown_name, permissions, version, changed_by, changed_at)
VALUES (%(name)s, %(shown_name)s::jsonb, %(permissions)s::jsonb, 1, %(by)s, %(now)s) ON CONFLICT DO NOTHING;

-- name: role_update
UPDATE role SET shown_name = %(shown_name)s::jsonb, permissions = %(permissions)s::jsonb, version = version + 1,
    changed_by = %(by)s, changed_at = %(now)s
WHERE name = %(name)s AND version = %(version)s;

-- name: role_remove
DELETE FROM role WHERE name = %(name)s;

-- name: role_used
SELECT 1 FROM membership WHERE role = %(name)s
UNION ALL SELECT 1 FROM post WHERE %(name)s = ANY (roles)
UNION ALL SELECT 1 FROM account WHERE %(name)s = ANY (roles) LIMIT 1;
