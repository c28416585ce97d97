-- SPDX-License-Identifier: Apache-2.0

-- name: reveal_add
INSERT INTO privacy_reveal (person, account, on_behalf_of, department, object, fields, purpose, reason)
VALUES (%(person)s, %(account)s, %(on_behalf_of)s, %(department)s, %(object)s, %(fields)s, %(purpose)s, %(reason)s);

-- name: reveals_of
SELECT at, account, on_behalf_of, department, object, fields, purpose, reason FROM privacy_reveal
WHERE person = ANY (%(people)s) ORDER BY id DESC LIMIT %(limit)s;

-- name: consent_add
INSERT INTO privacy_consent (person, purpose, fields, text_version, separate, given_at, given_via)
VALUES (%(person)s, %(purpose)s, %(fields)s, %(text_version)s, %(separate)s, %(given_at)s, %(given_via)s)
RETURNING id;

-- name: consent_revoke
UPDATE privacy_consent SET revoked_at = %(now)s
WHERE person = ANY (%(people)s) AND purpose = %(purpose)s AND revoked_at IS NULL;

-- name: consents_of
SELECT id, purpose, fields, text_version, separate, given_at, given_via, revoked_at FROM privacy_consent
WHERE person = ANY (%(people)s) ORDER BY id;

-- name: consent_holds
SELECT EXISTS (
    SELECT FROM privacy_consent WHERE person = ANY (%(people)s) AND purpose = %(purpose)s AND revoked_at IS NULL
        AND fields @> %(fields)s::text[] AND (separate OR NOT %(separate)s)
);

-- name: consents_forget
DELETE FROM privacy_consent WHERE person = ANY (%(people)s) AND revoked_at IS NOT NULL;

-- name: erasure_add
INSERT INTO privacy_erasure (at, holder, by, why, erased, anonymised, kept, laws)
VALUES (%(at)s, %(holder)s, %(by)s, %(why)s, %(erased)s, %(anonymised)s, %(kept)s, %(laws)s);

-- name: keys_known
SELECT number, check_word FROM privacy_key WHERE given_up_at IS NULL ORDER BY number;

-- name: key_add
INSERT INTO privacy_key (number, use, family, check_word, made_at)
VALUES (%(number)s, %(use)s, %(family)s, %(check_word)s, %(made_at)s) ON CONFLICT (number) DO NOTHING;

-- name: key_give_up
UPDATE privacy_key SET given_up_at = %(now)s WHERE number = ANY (%(numbers)s);
