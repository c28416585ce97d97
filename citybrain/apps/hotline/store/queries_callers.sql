-- SPDX-License-Identifier: Apache-2.0

-- name: sealed
SELECT t.case_id, c.name, c.phone, c.phone_mark, c.email, c.email_mark
FROM hotline_ticket t LEFT JOIN hotline_caller c USING (case_id) WHERE t.case_id = %(case_id)s;

-- name: of_marks
SELECT t.case_id, t.number, t.text, t.created_at, c.name, c.phone, c.email
FROM hotline_caller c JOIN hotline_ticket t USING (case_id)
WHERE c.phone_mark = ANY(%(marks)s) OR c.email_mark = ANY(%(marks)s) ORDER BY t.created_at;

-- name: erase
DELETE FROM hotline_caller c USING hotline_ticket t WHERE t.case_id = c.case_id AND t.phase = 'closed'
AND (c.phone_mark = ANY(%(marks)s) OR c.email_mark = ANY(%(marks)s));

-- name: erase_calls
UPDATE hotline_call SET phone = NULL, phone_mark = NULL WHERE phone_mark = ANY(%(marks)s);

-- name: erase_areas
DELETE FROM hotline_area WHERE email_mark = ANY(%(marks)s);

-- name: forget
DELETE FROM hotline_caller c USING hotline_ticket t WHERE t.case_id = c.case_id AND t.closed_at < %(before)s;

-- name: forget_calls
UPDATE hotline_call SET phone = NULL, phone_mark = NULL WHERE phone IS NOT NULL AND rang_at < %(before)s;

-- name: callers_stale
SELECT case_id, part, value FROM (
    SELECT case_id, 'name' AS part, name AS value FROM hotline_caller
    UNION ALL SELECT case_id, 'phone', phone FROM hotline_caller
    UNION ALL SELECT case_id, 'email', email FROM hotline_caller
) AS kept
WHERE value IS NOT NULL AND substr(value, 1, 5) <> %(head)s::bytea ORDER BY case_id, part LIMIT %(limit)s;

-- name: caller_renew
-- What was written meanwhile, with the newest key, stays.
UPDATE hotline_caller SET
    name = CASE WHEN %(key_1)s::text = 'name' THEN %(value)s ELSE name END,
    phone = CASE WHEN %(key_1)s::text = 'phone' THEN %(value)s ELSE phone END,
    email = CASE WHEN %(key_1)s::text = 'email' THEN %(value)s ELSE email END
WHERE case_id = %(key_0)s
    AND substr(CASE %(key_1)s::text WHEN 'name' THEN name WHEN 'phone' THEN phone ELSE email END, 1, 5)
        <> %(head)s::bytea;

-- name: calls_stale
SELECT key, phone FROM hotline_call
WHERE phone IS NOT NULL AND substr(phone, 1, 5) <> %(head)s::bytea ORDER BY key LIMIT %(limit)s;

-- name: call_renew
UPDATE hotline_call SET phone = %(value)s WHERE key = %(key_0)s AND substr(phone, 1, 5) <> %(head)s::bytea;

-- name: areas_stale
SELECT token_hash, email FROM hotline_area
WHERE substr(email, 1, 5) <> %(head)s::bytea ORDER BY token_hash LIMIT %(limit)s;

-- name: area_renew
UPDATE hotline_area SET email = %(value)s WHERE token_hash = %(key_0)s AND substr(email, 1, 5) <> %(head)s::bytea;
