-- SPDX-License-Identifier: Apache-2.0

-- name: by_number
SELECT h.entity, h.attribute, h.observed_at, h.number, h.word, h.instance, h.detail
FROM history h WHERE h.attribute = ANY(%(attributes)s) AND h.instance = %(instance)s AND history_says(h.number, h.word, h.detail)
LIMIT 1;

-- name: series_forward
SELECT r.* FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
CROSS JOIN LATERAL (
    SELECT h.entity, h.attribute, h.observed_at, h.number, h.word, h.instance, h.detail
    FROM history h
    WHERE h.entity = s.entity AND h.attribute = s.attribute AND h.instance IS NOT NULL
        AND h.observed_at >= greatest(%(since)s::timestamptz, %(after_at)s::timestamptz)
        AND h.observed_at < %(until)s::timestamptz
        AND (h.observed_at, h.instance) > (%(after_at)s::timestamptz, %(after)s::bigint)
        AND (%(low)s::float8 IS NULL OR (h.number >= %(low)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(high)s::float8 IS NULL OR (h.number <= %(high)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(part)s::bytea IS NULL OR position(%(part)s::bytea in h.detail) > 0)
        AND history_says(h.number, h.word, h.detail)
    ORDER BY h.observed_at, h.instance LIMIT %(limit)s
) r ORDER BY r.observed_at, r.instance LIMIT %(in_all)s;

-- name: series_backward
SELECT r.* FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
CROSS JOIN LATERAL (
    SELECT h.entity, h.attribute, h.observed_at, h.number, h.word, h.instance, h.detail
    FROM history h
    WHERE h.entity = s.entity AND h.attribute = s.attribute AND h.instance IS NOT NULL
        AND h.observed_at >= %(since)s::timestamptz
        AND h.observed_at < %(until)s::timestamptz AND h.observed_at <= %(after_at)s::timestamptz
        AND (h.observed_at, h.instance) < (%(after_at)s::timestamptz, %(after)s::bigint)
        AND (%(low)s::float8 IS NULL OR (h.number >= %(low)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(high)s::float8 IS NULL OR (h.number <= %(high)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(part)s::bytea IS NULL OR position(%(part)s::bytea in h.detail) > 0)
        AND history_says(h.number, h.word, h.detail)
    ORDER BY h.observed_at DESC, h.instance DESC LIMIT %(limit)s
) r ORDER BY r.observed_at DESC, r.instance DESC LIMIT %(in_all)s;

-- name: numbers_forward
-- In the order in which they came: the index walks them, so a page costs the same however many there are.
SELECT r.* FROM unnest(%(attributes)s::integer[]) AS s (attribute)
CROSS JOIN LATERAL (
    SELECT h.entity, h.attribute, h.observed_at, h.number, h.word, h.instance, h.detail
    FROM history h
    WHERE h.attribute = s.attribute AND h.instance > %(after)s::bigint
        AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
        AND (%(entities)s::integer[] IS NULL OR h.entity = ANY(%(entities)s::integer[]))
        AND (%(low)s::float8 IS NULL OR (h.number >= %(low)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(high)s::float8 IS NULL OR (h.number <= %(high)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(part)s::bytea IS NULL OR position(%(part)s::bytea in h.detail) > 0)
        AND history_says(h.number, h.word, h.detail)
    ORDER BY h.instance LIMIT %(limit)s
) r ORDER BY r.instance LIMIT %(limit)s;

-- name: numbers_backward
SELECT r.* FROM unnest(%(attributes)s::integer[]) AS s (attribute)
CROSS JOIN LATERAL (
    SELECT h.entity, h.attribute, h.observed_at, h.number, h.word, h.instance, h.detail
    FROM history h
    WHERE h.attribute = s.attribute AND h.instance < %(after)s::bigint
        AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
        AND (%(entities)s::integer[] IS NULL OR h.entity = ANY(%(entities)s::integer[]))
        AND (%(low)s::float8 IS NULL OR (h.number >= %(low)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(high)s::float8 IS NULL OR (h.number <= %(high)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(part)s::bytea IS NULL OR position(%(part)s::bytea in h.detail) > 0)
        AND history_says(h.number, h.word, h.detail)
    ORDER BY h.instance DESC LIMIT %(limit)s
) r ORDER BY r.instance DESC LIMIT %(limit)s;

-- name: series_count
SELECT coalesce(sum(r.many), 0)::bigint FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
CROSS JOIN LATERAL (
    SELECT count(*) AS many FROM history h
    WHERE h.entity = s.entity AND h.attribute = s.attribute AND h.instance IS NOT NULL
        AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
        AND (%(low)s::float8 IS NULL OR (h.number >= %(low)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(high)s::float8 IS NULL OR (h.number <= %(high)s::float8 AND history_is_number(h.number, h.detail)))
        AND (%(part)s::bytea IS NULL OR position(%(part)s::bytea in h.detail) > 0)
        AND history_says(h.number, h.word, h.detail)
) r;

-- name: numbers_count
SELECT count(*) FROM history h
WHERE h.attribute = ANY(%(attributes)s::integer[]) AND h.instance IS NOT NULL
    AND h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
    AND (%(entities)s::integer[] IS NULL OR h.entity = ANY(%(entities)s::integer[]))
    AND (%(low)s::float8 IS NULL OR (h.number >= %(low)s::float8 AND history_is_number(h.number, h.detail)))
    AND (%(high)s::float8 IS NULL OR (h.number <= %(high)s::float8 AND history_is_number(h.number, h.detail)))
    AND (%(part)s::bytea IS NULL OR position(%(part)s::bytea in h.detail) > 0)
    AND history_says(h.number, h.word, h.detail);

-- name: delete_one
DELETE FROM history
WHERE entity = %(entity)s AND attribute = %(attribute)s AND observed_at = %(at)s AND instance = %(instance)s;

-- name: delete_series
DELETE FROM history h
USING unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
WHERE h.entity = s.entity AND h.attribute = s.attribute;

-- name: day_add
SELECT history_add_day(%(day)s);

-- name: update_one
UPDATE history SET observed_at = %(at)s, number = %(number)s, word = %(word)s, detail = %(detail)s, modified_at = %(now)s
WHERE entity = %(entity)s AND attribute = %(attribute)s AND observed_at = %(was_at)s AND instance = %(instance)s;
