-- SPDX-License-Identifier: Apache-2.0

-- name: newest_of_all
-- One index probe per entity: partitions are walked from the newest on, and left at the first hit.
SELECT d.id, h.observed_at, h.number, h.word, convert_from(h.detail, 'UTF8')
FROM document d
CROSS JOIN LATERAL (
    SELECT observed_at, number, word, detail FROM history
    WHERE entity = d.number AND attribute = %(attribute)s AND observed_at <= %(at)s
    ORDER BY observed_at DESC LIMIT 1
) h
WHERE d.tenant = %(tenant)s AND d.types && %(types)s;

-- name: attribute_number
SELECT number FROM attribute_name WHERE name = %(name)s AND dataset_id = %(dataset_id)s;

-- name: kept
SELECT d.id, array_to_string(d.types, ','), n.name, n.dataset_id, h.observed_at, h.is_observed, h.number, h.word,
    convert_from(h.detail, 'UTF8')
FROM history h
JOIN document d ON d.number = h.entity
JOIN attribute_name n ON n.number = h.attribute
WHERE d.tenant = %(tenant)s
    AND (%(types)s::text[] IS NULL OR d.types && %(types)s)
    AND (%(names)s::text[] IS NULL OR n.name = ANY(%(names)s))
    AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz;
