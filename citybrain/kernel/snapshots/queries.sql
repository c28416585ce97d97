-- SPDX-License-Identifier: Apache-2.0

-- name: all
SELECT about FROM snapshot ORDER BY created_at, id;

-- name: put
INSERT INTO snapshot (tenant, id, created_at, about, entities)
VALUES (%(tenant)s, %(id)s, %(created_at)s, %(about)s, %(entities)s)
ON CONFLICT (tenant, id) DO UPDATE SET about = excluded.about, entities = excluded.entities;

-- name: put_about
UPDATE snapshot SET about = %(about)s WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: entities
SELECT entities FROM snapshot WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: remove
DELETE FROM snapshot WHERE tenant = %(tenant)s AND id = %(id)s;
