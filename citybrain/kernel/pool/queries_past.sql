-- SPDX-License-Identifier: Apache-2.0

-- name: last_batch
SELECT id, source, observed_at, received_at, number FROM observation_batch
WHERE observed_at <= %(at)s AND observed_at >= %(since)s
ORDER BY observed_at DESC LIMIT 1;

-- name: gone_since
-- Entities that were there then and are not now.
SELECT number, id, types FROM document
WHERE tenant = '' AND NOT live AND types && %(types)s::text[] AND created_at <= %(at)s AND modified_at > %(at)s;

-- name: as_of
-- One index probe per series: the planner walks the days backwards and stops at the first hit.
SELECT s.entity, s.attribute, h.observed_at, h.observed_at, h.number, h.word, h.instance, h.recorded_at, h.modified_at,
    h.is_observed, h.detail
FROM unnest(%(entities)s::integer[], %(attributes)s::integer[]) AS s (entity, attribute)
CROSS JOIN LATERAL (
    SELECT observed_at, number, word, instance, recorded_at, modified_at, is_observed, detail FROM history
    WHERE entity = s.entity AND attribute = s.attribute AND observed_at <= %(at)s
    ORDER BY observed_at DESC LIMIT 1
) h;
