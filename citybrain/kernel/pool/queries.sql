-- SPDX-License-Identifier: Apache-2.0

-- name: newest_values
-- One index probe per series: the planner walks the days backwards and stops at the first hit.
SELECT s.entity, s.attribute, h.number, h.word, b.id, b.observed_at, b.received_at
FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
CROSS JOIN LATERAL (
    SELECT number, word, batch_number FROM history
    WHERE entity = s.entity AND attribute = s.attribute AND batch_number IS NOT NULL
        AND observed_at <= %(at)s AND observed_at >= %(since)s
    ORDER BY observed_at DESC LIMIT 1
) h
JOIN observation_batch b ON b.number = h.batch_number;

-- name: history
SELECT observed_at, number, word FROM (
    SELECT observed_at, number, word FROM history
    WHERE entity = %(entity)s AND attribute = %(attribute)s AND (number IS NOT NULL OR word IS NOT NULL OR detail IS NULL)
        AND observed_at >= %(since)s AND observed_at <= %(until)s
    ORDER BY observed_at DESC LIMIT %(limit)s
) newest ORDER BY observed_at;

-- name: histories
SELECT entity, observed_at, number, word FROM history
WHERE entity = ANY(%(entities)s) AND attribute = %(attribute)s AND batch_number IS NOT NULL
    AND observed_at >= %(since)s AND observed_at < %(until)s
ORDER BY observed_at;

-- name: history_forget
DELETE FROM history WHERE entity = ANY(%(numbers)s);

-- name: batch
SELECT id, source, observed_at, received_at, number FROM observation_batch WHERE id = %(id)s;

-- name: batch_rows
SELECT d.id, a.name, h.number, h.word
FROM history h JOIN document d ON d.number = h.entity JOIN attribute_name a ON a.number = h.attribute
WHERE h.batch_number = %(number)s AND h.observed_at = %(observed_at)s
ORDER BY a.name, d.id;

-- name: extent
SELECT min(observed_at), max(observed_at) FROM observation_batch;
