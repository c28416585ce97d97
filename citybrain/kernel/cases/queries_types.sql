-- SPDX-License-Identifier: Apache-2.0

-- name: type_lock
SELECT pg_advisory_xact_lock(hashtext('case_type'), hashtext(%(id)s));

-- name: type_last
SELECT id, version, valid_from, valid_to, definition, published_by, published_at
FROM case_type WHERE id = %(id)s ORDER BY version DESC LIMIT 1;

-- name: type_end
UPDATE case_type SET valid_to = %(at)s
WHERE id = %(id)s AND valid_from < %(at)s AND (valid_to IS NULL OR valid_to > %(at)s);

-- name: type_insert
INSERT INTO case_type (id, version, valid_from, valid_to, definition, published_by, published_at)
VALUES (%(id)s, %(version)s, %(valid_from)s, %(valid_to)s, %(definition)s::text::json, %(by)s, %(at)s);

-- name: type_current
SELECT max(version) FROM case_type
WHERE id = %(id)s AND valid_from <= %(at)s AND (valid_to IS NULL OR valid_to > %(at)s);

-- name: type_version
SELECT id, version, valid_from, valid_to, definition, published_by, published_at
FROM case_type WHERE id = %(id)s AND version = %(version)s;

-- name: type_versions
SELECT id, version, valid_from, valid_to, definition, published_by, published_at
FROM case_type WHERE id = %(id)s ORDER BY version;

-- name: types_at
SELECT DISTINCT ON (id) id, version, valid_from, valid_to, definition, published_by, published_at
FROM case_type WHERE valid_from <= %(at)s AND (valid_to IS NULL OR valid_to > %(at)s)
ORDER BY id, version DESC;

-- name: states_of_version
SELECT DISTINCT state, phase FROM city_case
WHERE type = %(id)s AND type_version = %(version)s AND phase <> 'closed' ORDER BY state;

-- name: type_heads
SELECT t.id, t.definition->'name' AS name, t.version, t.valid_from, t.valid_to, t.published_by, t.published_at,
       EXISTS (SELECT FROM process_model m WHERE m.type = t.id AND m.type_version = t.version) AS has_process
FROM case_type t ORDER BY t.id, t.version;
