-- SPDX-License-Identifier: Apache-2.0

-- name: columns
c.id, c.number, c.type, c.type_version, c.state, c.phase, c.title, c.department, c.came_from, c.assignee, c.opened_by,
c.priority, c.channel, c.category, c.longitude, c.latitude, c.address, c.fields, c.created_at, c.changed_at, c.due_at,
c.warned_at, c.suspended_at, c.closed_at, c.transfers, c.returns, c.reopened, c.version, c.key,
c.clocks

-- name: event_of
SELECT case_id, version, at, verb, move, by, on_behalf_of, reason, changes, facts
FROM case_event WHERE case_id = %(id)s AND version = %(version)s;

-- name: history
SELECT case_id, version, at, verb, move, by, on_behalf_of, reason, changes, facts
FROM case_event WHERE case_id = %(id)s ORDER BY version;

-- name: number_next
-- Its own transaction: a number may stay unused, but nobody waits for another's commit.
INSERT INTO case_number (scope, last) VALUES (%(scope)s, %(count)s)
ON CONFLICT (scope) DO UPDATE SET last = case_number.last + EXCLUDED.last
RETURNING last;

-- name: id_next
SELECT nextval(pg_get_serial_sequence('city_case', 'id'));

-- name: case_insert
INSERT INTO city_case (
    id, number, type, type_version, state, phase, title, department, came_from, assignee, opened_by, priority, channel,
    category, longitude, latitude, address, fields, created_at, changed_at, due_at, warned_at, suspended_at, closed_at,
    transfers, returns, reopened, version, key, clocks
) VALUES (
    %(id)s, %(number)s, %(type)s, %(type_version)s, %(state)s, %(phase)s, %(title)s, %(department)s, %(came_from)s,
    %(assignee)s, %(opened_by)s, %(priority)s, %(channel)s, %(category)s, %(longitude)s, %(latitude)s, %(address)s,
    %(fields)s, %(created_at)s, %(changed_at)s, %(due_at)s, %(warned_at)s, %(suspended_at)s, %(closed_at)s,
    %(transfers)s, %(returns)s, %(reopened)s, %(version)s, %(key)s, %(clocks)s
) ON CONFLICT DO NOTHING;

-- name: case_change
-- In one statement, which is one way to the server and back. Columns that indexes hold keep their values in most acts,
-- so PostgreSQL need not touch the indexes. Counts are added in one order by everybody, so that no two wait for each
-- other in a ring, and in a slot of the connection's own.
WITH changed AS (
    UPDATE city_case SET
        type_version = %(type_version)s, state = %(state)s, phase = %(phase)s, title = %(title)s,
        department = %(department)s, came_from = %(came_from)s, assignee = %(assignee)s, priority = %(priority)s,
        category = %(category)s, longitude = %(longitude)s, latitude = %(latitude)s, address = %(address)s,
        fields = coalesce(%(new_fields)s, fields), changed_at = %(changed_at)s, due_at = %(due_at)s,
        warned_at = %(warned_at)s, suspended_at = %(suspended_at)s, closed_at = %(closed_at)s, transfers = %(transfers)s,
        returns = %(returns)s, reopened = %(reopened)s, version = %(version)s,
        clocks = %(clocks)s
    WHERE id = %(id)s
), event AS (
    INSERT INTO case_event (case_id, version, at, verb, move, by, on_behalf_of, reason, changes, facts)
    VALUES (
        %(case_id)s, %(version)s, %(at)s, %(verb)s, %(move)s, %(by)s, %(on_behalf_of)s, %(reason)s, %(changes)s,
        %(facts)s
    )
), told AS (
    INSERT INTO outbox_shared (topic, payload, at) VALUES ('case', %(payload)s, %(at)s)
)
INSERT INTO case_count (department, type, state, assignee, phase, slot, n)
SELECT d, t, s, a, p, pg_backend_pid() %% 8, n
FROM unnest(
    %(departments)s::text[], %(types)s::text[], %(states)s::text[], %(assignees)s::text[], %(phases)s::text[],
    %(ns)s::integer[]
) AS u (d, t, s, a, p, n)
ORDER BY d, t, s, a, p
ON CONFLICT (department, type, state, assignee, phase, slot) DO UPDATE SET n = case_count.n + EXCLUDED.n;

