-- SPDX-License-Identifier: Apache-2.0

-- name: attempt
-- One statement counts and locks. While locked nothing moves; when a lock is over, counting starts anew.
INSERT INTO sign_in_attempt AS a (name, failures, last_at) VALUES (%(name)s, 1, %(now)s)
ON CONFLICT (name) DO UPDATE SET
    failures = CASE
        WHEN a.locked_until > %(now)s THEN a.failures + 1
        WHEN a.locked_until IS NOT NULL THEN 1
        ELSE a.failures + 1 END,
    locked_until = CASE
        WHEN a.locked_until > %(now)s THEN a.locked_until
        WHEN a.locked_until IS NULL AND a.failures + 1 >= %(allowed)s THEN %(until)s END,
    last_at = %(now)s
RETURNING failures, locked_until;

-- name: attempt_forget
DELETE FROM sign_in_attempt WHERE name = %(name)s;

-- name: attempts_prune
DELETE FROM sign_in_attempt WHERE last_at < %(before)s AND (locked_until IS NULL OR locked_until < %(before)s);
