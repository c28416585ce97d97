-- SPDX-License-Identifier: Apache-2.0

-- name: thinned_span
-- The first beginning and the last end of what was thinned out.
SELECT min(f.period_at), max(f.period_at + make_interval(secs => f.period_s))
FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
JOIN history_figures f ON f.entity = s.entity AND f.attribute = s.attribute
WHERE %(time)s IN ('any', 'observedAt')
    AND f.period_at >= %(since)s::timestamptz AND f.period_at < %(until)s::timestamptz;

-- name: figures_of_numbers
-- Periods of exact length are binned, those of the calendar found by their beginnings. What was thinned out before
-- comes in as figures of its own periods.
WITH seen AS (
    SELECT h.entity, h.attribute, p.start, count(*) AS total, sum(h.number) AS sum, sum(h.number * h.number) AS sumsq,
        min(h.number) AS low, max(h.number) AS high, stddev_pop(h.number) AS stddev
    FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
    JOIN history h ON h.entity = s.entity AND h.attribute = s.attribute
    CROSS JOIN LATERAL (
        SELECT CASE WHEN %(bounds)s::timestamptz[] IS NULL THEN date_bin(
            %(every)s::interval, history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at),
            %(origin)s::timestamptz
        ) ELSE (%(bounds)s::timestamptz[])[width_bucket(
            history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at), %(bounds)s::timestamptz[]
        )] END AS start
    ) p
    WHERE h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
        AND history_has(%(time)s, h.is_observed, h.recorded_at, h.detail)
        AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) >= %(from)s::timestamptz
        AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) < %(to)s::timestamptz
        AND h.number <> 'NaN'
    GROUP BY h.entity, h.attribute, p.start
), thinned AS (
    SELECT f.entity, f.attribute, p.start, sum(f.total) AS total, sum(f.sum) AS sum, sum(f.sumsq) AS sumsq,
        min(f.low) AS low, max(f.high) AS high
    FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
    JOIN history_figures f ON f.entity = s.entity AND f.attribute = s.attribute
    CROSS JOIN LATERAL (
        SELECT CASE WHEN %(bounds)s::timestamptz[] IS NULL
            THEN date_bin(%(every)s::interval, f.period_at, %(origin)s::timestamptz)
            ELSE (%(bounds)s::timestamptz[])[width_bucket(f.period_at, %(bounds)s::timestamptz[])] END AS start
    ) p
    WHERE %(time)s IN ('any', 'observedAt')
        AND f.period_at >= %(since)s::timestamptz AND f.period_at < %(until)s::timestamptz
    GROUP BY f.entity, f.attribute, p.start
)
SELECT entity, attribute, start, (coalesce(s.total, 0) + coalesce(t.total, 0))::bigint AS total,
    coalesce(s.sum, 0) + coalesce(t.sum, 0) AS sum, coalesce(s.sumsq, 0) + coalesce(t.sumsq, 0) AS sumsq,
    least(s.low, t.low) AS low, greatest(s.high, t.high) AS high,
    CASE WHEN t.total IS NULL THEN s.stddev END AS stddev
FROM seen s FULL JOIN thinned t USING (entity, attribute, start)
ORDER BY entity, attribute, start;

-- name: figures_of_texts
SELECT h.entity, h.attribute, p.start, count(*) AS total, min(h.word COLLATE "C") AS first, max(h.word COLLATE "C") AS last
FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
JOIN history h ON h.entity = s.entity AND h.attribute = s.attribute
CROSS JOIN LATERAL (
    SELECT CASE WHEN %(bounds)s::timestamptz[] IS NULL THEN date_bin(
        %(every)s::interval, history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at),
        %(origin)s::timestamptz
    ) ELSE (%(bounds)s::timestamptz[])[width_bucket(
        history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at), %(bounds)s::timestamptz[]
    )] END AS start
) p
WHERE h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
    AND history_has(%(time)s, h.is_observed, h.recorded_at, h.detail)
    AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) >= %(from)s::timestamptz
    AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) < %(to)s::timestamptz
    AND h.word IS NOT NULL
GROUP BY h.entity, h.attribute, p.start
ORDER BY h.entity, h.attribute, p.start;

-- name: distinct_values
SELECT h.entity, h.attribute, p.start, count(DISTINCT coalesce(h.word, h.number::text))
FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
JOIN history h ON h.entity = s.entity AND h.attribute = s.attribute
CROSS JOIN LATERAL (
    SELECT CASE WHEN %(bounds)s::timestamptz[] IS NULL THEN date_bin(
        %(every)s::interval, history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at),
        %(origin)s::timestamptz
    ) ELSE (%(bounds)s::timestamptz[])[width_bucket(
        history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at), %(bounds)s::timestamptz[]
    )] END AS start
) p
WHERE h.observed_at >= %(since)s::timestamptz AND h.observed_at < %(until)s::timestamptz
    AND history_has(%(time)s, h.is_observed, h.recorded_at, h.detail)
    AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) >= %(from)s::timestamptz
    AND history_time(%(time)s, h.observed_at, h.recorded_at, h.modified_at) < %(to)s::timestamptz
    AND (h.word IS NOT NULL OR h.number <> 'NaN')
GROUP BY h.entity, h.attribute, p.start;
