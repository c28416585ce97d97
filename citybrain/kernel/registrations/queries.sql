-- SPDX-License-Identifier: Apache-2.0

-- name: all
SELECT tenant, body FROM registration ORDER BY number;

-- name: put
-- The number, and with it the order of answers, stays when one is updated.
INSERT INTO registration (tenant, id, body) VALUES (%(tenant)s, %(id)s, %(body)s)
ON CONFLICT (tenant, id) DO UPDATE SET body = excluded.body;

-- name: remove
DELETE FROM registration WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: keep_alias
INSERT INTO broker (alias) VALUES (%(alias)s) ON CONFLICT DO NOTHING;

-- name: alias
SELECT alias FROM broker;
