-- SPDX-License-Identifier: Apache-2.0

-- name: seen_nothing
false

-- name: seen_all
true

-- name: seen_own
(c.assignee = %(seen_account)s OR c.opened_by = %(seen_account)s)

-- name: seen_to_review
EXISTS (
    SELECT FROM case_review v
    WHERE v.case_id = c.id AND v.reviewer = %(seen_reviewer)s AND v.reviewed_at IS NULL
)

-- name: seen_departments
-- What was somebody's to do elsewhere is none of theirs any more once it is done.
(
    c.department = ANY(%(seen_departments)s::text[])
    OR (c.assignee = %(seen_account)s AND c.phase <> 'closed')
    OR EXISTS (
        SELECT FROM case_share s WHERE s.case_id = c.id AND s.department = ANY(%(seen_departments)s::text[])
    )
)
