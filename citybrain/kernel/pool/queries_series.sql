-- SPDX-License-Identifier: Apache-2.0

-- name: newest_of_all
-- Index probes per entity, in the newest day first, then the newest month, then ever: most devices spoke today, and
-- what follows the first hit is never run.
SELECT d.id, h.observed_at, h.number, h.word, convert_from(h.detail, 'UTF8')
FROM document d
CROSS JOIN LATERAL (
    SELECT * FROM (
        (SELECT observed_at, number, word, detail FROM history
        WHERE entity = d.number AND attribute = %(attribute)s
            AND observed_at <= %(at)s AND observed_at > %(at)s - interval '1 day'
        ORDER BY observed_at DESC LIMIT 1)
        UNION ALL
        (SELECT observed_at, number, word, detail FROM history
        WHERE entity = d.number AND attribute = %(attribute)s
            AND observed_at <= %(at)s - interval '1 day' AND observed_at > %(at)s - interval '31 days'
        ORDER BY observed_at DESC LIMIT 1)
        UNION ALL
        (SELECT observed_at, number, word, detail FROM history
        WHERE entity = d.number AND attribute = %(attribute)s AND observed_at <= %(at)s - interval '31 days'
        ORDER BY observed_at DESC LIMIT 1)
    ) tried LIMIT 1
) h
WHERE d.tenant = %(tenant)s AND d.types && %(types)s;

-- name: attribute_number
SELECT number FROM attribute_name WHERE name = %(name)s AND dataset_id = %(dataset_id)s;

-- name: kept
-- Copied as text, which costs a fraction of fetching rows; a time as microseconds since 1970.
COPY (
    SELECT d.id, array_to_string(d.types, ','), n.name, n.dataset_id,
        (extract(epoch FROM h.observed_at) * 1000000)::bigint, h.is_observed, h.number, h.word,
        convert_from(h.detail, 'UTF8')
    FROM history h
    JOIN document d ON d.number = h.entity
    JOIN attribute_name n ON n.number = h.attribute
    WHERE d.tenant = %(tenant)s
        AND (%(types)s::text[] IS NULL OR d.types && %(types)s::text[])
        AND (%(names)s::text[] IS NULL OR n.name = ANY(%(names)s::text[]))
        AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
) TO STDOUT (FORMAT csv);
