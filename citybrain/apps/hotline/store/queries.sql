-- SPDX-License-Identifier: Apache-2.0

-- name: columns
case_id, number, category, department, first_department, channel, urgency, state, phase, text, answer, longitude,
latitude, address, created_at, changed_at, accepted_at, answered_at, due_at, closed_at, transfers, sent_back, reopened,
supervised, resolution, resolved, satisfaction, public

-- name: ticket_put
-- What only the hotline knows (first department, counts of its own) stays when the case changes.
INSERT INTO hotline_ticket AS t (case_id, number, category, department, first_department, channel, urgency, state, phase,
    text, longitude, latitude, address, created_at, changed_at, accepted_at, answered_at, due_at, closed_at, transfers,
    sent_back, reopened, resolution, answer, public)
VALUES (%(case_id)s, %(number)s, %(category)s, %(department)s, %(first_department)s, %(channel)s, %(urgency)s,
    %(state)s, %(phase)s, %(text)s, %(longitude)s, %(latitude)s, %(address)s, %(created_at)s, %(changed_at)s,
    %(accepted_at)s, %(answered_at)s, %(due_at)s, %(closed_at)s, %(transfers)s, %(sent_back)s, %(reopened)s,
    %(resolution)s, %(answer)s, %(public)s)
ON CONFLICT (case_id) DO UPDATE SET
    category = excluded.category, department = excluded.department, urgency = excluded.urgency, state = excluded.state,
    phase = excluded.phase, text = excluded.text, longitude = excluded.longitude, latitude = excluded.latitude,
    address = excluded.address, changed_at = excluded.changed_at, due_at = coalesce(excluded.due_at, t.due_at),
    closed_at = excluded.closed_at, transfers = excluded.transfers, sent_back = t.sent_back + excluded.sent_back,
    reopened = excluded.reopened, resolution = excluded.resolution,
    first_department = coalesce(t.first_department, excluded.first_department),
    accepted_at = coalesce(t.accepted_at, excluded.accepted_at),
    answered_at = CASE WHEN excluded.answered_at IS NOT NULL THEN excluded.answered_at
        WHEN excluded.state IN ('new', 'dispatched', 'working', 'waiting') THEN NULL ELSE t.answered_at END,
    answer = CASE WHEN excluded.answer <> '' THEN excluded.answer ELSE t.answer END;

-- name: link_put
UPDATE hotline_ticket SET link_hash = %(link_hash)s, public = %(public)s WHERE case_id = %(case_id)s;

-- name: caller_put
INSERT INTO hotline_caller (case_id, name, phone, phone_mark, email, email_mark)
VALUES (%(case_id)s, %(name)s, %(phone)s, %(phone_mark)s, %(email)s, %(email_mark)s)
ON CONFLICT (case_id) DO NOTHING;

-- name: caller
SELECT name, phone, email FROM hotline_caller WHERE case_id = %(case_id)s;

-- name: tickets_of_phone
SELECT {columns} FROM hotline_ticket
WHERE case_id IN (SELECT case_id FROM hotline_caller WHERE phone_mark = ANY(%(marks)s)) ORDER BY created_at DESC LIMIT 20;

-- name: by_ids
SELECT {columns} FROM hotline_ticket WHERE case_id = ANY(%(ids)s) ORDER BY created_at DESC, case_id DESC;

-- name: by_link
SELECT {columns} FROM hotline_ticket WHERE link_hash = %(link_hash)s;

-- name: changed_since
SELECT {columns} FROM hotline_ticket WHERE (changed_at, case_id) > (%(at)s::timestamptz, %(case_id)s::bigint)
ORDER BY changed_at, case_id LIMIT %(limit)s;

-- name: between
SELECT {columns} FROM hotline_ticket
WHERE created_at >= %(since)s AND created_at < %(until)s
AND (%(department)s::text IS NULL OR department = %(department)s)
ORDER BY created_at, case_id LIMIT %(limit)s;

-- name: to_call
SELECT {columns} FROM hotline_ticket t WHERE state = 'answered'
AND EXISTS (SELECT FROM hotline_caller c WHERE c.case_id = t.case_id AND c.phone IS NOT NULL)
AND NOT EXISTS (SELECT FROM hotline_follow_up f WHERE f.case_id = t.case_id AND f.at >= t.answered_at
    AND (f.reached OR f.at > %(now)s::timestamptz - interval '4 hours'))
ORDER BY answered_at, case_id LIMIT %(limit)s;

