-- SPDX-License-Identifier: Apache-2.0

-- name: rating_lock
SELECT pg_advisory_xact_lock(hashtext('case_rating'), hashtext(%(case_id)s::text));

-- name: ratings_of
SELECT case_id, round, satisfaction, indicators, remark, channel, by_default, department, rated_at
FROM case_rating WHERE case_id = %(case_id)s ORDER BY round;

-- name: rating_insert
INSERT INTO case_rating (
    case_id, round, satisfaction, indicators, remark, channel, by_default, department, rated_at
) VALUES (
    %(case_id)s, %(round)s, %(satisfaction)s, %(indicators)s, %(remark)s, %(channel)s, %(by_default)s,
    %(department)s, %(rated_at)s
);

-- name: ratings_insert
INSERT INTO case_rating (
    case_id, round, satisfaction, indicators, remark, channel, by_default, department, rated_at
)
SELECT case_id, round, satisfaction, indicators, remark, channel, by_default, department, rated_at
FROM jsonb_populate_recordset(NULL::case_rating, %(ratings)s::jsonb);

-- name: unrated
SELECT c.id FROM city_case c
WHERE c.type = ANY(%(types)s::text[]) AND c.phase = 'closed' AND c.closed_at < %(before)s AND c.closed_at >= %(since)s
AND NOT EXISTS (SELECT FROM case_rating r WHERE r.case_id = c.id)
ORDER BY c.id LIMIT %(limit)s;

-- name: follow_up_insert
INSERT INTO case_follow_up (case_id, round, department, opened_at, due_at)
VALUES (%(case_id)s, %(round)s, %(department)s, %(opened_at)s, %(due_at)s);

-- name: follow_ups
SELECT f.case_id, f.round, f.department, f.opened_at, f.due_at, f.taken_by, f.done_at, f.result, f.note,
       r.satisfaction, r.remark, c.number, c.title
FROM case_follow_up f
JOIN case_rating r ON r.case_id = f.case_id AND r.round = f.round
JOIN city_case c ON c.id = f.case_id
WHERE (%(departments)s::text[] IS NULL OR f.department = ANY(%(departments)s::text[]))
AND (f.done_at IS NULL OR %(done)s)
ORDER BY f.done_at DESC NULLS FIRST, f.due_at, f.case_id, f.round LIMIT %(limit)s;

-- name: follow_up_of
SELECT department FROM case_follow_up WHERE case_id = %(case_id)s AND round = %(round)s;

-- name: follow_up_take
UPDATE case_follow_up SET taken_by = %(by)s
WHERE case_id = %(case_id)s AND round = %(round)s AND done_at IS NULL AND (taken_by IS NULL OR taken_by = %(by)s);

-- name: follow_up_done
UPDATE case_follow_up SET taken_by = coalesce(taken_by, %(by)s), done_at = %(at)s, result = %(result)s, note = %(note)s
WHERE case_id = %(case_id)s AND round = %(round)s AND done_at IS NULL;

-- name: ratings_counted
-- The last rating of each case counts; those given by default are told apart.
SELECT department, satisfaction, by_default, count(*)::integer AS count FROM (
    SELECT DISTINCT ON (case_id) department, satisfaction, by_default FROM case_rating
    WHERE rated_at >= %(since)s AND rated_at < %(until)s ORDER BY case_id, round DESC
) AS last GROUP BY department, satisfaction, by_default ORDER BY department, satisfaction, by_default;
