-- SPDX-License-Identifier: Apache-2.0

-- name: waiting
-- Calls that a seat is to answer or is on: those of nobody, and its own until they are over and written down.
SELECT id, key, phone, rang_at, answered_after_s, ended_at, agent, case_id FROM hotline_call
WHERE rang_at > %(since)s AND case_id IS NULL AND closed_at IS NULL
AND ((agent = '' AND answered_after_s IS NULL AND ended_at IS NULL) OR agent = %(seat)s)
ORDER BY rang_at, id LIMIT 50;

-- name: by_id
SELECT id, key, phone, phone_mark, rang_at, answered_after_s, ended_at, agent, case_id FROM hotline_call WHERE id = %(id)s;

-- name: answer
-- Two seats at once: the second finds it taken. What the telephone system measured is better than our clock.
UPDATE hotline_call SET agent = %(seat)s, answered_after_s = coalesce(answered_after_s, %(after_s)s)
WHERE id = %(id)s AND agent IN ('', %(seat)s) AND (agent <> '' OR answered_after_s IS NULL);

-- name: close
UPDATE hotline_call SET closed_at = %(at)s, ended_at = coalesce(ended_at, %(at)s)
WHERE id = %(id)s AND agent = %(seat)s;

-- name: belongs
UPDATE hotline_call SET case_id = %(case_id)s WHERE id = %(id)s;
