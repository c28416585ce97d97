-- SPDX-License-Identifier: Apache-2.0

-- name: staff_roles
SELECT roles FROM account WHERE name = %(name)s AND kind = 'staff' AND disabled_at IS NULL;
