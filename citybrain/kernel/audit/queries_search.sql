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

-- name: entry_link
-- A seal covers all before it, so the first one at or after the entry's position is the entry's.
SELECT l.position, l.family, encode(l.hash, 'hex') AS hash, encode(b.hash, 'hex') AS before,
    s.position AS sealed_position, s.at AS sealed_at, s.key_number
FROM audit_link l LEFT JOIN audit_link b ON b.position = l.position - 1
    LEFT JOIN LATERAL (
        SELECT position, at, key_number FROM audit_seal WHERE audit_seal.position >= l.position ORDER BY position LIMIT 1
    ) s ON true
WHERE l.entry_id = %(id)s;
