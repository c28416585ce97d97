-- SPDX-License-Identifier: Apache-2.0
-- Pieces of one question about alarms, put together by finding.py: {where} and {order} are pieces too.

-- name: page
-- The page is found in the narrow table alone; only its rows fetch the wide ones.
SELECT e.id, e.kind, e.severity, e.at, e.ended_at, e.entity_id, e.geometry, e.because, e.evidence, e."group",
    p.merged_into, jsonb_build_object('state', p.state, 'under', p.under, 'version', p.version,
        'acknowledged_by', p.acknowledged_by, 'acknowledged_at', p.acknowledged_at,
        'taken_by', p.taken_by, 'taken_at', p.taken_at,
        'shelved_by', p.shelved_by, 'shelved_until', p.shelved_until,
        'cleared_by', p.cleared_by, 'cleared_at', p.cleared_at,
        'comments', p.comments, 'note', p.note) AS handling
FROM (SELECT h.* FROM event_handling h WHERE {where} ORDER BY {order} LIMIT %(limit)s) p
JOIN event e ON e.id = p.event_id ORDER BY {order_of_page};

-- name: counted
SELECT h.severity, {state} AS state, count(*) AS number FROM event_handling h WHERE {where} GROUP BY 1, 2;

-- name: tallied
-- What is counted as it changes; what is on the shelf is looked at, for its time may be over.
SELECT severity, state, sum(number)::bigint AS number FROM (
    SELECT h.severity, h.state, h.number FROM event_tally h WHERE {of_tally}
    UNION ALL
    SELECT h.severity, {state}, 1 FROM event_handling h WHERE h.state = 'shelved' AND {where}
) every GROUP BY 1, 2 HAVING sum(number) > 0;

-- name: any_tally
true

-- name: by_ids
h.event_id = ANY(%(ids)s)

-- name: state_now
CASE WHEN h.state = 'shelved' AND h.shelved_until <= %(now)s THEN h.under ELSE h.state END

-- name: not_merged
h.merged_into IS NULL

-- name: only_open
h.ended_at IS NULL

-- name: only_ended
h.ended_at IS NOT NULL

-- name: tally_open
h.is_open

-- name: tally_ended
NOT h.is_open

-- name: kind
-- One alone is found in the order of the list.
h.kind = %(kind)s

-- name: kinds
h.kind = ANY(%(kinds)s)

-- name: severity
h.severity = %(severity)s

-- name: severities
h.severity = ANY(%(severities)s)

-- name: states
{state} = ANY(%(states)s)

-- name: taken_by
h.taken_by = %(taken_by)s

-- name: entity_id
h.entity_id = %(entity_id)s

-- name: in_group
h."group" = %(group)s

-- name: since
h.at >= %(since)s

-- name: until
h.at <= %(until)s

-- name: words
(h.words LIKE %(words)s OR h.kind = ANY(%(kinds_meant)s) OR h.note <> '' AND h.note ILIKE %(words)s)

-- name: worst_first
h.severity, h.at DESC, h.event_id DESC

-- name: newest_first
h.at DESC, h.event_id DESC

-- name: oldest_first
h.at, h.event_id

-- name: after_worst
(h.severity > %(after_severity)s
    OR h.severity = %(after_severity)s AND (h.at, h.event_id) < (%(after_at)s, %(after_id)s))

-- name: after_newest
(h.at, h.event_id) < (%(after_at)s, %(after_id)s)

-- name: after_oldest
(h.at, h.event_id) > (%(after_at)s, %(after_id)s)
