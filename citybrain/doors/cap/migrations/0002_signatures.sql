-- SPDX-License-Identifier: Apache-2.0
-- How each message is signed, and by whom.

ALTER TABLE cap_alert
    ADD COLUMN signature text NOT NULL DEFAULT 'none'
        CHECK (signature IN ('none', 'unchecked', 'valid', 'outdated', 'wrong', 'unknown', 'unsupported')),
    ADD COLUMN signed_by text NOT NULL DEFAULT '';
UPDATE cap_alert SET signature = 'unchecked' WHERE is_signed;
ALTER TABLE cap_alert DROP COLUMN is_signed;
COMMENT ON COLUMN cap_alert.signature IS 'What came of checking its signature when it was taken in.';
COMMENT ON COLUMN cap_alert.signed_by IS 'SHA-256 of the certificate that signed it, when that was valid.';
