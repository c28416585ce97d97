-- SPDX-License-Identifier: Apache-2.0
-- Personal fields of cases lie here, encrypted: the case and its history name them by number alone, so history stays as
-- it was written when a value is encrypted anew or erased.

CREATE TABLE case_secret (
    case_id bigint NOT NULL REFERENCES city_case (id),
    field text NOT NULL,
    number integer NOT NULL,
    sort text NOT NULL,
    value bytea NOT NULL,
    mark bytea,
    settled_at timestamptz,
    PRIMARY KEY (case_id, field, number)
);
COMMENT ON TABLE case_secret IS 'Personal values of cases, encrypted; number is the version of the case that brought it. Erased ones are empty.';
COMMENT ON COLUMN case_secret.mark IS 'The keyed hash of a phone number, id number or e-mail address, to find it by.';
COMMENT ON COLUMN case_secret.settled_at IS 'When the value was erased or made anonymous because its time was over or its person asked.';
CREATE INDEX case_secret_mark ON case_secret (mark) WHERE mark IS NOT NULL;
CREATE INDEX case_secret_open ON case_secret (field, case_id) WHERE settled_at IS NULL;
