-- SPDX-License-Identifier: Apache-2.0

-- name: policies
SELECT type, policy, every_s, changed_by, changed_at FROM model_policy ORDER BY type;

-- name: policy_set
INSERT INTO model_policy (type, policy, every_s, changed_by, changed_at)
VALUES (%(type)s, %(policy)s, %(every_s)s, %(changed_by)s, %(changed_at)s)
ON CONFLICT (type) DO UPDATE SET policy = excluded.policy, every_s = excluded.every_s,
    changed_by = excluded.changed_by, changed_at = excluded.changed_at;

-- name: findings_drop
DELETE FROM model_finding f USING unnest(%(tenants)s::text[], %(ids)s::text[]) AS e (tenant, id)
WHERE f.tenant = e.tenant AND f.entity_id = e.id AND NOT (f.attribute || chr(31) || f.code = ANY(%(kept)s));

-- name: finding_add
-- One that goes on keeps the time since when it does.
INSERT INTO model_finding (tenant, entity_id, attribute, code, type, facts, since)
VALUES (%(tenant)s, %(entity_id)s, %(attribute)s, %(code)s, %(type)s, %(facts)s, %(since)s)
ON CONFLICT (tenant, entity_id, attribute, code) DO UPDATE SET facts = excluded.facts, type = excluded.type;

-- name: findings_of
SELECT entity_id, attribute, code, type, facts, since FROM model_finding
WHERE tenant = %(tenant)s AND (%(type)s::text IS NULL OR type = %(type)s)
    AND (%(entity_id)s::text IS NULL OR entity_id = %(entity_id)s)
ORDER BY since DESC, entity_id, attribute LIMIT %(limit)s;

-- name: findings_by_code
SELECT type, code, count(*) AS count, count(DISTINCT entity_id) AS entities FROM model_finding
WHERE tenant = %(tenant)s GROUP BY type, code ORDER BY type, code;
