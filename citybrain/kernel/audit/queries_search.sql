-- SPDX-License-Identifier: Apache-2.0

-- name: entries_search
-- The words are looked for in the object and in the facts; position is null for the last second's entries.
SELECT e.id, l.position, e.at, e.actor, e.actor_kind, e.on_behalf_of, e.act, e.object, e.department, e.facts
FROM audit_entry e LEFT JOIN audit_link l ON l.entry_id = e.id
WHERE (%(actor)s::text IS NULL OR e.actor = %(actor)s OR e.on_behalf_of = %(actor)s)
    AND (%(act)s::text IS NULL OR e.act = %(act)s OR starts_with(e.act, %(act)s || '.'))
    AND (%(object)s::text IS NULL OR e.object = %(object)s)
    AND (%(department)s::text IS NULL OR e.department = %(department)s)
    AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s)
    AND (%(words)s::text[] IS NULL OR (e.object || ' ' || e.facts) ILIKE ALL (%(words)s::text[]))
    AND (%(before)s::bigint IS NULL OR e.id < %(before)s)
ORDER BY e.id DESC LIMIT %(limit)s;

-- name: entries_between
SELECT l.position, l.family, encode(l.hash, 'hex') AS hash,
    e.id, e.at, e.actor, e.actor_kind, e.on_behalf_of, e.act, e.object, e.department, e.facts
FROM audit_link l JOIN audit_entry e ON e.id = l.entry_id
WHERE (%(since)s::timestamptz IS NULL OR e.at >= %(since)s) AND (%(until)s::timestamptz IS NULL OR e.at < %(until)s)
ORDER BY l.position;
