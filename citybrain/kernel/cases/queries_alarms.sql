-- SPDX-License-Identifier: Apache-2.0

-- name: alarms_clear
DELETE FROM case_alarm WHERE case_id = %(case_id)s AND rung_at IS NULL AND kind <> 'timer';

-- name: alarm_set
-- One that rang for the same end of the same clock does not ring again.
INSERT INTO case_alarm (case_id, clock, kind, step, due_at, at, recipients)
VALUES (%(case_id)s, %(clock)s, %(kind)s, %(step)s, %(due_at)s, %(at)s, %(to)s)
ON CONFLICT DO NOTHING;

-- name: alarms_due
SELECT case_id, clock, kind, step, due_at, at, recipients AS to FROM case_alarm
WHERE rung_at IS NULL AND at <= %(now)s ORDER BY at, case_id, clock, kind, step LIMIT %(limit)s;

-- name: alarm_take
-- Whoever changes the row first rings; the case is locked before, as every act does.
UPDATE case_alarm SET rung_at = %(now)s
WHERE case_id = %(case_id)s AND clock = %(clock)s AND kind = %(kind)s AND step = %(step)s AND due_at = %(due_at)s
AND rung_at IS NULL;

-- name: alarm_failed
UPDATE case_alarm SET tries = tries + 1, at = %(at)s
WHERE case_id = %(case_id)s AND clock = %(clock)s AND kind = %(kind)s AND step = %(step)s AND due_at = %(due_at)s
AND rung_at IS NULL;

-- name: alarms_of
SELECT case_id, clock, kind, step, due_at, at, recipients AS to, rung_at FROM case_alarm
WHERE case_id = %(case_id)s ORDER BY at, clock, kind, step;
