-- SPDX-License-Identifier: Apache-2.0

-- name: contacts
SELECT * FROM operations_contact ORDER BY role, id;

-- name: contact_put
-- Only over the version that was read; 0 is a new one.
INSERT INTO operations_contact (id, role, name, channel, address, secret, lang, version, changed_by, changed_at)
SELECT %(id)s, %(role)s, %(name)s, %(channel)s, %(address)s, %(secret)s, %(lang)s, 1, %(by)s, %(at)s
WHERE %(version)s = 0
ON CONFLICT (id) DO NOTHING;

-- name: contact_change
UPDATE operations_contact SET role = %(role)s, name = %(name)s, channel = %(channel)s, address = %(address)s,
    secret = %(secret)s, lang = %(lang)s, version = version + 1, changed_by = %(by)s, changed_at = %(at)s
WHERE id = %(id)s AND version = %(version)s;

-- name: contact_remove
DELETE FROM operations_contact WHERE id = %(id)s;

-- name: contacts_stale
SELECT id, address FROM operations_contact
WHERE substr(address, 1, 5) <> %(head)s::bytea ORDER BY id LIMIT %(limit)s;

-- name: contact_renew
UPDATE operations_contact SET address = %(value)s WHERE id = %(key_0)s AND substr(address, 1, 5) <> %(head)s::bytea;

-- name: secrets_stale
SELECT id, secret FROM operations_contact
WHERE substr(secret, 1, 5) <> %(head)s::bytea ORDER BY id LIMIT %(limit)s;

-- name: secret_renew
UPDATE operations_contact SET secret = %(value)s WHERE id = %(key_0)s AND substr(secret, 1, 5) <> %(head)s::bytea;

-- name: messages_stale
SELECT number, content FROM operations_message
WHERE substr(content, 1, 5) <> %(head)s::bytea ORDER BY number LIMIT %(limit)s;

-- name: message_renew
UPDATE operations_message SET content = %(value)s
WHERE number = %(key_0)s AND substr(content, 1, 5) <> %(head)s::bytea;

-- name: message_add
INSERT INTO operations_message (order_id, contact_id, channel, content, state, queued_at)
VALUES (%(order_id)s, %(contact_id)s, %(channel)s, %(content)s, 'waiting', %(at)s)
ON CONFLICT (order_id, contact_id) DO NOTHING;

-- name: messages
SELECT number, order_id, contact_id, channel, content, state, tries, problem, queued_at FROM operations_message
WHERE order_id = %(order_id)s ORDER BY number;

-- name: messages_waiting
SELECT DISTINCT order_id FROM operations_message WHERE state = 'waiting';

-- name: message_settle
UPDATE operations_message SET state = %(state)s, tries = %(tries)s, problem = %(problem)s, settled_at = %(at)s
WHERE number = %(number)s AND state = 'waiting';

-- name: messages_again
UPDATE operations_message SET state = 'waiting', tries = 0, problem = '', queued_at = %(at)s, settled_at = NULL
WHERE order_id = %(order_id)s AND state = 'dead';

-- name: messages_forget
DELETE FROM operations_message WHERE queued_at < %(before)s;

-- name: task_add
INSERT INTO operations_task (order_id, case_id, means, entity_id, at)
VALUES (%(order_id)s, %(case_id)s, %(means)s, %(entity_id)s, %(at)s)
ON CONFLICT (order_id) DO NOTHING;

-- name: task_case
SELECT case_id FROM operations_task WHERE order_id = %(order_id)s;
