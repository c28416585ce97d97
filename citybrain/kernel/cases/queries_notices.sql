-- SPDX-License-Identifier: Apache-2.0

-- name: notice_insert
-- With a key a notice is written once, however often what it tells of is done again.
INSERT INTO notice (key, topic, channel, person, case_id, lang, content, state, queued_at, next_at, sent_at)
VALUES (
    %(key)s, %(topic)s, %(channel)s, %(person)s, %(case_id)s, %(lang)s, %(content)s, %(state)s, %(at)s, %(at)s,
    %(sent_at)s
) ON CONFLICT (key) DO NOTHING;

-- name: notice_claim
-- The lease is pushed on before sending: whoever dies in between leaves it to be sent again later, under the same id.
UPDATE notice SET tries = tries + 1, next_at = %(lease)s
WHERE id IN (
    SELECT id FROM notice WHERE channel = %(channel)s AND state = 'waiting' AND next_at <= %(now)s
    ORDER BY next_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING id, topic, channel, person, case_id, lang, content, tries, queued_at;

-- name: notice_sent
UPDATE notice SET state = 'sent', sent_at = %(now)s, problem = '' WHERE id = %(id)s AND state = 'waiting';

-- name: notice_failed
UPDATE notice SET state = %(state)s, next_at = %(next_at)s, problem = %(problem)s
WHERE id = %(id)s AND state = 'waiting';

-- name: notice_unclaim
-- Not tried after all, because its mail server is down.
UPDATE notice SET tries = tries - 1, next_at = %(next_at)s, problem = %(problem)s
WHERE id = ANY(%(ids)s::bigint[]) AND state = 'waiting';

-- name: notice_again
UPDATE notice SET state = 'waiting', next_at = %(now)s, tries = 0 WHERE id = ANY(%(ids)s::bigint[]) AND state = 'dead';

-- name: notices_state
SELECT channel, state, count(*)::integer AS count, min(queued_at) AS oldest_at,
       coalesce((array_agg(problem ORDER BY id DESC) FILTER (WHERE problem <> ''))[1], '') AS problem
FROM notice WHERE state IN ('waiting', 'dead') AND channel <> 'desk'
GROUP BY channel, state ORDER BY channel, state;

-- name: notices_dead
SELECT id, topic, channel, person, case_id, state, queued_at, tries, problem FROM notice
WHERE state = 'dead' ORDER BY queued_at DESC, id DESC LIMIT %(limit)s;

-- name: notices_desk
SELECT id, topic, case_id, lang, content, queued_at, read_at FROM notice
WHERE channel = 'desk' AND person = %(person)s AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s;

-- name: notices_unread
SELECT count(*)::integer FROM (
    SELECT FROM notice WHERE channel = 'desk' AND person = %(person)s AND read_at IS NULL LIMIT 100
) AS unread;

-- name: notices_read
UPDATE notice SET read_at = %(now)s
WHERE channel = 'desk' AND person = %(person)s AND id = ANY(%(ids)s::bigint[]) AND read_at IS NULL;

-- name: notices_forget
DELETE FROM notice WHERE state <> 'waiting' AND queued_at < %(before)s;

-- name: template_all
SELECT topic, subject, body, changed_by, changed_at FROM notice_template;

-- name: template_get
SELECT topic, subject, body, changed_by, changed_at FROM notice_template WHERE topic = %(topic)s;

-- name: template_put
INSERT INTO notice_template (topic, subject, body, changed_by, changed_at)
VALUES (%(topic)s, %(subject)s, %(body)s, %(by)s, %(at)s)
ON CONFLICT (topic) DO UPDATE SET
    subject = EXCLUDED.subject, body = EXCLUDED.body, changed_by = EXCLUDED.changed_by,
    changed_at = EXCLUDED.changed_at;

-- name: choices
SELECT topic, channel, wanted FROM notice_choice WHERE person = %(person)s ORDER BY topic, channel;

-- name: choice_put
INSERT INTO notice_choice (person, topic, channel, wanted) VALUES (%(person)s, %(topic)s, %(channel)s, %(wanted)s)
ON CONFLICT (person, topic, channel) DO UPDATE SET wanted = EXCLUDED.wanted;

-- name: addresses
SELECT channel, address, lang FROM notice_address WHERE person = %(person)s ORDER BY channel;

-- name: address_put
INSERT INTO notice_address (person, channel, address, lang)
VALUES (%(person)s, %(channel)s, %(address)s, %(lang)s)
ON CONFLICT (person, channel) DO UPDATE SET address = EXCLUDED.address, lang = EXCLUDED.lang;

-- name: address_drop
DELETE FROM notice_address WHERE person = %(person)s AND channel = %(channel)s;

-- name: stop_link
INSERT INTO notice_stop (token, mark, topic) VALUES (%(token)s, %(mark)s, %(topic)s)
ON CONFLICT (mark, topic) DO UPDATE SET topic = EXCLUDED.topic
RETURNING token, stopped_at;

-- name: stop
UPDATE notice_stop SET stopped_at = coalesce(stopped_at, %(now)s) WHERE token = %(token)s RETURNING topic;

-- name: start_again
UPDATE notice_stop SET stopped_at = NULL WHERE token = %(token)s RETURNING topic;
