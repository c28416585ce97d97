-- SPDX-License-Identifier: Apache-2.0
-- Questions kept under a name are asked of more lists than that of cases.

ALTER TABLE case_queue RENAME TO kept_question;
ALTER TABLE kept_question ADD COLUMN list text NOT NULL DEFAULT 'cases' CHECK (list IN ('cases', 'alarms'));
COMMENT ON TABLE kept_question IS 'Questions to a list kept under a name: for the owner alone, or for a department. query is in the words of its list.';
COMMENT ON COLUMN kept_question.list IS 'What is asked for: cases, or alarms.';
