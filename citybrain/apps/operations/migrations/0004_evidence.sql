-- SPDX-License-Identifier: Apache-2.0
-- What conditions of lines ask of an event's evidence.

ALTER TABLE operations_run ADD COLUMN evidence jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN operations_run.evidence IS 'The part of the event''s evidence that conditions of lines ask for, as it was told last.';
