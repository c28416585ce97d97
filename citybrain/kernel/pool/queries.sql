-- SPDX-License-Identifier: Apache-2.0

-- name: entities
SELECT id, type, source, observed_at, name, geometry, attributes FROM entity ORDER BY id;

-- name: entity_upsert
-- An entity that says the same as before is not written again.
INSERT INTO entity AS e (id, type, source, observed_at, name, geometry, attributes)
SELECT * FROM jsonb_to_recordset(%(entities)s::jsonb)
    AS new (id text, type text, source text, observed_at timestamptz, name jsonb, geometry jsonb, attributes jsonb)
ON CONFLICT (id) DO UPDATE SET type = excluded.type, source = excluded.source, observed_at = excluded.observed_at,
    name = excluded.name, geometry = excluded.geometry, attributes = excluded.attributes
WHERE (e.type, e.source, e.name, e.geometry, e.attributes)
    IS DISTINCT FROM (excluded.type, excluded.source, excluded.name, excluded.geometry, excluded.attributes);

-- name: series_add
-- Anti-join first: a conflict would use up a number each time the city starts.
INSERT INTO series (entity_id, attribute)
SELECT * FROM unnest(%(entity_ids)s::text[], %(attributes)s::text[]) AS new (entity_id, attribute)
WHERE NOT EXISTS (SELECT FROM series s WHERE s.entity_id = new.entity_id AND s.attribute = new.attribute)
ON CONFLICT DO NOTHING;

-- name: series_of
SELECT entity_id, attribute, id FROM series WHERE entity_id = ANY(%(entity_ids)s) ORDER BY attribute, id;

-- name: newest_values
-- One index probe per series: the planner walks the days backwards and stops at the first hit.
SELECT s.entity_id, s.attribute, h.number, h.word, b.id, b.observed_at, b.received_at
FROM series s
CROSS JOIN LATERAL (
    SELECT number, word, batch_number FROM history
    WHERE series_id = s.id AND observed_at <= %(at)s AND observed_at >= %(since)s
    ORDER BY observed_at DESC LIMIT 1
) h
JOIN observation_batch b ON b.number = h.batch_number;

-- name: history
SELECT observed_at, number, word FROM (
    SELECT observed_at, number, word FROM history
    WHERE series_id = %(series_id)s AND observed_at >= %(since)s AND observed_at <= %(until)s
    ORDER BY observed_at DESC LIMIT %(limit)s
) newest ORDER BY observed_at;

-- name: batch
SELECT id, source, observed_at, received_at, number FROM observation_batch WHERE id = %(id)s;

-- name: batch_rows
SELECT s.entity_id, s.attribute, h.number, h.word
FROM history h JOIN series s ON s.id = h.series_id
WHERE h.batch_number = %(number)s AND h.observed_at = %(observed_at)s
ORDER BY s.attribute, s.entity_id;

-- name: extent
SELECT min(observed_at), max(observed_at) FROM observation_batch;
