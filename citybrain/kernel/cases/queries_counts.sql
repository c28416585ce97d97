-- SPDX-License-Identifier: Apache-2.0

-- name: counts
-- {by} are the columns that are asked for; slots of one count are added up.
SELECT {by}, sum(n) AS n FROM case_count WHERE {where} GROUP BY {by} HAVING sum(n) <> 0 ORDER BY {by};

-- name: total
SELECT coalesce(sum(n), 0) FROM case_count WHERE {where};

-- name: all
true

-- name: held
department = ANY(%(seen_departments)s::text[])

-- name: mine
assignee = %(seen_account)s

-- name: pool
assignee = '' AND phase <> 'closed'

-- name: nothing
false

-- name: not_done
phase <> 'closed'

-- name: states
state = ANY(%(states)s::text[])

-- name: phases
phase = ANY(%(phases)s::text[])

-- name: types
type = ANY(%(types)s::text[])

-- name: departments
department = ANY(%(departments)s::text[])

-- name: assignee
assignee = %(assignee)s

-- name: helped
-- Joint work that goes on.
SELECT count(*) FROM (
    SELECT DISTINCT case_id FROM case_share WHERE live AND department = ANY(%(seen_departments)s::text[]) LIMIT %(most)s
) AS u;

-- name: late
-- No further than the most that is told.
SELECT count(*) FROM (
    SELECT FROM unnest(%(seen_departments)s::text[]) AS d (department) CROSS JOIN LATERAL (
        SELECT FROM city_case c WHERE c.department = d.department AND c.phase = 'open' AND c.phase <> 'closed'
            AND coalesce(c.due_at, 'infinity') < %(before)s LIMIT %(most)s
    ) each_one LIMIT %(most)s
) AS u;

-- name: late_everywhere
SELECT count(*) FROM (
    SELECT FROM city_case c WHERE c.phase = 'open' AND c.phase <> 'closed'
        AND coalesce(c.due_at, 'infinity') < %(before)s LIMIT %(most)s
) AS u;
