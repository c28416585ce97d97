-- SPDX-License-Identifier: Apache-2.0

-- name: version_newest
SELECT version, at, by, body FROM hotline_version WHERE kind = %(kind)s ORDER BY version DESC LIMIT 1;

-- name: versions
SELECT version, at, by, body FROM hotline_version WHERE kind = %(kind)s ORDER BY version DESC;

-- name: version_put
-- Two who save at once: the second finds the number taken.
INSERT INTO hotline_version (kind, version, at, by, body)
VALUES (%(kind)s, %(version)s, %(at)s, %(by)s, %(body)s::jsonb) ON CONFLICT DO NOTHING;

-- name: article_insert
INSERT INTO hotline_article (title, body, kind, category, words, public, changed_by, changed_at, valid_until)
VALUES (%(title)s, %(body)s, %(kind)s, %(category)s, %(words)s, %(public)s, %(by)s, %(at)s, %(valid_until)s) RETURNING id;

-- name: article_change
UPDATE hotline_article SET title = %(title)s, body = %(body)s, kind = %(kind)s, category = %(category)s, words = %(words)s,
    public = %(public)s, changed_by = %(by)s, changed_at = %(at)s, valid_until = %(valid_until)s
WHERE id = %(id)s;

-- name: article_version
INSERT INTO hotline_article_version (article_id, at, by, title, body, public, valid_until)
VALUES (%(id)s, %(at)s, %(by)s, %(title)s, %(body)s, %(public)s, %(valid_until)s);

-- name: article_versions
SELECT at, by, title, body, public, valid_until FROM hotline_article_version WHERE article_id = %(id)s
ORDER BY at DESC LIMIT 100;

-- name: articles
-- Ranked by how many of the asked words an article has; words of the title stand twice in the list.
SELECT a.id, a.title, a.body, a.kind, a.category, a.public, a.changed_by, a.changed_at, a.valid_until
FROM hotline_article a
WHERE (%(words)s::text[] = '{}' OR a.id IN (
    SELECT found.id FROM unnest(%(words)s::text[]) asked (word)
    JOIN hotline_article found ON found.words @> ARRAY[asked.word]))
AND (NOT %(only_public)s OR a.public)
AND (a.kind = %(kind)s OR a.kind LIKE %(kind)s || '.%%')
AND (%(today)s::date IS NULL OR a.valid_until IS NULL OR a.valid_until >= %(today)s::date)
ORDER BY (SELECT count(*) FROM unnest(a.words) w WHERE w = ANY(%(words)s::text[])) DESC, a.changed_at DESC, a.id
LIMIT %(limit)s;

-- name: import_begin
INSERT INTO hotline_import (sha, name, began_at, changed_at, by) VALUES (%(sha)s, %(name)s, %(at)s, %(at)s, %(by)s)
ON CONFLICT (sha) DO UPDATE SET changed_at = %(at)s
RETURNING done, taken, known, refused, finished_at;

-- name: import_go_on
UPDATE hotline_import SET done = %(done)s, taken = %(taken)s, known = %(known)s, refused = %(refused)s,
    changed_at = %(at)s, finished_at = %(finished_at)s
WHERE sha = %(sha)s;

-- name: refusal_put
INSERT INTO hotline_import_refusal (sha, row, code, facts) VALUES (%(sha)s, %(row)s, %(code)s, %(facts)s::jsonb)
ON CONFLICT DO NOTHING;

-- name: refusals
SELECT row, code, facts FROM hotline_import_refusal WHERE sha = %(sha)s ORDER BY row;

-- name: area_insert
INSERT INTO hotline_area (token_hash, email, email_mark, longitude, latitude, radius_m, lang, asked_at)
VALUES (%(token_hash)s, %(email)s, %(email_mark)s, %(longitude)s, %(latitude)s, %(radius_m)s, %(lang)s, %(at)s);

-- name: areas_of_mark
SELECT count(*) FROM hotline_area WHERE email_mark = ANY(%(marks)s)
AND (confirmed_at IS NOT NULL OR asked_at > %(since)s);

-- name: area_confirm
UPDATE hotline_area SET confirmed_at = coalesce(confirmed_at, %(at)s), told_until = coalesce(told_until, %(at)s)
WHERE token_hash = %(token_hash)s AND (confirmed_at IS NOT NULL OR asked_at > %(since)s) RETURNING id;

-- name: area_remove
DELETE FROM hotline_area WHERE token_hash = %(token_hash)s RETURNING id;

-- name: areas
SELECT id, token_hash, email, longitude, latitude, radius_m, lang, told_until FROM hotline_area
WHERE confirmed_at IS NOT NULL ORDER BY id;

-- name: area_told
UPDATE hotline_area SET told_until = %(at)s WHERE id = %(id)s;

-- name: areas_forget
DELETE FROM hotline_area WHERE confirmed_at IS NULL AND asked_at < %(before)s;
