-- SPDX-License-Identifier: Apache-2.0

-- name: population
-- Everybody who did something with a case is one who does not review it.
SELECT c.id, c.type, c.department, c.category, c.channel,
       coalesce(r.satisfaction IN ('dissatisfied', 'very_dissatisfied'), false) AS badly_rated,
       c.closed_at > c.due_at AS late, c.reopened > 0 AS reopened,
       ARRAY(
           SELECT DISTINCT person FROM (
               SELECT e.by AS person FROM case_event e WHERE e.case_id = c.id
               UNION SELECT e.on_behalf_of FROM case_event e WHERE e.case_id = c.id
               UNION SELECT e.changes ->> 'assignee' FROM case_event e WHERE e.case_id = c.id
           ) AS people WHERE person IS NOT NULL ORDER BY person
       ) AS people
FROM city_case c
LEFT JOIN LATERAL (
    SELECT satisfaction FROM case_rating r WHERE r.case_id = c.id ORDER BY round DESC LIMIT 1
) r ON true
WHERE c.phase = 'closed' AND c.closed_at >= %(since)s AND c.closed_at < %(until)s
AND (%(types)s::text[] IS NULL OR c.type = ANY(%(types)s::text[]))
AND (%(departments)s::text[] IS NULL OR c.department = ANY(%(departments)s::text[]))
AND (%(categories)s::text[] IS NULL OR c.category = ANY(%(categories)s::text[]))
ORDER BY c.id;

-- name: sample_insert
INSERT INTO case_sample (plan, population, drawn_by, drawn_at)
VALUES (%(plan)s, %(population)s, %(by)s, %(at)s) RETURNING id;

-- name: review_insert
INSERT INTO case_review (sample_id, case_id, stratum, reviewer)
VALUES (%(sample_id)s, %(case_id)s, %(stratum)s, %(reviewer)s);

-- name: reviews_of
SELECT sample_id, case_id, stratum, reviewer, verdict, scores, note, reviewed_at FROM case_review
WHERE sample_id = %(sample_id)s ORDER BY case_id;

-- name: reviews_by
SELECT sample_id, case_id, stratum, reviewer, verdict, scores, note, reviewed_at FROM case_review
WHERE reviewer = %(reviewer)s AND reviewed_at IS NULL ORDER BY sample_id, case_id LIMIT %(limit)s;

-- name: review_done
UPDATE case_review SET verdict = %(verdict)s, scores = %(scores)s, note = %(note)s, reviewed_at = %(at)s
WHERE sample_id = %(sample_id)s AND case_id = %(case_id)s AND reviewer = %(reviewer)s AND reviewed_at IS NULL;

-- name: samples
SELECT id, plan, population, drawn_by, drawn_at FROM case_sample
WHERE %(by)s::text IS NULL OR drawn_by = %(by)s
ORDER BY id DESC LIMIT %(limit)s;

-- name: sample_of
SELECT id, plan, population, drawn_by, drawn_at FROM case_sample
WHERE id = %(id)s AND (%(by)s::text IS NULL OR drawn_by = %(by)s);
