-- SPDX-License-Identifier: Apache-2.0

ALTER TABLE hotline_call ADD COLUMN closed_at timestamptz;
COMMENT ON COLUMN hotline_call.closed_at IS 'When its clerk put it away without a ticket: wrong number, silence, a question answered by mouth.';
CREATE INDEX hotline_call_waiting ON hotline_call (rang_at) WHERE case_id IS NULL AND closed_at IS NULL;
