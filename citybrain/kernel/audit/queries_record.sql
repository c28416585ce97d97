-- SPDX-License-Identifier: Apache-2.0

-- name: entry_add
WITH entry AS (
    INSERT INTO audit_entry (actor, actor_kind, on_behalf_of, act, object, department, facts)
    VALUES (%(actor)s, %(kind)s, %(on_behalf_of)s, %(act)s, %(object)s, %(department)s, %(facts)s)
    RETURNING id
)
INSERT INTO audit_waiting (entry_id) SELECT id FROM entry;

-- name: entries_add
-- Facts are text, as they are hashed.
WITH entry AS (
    INSERT INTO audit_entry (actor, actor_kind, on_behalf_of, act, object, department, facts)
    SELECT %(actor)s, %(kind)s, %(on_behalf_of)s, %(act)s, u.object, u.department, u.facts
    FROM jsonb_to_recordset(%(entries)s::jsonb) AS u (object text, department text, facts text)
    RETURNING id
)
INSERT INTO audit_waiting (entry_id) SELECT id FROM entry;
