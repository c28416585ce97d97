-- SPDX-License-Identifier: Apache-2.0

-- name: run_start
INSERT INTO run (number, scenario, begins_at, ends_at, started_at)
VALUES (%(number)s, %(scenario)s, %(begins_at)s, %(ends_at)s, %(started_at)s);

-- name: run_finish
UPDATE run SET finished_at = %(now)s, summary = %(summary)s WHERE number = %(number)s;

-- name: run_last
SELECT * FROM run ORDER BY number DESC LIMIT 1;

-- name: run_newest
SELECT * FROM run ORDER BY number DESC LIMIT %(limit)s;

-- name: run_at
SELECT * FROM run WHERE begins_at <= %(at)s ORDER BY begins_at DESC LIMIT 1;

-- name: run_first_begins_at
SELECT begins_at FROM run ORDER BY begins_at LIMIT 1;

-- name: setting_read
SELECT value FROM setting WHERE name = %(name)s;

-- name: setting_write
INSERT INTO setting (name, value) VALUES (%(name)s, %(value)s::jsonb)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
