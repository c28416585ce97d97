-- SPDX-License-Identifier: Apache-2.0

-- name: model_put
INSERT INTO process_model (type, type_version, xml, put_by, put_at)
VALUES (%(type)s, %(version)s, %(xml)s, %(by)s, %(at)s) ON CONFLICT DO NOTHING;

-- name: model_get
SELECT xml FROM process_model WHERE type = %(type)s AND type_version = %(version)s;

-- name: process_insert
INSERT INTO case_process (case_id, type, type_version, state, version, is_over, changed_at)
VALUES (%(case_id)s, %(type)s, %(type_version)s, %(state)s, 1, %(is_over)s, %(now)s)
ON CONFLICT DO NOTHING;

-- name: process_get
SELECT case_id, type, type_version, state, version, is_over, changed_at FROM case_process
WHERE case_id = %(case_id)s;

-- name: process_lock
SELECT case_id, type, type_version, state, version, is_over, changed_at FROM case_process
WHERE case_id = %(case_id)s FOR UPDATE;

-- name: process_update
UPDATE case_process SET state = %(state)s, version = version + 1, is_over = %(is_over)s, changed_at = %(now)s
WHERE case_id = %(case_id)s;

-- name: tasks_clear
DELETE FROM case_process_task WHERE case_id = %(case_id)s;

-- name: task_insert
INSERT INTO case_process_task (case_id, task, element, name, lane)
VALUES (%(case_id)s, %(task)s, %(element)s, %(name)s, %(lane)s);

-- name: tasks_of_lanes
SELECT t.case_id, t.task, t.element, t.name, t.lane, c.number, c.title, c.due_at
FROM case_process_task t JOIN city_case c ON c.id = t.case_id
WHERE %(lanes)s::text[] IS NULL OR t.lane = ANY(%(lanes)s::text[])
ORDER BY coalesce(c.due_at, 'infinity'), t.case_id, t.task LIMIT %(limit)s;

-- name: timers_clear
DELETE FROM case_alarm WHERE case_id = %(case_id)s AND kind = 'timer' AND rung_at IS NULL
AND NOT clock = ANY(%(waiting)s::text[]);

-- name: timer_set
-- Set once, when the process comes to it.
INSERT INTO case_alarm (case_id, clock, kind, step, due_at, at, recipients)
SELECT %(case_id)s, %(clock)s, 'timer', 0, %(at)s, %(at)s, '{}'
WHERE NOT EXISTS (SELECT FROM case_alarm WHERE case_id = %(case_id)s AND clock = %(clock)s AND kind = 'timer');
