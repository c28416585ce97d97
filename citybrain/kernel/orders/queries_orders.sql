-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO standing_order (id, key, turn, means, entity_id, parameters, reason, state, two_person, lasts,
    proposed_by, proposed_at, expires_at, because)
VALUES (%(id)s, %(key)s, CASE WHEN %(state)s = 'standing' THEN nextval('standing_order_turn') END, %(means)s,
    %(entity_id)s, %(parameters)s, %(reason)s, %(state)s, %(two_person)s, %(lasts)s, %(proposed_by)s,
    %(proposed_at)s, %(expires_at)s, %(because)s)
ON CONFLICT (proposed_by, key) DO NOTHING;

-- name: by_key
SELECT id FROM standing_order WHERE proposed_by = %(proposed_by)s AND key = %(key)s;

-- name: held
-- What stands on an entity of some means by the will of two persons, the newest first.
SELECT id FROM standing_order
WHERE state = 'standing' AND two_person AND entity_id = %(entity_id)s AND means = ANY(%(means)s)
ORDER BY turn DESC;

-- name: lock
SELECT id FROM standing_order WHERE id = %(id)s FOR UPDATE;

-- name: orders
SELECT s.*,
    CASE WHEN o.order_id IS NOT NULL
        THEN jsonb_build_object('state', o.state, 'code', o.code, 'facts', o.facts, 'at', o.at) END AS outcome,
    CASE WHEN u.order_id IS NOT NULL
        THEN jsonb_build_object('state', u.state, 'code', u.code, 'facts', u.facts, 'at', u.at) END AS undo_outcome,
    n.proposed_by AS replacer, c.at AS given_at
FROM standing_order s
LEFT JOIN city_order c ON c.id = s.id
LEFT JOIN outcome o ON o.order_id = s.id
LEFT JOIN outcome u ON u.order_id = s.id || ':end' AND s.undo <> 'none'
LEFT JOIN standing_order n ON n.id = s.replaced_by
WHERE (%(ids)s::text[] IS NULL OR s.id = ANY(%(ids)s))
    AND (%(entity_id)s::text IS NULL OR s.entity_id = %(entity_id)s)
    AND (%(means)s::text[] IS NULL OR s.means = ANY(%(means)s))
    AND (%(state)s::text IS NULL OR s.state = %(state)s)
ORDER BY s.number DESC LIMIT %(limit)s;

-- name: in_force
-- With no time those that stand now, else those that stood then: whoever gave and ended them did so by the clock, while
-- the city's time says when one is over.
SELECT s.*,
    CASE WHEN o.order_id IS NOT NULL
        THEN jsonb_build_object('state', o.state, 'code', o.code, 'facts', o.facts, 'at', o.at) END AS outcome,
    NULL::jsonb AS undo_outcome, NULL::text AS replacer, c.at AS given_at
FROM standing_order s
LEFT JOIN city_order c ON c.id = s.id
LEFT JOIN outcome o ON o.order_id = s.id
WHERE s.means = ANY(%(means)s)
    AND (s.state = 'standing' OR s.state = 'ended' AND s.ended_at > %(clock_at)s::timestamptz)
    AND (%(clock_at)s::timestamptz IS NULL
        OR coalesce(s.approved_at, s.proposed_at) <= %(clock_at)s AND (s.approved_at IS NOT NULL OR NOT s.two_person)
            AND (s.expires_at IS NULL OR s.expires_at > %(at)s::timestamptz))
ORDER BY s.number DESC LIMIT %(limit)s;

-- name: acts
SELECT act, by, at, facts FROM standing_order_act WHERE order_id = %(id)s ORDER BY number;

-- name: act_add
INSERT INTO standing_order_act (order_id, act, by, at, facts) VALUES (%(id)s, %(act)s, %(by)s, %(at)s, %(facts)s);

-- name: approve
UPDATE standing_order SET state = 'standing', turn = nextval('standing_order_turn'), approved_by = %(by)s,
    approved_at = %(at)s
WHERE id = %(id)s;

-- name: shorten
UPDATE standing_order SET expires_at = least(expires_at, %(until)s) WHERE id = %(id)s;

-- name: ending
UPDATE standing_order SET ending_by = %(by)s, ending_at = %(at)s WHERE id = %(id)s;

