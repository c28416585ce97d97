-- SPDX-License-Identifier: Apache-2.0

-- name: service_add
INSERT INTO service_token AS t (name, token_hash, may, created_by, created_at, expires_at)
VALUES (%(name)s, %(token_hash)s, %(may)s, %(by)s, %(now)s, %(expires_at)s)
ON CONFLICT (name) DO UPDATE SET token_hash = excluded.token_hash, may = excluded.may,
    created_by = excluded.created_by, created_at = excluded.created_at, expires_at = excluded.expires_at,
    old_token_hash = CASE WHEN %(old_until)s::timestamptz IS NULL THEN NULL ELSE t.token_hash END,
    -- An old token never lasts longer than it would have.
    old_until = LEAST(%(old_until)s::timestamptz, CASE WHEN %(old_until)s::timestamptz IS NULL THEN NULL ELSE t.expires_at END);

-- name: service_find
SELECT name, may, expires_at AS until FROM service_token WHERE token_hash = %(token_hash)s
UNION ALL
SELECT name, may, LEAST(old_until, expires_at) FROM service_token WHERE old_token_hash = %(token_hash)s;

-- name: services
SELECT name, may, created_by, created_at, expires_at, old_until, used_at FROM service_token ORDER BY name;

-- name: service_remove
DELETE FROM service_token WHERE name = %(name)s;

-- name: service_used
UPDATE service_token SET used_at = %(now)s WHERE name = %(name)s AND (used_at IS NULL OR used_at < %(before)s);
