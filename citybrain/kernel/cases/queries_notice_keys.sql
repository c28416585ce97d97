-- SPDX-License-Identifier: Apache-2.0

-- name: notices_stale
SELECT id, content FROM notice WHERE substr(content, 1, 5) <> %(head)s::bytea ORDER BY id LIMIT %(limit)s;

-- name: notice_renew
UPDATE notice SET content = %(value)s WHERE id = %(key_0)s AND substr(content, 1, 5) <> %(head)s::bytea;

-- name: addresses_stale
SELECT person, channel, address FROM notice_address
WHERE substr(address, 1, 5) <> %(head)s::bytea ORDER BY person, channel LIMIT %(limit)s;

-- name: address_renew
-- What was said meanwhile, with the newest key, stays.
UPDATE notice_address SET address = %(value)s
WHERE person = %(key_0)s AND channel = %(key_1)s AND substr(address, 1, 5) <> %(head)s::bytea;
