-- SPDX-License-Identifier: Apache-2.0

-- name: playbook_add
INSERT INTO operations_playbook (id, shipped, made_by, made_at) VALUES (%(id)s, %(shipped)s, %(by)s, %(at)s)
ON CONFLICT (id) DO NOTHING;

-- name: playbook_lock
SELECT id FROM operations_playbook WHERE id = %(id)s FOR UPDATE;

-- name: playbook_shipped
SELECT id FROM operations_playbook WHERE shipped;

-- name: version_last
SELECT max(version) FROM operations_playbook_version WHERE playbook = %(playbook)s HAVING max(version) IS NOT NULL;

-- name: version_add
INSERT INTO operations_playbook_version (playbook, version, state, body, made_by, made_at)
VALUES (%(playbook)s, %(version)s, 'draft', %(body)s, %(by)s, %(at)s);

-- name: version_propose
UPDATE operations_playbook_version SET proposed_by = %(by)s, proposed_at = %(at)s
WHERE playbook = %(playbook)s AND version = %(version)s;

-- name: version_retire
UPDATE operations_playbook_version SET state = 'retired', retired_by = %(by)s, retired_at = %(at)s
WHERE playbook = %(playbook)s AND state = 'active';

-- name: version_activate
UPDATE operations_playbook_version SET state = 'active', activated_by = %(by)s, activated_at = %(at)s
WHERE playbook = %(playbook)s AND version = %(version)s;

-- name: versions
SELECT * FROM operations_playbook_version ORDER BY playbook, version;
