-- SPDX-License-Identifier: Apache-2.0

-- name: known
SELECT key FROM city_case WHERE key = ANY(%(keys)s::text[]);

-- name: ids_next
SELECT nextval(pg_get_serial_sequence('city_case', 'id')) FROM generate_series(1, %(count)s);

-- name: cases_insert
-- Whose key or number is taken meanwhile is left out, and not answered with.
INSERT INTO city_case (
    id, number, type, type_version, state, phase, title, department, came_from, assignee, opened_by, priority, channel,
    category, longitude, latitude, address, fields, created_at, changed_at, due_at, warned_at, suspended_at, closed_at,
    transfers, returns, reopened, version, key, clocks
)
SELECT
    id, number, type, type_version, state, phase, title, department, came_from, assignee, opened_by, priority, channel,
    category, longitude, latitude, address, fields, created_at, changed_at, due_at, warned_at, suspended_at, closed_at,
    transfers, returns, reopened, version, key, clocks
FROM jsonb_populate_recordset(NULL::city_case, %(cases)s::jsonb)
ON CONFLICT DO NOTHING RETURNING id;

-- name: events_insert
INSERT INTO case_event (case_id, version, at, verb, move, by, on_behalf_of, reason, changes, facts)
SELECT case_id, version, at, verb, move, by, on_behalf_of, reason, changes, facts
FROM jsonb_populate_recordset(NULL::case_event, %(events)s::jsonb);

-- name: words_insert
INSERT INTO case_words (case_id, words)
SELECT id, array_to_tsvector(words) FROM jsonb_to_recordset(%(words)s::jsonb) AS u (id bigint, words text[]);

-- name: tell
INSERT INTO outbox_shared (topic, payload, at)
SELECT 'case', payload, %(at)s FROM unnest(%(payloads)s::text[]) WITH ORDINALITY AS u (payload, place) ORDER BY place;
