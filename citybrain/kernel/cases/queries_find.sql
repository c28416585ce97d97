-- SPDX-License-Identifier: Apache-2.0
-- Pieces of one question about cases, put together by finding.py: {columns}, {where} and {order} are pieces too.

-- name: everywhere
SELECT {columns} FROM city_case c WHERE {where} ORDER BY {order} LIMIT %(limit)s;

-- name: searched
SELECT {columns} FROM case_words w JOIN city_case c ON c.id = w.case_id
WHERE w.words @@ %(tsquery)s::tsquery AND {where} ORDER BY {order} LIMIT %(limit)s;

-- name: apart
-- Each part is read in order by an index of its own and none further than a page.
WITH part AS ({parts}), page AS (SELECT * FROM part ORDER BY {part_order} LIMIT %(limit)s)
SELECT {columns} FROM page JOIN city_case c ON c.id = page.id ORDER BY {order};

-- name: part_held
SELECT held.* FROM unnest(%(seen_departments)s::text[]) AS d (department) CROSS JOIN LATERAL (
    SELECT c.id, {keys} FROM city_case c
    WHERE c.department = d.department AND {where} ORDER BY {order} LIMIT %(limit)s
) held

-- name: part_mine
(SELECT c.id, {keys} FROM city_case c
WHERE c.assignee = %(seen_account)s AND {where} ORDER BY {order} LIMIT %(limit)s)

-- name: part_opened
(SELECT c.id, {keys} FROM city_case c
WHERE c.opened_by = %(seen_account)s AND {where} ORDER BY {order} LIMIT %(limit)s)

-- name: part_helped
(SELECT c.id, {keys} FROM case_share s JOIN city_case c ON c.id = s.case_id
WHERE s.department = ANY(%(seen_departments)s::text[]) AND {live} AND {where} ORDER BY {order} LIMIT %(limit)s)

-- name: part_searched
(SELECT c.id, {keys} FROM case_words w JOIN city_case c ON c.id = w.case_id
WHERE w.words @@ %(tsquery)s::tsquery AND {where} ORDER BY {order} LIMIT %(limit)s)

-- name: has_words
-- Asked of one case at a time: the part it stands in is small.
(SELECT w.words @@ %(words_query)s::tsquery FROM case_words w WHERE w.case_id = c.id)

-- name: live
s.live
