-- SPDX-License-Identifier: Apache-2.0

-- name: letter_add
INSERT INTO mqtt_dead_letter (source, topic, entity_id, payload, code, facts, at)
VALUES (%(source)s, %(topic)s, %(entity_id)s, %(payload)s, %(code)s, %(facts)s, %(at)s);

-- name: letters
SELECT id, source, topic, entity_id, payload, code, facts, at FROM mqtt_dead_letter
WHERE (%(source)s::text IS NULL OR source = %(source)s) AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC LIMIT %(limit)s;

-- name: letters_by_id
SELECT id, source, topic, entity_id, payload, code, facts, at FROM mqtt_dead_letter WHERE id = ANY(%(ids)s) ORDER BY id;

-- name: letters_remove
DELETE FROM mqtt_dead_letter WHERE id = ANY(%(ids)s);

-- name: letters_prune
-- Only the newest are kept: a device gone wild must not fill the disk.
DELETE FROM mqtt_dead_letter WHERE id <= (SELECT max(id) FROM mqtt_dead_letter) - %(kept)s;

-- name: quarantine_add
INSERT INTO mqtt_quarantine (entity_id, source, code, event_id, since)
VALUES (%(entity_id)s, %(source)s, %(code)s, %(event_id)s, %(since)s)
ON CONFLICT (entity_id) DO NOTHING;

-- name: quarantine_end
DELETE FROM mqtt_quarantine WHERE entity_id = %(entity_id)s RETURNING event_id;

-- name: quarantines
SELECT entity_id, source, code, event_id, since FROM mqtt_quarantine ORDER BY since, entity_id;

-- name: count_add
INSERT INTO mqtt_count AS c (source, taken, refused, too_many, last_at)
VALUES (%(source)s, %(taken)s, %(refused)s, %(too_many)s, %(at)s)
ON CONFLICT (source) DO UPDATE SET taken = c.taken + excluded.taken, refused = c.refused + excluded.refused,
    too_many = c.too_many + excluded.too_many, last_at = greatest(c.last_at, excluded.last_at);

-- name: counts
SELECT c.source, c.taken, c.refused, c.too_many, c.last_at,
    (SELECT count(*) FROM mqtt_dead_letter l WHERE l.source = c.source) AS waiting,
    (SELECT count(*) FROM mqtt_quarantine q WHERE q.source = c.source) AS quarantined
FROM mqtt_count c ORDER BY c.source;
