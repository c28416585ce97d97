-- SPDX-License-Identifier: Apache-2.0

-- name: checks_between
SELECT order_id, means, entity_id, event_id, attribute, becomes, before, after, executed_at, due_at, state
FROM operations_check WHERE executed_at >= %(since)s AND executed_at < %(until)s ORDER BY executed_at, order_id;

-- name: handover_add
INSERT INTO operations_handover (id, since, until, comments, report, from_by, to_by, handed_at)
VALUES (%(id)s, %(since)s, %(until)s, %(comments)s, %(report)s, %(from_by)s, %(to_by)s, %(handed_at)s);

-- name: handover_acknowledge
UPDATE operations_handover SET acknowledged_by = %(by)s, acknowledged_at = %(at)s
WHERE id = %(id)s AND acknowledged_by IS NULL;

-- name: handovers
SELECT id, since, until, comments, from_by, to_by, handed_at, acknowledged_by, acknowledged_at
FROM operations_handover ORDER BY number DESC LIMIT %(limit)s;

-- name: handover
SELECT id, since, until, comments, report, from_by, to_by, handed_at, acknowledged_by, acknowledged_at
FROM operations_handover WHERE id = %(id)s;
