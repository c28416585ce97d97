-- SPDX-License-Identifier: Apache-2.0
-- Questions kept under a name can be changed, and who changes one that is newer is told.

ALTER TABLE case_queue ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE case_queue ADD COLUMN changed_by text NOT NULL DEFAULT '';
COMMENT ON COLUMN case_queue.version IS 'Counts its changes.';
