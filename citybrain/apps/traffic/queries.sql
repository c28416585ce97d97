-- SPDX-License-Identifier: Apache-2.0

-- name: keep
-- A quarter of an hour that is run again after a restart is the same one.
INSERT INTO traffic_comparison (signal_id, begins_at, signals, seconds, acting, came, plan_s, brain_s, measured_s)
VALUES (%(signal_id)s, %(begins_at)s, %(signals)s, %(seconds)s, %(acting)s, %(came)s, %(plan_s)s, %(brain_s)s, %(measured_s)s)
ON CONFLICT (signal_id, begins_at) DO UPDATE SET signals = excluded.signals, seconds = excluded.seconds,
    acting = excluded.acting, came = excluded.came, plan_s = excluded.plan_s, brain_s = excluded.brain_s,
    measured_s = excluded.measured_s;

-- name: of_junction
SELECT signals, begins_at, seconds, acting, came, plan_s, brain_s, measured_s FROM traffic_comparison
WHERE signal_id = %(signal_id)s AND begins_at >= %(since)s ORDER BY begins_at DESC LIMIT %(limit)s;

-- name: since
SELECT signals, begins_at, seconds, acting, came, plan_s, brain_s, measured_s FROM traffic_comparison
WHERE begins_at >= %(since)s ORDER BY signal_id, begins_at;

-- name: forget
DELETE FROM traffic_comparison WHERE begins_at < %(before)s;
