-- SPDX-License-Identifier: Apache-2.0

-- name: file_lock
-- Who stores and who throws away the same content wait for each other.
SELECT pg_advisory_xact_lock(hashtext('stored_file'), hashtext(%(sha)s));

-- name: file_put
INSERT INTO stored_file (sha, size, media_type, scan, stored_at)
VALUES (%(sha)s, %(size)s, %(media_type)s, %(scan)s, %(now)s)
ON CONFLICT (sha) DO UPDATE SET scan = CASE WHEN EXCLUDED.scan = 'clean' THEN 'clean' ELSE stored_file.scan END;

-- name: upload_insert
INSERT INTO case_attachment (owner, sha, original_sha, name, public, uploaded_at)
VALUES (%(owner)s, %(sha)s, %(original_sha)s, %(name)s, false, %(now)s)
RETURNING id;

-- name: attachments_by_id
SELECT a.id, a.case_id, a.owner, a.sha, a.original_sha, a.name, a.public, a.uploaded_at, a.attached_at, a.removed_at,
       f.size, f.media_type, f.scan
FROM case_attachment a JOIN stored_file f ON f.sha = a.sha
WHERE a.id = ANY(%(ids)s::bigint[]) AND a.removed_at IS NULL ORDER BY a.id;

-- name: attachments_of
SELECT a.id, a.case_id, a.owner, a.sha, a.original_sha, a.name, a.public, a.uploaded_at, a.attached_at, a.removed_at,
       f.size, f.media_type, f.scan
FROM case_attachment a JOIN stored_file f ON f.sha = a.sha
WHERE a.case_id = %(case_id)s AND a.removed_at IS NULL AND (a.public OR NOT %(public_only)s) ORDER BY a.id;

-- name: attach
UPDATE case_attachment SET case_id = %(case_id)s, attached_at = %(now)s
WHERE id = ANY(%(ids)s::bigint[]) AND owner = %(owner)s AND case_id IS NULL AND removed_at IS NULL;

-- name: publish
UPDATE case_attachment SET public = true, original_sha = coalesce(original_sha, sha), sha = %(sha)s
WHERE id = %(id)s;

-- name: unpublish
UPDATE case_attachment SET public = false WHERE id = %(id)s;

-- name: remove
UPDATE case_attachment SET removed_at = %(now)s, public = false WHERE id = %(id)s AND removed_at IS NULL;

-- name: waiting_of
SELECT count(*), coalesce(sum(f.size), 0)::bigint
FROM case_attachment a JOIN stored_file f ON f.sha = a.sha
WHERE a.owner = %(owner)s AND a.case_id IS NULL;

-- name: uploads_forget
DELETE FROM case_attachment
WHERE (case_id IS NULL AND uploaded_at < %(before)s) OR removed_at < %(removed_before)s;

-- name: files_unused
SELECT sha FROM stored_file f
WHERE stored_at < %(before)s
AND NOT EXISTS (SELECT FROM case_attachment a WHERE a.sha = f.sha OR a.original_sha = f.sha)
LIMIT 1000;

-- name: file_drop
DELETE FROM stored_file f
WHERE sha = %(sha)s AND NOT EXISTS (SELECT FROM case_attachment a WHERE a.sha = f.sha OR a.original_sha = f.sha);

-- name: file_known
SELECT EXISTS (SELECT FROM stored_file WHERE sha = %(sha)s);
