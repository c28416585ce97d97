-- SPDX-License-Identifier: Apache-2.0

-- name: entry_add
WITH entry AS (
    INSERT INTO audit_entry (actor, actor_kind, on_behalf_of, act, object, department, facts)
    VALUES (%(actor)s, %(kind)s, %(on_behalf_of)s, %(act)s, %(object)s, %(department)s, %(facts)s)
    RETURNING id
)
INSERT INTO audit_waiting (entry_id) SELECT id FROM entry;
