-- SPDX-License-Identifier: Apache-2.0

-- name: last_batch_number
SELECT max(number) FROM observation_batch HAVING max(number) IS NOT NULL;

-- name: batch_insert
INSERT INTO observation_batch (number, id, source, observed_at, received_at)
VALUES (%(number)s, %(id)s, %(source)s, %(observed_at)s, %(received_at)s);

-- name: history_copy
COPY history (entity, attribute, observed_at, batch_number, number, word, instance, recorded_at, modified_at,
    is_observed, detail) FROM STDIN (FORMAT binary);

-- name: history_add_day
SELECT history_add_day(%(day)s);

-- name: history_add_month
SELECT history_add_month(%(day)s);

-- name: last_instance
SELECT instance FROM journal_position;

-- name: instance_write
UPDATE journal_position SET instance = greatest(instance, %(instance)s);

-- name: event_upsert
-- An event stays in the group that it came into.
INSERT INTO event (id, kind, severity, at, ended_at, entity_id, because, geometry, evidence, "group")
VALUES (%(id)s, %(kind)s, %(severity)s, %(at)s, %(ended_at)s, %(entity_id)s, %(because)s, %(geometry)s, %(evidence)s,
    %(group)s)
ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, ended_at = excluded.ended_at,
    entity_id = excluded.entity_id, because = excluded.because, geometry = excluded.geometry,
    evidence = excluded.evidence, "group" = coalesce(excluded."group", event."group");

-- name: handling_upsert
INSERT INTO event_handling (event_id, kind, severity, at, ended_at, entity_id, "group", merged_into, words)
VALUES (%(event_id)s, %(kind)s, %(severity)s, %(at)s, %(ended_at)s, %(entity_id)s, %(group)s, %(merged_into)s,
    %(words)s)
ON CONFLICT (event_id) DO UPDATE SET severity = excluded.severity, ended_at = excluded.ended_at,
    entity_id = excluded.entity_id, "group" = coalesce(excluded."group", event_handling."group"),
    merged_into = excluded.merged_into, words = excluded.words;

-- name: handling_lock
-- All rows that a group writes, in order of the ids, as all do who change several: none waits for another in a ring.
SELECT event_id FROM event_handling WHERE event_id = ANY(%(ids)s) ORDER BY event_id FOR UPDATE;

-- name: handling_inherit
-- Who has taken an event has that of which it turned out to be a sign, unless somebody was there already.
WITH heir AS (
    UPDATE event_handling head SET state = 'taken', taken_by = sign.taken_by, taken_at = sign.taken_at,
        acknowledged_by = sign.taken_by, acknowledged_at = sign.taken_at, version = head.version + 1
    FROM (
        SELECT DISTINCT ON (merged_into) merged_into, event_id, taken_by, taken_at FROM event_handling
        WHERE event_id = ANY(%(ids)s) AND merged_into IS NOT NULL AND state = 'taken'
        ORDER BY merged_into, taken_at, event_id
    ) sign
    WHERE head.event_id = sign.merged_into AND head.state = 'new'
    RETURNING head.event_id, sign.event_id AS sign, sign.taken_by
)
INSERT INTO event_act (event_id, act, by, at, note, facts)
SELECT event_id, 'inherit', '', now(), '', jsonb_build_object('by', taken_by, 'from', sign) FROM heir;

-- name: handling_return
-- What is worse than when it was put away is there again.
WITH away AS (
    SELECT DISTINCT ON (h.event_id) h.event_id, h.state, h.severity, a.facts ->> 'severity' AS was
    FROM event_handling h JOIN event_act a ON a.event_id = h.event_id AND a.act IN ('clear', 'shelve')
    WHERE h.event_id = ANY(%(ids)s) AND h.state IN ('cleared', 'shelved')
    ORDER BY h.event_id, a.number DESC
), back AS (
    UPDATE event_handling h SET state = CASE h.state WHEN 'shelved' THEN h.under ELSE 'new' END, under = NULL,
        shelved_by = NULL, shelved_until = NULL, cleared_by = NULL, cleared_at = NULL, version = h.version + 1
    FROM away WHERE h.event_id = away.event_id AND away.severity < away.was
    RETURNING h.event_id, away.state, away.severity, away.was
)
INSERT INTO event_act (event_id, act, by, at, note, facts)
SELECT event_id, 'return', '', now(), '', jsonb_build_object('from', state, 'severity', severity, 'was', was) FROM back;

