-- SPDX-License-Identifier: Apache-2.0

-- name: replaced_delete
-- Of several observations of one time the newest word counts.
DELETE FROM history h
USING (
    SELECT DISTINCT *
    FROM unnest(%(entities)s::integer[], %(attributes)s::integer[], %(times)s::timestamptz[]) AS k (entity, attribute, at)
) k
WHERE h.entity = k.entity AND h.attribute = k.attribute AND h.observed_at = k.at AND h.is_observed
    AND h.instance < (
        SELECT max(n.instance) FROM history n
        WHERE n.entity = h.entity AND n.attribute = h.attribute AND n.observed_at = h.observed_at AND n.is_observed
    );

-- name: instances_by_number
SELECT h.entity, h.attribute, h.observed_at AS at, h.observed_at, h.number, h.word, h.instance, h.recorded_at,
    h.modified_at, h.is_observed, h.detail
FROM history h
WHERE h.entity = %(entity)s AND h.attribute = ANY(%(attributes)s) AND h.instance = %(instance)s;

-- name: day_add
SELECT history_add_day(%(day)s);

-- name: instance_update
UPDATE history SET observed_at = %(at)s, number = %(number)s, word = %(word)s, detail = %(detail)s,
    is_observed = %(is_observed)s, modified_at = %(modified_at)s
WHERE entity = %(entity)s AND attribute = %(attribute)s AND observed_at = %(was_at)s AND instance = %(instance)s;

-- name: instance_delete
DELETE FROM history
WHERE entity = %(entity)s AND attribute = %(attribute)s AND observed_at = %(was_at)s AND instance = %(instance)s;

-- name: series_delete
DELETE FROM history WHERE entity = %(entity)s AND attribute = ANY(%(attributes)s);

-- name: figures_delete
DELETE FROM history_figures
WHERE entity = %(entity)s AND (%(attributes)s::integer[] IS NULL OR attribute = ANY(%(attributes)s));
