-- SPDX-License-Identifier: Apache-2.0

-- name: filter_add
INSERT INTO kept_question (list, owner, department, name, query, changed_by)
VALUES ('alarms', %(owner)s, %(department)s, %(name)s, %(query)s, %(owner)s)
RETURNING id;

-- name: filters
SELECT id, owner, department, name, query, version FROM kept_question
WHERE list = 'alarms' AND (owner = %(owner)s OR department = ANY(%(departments)s::text[]))
ORDER BY name, id;

-- name: filter_of
SELECT id, owner, department, name, query, version FROM kept_question WHERE id = %(id)s AND list = 'alarms' FOR UPDATE;

-- name: filters_counted
SELECT count(*) FROM kept_question WHERE owner = %(owner)s AND list = 'alarms';

-- name: filter_put
UPDATE kept_question SET
    department = %(department)s, name = %(name)s, query = %(query)s, changed_by = %(by)s, version = version + 1
WHERE id = %(id)s;

-- name: filter_drop
DELETE FROM kept_question WHERE id = %(id)s;
