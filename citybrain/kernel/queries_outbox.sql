-- SPDX-License-Identifier: Apache-2.0

-- name: outbox_since
SELECT id, topic, payload, at FROM outbox
WHERE id > %(after)s AND (%(topic)s::text IS NULL OR topic = %(topic)s)
ORDER BY id LIMIT %(limit)s;

-- name: outbox_last_id
SELECT max(id) FROM outbox HAVING max(id) IS NOT NULL;

-- name: outbox_prune
-- The newest row stays, so that ids go on and a reader can tell where it stands.
DELETE FROM outbox WHERE at < %(before)s AND id < (SELECT max(id) FROM outbox);
