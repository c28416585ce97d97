-- SPDX-License-Identifier: Apache-2.0

-- name: outbox_since
SELECT id, topic, payload, at FROM outbox
WHERE id > %(after)s AND (%(topics)s::text[] IS NULL OR topic = ANY(%(topics)s))
ORDER BY id LIMIT %(limit)s;

-- name: outbox_shared_since
-- A transaction's rows are told together once it and all older ones are over, so that none comes up behind a reader.
SELECT position::text::bigint AS id, topic, payload, at FROM outbox_shared
WHERE topic = %(topic)s AND position > (%(after)s::bigint)::text::xid8
    AND position < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY position, id FETCH FIRST %(limit)s ROWS WITH TIES;

-- name: outbox_shared_last_id
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1;

-- name: outbox_shared_prune
DELETE FROM outbox_shared WHERE at < %(before)s;

-- name: outbox_last_id
SELECT max(id) FROM outbox HAVING max(id) IS NOT NULL;

-- name: outbox_prune
-- The newest row stays, so that ids go on and a reader can tell where it stands.
DELETE FROM outbox WHERE at < %(before)s AND id < (SELECT max(id) FROM outbox);
