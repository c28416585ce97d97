-- name: kept
SELECT tenant, id, kind, coalesce(url, '') AS url, body, created_at, used_at, hits FROM context ORDER BY created_at, id;

-- name: keep
INSERT INTO context (tenant, id, kind, url, body, created_at, used_at, hits)
VALUES (%(tenant)s, %(id)s, %(kind)s, nullif(%(url)s, ''), %(body)s, %(created_at)s, %(used_at)s, %(hits)s)
ON CONFLICT (tenant, id) DO UPDATE SET body = excluded.body, used_at = excluded.used_at, hits = excluded.hits;

-- name: note_use
UPDATE context SET used_at = %(used_at)s, hits = %(hits)s WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: forget
DELETE FROM context WHERE tenant = %(tenant)s AND id = %(id)s;