-- name: follow_up_insert
INSERT INTO hotline_follow_up (case_id, at, by, reached, resolved, satisfaction, note)
VALUES (%(case_id)s, %(at)s, %(by)s, %(reached)s, %(resolved)s, %(satisfaction)s, %(note)s);

-- name: resolved
UPDATE hotline_ticket SET resolved = coalesce(%(resolved)s, resolved), changed_at = %(at)s WHERE case_id = %(case_id)s;

-- name: rated
-- The last rating of each, by whichever way it came.
UPDATE hotline_ticket t SET satisfaction = u.satisfaction, changed_at = greatest(t.changed_at, u.at)
FROM unnest(%(ids)s::bigint[], %(satisfactions)s::text[], %(ats)s::timestamptz[]) AS u (id, satisfaction, at)
WHERE t.case_id = u.id;

-- name: any_ticket
SELECT 1 FROM hotline_ticket LIMIT 1;

-- name: states_counted
SELECT state, count(*) FROM hotline_ticket GROUP BY state ORDER BY state;

-- name: tickets_put
INSERT INTO hotline_ticket (case_id, number, category, department, first_department, channel, urgency, state, phase,
    text, longitude, latitude, address, created_at, changed_at, accepted_at, answered_at, due_at, closed_at, transfers,
    sent_back, reopened, resolution, answer, public)
SELECT case_id, number, category, department, first_department, channel, urgency, state, phase,
    text, longitude, latitude, address, created_at, changed_at, accepted_at, answered_at, due_at, closed_at, transfers,
    sent_back, reopened, resolution, answer, public
FROM jsonb_populate_recordset(NULL::hotline_ticket, %(tickets)s::jsonb);

-- name: callers_put
INSERT INTO hotline_caller (case_id, name, phone, phone_mark, email, email_mark)
SELECT * FROM unnest(%(case_id)s::bigint[], %(name)s::bytea[], %(phone)s::bytea[], %(phone_mark)s::bytea[],
    %(email)s::bytea[], %(email_mark)s::bytea[]);

-- name: supervise
INSERT INTO hotline_supervision (case_id, at, by, demand, due_at)
VALUES (%(case_id)s, %(at)s, %(by)s, %(demand)s, %(due_at)s);

-- name: supervised
UPDATE hotline_ticket SET supervised = true, changed_at = %(at)s WHERE case_id = %(case_id)s;

-- name: supervision_end
UPDATE hotline_supervision SET ended_at = %(at)s WHERE case_id = %(case_id)s AND ended_at IS NULL;

-- name: supervisions
SELECT s.id, s.case_id, s.at, s.by, s.demand, s.due_at, s.ended_at, t.number, t.text, t.department
FROM hotline_supervision s JOIN hotline_ticket t USING (case_id)
WHERE s.ended_at IS NULL AND (%(all)s OR t.department = ANY(%(departments)s::text[]))
ORDER BY s.due_at, s.id LIMIT 500;

-- name: public_tickets
SELECT {columns} FROM hotline_ticket WHERE public
AND (%(before)s::timestamptz IS NULL OR (created_at, case_id) < (%(before)s::timestamptz, %(before_id)s::bigint))
ORDER BY created_at DESC, case_id DESC LIMIT %(limit)s;

-- name: call_put
INSERT INTO hotline_call (key, phone, phone_mark, rang_at, answered_after_s, ended_at, agent, recording, case_id)
VALUES (%(key)s, %(phone)s, %(phone_mark)s, %(rang_at)s, %(answered_after_s)s, %(ended_at)s, %(agent)s, %(recording)s,
    %(case_id)s)
ON CONFLICT (key) DO UPDATE SET answered_after_s = coalesce(excluded.answered_after_s, hotline_call.answered_after_s),
    ended_at = coalesce(excluded.ended_at, hotline_call.ended_at),
    agent = CASE WHEN excluded.agent <> '' THEN excluded.agent ELSE hotline_call.agent END,
    recording = CASE WHEN excluded.recording <> '' THEN excluded.recording ELSE hotline_call.recording END,
    case_id = coalesce(excluded.case_id, hotline_call.case_id)
RETURNING id;

-- name: call_ticket
UPDATE hotline_call SET case_id = %(case_id)s WHERE id = %(id)s;

-- name: call_figures
SELECT count(*) AS calls, count(answered_after_s) AS answered,
    count(*) FILTER (WHERE answered_after_s <= %(within_s)s) AS in_time
FROM hotline_call WHERE rang_at >= %(since)s AND rang_at < %(until)s;
