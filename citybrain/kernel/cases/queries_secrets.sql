-- SPDX-License-Identifier: Apache-2.0
-- Personal values of cases, encrypted where they lie.

-- name: secret_add
INSERT INTO case_secret (case_id, field, number, sort, value, mark)
VALUES (%(case_id)s, %(field)s, %(number)s, %(sort)s, %(value)s, %(mark)s);

-- name: secrets_of
SELECT case_id, field, number, sort, value, mark FROM case_secret WHERE case_id = ANY(%(ids)s::bigint[]);

-- name: marks_of_case
SELECT DISTINCT mark FROM case_secret WHERE case_id = %(id)s AND mark IS NOT NULL ORDER BY mark;

-- name: cases_of_marks
SELECT DISTINCT case_id FROM case_secret WHERE mark = ANY(%(marks)s::bytea[]) ORDER BY case_id;

-- name: cases_told
SELECT id, number, type, type_version, title, state, phase, address, fields, created_at, closed_at
FROM city_case WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id;

-- name: cases_due
-- Closed long enough ago that a value of this field may go; what went already is not found again.
SELECT s.case_id, s.field, s.number, s.sort, s.value
FROM case_secret s JOIN city_case c ON c.id = s.case_id
WHERE s.settled_at IS NULL AND s.field = %(field)s AND c.type = %(type)s AND c.type_version = %(version)s
    AND c.phase = 'closed' AND c.closed_at <= %(closed_before)s
ORDER BY s.case_id, s.number LIMIT %(limit)s;

-- name: secret_settle
UPDATE case_secret SET value = %(value)s, mark = NULL, settled_at = coalesce(%(now)s, now())
WHERE case_id = %(case_id)s AND field = %(field)s AND number = %(number)s AND settled_at IS NULL;

-- name: types_with_personal
SELECT id, version FROM case_type WHERE json_array_length(definition -> 'personal') > 0 ORDER BY id, version;

-- name: secrets_stale
SELECT case_id, field, number, value FROM case_secret
WHERE value <> '' AND substr(value, 1, 5) <> %(head)s::bytea ORDER BY case_id, field, number LIMIT %(limit)s;

-- name: secret_renew
-- What was written with the newest key meanwhile, or erased, stays.
UPDATE case_secret SET value = %(value)s
WHERE case_id = %(key_0)s AND field = %(key_1)s AND number = %(key_2)s
    AND value <> '' AND substr(value, 1, 5) <> %(head)s::bytea;
