-- SPDX-License-Identifier: Apache-2.0

-- name: writer_lock
-- One journal per database, for as long as its connection lives; the number means nothing but "the journal".
SELECT pg_try_advisory_lock(7305809032);

-- name: position_read
SELECT number FROM journal_position;

-- name: position_write
UPDATE journal_position SET number = %(number)s;
