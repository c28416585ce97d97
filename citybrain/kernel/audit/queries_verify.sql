-- SPDX-License-Identifier: Apache-2.0

-- name: whole_chain
-- Both sides whole: a link without its entry and an entry without a link are shown too.
SELECT l.position, l.entry_id, l.family, l.hash, w.entry_id IS NOT NULL AS waits,
    e.id, e.at, e.actor, e.actor_kind, e.on_behalf_of, e.act, e.object, e.department, e.facts
FROM audit_link l FULL JOIN audit_entry e ON e.id = l.entry_id LEFT JOIN audit_waiting w ON w.entry_id = e.id
ORDER BY l.position NULLS LAST, e.id;

-- name: all_seals
SELECT position, at, hash, key_number, signature FROM audit_seal ORDER BY position;
