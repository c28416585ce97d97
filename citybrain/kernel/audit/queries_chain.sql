-- SPDX-License-Identifier: Apache-2.0

-- name: chain_lock
SELECT pg_advisory_xact_lock(7305809033);

-- name: chain_head
SELECT position, hash FROM audit_link ORDER BY position DESC LIMIT 1;

-- name: chain_at
SELECT position, hash FROM audit_link WHERE position = %(position)s;

-- name: entries_waiting
-- What commits later waits for the next turn, so no order of ids is needed.
SELECT e.id, e.at, e.actor, e.actor_kind, e.on_behalf_of, e.act, e.object, e.department, e.facts
FROM audit_waiting w JOIN audit_entry e ON e.id = w.entry_id ORDER BY e.id LIMIT %(limit)s;

-- name: links_add
INSERT INTO audit_link (position, entry_id, family, hash)
SELECT * FROM unnest(%(positions)s::bigint[], %(entries)s::bigint[], %(families)s::text[], %(hashes)s::bytea[]);

-- name: waiting_remove
DELETE FROM audit_waiting WHERE entry_id = ANY (%(entries)s);

-- name: seal_last
SELECT position, at, hash, key_number, signature FROM audit_seal ORDER BY position DESC LIMIT 1;

-- name: seal_add
INSERT INTO audit_seal (position, at, hash, key_number, signature)
VALUES (%(position)s, %(at)s, %(hash)s, %(key_number)s, %(signature)s);
