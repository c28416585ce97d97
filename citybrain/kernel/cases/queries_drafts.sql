-- SPDX-License-Identifier: Apache-2.0

-- name: draft_save
INSERT INTO case_draft (owner, place, body, saved_at, expires_at)
VALUES (%(owner)s, %(place)s, %(body)s, %(saved_at)s, %(expires_at)s)
ON CONFLICT (owner, place) DO UPDATE SET
    body = EXCLUDED.body, saved_at = EXCLUDED.saved_at, expires_at = EXCLUDED.expires_at
WHERE case_draft.saved_at <= EXCLUDED.saved_at;

-- name: draft_get
SELECT body, saved_at, expires_at FROM case_draft
WHERE owner = %(owner)s AND place = %(place)s AND expires_at > %(now)s;

-- name: drafts_of
SELECT place, saved_at, expires_at FROM case_draft
WHERE owner = %(owner)s AND expires_at > %(now)s ORDER BY saved_at DESC, place;

-- name: draft_discard
DELETE FROM case_draft WHERE owner = %(owner)s AND place = %(place)s;

-- name: drafts_beyond
-- The oldest beyond the limit go, so that nobody fills the table.
DELETE FROM case_draft WHERE owner = %(owner)s AND place IN (
    SELECT place FROM case_draft WHERE owner = %(owner)s ORDER BY saved_at DESC, place OFFSET %(limit)s
);

-- name: draft_owner
UPDATE case_draft SET owner = %(owner)s, body = %(body)s
WHERE owner = %(before)s AND place = %(place)s
AND NOT EXISTS (SELECT FROM case_draft d WHERE d.owner = %(owner)s AND d.place = %(place)s);

-- name: drafts_expired
DELETE FROM case_draft WHERE expires_at <= %(now)s;

-- name: drafts_stale
SELECT owner, place, body FROM case_draft WHERE substr(body, 1, 5) <> %(head)s::bytea ORDER BY owner, place LIMIT %(limit)s;

-- name: draft_renew
-- What was saved meanwhile, with the newest key, stays.
UPDATE case_draft SET body = %(value)s
WHERE owner = %(key_0)s AND place = %(key_1)s AND substr(body, 1, 5) <> %(head)s::bytea;
