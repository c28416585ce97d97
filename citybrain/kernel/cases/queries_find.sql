-- SPDX-License-Identifier: Apache-2.0
-- Pieces of one question about cases, put together by finding.py: {columns}, {where} and {order} are pieces too.

-- name: everywhere
SELECT {columns} FROM city_case c WHERE {where} ORDER BY {order} LIMIT %(limit)s;

-- name: searched
-- What has the words is found first and by their index, however many the planner takes them for.
WITH hit AS MATERIALIZED (SELECT case_id FROM case_words WHERE words @@ %(tsquery)s::tsquery)
SELECT {columns} FROM hit JOIN city_case c ON c.id = hit.case_id WHERE {where} ORDER BY {order} LIMIT %(limit)s;

-- name: apart
-- Each part is read in order by an index of its own and none further than a page; no case is in two parts.
SELECT {columns} FROM ({parts}) c ORDER BY {order} LIMIT %(limit)s;

-- name: part_held
-- One department too comes as a row, so that the planner reads its index and not all departments in order, hoping.
SELECT held.* FROM unnest(%(held)s::text[]) AS d (department) CROSS JOIN LATERAL (
    SELECT {columns} FROM city_case c
    WHERE c.department = d.department AND {where} ORDER BY {order} LIMIT %(limit)s
) held

-- name: part_mine
(SELECT {columns} FROM city_case c
WHERE c.assignee = %(seen_account)s AND {where} ORDER BY {order} LIMIT %(limit)s)

-- name: part_opened
(SELECT {columns} FROM city_case c
WHERE c.opened_by = %(seen_account)s AND c.assignee IS DISTINCT FROM %(seen_account)s AND {where}
ORDER BY {order} LIMIT %(limit)s)

-- name: part_helped
(WITH help AS MATERIALIZED (
    SELECT DISTINCT s.case_id FROM case_share s WHERE s.department = ANY(%(seen_departments)s::text[]) AND {live}
)
SELECT {columns} FROM help JOIN city_case c ON c.id = help.case_id WHERE {where} ORDER BY {order} LIMIT %(limit)s)

-- name: part_searched
(WITH hit AS MATERIALIZED (SELECT case_id FROM case_words WHERE words @@ %(tsquery)s::tsquery)
SELECT {columns} FROM hit JOIN city_case c ON c.id = hit.case_id WHERE {where} ORDER BY {order} LIMIT %(limit)s)

-- name: has_words
-- Asked of one case at a time: the part it stands in is small.
(SELECT w.words @@ %(words_query)s::tsquery FROM case_words w WHERE w.case_id = c.id)

-- name: live
s.live

-- name: in_held
c.department = ANY(%(held)s::text[])

-- name: elsewhere
c.department <> ALL(%(seen_departments)s::text[])

-- name: not_mine
c.assignee IS DISTINCT FROM %(seen_account)s

-- name: of_number
c.number = %(number)s

-- name: of_ids
c.id = ANY(%(ids)s::bigint[])
