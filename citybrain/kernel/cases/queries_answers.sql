-- SPDX-License-Identifier: Apache-2.0

-- name: answer_insert
INSERT INTO answer_template (department, category, title, body, words, version, changed_by, changed_at)
VALUES (
    %(department)s, %(category)s, %(title)s, %(body)s, array_to_tsvector(%(words)s::text[]), 1, %(by)s, %(at)s
) RETURNING id;

-- name: answer_update
UPDATE answer_template SET
    department = %(department)s, category = %(category)s, title = %(title)s, body = %(body)s,
    words = array_to_tsvector(%(words)s::text[]), version = version + 1, changed_by = %(by)s, changed_at = %(at)s
WHERE id = %(id)s AND version = %(version)s AND retired_at IS NULL;

-- name: answer_retire
UPDATE answer_template SET retired_at = %(at)s, changed_by = %(by)s, version = version + 1
WHERE id = %(id)s AND version = %(version)s AND retired_at IS NULL;

-- name: answer_used
UPDATE answer_template SET used = used + 1 WHERE id = %(id)s;

-- name: answer_get
SELECT id, department, category, title, body, used, version, changed_by, changed_at
FROM answer_template WHERE id = %(id)s AND retired_at IS NULL;

-- name: answer_search
-- Those for the category asked for come first, then those for what is above it, then what is used most.
SELECT id, department, category, title, body, used, version, changed_by, changed_at
FROM answer_template
WHERE retired_at IS NULL
AND (%(question)s = '' OR words @@ %(question)s::tsquery)
AND (department IS NULL OR %(departments)s::text[] IS NULL OR department = ANY(%(departments)s::text[]))
ORDER BY coalesce(array_position(%(categories)s::text[], category), 1000), used DESC, id
LIMIT %(limit)s;
