-- SPDX-License-Identifier: Apache-2.0

-- name: seen_nothing
false

-- name: seen_all
true

-- name: seen_own
(c.assignee = %(seen_account)s OR c.opened_by = %(seen_account)s)

-- name: seen_departments
(
    c.department = ANY(%(seen_departments)s::text[])
    OR c.assignee = %(seen_account)s
    OR EXISTS (
        SELECT FROM case_share s WHERE s.case_id = c.id AND s.department = ANY(%(seen_departments)s::text[])
    )
)