-- name: order_insert
-- An order that stands is given again whenever the city opens; what counts is when it was given first.
INSERT INTO city_order (id, means, entity_id, at, because, parameters, by)
VALUES (%(id)s, %(means)s, %(entity_id)s, %(at)s, %(because)s, %(parameters)s, %(by)s)
ON CONFLICT (id) DO NOTHING;

-- name: outcome_insert
INSERT INTO outcome (order_id, state, at, code, facts)
VALUES (%(order_id)s, %(state)s, %(at)s, %(code)s, %(facts)s)
ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, at = excluded.at, code = excluded.code,
    facts = excluded.facts;

-- name: reading_insert
INSERT INTO reading (indicator, arm, at, value, parts)
VALUES (%(indicator)s, %(arm)s, %(at)s, %(value)s, %(parts)s)
ON CONFLICT (indicator, arm, at) DO UPDATE SET value = excluded.value, parts = excluded.parts;

-- name: outbox_insert
INSERT INTO outbox (topic, payload, at) VALUES (%(topic)s, %(payload)s, now());

-- name: events_by_id
SELECT e.*, h.acknowledged_by, h.acknowledged_at, coalesce(h.note, '') AS note
FROM event e LEFT JOIN event_handling h ON h.event_id = e.id
WHERE e.id = ANY(%(ids)s) ORDER BY e.at, e.id;

-- name: events
-- What a reader at `until` could know: what ended later was still open then.
SELECT e.id, e.kind, e.severity, e.at, e.entity_id, e.because, e.geometry, e.evidence, e."group",
    CASE WHEN %(until)s::timestamptz IS NULL OR e.ended_at <= %(until)s THEN e.ended_at END AS ended_at,
    h.acknowledged_by, h.acknowledged_at, coalesce(h.note, '') AS note
FROM event e LEFT JOIN event_handling h ON h.event_id = e.id
WHERE (%(open_only)s::bool IS FALSE OR e.ended_at IS NULL)
    AND (%(open_at)s::timestamptz IS NULL OR e.at <= %(open_at)s AND (e.ended_at IS NULL OR e.ended_at > %(open_at)s))
    AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR e.at <= %(until)s)
    AND (%(entity_id)s::text IS NULL OR e.entity_id = %(entity_id)s)
ORDER BY e.at DESC, e.id DESC LIMIT %(limit)s;

-- name: open_events
SELECT id, kind, severity, at, ended_at, entity_id, because, geometry, evidence, "group" FROM event
WHERE ended_at IS NULL
ORDER BY at, id;

-- name: recent_orders
SELECT o.id, o.means, o.entity_id, o.at, o.because, o.parameters, o.by,
    CASE WHEN r.order_id IS NOT NULL
        THEN jsonb_build_object('state', r.state, 'code', r.code, 'facts', r.facts, 'at', r.at) END AS outcome
FROM city_order o LEFT JOIN outcome r ON r.order_id = o.id
WHERE o.entity_id = %(entity_id)s AND (%(until)s::timestamptz IS NULL OR o.at <= %(until)s)
ORDER BY o.at DESC, o.id DESC LIMIT %(limit)s;

-- name: readings
SELECT indicator, arm, at, value, parts FROM reading
WHERE indicator = %(indicator)s AND at >= %(since)s AND at <= %(until)s ORDER BY at, arm;

-- name: readings_at
SELECT DISTINCT ON (indicator, arm) indicator, arm, at, value, parts FROM reading
WHERE at >= %(since)s AND at <= %(at)s ORDER BY indicator, arm, at DESC;

-- name: known_until
SELECT max(observed_at) FROM observation_batch WHERE observed_at >= %(since)s HAVING max(observed_at) IS NOT NULL;