-- name: case_begun
WITH event AS (
    INSERT INTO case_event (case_id, version, at, verb, move, by, on_behalf_of, reason, changes, facts)
    VALUES (
        %(case_id)s, %(version)s, %(at)s, %(verb)s, %(move)s, %(by)s, %(on_behalf_of)s, %(reason)s, %(changes)s,
        %(facts)s
    )
), told AS (
    INSERT INTO outbox_shared (topic, payload, at) VALUES ('case', %(payload)s, %(at)s)
)
INSERT INTO case_count (department, type, state, assignee, phase, slot, n)
SELECT d, t, s, a, p, pg_backend_pid() %% 8, n
FROM unnest(
    %(departments)s::text[], %(types)s::text[], %(states)s::text[], %(assignees)s::text[], %(phases)s::text[],
    %(ns)s::integer[]
) AS u (d, t, s, a, p, n)
ORDER BY d, t, s, a, p
ON CONFLICT (department, type, state, assignee, phase, slot) DO UPDATE SET n = case_count.n + EXCLUDED.n;

-- name: count_add
INSERT INTO case_count (department, type, state, assignee, phase, slot, n)
SELECT d, t, s, a, p, pg_backend_pid() %% 8, n
FROM unnest(
    %(departments)s::text[], %(types)s::text[], %(states)s::text[], %(assignees)s::text[], %(phases)s::text[],
    %(ns)s::integer[]
) AS u (d, t, s, a, p, n)
ORDER BY d, t, s, a, p
ON CONFLICT (department, type, state, assignee, phase, slot) DO UPDATE SET n = case_count.n + EXCLUDED.n;

-- name: words_write
INSERT INTO case_words (case_id, words) VALUES (%(id)s, array_to_tsvector(%(words)s::text[]))
ON CONFLICT (case_id) DO UPDATE SET words = EXCLUDED.words;

-- name: comment_insert
INSERT INTO case_comment (case_id, at, by, department, kind, text)
VALUES (%(case_id)s, %(at)s, %(by)s, %(department)s, %(kind)s, %(text)s);

-- name: comments
SELECT id, case_id, at, by, department, kind, text FROM case_comment WHERE case_id = %(id)s ORDER BY id;

-- name: link_insert
INSERT INTO case_link (from_id, to_id, kind, at, by) VALUES (%(from_id)s, %(to_id)s, %(kind)s, %(at)s, %(by)s)
ON CONFLICT DO NOTHING;

-- name: links
SELECT from_id, to_id, kind, at, by FROM case_link WHERE from_id = %(id)s OR to_id = %(id)s ORDER BY at, from_id, to_id;

-- name: leads_back
-- Whether following links of a kind from one case leads to another.
WITH RECURSIVE way (id) AS (
    SELECT %(from_id)s::bigint
    UNION
    SELECT l.to_id FROM case_link l JOIN way ON l.from_id = way.id WHERE l.kind = %(kind)s
)
SELECT EXISTS (SELECT FROM way WHERE id = %(to_id)s);

-- name: share_upsert
-- A department that did its part may be asked again.
INSERT INTO case_share (case_id, department, task, asked_by, asked_at, live)
VALUES (%(case_id)s, %(department)s, %(task)s, %(asked_by)s, %(asked_at)s, %(live)s)
ON CONFLICT (case_id, department) DO UPDATE SET
    task = EXCLUDED.task, asked_by = EXCLUDED.asked_by, asked_at = EXCLUDED.asked_at, answer = NULL,
    answered_by = NULL, answered_at = NULL;

-- name: share_answer
UPDATE case_share SET answer = %(answer)s, answered_by = %(by)s, answered_at = %(at)s
WHERE case_id = %(case_id)s AND department = %(department)s AND answered_at IS NULL;

-- name: share_live
UPDATE case_share SET live = %(live)s WHERE case_id = %(id)s AND live <> %(live)s;

-- name: shares
SELECT case_id, department, task, asked_by, asked_at, answer, answered_by, answered_at
FROM case_share WHERE case_id = %(id)s ORDER BY asked_at, department;

-- name: held_by
SELECT id FROM city_case
WHERE department = %(department)s AND phase <> 'closed' AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: open_of_version
SELECT id FROM city_case
WHERE type = %(type)s AND type_version = %(version)s AND phase <> 'closed' AND id > %(after)s
ORDER BY id LIMIT %(limit)s;
