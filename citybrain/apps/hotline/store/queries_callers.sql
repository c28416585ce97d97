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
