-- SPDX-License-Identifier: Apache-2.0

-- name: code_add
-- A new code ends the ones before it.
WITH ended AS (UPDATE sign_in_code SET expires_at = %(now)s WHERE mark = %(mark)s AND expires_at > %(now)s)
INSERT INTO sign_in_code (id, mark, way, hint, code_mark, created_at, expires_at)
VALUES (%(id)s, %(mark)s, %(way)s, %(hint)s, %(code_mark)s, %(now)s, %(expires_at)s);

-- name: code_try
UPDATE sign_in_code SET tries = tries + 1
WHERE id = %(id)s AND used_at IS NULL AND expires_at > %(now)s AND tries < %(tries)s
RETURNING mark, way, hint, code_mark, tries;

-- name: code_use
UPDATE sign_in_code SET used_at = %(now)s WHERE id = %(id)s AND used_at IS NULL;

-- name: codes_prune
DELETE FROM sign_in_code WHERE expires_at < %(now)s;

-- name: contact_find
SELECT c.account FROM citizen_contact c JOIN account a ON a.name = c.account
WHERE c.mark = %(mark)s AND a.disabled_at IS NULL;

-- name: citizen_add
INSERT INTO account (name, password_hash, roles, created_at, kind) VALUES (%(name)s, NULL, '{}', %(now)s, 'citizen');

-- name: contact_add
INSERT INTO citizen_contact (mark, way, hint, account, created_at)
VALUES (%(mark)s, %(way)s, %(hint)s, %(name)s, %(now)s)
ON CONFLICT (mark) DO UPDATE SET hint = excluded.hint RETURNING account;

-- name: contacts_of
SELECT hint FROM citizen_contact WHERE account = %(account)s ORDER BY created_at;

-- name: marks_of
SELECT mark FROM citizen_contact WHERE account = %(account)s ORDER BY created_at;
