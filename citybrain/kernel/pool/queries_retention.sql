-- SPDX-License-Identifier: Apache-2.0

-- name: policies
SELECT tenant, type, attribute, raw_days, period_s, figures_days FROM retention_policy ORDER BY tenant, type, attribute;

-- name: policy_write
INSERT INTO retention_policy (tenant, type, attribute, raw_days, period_s, figures_days)
VALUES (%(tenant)s, %(type)s, %(attribute)s, %(raw_days)s, %(period_s)s, %(figures_days)s)
ON CONFLICT (tenant, type, attribute) DO UPDATE SET raw_days = excluded.raw_days, period_s = excluded.period_s,
    figures_days = excluded.figures_days;

-- name: policy_delete
DELETE FROM retention_policy WHERE tenant = %(tenant)s AND type = %(type)s AND attribute = %(attribute)s;

-- name: meant
-- The series a policy is for. One that names the attribute goes before one for all (*), of the same type; of an entity
-- with several types the one that keeps longest counts.
SELECT d.number, n.number FROM document d
CROSS JOIN attribute_name n
JOIN LATERAL (
    SELECT p.type, p.attribute FROM retention_policy p
    WHERE p.tenant = d.tenant AND p.type = ANY(d.types) AND p.attribute IN (n.name, '*')
    ORDER BY p.attribute = '*', p.raw_days DESC, p.type LIMIT 1
) best ON best.type = %(type)s AND best.attribute = %(attribute)s
WHERE d.tenant = %(tenant)s AND %(type)s = ANY(d.types) AND (%(attribute)s = '*' OR n.name = %(attribute)s)
    AND d.number > %(after)s
    AND EXISTS (
        SELECT FROM history h
        WHERE h.entity = d.number AND h.attribute = n.number AND h.observed_at < %(before)s
    )
ORDER BY d.number, n.number LIMIT %(limit)s;

-- name: thin_out
-- In one statement, so that nothing is lost or counted twice: what goes becomes figures of its period.
WITH gone AS (
    DELETE FROM history h
    USING unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
    WHERE h.entity = s.entity AND h.attribute = s.attribute AND h.observed_at < %(before)s
    RETURNING h.entity, h.attribute, h.observed_at, h.number
), summed AS (
    INSERT INTO history_figures AS f (entity, attribute, period_at, period_s, total, sum, sumsq, low, high)
    SELECT entity, attribute, date_bin(make_interval(secs => %(period_s)s), observed_at, '2000-01-01T00:00:00Z'),
        %(period_s)s, count(*), sum(number), sum(number * number), min(number), max(number)
    FROM gone WHERE %(period_s)s::integer IS NOT NULL AND number <> 'NaN'
    GROUP BY entity, attribute, 3
    ON CONFLICT (entity, attribute, period_at, period_s) DO UPDATE SET total = f.total + excluded.total,
        sum = f.sum + excluded.sum, sumsq = f.sumsq + excluded.sumsq, low = least(f.low, excluded.low),
        high = greatest(f.high, excluded.high)
)
SELECT count(*) FROM gone;

-- name: figures_forget
DELETE FROM history_figures f
USING document d, attribute_name n
WHERE d.number = f.entity AND n.number = f.attribute AND d.tenant = %(tenant)s AND %(type)s = ANY(d.types)
    AND (%(attribute)s = '*' OR n.name = %(attribute)s) AND f.period_at < %(before)s;
