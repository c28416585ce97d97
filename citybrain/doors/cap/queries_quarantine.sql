-- SPDX-License-Identifier: Apache-2.0

-- name: aside
-- The same message again is counted; one that somebody decided on stays decided.
INSERT INTO cap_quarantine (sender, identifier, sent, status, msg_type, verdict, posted_by, received_at, hash, body)
SELECT %(sender)s, %(identifier)s, %(sent)s, %(status)s, %(msg_type)s, %(verdict)s, %(posted_by)s, %(received_at)s,
    %(hash)s, %(body)s
WHERE (SELECT count(*) FROM cap_quarantine WHERE state = 'waiting' AND posted_by = %(posted_by)s) < %(most)s
ON CONFLICT (posted_by, hash) DO UPDATE SET times = cap_quarantine.times + 1, verdict = excluded.verdict;

-- name: waiting
SELECT number, sender, identifier, sent, status, msg_type, verdict, posted_by, received_at, times, body, state,
    decided_by, decided_at, note FROM cap_quarantine
WHERE state = ANY(%(states)s) ORDER BY number DESC LIMIT %(limit)s;

-- name: one
SELECT number, sender, identifier, sent, status, msg_type, verdict, posted_by, received_at, times, body, state,
    decided_by, decided_at, note FROM cap_quarantine WHERE number = %(number)s;

-- name: decide
UPDATE cap_quarantine SET state = %(state)s, decided_by = %(by)s, decided_at = %(at)s, note = %(note)s
WHERE number = %(number)s AND state = 'waiting' RETURNING number;

-- name: prune
DELETE FROM cap_quarantine WHERE received_at < %(before)s;
