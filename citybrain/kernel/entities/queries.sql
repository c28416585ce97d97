-- SPDX-License-Identifier: Apache-2.0

-- name: names
SELECT number, name, dataset_id FROM attribute_name ORDER BY number;

-- name: newest_number
SELECT coalesce(max(number), 0) FROM document;

-- name: document_block
-- Whole blocks in few values: a row of its own for each entity costs ten times as much to fetch.
SELECT tenant, live, array_agg(number), array_agg(id), array_agg(array_to_string(types, E'\x1f')),
    array_agg(octet_length(body)), string_agg(body, ''::bytea),
    array_agg(id) FILTER (WHERE expires_at IS NOT NULL), array_agg(expires_at) FILTER (WHERE expires_at IS NOT NULL)
FROM (
    SELECT number, tenant, id, types, body, live, expires_at FROM document
    WHERE number > %(after)s AND number <= %(until)s ORDER BY number
) block
GROUP BY tenant, live;

-- name: name_insert
INSERT INTO attribute_name (number, name, dataset_id)
SELECT * FROM unnest(%(numbers)b::integer[], %(names)b::text[], %(dataset_ids)b::text[]);

-- name: document_upsert
INSERT INTO document AS d (number, tenant, id, types, body, live, created_at, modified_at, expires_at)
SELECT number, tenant, id, string_to_array(types, E'\x1f'), body, live, created_at, modified_at, expires_at
FROM unnest(
    %(numbers)b::integer[], %(tenants)b::text[], %(ids)b::text[], %(types)b::text[], %(bodies)b::bytea[],
    %(lives)b::boolean[], %(created)b::timestamptz[], %(modified)b::timestamptz[], %(expires)b::timestamptz[]
) AS new (number, tenant, id, types, body, live, created_at, modified_at, expires_at)
ON CONFLICT (number) DO UPDATE SET types = excluded.types, body = excluded.body, live = excluded.live,
    created_at = excluded.created_at, modified_at = excluded.modified_at, expires_at = excluded.expires_at;

-- name: document_delete
DELETE FROM document WHERE number = ANY(%(numbers)s) AND NOT live;
