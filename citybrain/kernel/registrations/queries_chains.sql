-- SPDX-License-Identifier: Apache-2.0

-- name: all
SELECT body FROM remote_subscription ORDER BY remote_id;

-- name: put
INSERT INTO remote_subscription (remote_id, body) VALUES (%(remote_id)s, %(body)s)
ON CONFLICT (remote_id) DO UPDATE SET body = excluded.body;

-- name: remove
DELETE FROM remote_subscription WHERE remote_id = %(remote_id)s;
