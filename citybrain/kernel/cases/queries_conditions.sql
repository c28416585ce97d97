-- SPDX-License-Identifier: Apache-2.0
-- What may be asked of a case `c`.

-- name: only_held
c.department = ANY(%(seen_departments)s::text[])

-- name: only_mine
c.assignee = %(seen_account)s

-- name: only_pool
c.assignee IS NULL

-- name: only_helped
EXISTS (SELECT FROM case_share s WHERE s.case_id = c.id AND s.department = ANY(%(seen_departments)s::text[]))

-- name: not_done
c.phase <> 'closed'

-- name: states
c.state = ANY(%(states)s::text[])

-- name: phases
c.phase = ANY(%(phases)s::text[])

-- name: one_type
-- So that an index by type is in order.
c.type = %(types)s

-- name: types
c.type = ANY(%(types)s::text[])

-- name: categories
c.category = ANY(%(categories)s::text[])

-- name: departments
c.department = ANY(%(departments)s::text[])

-- name: channels
c.channel = ANY(%(channels)s::text[])

-- name: assignee
c.assignee = %(assignee)s

-- name: due_before
coalesce(c.due_at, 'infinity') < %(due_before)s::timestamptz AND c.phase <> 'closed'

-- name: overdue
coalesce(c.due_at, 'infinity') < %(now)s::timestamptz AND c.phase = 'open'

-- name: created_from
c.created_at >= %(created_from)s::timestamptz

-- name: created_before
c.created_at < %(created_before)s::timestamptz

-- name: cells
c.cell = ANY(%(cells)s::integer[])

-- name: box
c.longitude BETWEEN %(west)s AND %(east)s AND c.latitude BETWEEN %(south)s AND %(north)s

-- name: of_identifier
-- By keyed hash alone: nothing is opened to find it.
c.id IN (SELECT s.case_id FROM case_secret s WHERE s.mark = ANY(%(identifier_marks)s::bytea[]))
