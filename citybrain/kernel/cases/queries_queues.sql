-- SPDX-License-Identifier: Apache-2.0

-- name: queue_insert
INSERT INTO kept_question (owner, department, name, query, changed_by)
VALUES (%(owner)s, %(department)s, %(name)s, %(query)s, %(owner)s)
RETURNING id;

-- name: queues
SELECT id, owner, department, name, query, version FROM kept_question
WHERE list = 'cases' AND ((department IS NULL AND owner = %(owner)s)
OR department = ANY(%(departments)s::text[]) OR (department IS NOT NULL AND %(all)s))
ORDER BY name, id;

-- name: queue_of
SELECT id, owner, department, name, query, version FROM kept_question WHERE id = %(id)s AND list = 'cases';

-- name: queues_counted
SELECT count(*) FROM kept_question WHERE owner = %(owner)s AND list = 'cases';

-- name: queue_update
UPDATE kept_question SET
    department = %(department)s, name = %(name)s, query = %(query)s, changed_by = %(by)s, version = version + 1
WHERE id = %(id)s AND version = %(version)s;

-- name: queue_delete
DELETE FROM kept_question WHERE id = %(id)s;
