-- SPDX-License-Identifier: Apache-2.0

-- name: position_read
SELECT outbox_id FROM operations_position WHERE name = 'events';

-- name: position_write
INSERT INTO operations_position (name, outbox_id) VALUES ('events', %(outbox_id)s)
ON CONFLICT (name) DO UPDATE SET outbox_id = excluded.outbox_id;

-- name: run_add
INSERT INTO operations_run (id, event_id, kind, severity, entity_id, "group", playbook, playbook_version, because, state,
    started_at, city_at, event_at, event_ended_at, ended_at, evidence)
VALUES (%(id)s, %(event_id)s, %(kind)s, %(severity)s, %(entity_id)s, %(group)s, %(playbook)s, %(playbook_version)s,
    %(because)s, %(state)s, %(started_at)s, %(city_at)s, %(event_at)s, %(event_ended_at)s, %(ended_at)s,
    %(evidence)s);

-- name: run_write
UPDATE operations_run SET state = %(state)s, severity = %(severity)s, event_ended_at = %(event_ended_at)s,
    ended_at = %(ended_at)s, evidence = %(evidence)s
WHERE id = %(id)s;

-- name: line_write
INSERT INTO operations_line (run_id, number, part, means, spec, entity_id, parameters, state, at, city_at, code, facts,
    order_id, tries, confirmed_by, second_by, ordered_at, executed_at, verdict, checks, two_person, undo, version)
VALUES (%(run_id)s, %(number)s, %(part)s, %(means)s, %(spec)s, %(entity_id)s, %(parameters)s, %(state)s, %(at)s,
    %(city_at)s, %(code)s, %(facts)s, %(order_id)s, %(tries)s, %(confirmed_by)s, %(second_by)s, %(ordered_at)s,
    %(executed_at)s, %(verdict)s, %(checks)s, %(two_person)s, %(undo)s, %(version)s)
ON CONFLICT (run_id, number, part) DO UPDATE SET state = excluded.state, at = excluded.at, city_at = excluded.city_at,
    code = excluded.code, facts = excluded.facts, order_id = excluded.order_id, tries = excluded.tries,
    confirmed_by = excluded.confirmed_by, second_by = excluded.second_by, ordered_at = excluded.ordered_at,
    executed_at = excluded.executed_at, verdict = excluded.verdict, checks = excluded.checks, undo = excluded.undo,
    version = excluded.version;

-- name: runs
SELECT r.*, (
    SELECT coalesce(jsonb_agg(to_jsonb(l) - 'run_id' - 'means' ORDER BY l.number, l.part), '[]') FROM operations_line l
    WHERE l.run_id = r.id
) AS lines
FROM operations_run r
WHERE (%(id)s::text IS NULL OR r.id = %(id)s)
    AND (%(event_id)s::text IS NULL OR r.event_id = %(event_id)s)
    AND (%(state)s::text IS NULL OR r.state = %(state)s)
    AND (%(playbook)s::text IS NULL OR r.playbook = %(playbook)s)
    AND (%(order_id)s::text IS NULL OR r.id = (SELECT run_id FROM operations_line WHERE order_id = %(order_id)s LIMIT 1))
ORDER BY r.number DESC LIMIT %(limit)s;

-- name: run_events
-- Which of these events have a run, with the playbook.
SELECT event_id || ' ' || playbook FROM operations_run WHERE event_id = ANY(%(ids)s);

-- name: run_groups
SELECT DISTINCT "group" FROM operations_run WHERE "group" = ANY(%(groups)s);

-- name: done_lately
-- What was ordered at a place for the same kind of event not long ago and still holds: it is not ordered again.
SELECT r.kind, r.entity_id AS place, l.means, l.entity_id, l.parameters FROM operations_run r JOIN operations_line l ON l.run_id = r.id
WHERE r.entity_id = ANY(%(places)s) AND r.event_at > %(since)s AND l.state IN ('due', 'ordered', 'executed', 'checked')
    AND l.undo = 'none';

-- name: run_counts
SELECT playbook, count(*) FILTER (WHERE state = 'open') AS open, count(*) AS all FROM operations_run GROUP BY playbook;

-- name: check_add
INSERT INTO operations_check (order_id, means, entity_id, event_id, run_id, line, part, attribute, of_entity, becomes,
    value, parameters, before, executed_at, due_at, state)
VALUES (%(order_id)s, %(means)s, %(entity_id)s, %(event_id)s, %(run_id)s, %(line)s, %(part)s, %(attribute)s,
    %(of_entity)s, %(becomes)s, %(value)s::jsonb, %(parameters)s, %(before)s::jsonb, %(executed_at)s, %(due_at)s,
    'waiting')
ON CONFLICT (order_id) DO NOTHING;

-- name: checks_due
SELECT order_id, means, entity_id, event_id, run_id, line, part, attribute, of_entity, becomes, value, parameters,
    before, executed_at, due_at
FROM operations_check WHERE state = 'waiting' AND due_at <= %(city_at)s ORDER BY due_at LIMIT 500;

-- name: check_write
UPDATE operations_check SET state = %(state)s, after = %(after)s::jsonb, checked_at = %(at)s
WHERE order_id = %(order_id)s AND state = 'waiting';

-- name: check_now
UPDATE operations_check SET due_at = greatest(%(at)s, executed_at)
WHERE order_id = %(order_id)s AND state = 'waiting' AND due_at > %(at)s;

-- name: check_settled
UPDATE operations_check SET due_at = greatest(%(at)s, executed_at)
WHERE order_id = %(order_id)s AND state = 'waiting' AND due_at > %(at)s AND attribute = %(attribute)s
    AND becomes = 'above' AND (%(progress)s < 0 OR %(progress)s > (value #>> '{}')::float8);

-- name: checks_of
SELECT order_id, line, part, attribute, of_entity, becomes, value, before, after, executed_at, due_at, state, checked_at
FROM operations_check WHERE run_id = %(run_id)s ORDER BY executed_at;

-- name: check_next
SELECT min(due_at) FROM operations_check WHERE state = 'waiting' HAVING min(due_at) IS NOT NULL;