-- name: end
UPDATE standing_order SET state = %(state)s, ended_why = %(why)s, ended_by = %(by)s, ended_at = %(at)s,
    ended_reason = %(reason)s, undo = %(undo)s, ending_by = NULL, ending_at = NULL
WHERE id = %(id)s;

-- name: expired
SELECT id FROM standing_order WHERE state IN ('proposed', 'standing') AND expires_at <= %(city_at)s
ORDER BY number FOR UPDATE;

-- name: late
SELECT id FROM standing_order WHERE state = 'proposed' AND proposed_at < %(before)s ORDER BY number FOR UPDATE;

-- name: next_expiry
SELECT min(expires_at) FROM standing_order WHERE state IN ('proposed', 'standing') HAVING min(expires_at) IS NOT NULL;

-- name: next_late
SELECT min(proposed_at) FROM standing_order WHERE state = 'proposed' HAVING min(proposed_at) IS NOT NULL;

-- name: settle
-- What the outcomes say of orders that wait for theirs; failed ones that last stand on.
UPDATE standing_order s SET settled = true,
    state = CASE WHEN o.state = 'refused' THEN 'refused' WHEN s.lasts THEN 'standing' ELSE 'ended' END,
    ended_why = CASE WHEN o.state = 'refused' THEN 'refused' WHEN s.lasts THEN NULL
        WHEN o.state = 'failed' THEN 'failed' ELSE 'done' END,
    ended_by = CASE WHEN o.state = 'refused' OR NOT s.lasts THEN '' END,
    ended_at = CASE WHEN o.state = 'refused' OR NOT s.lasts THEN %(at)s::timestamptz END
FROM outcome o WHERE o.order_id = s.id AND NOT s.settled AND s.state = 'standing'
RETURNING s.id, s.means, o.state, o.code;

-- name: settle_undone
UPDATE standing_order s SET undo = 'done', undone_at = o.at
FROM outcome o WHERE o.order_id = s.id || ':end' AND s.undo = 'due'
RETURNING s.id, s.means, o.state, o.code;

-- name: replace
-- Older orders that a newer one, carried out, puts an end to: of the same means, or of one that it undoes.
UPDATE standing_order older SET state = 'ended', ended_why = 'replaced', replaced_by = newer.id,
    ended_by = newer.proposed_by, ended_at = %(at)s, ending_by = NULL, ending_at = NULL
FROM standing_order newer
WHERE newer.id = %(id)s AND older.state = 'standing' AND older.lasts AND older.entity_id = newer.entity_id
    AND older.means = ANY(%(means)s) AND older.turn < newer.turn
RETURNING older.id;

-- name: undos_to_give
-- Undoing that was not carried out, or was after the state from which the city is resumed; nothing newer stands there.
SELECT s.id FROM standing_order s
WHERE (s.undo = 'due' OR s.undo = 'done' AND s.undone_at > %(saved_at)s::timestamptz)
    AND NOT EXISTS (
        SELECT 1 FROM standing_order newer WHERE newer.state = 'standing' AND newer.settled
            AND newer.entity_id = s.entity_id AND newer.means = s.means AND newer.turn > s.turn
    )
ORDER BY s.ended_at, s.turn;

-- name: to_give
SELECT id FROM standing_order WHERE state = 'standing' AND (lasts OR NOT settled) ORDER BY turn;

-- name: failed
-- Orders in force that failed when they were given last.
SELECT s.id FROM standing_order s JOIN outcome o ON o.order_id = s.id
WHERE s.state = 'standing' AND s.lasts AND s.settled AND o.state = 'failed' ORDER BY s.turn;

-- name: failed_undos
-- Undoing that failed when it was tried last, where nothing newer stands; what is long over is left alone.
SELECT s.id FROM standing_order s JOIN outcome o ON o.order_id = s.id || ':end'
WHERE s.undo = 'done' AND o.state = 'failed' AND s.ended_at > %(since)s
    AND NOT EXISTS (
        SELECT 1 FROM standing_order newer WHERE newer.state = 'standing'
            AND newer.entity_id = s.entity_id AND newer.means = s.means AND newer.turn > s.turn
    )
ORDER BY s.ended_at, s.turn;
