-- SPDX-License-Identifier: Apache-2.0

-- name: progress_of
SELECT line, taken, refused FROM import_bookmark WHERE key = %(key)s;

-- name: progress_write
INSERT INTO import_bookmark (key, line, taken, refused, at)
VALUES (%(key)s, %(line)s, %(taken)s, %(refused)s, %(at)s)
ON CONFLICT (key) DO UPDATE SET line = excluded.line, taken = excluded.taken, refused = excluded.refused,
    at = excluded.at;

-- name: progress_end
DELETE FROM import_bookmark WHERE key = %(key)s;
