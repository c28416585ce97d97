-- SPDX-License-Identifier: Apache-2.0

-- name: session_add
INSERT INTO session (token_hash, account, method, second_factor, address, agent, created_at, used_at, proved_at, expires_at)
VALUES (%(token_hash)s, %(account)s, %(method)s, %(second_factor)s, %(address)s, %(agent)s, %(now)s, %(now)s, %(now)s,
    %(expires_at)s)
RETURNING id, account, (SELECT kind FROM account a WHERE a.name = session.account) AS kind;

-- name: session_find
SELECT s.id, a.name AS account, a.kind, a.shown_name, a.roles, s.created_at, s.expires_at, s.proved_at, s.second_factor,
    s.acting_for
FROM session s JOIN account a ON a.name = s.account
WHERE s.token_hash = %(token_hash)s AND s.expires_at > %(now)s AND a.disabled_at IS NULL;

-- name: session_extend
UPDATE session SET expires_at = %(expires_at)s, used_at = %(now)s WHERE token_hash = %(token_hash)s;

-- name: session_remove
DELETE FROM session WHERE token_hash = %(token_hash)s
RETURNING id, account, (SELECT kind FROM account a WHERE a.name = session.account) AS kind;

-- name: sessions_prune
DELETE FROM session WHERE expires_at <= %(now)s;

-- name: sessions_of
SELECT id, account, method, address, agent, created_at, used_at, expires_at, ends_at, second_factor, acting_for
FROM session s, LATERAL (
    SELECT s.created_at + CASE kind WHEN 'citizen' THEN %(citizen)s::interval ELSE %(staff)s::interval END AS ends_at
    FROM account a WHERE a.name = s.account
) AS e
WHERE account = %(account)s AND expires_at > %(now)s AND ends_at > %(now)s ORDER BY id DESC;

-- name: session_end
DELETE FROM session WHERE account = %(account)s AND id = %(id)s
RETURNING id, account, (SELECT kind FROM account a WHERE a.name = session.account) AS kind;

-- name: sessions_end
DELETE FROM session WHERE account = %(account)s AND id IS DISTINCT FROM %(but)s::bigint;

-- name: session_rotate
UPDATE session SET token_hash = %(token_hash)s, proved_at = %(now)s, second_factor = %(second_factor)s
WHERE id = %(id)s;

-- name: session_act_for
UPDATE session SET acting_for = %(account)s WHERE id = %(id)s
RETURNING id, account, (SELECT kind FROM account a WHERE a.name = session.account) AS kind;
