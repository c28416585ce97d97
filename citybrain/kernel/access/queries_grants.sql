-- SPDX-License-Identifier: Apache-2.0

-- name: membership_add
INSERT INTO membership (account, department, role, post, below, begins_at, ends_at, granted_by)
VALUES (%(account)s, %(department)s, %(role)s, %(post)s, %(below)s, %(begins_at)s, %(ends_at)s, %(by)s) RETURNING id;

-- name: membership_end
-- One that has not begun yet never does.
UPDATE membership SET ends_at = %(now)s, begins_at = least(begins_at, %(now)s)
WHERE id = %(id)s AND (ends_at IS NULL OR ends_at > %(now)s) RETURNING account;

-- name: memberships
SELECT m.id, m.account, m.department, m.role, m.post, m.below, m.begins_at, m.ends_at, m.granted_by
FROM membership m JOIN account a ON a.name = m.account
WHERE (m.ends_at IS NULL OR m.ends_at > %(now)s) AND a.disabled_at IS NULL ORDER BY m.id;

-- name: delegation_add
INSERT INTO delegation (of_account, to_account, department, begins_at, ends_at, reason, note, made_by)
VALUES (%(of_account)s, %(to_account)s, %(department)s, %(begins_at)s, %(ends_at)s, %(reason)s, %(note)s, %(by)s)
RETURNING id;

-- name: delegation_revoke
UPDATE delegation SET revoked_at = %(now)s WHERE id = %(id)s;

-- name: delegations
-- Whose account is closed has nothing left to lend.
SELECT d.id, d.of_account, d.to_account, d.department, d.begins_at, d.ends_at, d.reason, d.note, d.made_by
FROM delegation d JOIN account a ON a.name = d.of_account
WHERE d.ends_at > %(now)s AND d.revoked_at IS NULL AND a.disabled_at IS NULL ORDER BY d.id;

-- name: delegation_find
SELECT id, of_account, to_account, department, begins_at, ends_at, reason, note, made_by
FROM delegation WHERE id = %(id)s AND revoked_at IS NULL AND ends_at > %(now)s;

-- name: staff_is_there
SELECT 1 FROM account WHERE name = %(name)s AND kind = 'staff' AND disabled_at IS NULL;

-- name: department_is_there
SELECT 1 FROM department WHERE id = %(id)s AND dissolved_at IS NULL;

-- name: post_place
SELECT department FROM post WHERE id = %(id)s;
