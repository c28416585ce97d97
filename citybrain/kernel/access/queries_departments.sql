-- SPDX-License-Identifier: Apache-2.0

-- name: tree_lock
-- Two acts that are each right could together tie a loop, so they go one after the other.
LOCK TABLE department IN SHARE ROW EXCLUSIVE MODE;

-- name: department_add
INSERT INTO department (id, parent, name, created_at) VALUES (%(id)s, %(parent)s, %(name)s::jsonb, %(now)s);

-- name: departments
SELECT id, parent, name, dissolved_at, successor FROM department ORDER BY created_at, id;

-- name: department_change
UPDATE department SET name = %(name)s::jsonb, parent = %(parent)s WHERE id = %(id)s;

-- name: department_dissolve
UPDATE department SET dissolved_at = %(now)s, successor = %(successor)s WHERE id = %(id)s;

-- name: department_members_move
WITH ended AS (
    UPDATE membership SET ends_at = greatest(%(now)s, begins_at)
    WHERE department = %(id)s AND (ends_at IS NULL OR ends_at > %(now)s) RETURNING *
), open AS (
    SELECT m.* FROM membership m JOIN ended USING (id)  -- as they were: a statement does not see what it writes
)
INSERT INTO membership (account, department, role, post, below, begins_at, ends_at, granted_by)
SELECT account, %(successor)s, role, post, below, greatest(begins_at, %(now)s), ends_at, %(by)s FROM open;

-- name: department_children_move
UPDATE department SET parent = %(successor)s
WHERE parent = %(id)s AND id <> %(successor)s AND dissolved_at IS NULL;

-- name: department_posts_move
UPDATE post SET department = %(successor)s WHERE department = %(id)s;

-- name: post_save
INSERT INTO post (id, department, name, roles, created_at)
VALUES (%(id)s, %(department)s, %(name)s::jsonb, %(roles)s, %(now)s)
ON CONFLICT (id) DO UPDATE SET department = excluded.department, name = excluded.name, roles = excluded.roles;

-- name: posts
SELECT id, department, name, roles FROM post ORDER BY department, id;

-- name: post_remove
DELETE FROM post WHERE id = %(id)s;

-- name: post_held
SELECT 1 FROM membership WHERE post = %(id)s LIMIT 1;
