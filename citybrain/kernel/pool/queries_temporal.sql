-- SPDX-License-Identifier: Apache-2.0

-- name: entity_by_id
SELECT number, id, types, body, live FROM document WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: entities_by_id
SELECT number, id, types, body, live FROM document WHERE tenant = %(tenant)s AND id = ANY(%(ids)s);

-- name: entities_after
-- In order of their ids, those that have anything in the span.
SELECT d.number, d.id, d.types, d.body, d.live FROM document d
WHERE d.tenant = %(tenant)s AND d.id > %(after)s
    AND (%(ids)s::text[] IS NULL OR d.id = ANY(%(ids)s))
    AND (%(types)s::text[] IS NULL OR d.types && %(types)s)
    AND (EXISTS (
        SELECT FROM history h
        WHERE h.entity = d.number AND (%(names)s::text[] IS NULL
                OR h.attribute IN (SELECT n.number FROM attribute_name n WHERE n.name = ANY(%(names)s)))
            AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
            AND history_has(%(time)s, h.is_observed, h.recorded_at, h.detail)
            AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) >= %(from)s::timestamptz
            AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) < %(to)s::timestamptz
    ) OR %(thinned)s AND EXISTS (
        SELECT FROM history_figures f
        WHERE f.entity = d.number AND (%(names)s::text[] IS NULL
                OR f.attribute IN (SELECT n.number FROM attribute_name n WHERE n.name = ANY(%(names)s)))
            AND f.period_at >= %(since)s::timestamptz AND f.period_at < %(until)s::timestamptz
    ))
ORDER BY d.id LIMIT %(limit)s;

-- name: entities_before
SELECT d.number, d.id, d.types, d.body, d.live FROM document d
WHERE d.tenant = %(tenant)s AND (%(after)s = '' OR d.id < %(after)s)
    AND (%(ids)s::text[] IS NULL OR d.id = ANY(%(ids)s))
    AND (%(types)s::text[] IS NULL OR d.types && %(types)s)
    AND (EXISTS (
        SELECT FROM history h
        WHERE h.entity = d.number AND (%(names)s::text[] IS NULL
                OR h.attribute IN (SELECT n.number FROM attribute_name n WHERE n.name = ANY(%(names)s)))
            AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
            AND history_has(%(time)s, h.is_observed, h.recorded_at, h.detail)
            AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) >= %(from)s::timestamptz
            AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) < %(to)s::timestamptz
    ) OR %(thinned)s AND EXISTS (
        SELECT FROM history_figures f
        WHERE f.entity = d.number AND (%(names)s::text[] IS NULL
                OR f.attribute IN (SELECT n.number FROM attribute_name n WHERE n.name = ANY(%(names)s)))
            AND f.period_at >= %(since)s::timestamptz AND f.period_at < %(until)s::timestamptz
    ))
ORDER BY d.id DESC LIMIT %(limit)s;

-- name: series_of
-- Which attributes entities have in the history: one probe of the index per attribute, not one row per instance.
WITH RECURSIVE found (entity, attribute) AS (
    SELECT e.entity, (
        SELECT h.attribute FROM history h WHERE h.entity = e.entity ORDER BY h.attribute LIMIT 1
    ) FROM unnest(%(entities)s::integer[]) AS e (entity)
    UNION ALL
    SELECT f.entity, (
        SELECT h.attribute FROM history h WHERE h.entity = f.entity AND h.attribute > f.attribute
        ORDER BY h.attribute LIMIT 1
    ) FROM found f WHERE f.attribute IS NOT NULL
)
SELECT s.entity, s.attribute, n.name, n.dataset_id
FROM (
    SELECT entity, attribute FROM found
    UNION SELECT entity, attribute FROM history_figures WHERE entity = ANY(%(entities)s::integer[])
) s
JOIN attribute_name n ON n.number = s.attribute
ORDER BY s.entity, s.attribute;

-- name: instances_forward
SELECT r.* FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
CROSS JOIN LATERAL (
    SELECT h.entity, h.attribute, history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) AS at,
        h.observed_at, h.number, h.word, h.instance, h.recorded_at, h.modified_at, h.is_observed, h.detail
    FROM history h
    WHERE h.entity = s.entity AND h.attribute = s.attribute
        AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
        AND history_has(%(time)s, h.is_observed, h.recorded_at, h.detail)
        AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) >= %(from)s::timestamptz
        AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) < %(to)s::timestamptz
    ORDER BY h.observed_at LIMIT %(limit)s
) r;

-- name: instances_backward
SELECT r.* FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
CROSS JOIN LATERAL (
    SELECT h.entity, h.attribute, history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) AS at,
        h.observed_at, h.number, h.word, h.instance, h.recorded_at, h.modified_at, h.is_observed, h.detail
    FROM history h
    WHERE h.entity = s.entity AND h.attribute = s.attribute
        AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
        AND history_has(%(time)s, h.is_observed, h.recorded_at, h.detail)
        AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) >= %(from)s::timestamptz
        AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) < %(to)s::timestamptz
    ORDER BY h.observed_at DESC LIMIT %(limit)s
) r;
