-- SPDX-License-Identifier: Apache-2.0

-- name: sign_in_begin
INSERT INTO foreign_sign_in (state_hash, provider, nonce, verifier, back_to, expires_at)
VALUES (%(state_hash)s, %(provider)s, %(nonce)s, %(verifier)s, %(back_to)s, %(expires_at)s);

-- name: sign_in_take
DELETE FROM foreign_sign_in WHERE state_hash = %(state_hash)s AND expires_at > %(now)s
RETURNING provider, nonce, verifier, back_to;

-- name: sign_ins_prune
DELETE FROM foreign_sign_in WHERE expires_at <= %(now)s;

-- name: identity_find
SELECT a.name FROM foreign_identity i JOIN account a ON a.name = i.account
WHERE i.issuer = %(issuer)s AND i.subject = %(subject)s AND a.kind = %(kind)s AND a.disabled_at IS NULL;

-- name: identity_add
-- Of two first sign-ins at one moment the earlier one's account is the person's.
INSERT INTO foreign_identity (issuer, subject, account, created_at)
VALUES (%(issuer)s, %(subject)s, %(account)s, %(now)s)
ON CONFLICT (issuer, subject) DO UPDATE SET issuer = excluded.issuer RETURNING account;

-- name: staff_find
-- A name that another subject of the same provider was linked to is nobody else's.
SELECT name FROM account WHERE name = %(name)s AND kind = 'staff' AND disabled_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM foreign_identity i WHERE i.account = account.name);
