-- SPDX-License-Identifier: Apache-2.0

-- name: lock
-- In order of the ids, as all who change several do: none waits for another in a ring.
SELECT event_id, severity, ended_at, state, under, version, acknowledged_by, acknowledged_at, taken_by, taken_at, shelved_by,
    shelved_until, cleared_by, cleared_at, comments, note
FROM event_handling WHERE event_id = ANY(%(ids)s) ORDER BY event_id FOR UPDATE;

-- name: write
UPDATE event_handling SET state = %(state)s, under = %(under)s, version = %(version)s,
    acknowledged_by = %(acknowledged_by)s, acknowledged_at = %(acknowledged_at)s, taken_by = %(taken_by)s,
    taken_at = %(taken_at)s, shelved_by = %(shelved_by)s, shelved_until = %(shelved_until)s,
    cleared_by = %(cleared_by)s, cleared_at = %(cleared_at)s, comments = %(comments)s, note = %(note)s
WHERE event_id = %(event_id)s;

-- name: act_add
INSERT INTO event_act (event_id, act, by, at, note, facts)
VALUES (%(event_id)s, %(act)s, %(by)s, %(at)s, %(note)s, %(facts)s);

-- name: acts
SELECT act, by, at, note, facts FROM event_act WHERE event_id = %(id)s ORDER BY number;

-- name: signs
-- Events that became signs of this one. Its evidence has them too, but of very many only some.
SELECT kind, entity_id, at, severity, event_id FROM event_handling WHERE merged_into = %(id)s
ORDER BY at, event_id LIMIT %(limit)s;

-- name: orders
SELECT o.id, o.means, o.entity_id, o.at, o.because, o.parameters, o.by,
    CASE WHEN r.order_id IS NOT NULL
        THEN jsonb_build_object('state', r.state, 'code', r.code, 'facts', r.facts, 'at', r.at) END AS outcome
FROM city_order o LEFT JOIN outcome r ON r.order_id = o.id
WHERE o.because ->> 'event_id' = %(id)s ORDER BY o.at, o.id LIMIT %(limit)s;

-- name: group_sizes
-- As lists count: what became a sign of another event is in none.
SELECT "group" AS id, count(*) AS number FROM event_handling
WHERE "group" = ANY(%(groups)s) AND merged_into IS NULL GROUP BY 1;

-- name: shelves_over
SELECT event_id FROM event_handling WHERE state = 'shelved' AND shelved_until <= %(now)s ORDER BY event_id;

-- name: next_shelf
SELECT min(shelved_until) FROM event_handling WHERE state = 'shelved' HAVING min(shelved_until) IS NOT NULL;

-- name: acted_since
-- Acts after the last that readers were told of: the city may have died in between.
SELECT DISTINCT event_id FROM event_act
WHERE at >= coalesce((SELECT max(at) FROM outbox WHERE topic = 'alarm'), '-infinity') AND at >= %(since)s;

-- name: tally_fold
-- In one statement, so a reader sees either what was or its sum; what another folds right now is left to it.
WITH gone AS (
    DELETE FROM event_tally WHERE ctid = ANY(ARRAY(SELECT ctid FROM event_tally FOR UPDATE SKIP LOCKED))
        AND EXISTS (SELECT FROM event_tally GROUP BY kind, severity, is_open, state, taken_by HAVING count(*) > 1)
    RETURNING kind, severity, is_open, state, taken_by, number
)
INSERT INTO event_tally SELECT kind, severity, is_open, state, taken_by, sum(number) FROM gone
GROUP BY 1, 2, 3, 4, 5 HAVING sum(number) <> 0;
