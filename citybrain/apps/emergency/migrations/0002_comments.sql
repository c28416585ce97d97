-- SPDX-License-Identifier: Apache-2.0
-- What each table of an incident holds.

COMMENT ON TABLE emergency_act IS 'What was done with an incident itself, by whom, and what that changed; never edited.';
COMMENT ON TABLE emergency_role IS 'Who has which role of an incident, from when until when.';
COMMENT ON TABLE emergency_post IS 'Command posts of an incident, from when until when.';
COMMENT ON TABLE emergency_message IS 'The log of an incident: what was said by whom to whom. at is when, said_at when it was written down; never edited.';
