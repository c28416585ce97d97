-- SPDX-License-Identifier: Apache-2.0

-- name: plans
-- As they are in force at a time, or with none the newest of each.
SELECT DISTINCT ON (id) body, version FROM emergency_plan
WHERE %(at)s::timestamptz IS NULL OR body ->> 'valid_from' IS NULL OR (body ->> 'valid_from')::timestamptz <= %(at)s
ORDER BY id, version DESC;

-- name: plan_versions
SELECT version, made_by, made_at, (body ->> 'valid_from')::timestamptz AS valid_from,
    version = max(version) FILTER (
        WHERE body ->> 'valid_from' IS NULL OR (body ->> 'valid_from')::timestamptz <= %(at)s
    ) OVER () IS TRUE AS in_force
FROM emergency_plan WHERE id = %(id)s ORDER BY version DESC;

-- name: plan
SELECT body, version FROM emergency_plan
WHERE id = %(id)s AND (%(version)s::integer IS NULL OR version = %(version)s)
    AND (%(at)s::timestamptz IS NULL OR body ->> 'valid_from' IS NULL
        OR (body ->> 'valid_from')::timestamptz <= %(at)s)
ORDER BY version DESC LIMIT 1;

-- name: plan_add
INSERT INTO emergency_plan (id, version, body, made_by, made_at)
VALUES (%(id)s, %(version)s, %(body)s, %(by)s, %(at)s) ON CONFLICT DO NOTHING;

-- name: incident_add
INSERT INTO emergency_incident (id, key, title, plan, plan_version, level, state, event_id, entity_id, geometry,
    declared_by, declared_at, level_at, proposal, version)
VALUES (%(id)s, %(key)s, %(title)s, %(plan)s, %(plan_version)s, %(level)s, %(state)s, %(event_id)s, %(entity_id)s,
    %(geometry)s, %(declared_by)s, %(declared_at)s, %(level_at)s, %(proposal)s, 1)
ON CONFLICT DO NOTHING;

-- name: incident_put
UPDATE emergency_incident SET level = %(level)s, state = %(state)s, level_at = %(level_at)s, ended_at = %(ended_at)s,
    closed_at = %(closed_at)s, proposal = %(proposal)s, version = version + 1 WHERE id = %(id)s;

-- name: incident
SELECT * FROM emergency_incident WHERE id = %(id)s;

-- name: incident_locked
SELECT * FROM emergency_incident WHERE id = %(id)s FOR UPDATE;

-- name: incident_by
SELECT * FROM emergency_incident WHERE key = %(key)s OR (event_id = %(event_id)s AND state = 'active') LIMIT 1;

-- name: incidents
SELECT * FROM emergency_incident WHERE (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY number DESC LIMIT %(limit)s;

-- name: incidents_at
-- Those that were commanded at a time of the clock, with the level that they had then.
SELECT id, key, title, plan, plan_version, event_id, entity_id, geometry, declared_by, declared_at, number, closed_at,
    version, 'active' AS state, NULL::timestamptz AS ended_at, NULL::jsonb AS proposal,
    coalesce(level_act.to_level, emergency_incident.level) AS level,
    coalesce(level_act.at, emergency_incident.declared_at) AS level_at
FROM emergency_incident
LEFT JOIN LATERAL (
    SELECT to_level, at FROM emergency_act
    WHERE incident = emergency_incident.id AND act <> 'propose' AND to_level IS NOT NULL AND at <= %(at)s
    ORDER BY number DESC LIMIT 1
) AS level_act ON true
WHERE declared_at <= %(at)s AND (state = 'active' OR ended_at > %(at)s)
ORDER BY number DESC LIMIT %(limit)s;

-- name: act_add
INSERT INTO emergency_act (incident, act, by, second_by, at, from_level, to_level, from_state, to_state, reason)
VALUES (%(incident)s, %(act)s, %(by)s, %(second_by)s, %(at)s, %(from_level)s, %(to_level)s, %(from_state)s,
    %(to_state)s, %(reason)s);

-- name: acts
SELECT number, act, by, second_by, at, from_level, to_level, from_state, to_state, reason
FROM emergency_act WHERE incident = %(incident)s ORDER BY number;

-- name: fact_add
INSERT INTO emergency_fact (incident, subject, text, value, unit, source, geometry, at, by, said_at)
VALUES (%(incident)s, %(subject)s, %(text)s, %(value)s, %(unit)s, %(source)s, %(geometry)s, %(at)s, %(by)s,
    %(said_at)s)
RETURNING number, subject, text, value, unit, source, geometry, at, by, said_at;

-- name: facts
-- The newest of a subject by the time at which it was true stands; of two at one time the later one said.
SELECT number, subject, text, value, unit, source, geometry, at, by, said_at,
    lead(number) OVER (PARTITION BY subject ORDER BY at, number) AS replaced_by
FROM emergency_fact WHERE incident = %(incident)s ORDER BY number;

-- name: role_end
UPDATE emergency_role SET until = %(at)s WHERE incident = %(incident)s AND role = %(role)s AND until IS NULL;

-- name: role_add
INSERT INTO emergency_role (incident, role, name, account, by, since)
VALUES (%(incident)s, %(role)s, %(name)s, %(account)s, %(by)s, %(at)s)
RETURNING number, role, name, account, by, since, until;

-- name: roles
SELECT number, role, name, account, by, since, until FROM emergency_role
WHERE incident = %(incident)s ORDER BY number;

-- name: post_add
INSERT INTO emergency_post (incident, name, address, geometry, by, since)
VALUES (%(incident)s, %(name)s, %(address)s, %(geometry)s, %(by)s, %(at)s)
RETURNING number, name, address, geometry, by, since, until;

-- name: post_end
UPDATE emergency_post SET until = %(at)s WHERE incident = %(incident)s AND number = %(number)s AND until IS NULL
RETURNING number, name, address, geometry, by, since, until;

-- name: posts
SELECT number, name, address, geometry, by, since, until FROM emergency_post
WHERE incident = %(incident)s ORDER BY number;

-- name: message_add
INSERT INTO emergency_message (incident, kind, "from", "to", text, at, by, said_at)
VALUES (%(incident)s, %(kind)s, %(from)s, %(to)s, %(text)s, %(at)s, %(by)s, %(said_at)s)
RETURNING number, kind, "from", "to", text, at, by, said_at;

-- name: messages
SELECT number, kind, "from", "to", text, at, by, said_at FROM emergency_message
WHERE incident = %(incident)s AND number > %(after)s ORDER BY number LIMIT %(limit)s;

-- name: last_report
SELECT max(at) FROM emergency_message WHERE incident = %(incident)s AND kind = 'report' HAVING max(at) IS NOT NULL;

-- name: task_add
INSERT INTO emergency_task (incident, case_id, title, department, role, line, by, given_at, due_at)
VALUES (%(incident)s, %(case_id)s, %(title)s, %(department)s, %(role)s, %(line)s, %(by)s, %(given_at)s, %(due_at)s)
ON CONFLICT DO NOTHING;

-- name: tasks
SELECT number, case_id, title, department, role, line, by, given_at, due_at FROM emergency_task
WHERE incident = %(incident)s ORDER BY number;
