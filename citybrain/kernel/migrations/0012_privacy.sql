-- SPDX-License-Identifier: Apache-2.0
-- Personal data: which keys the database was written with, who looked at whose data, consent, and what is due to go.

CREATE TABLE privacy_key (
    number integer PRIMARY KEY,
    use text NOT NULL,
    family text NOT NULL,
    check_word bytea NOT NULL,
    made_at timestamptz NOT NULL,
    given_up_at timestamptz
);
COMMENT ON TABLE privacy_key IS 'The keys that values here may be encrypted with, by a word they are known again by; never the keys.';

CREATE TABLE privacy_reveal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    person bytea NOT NULL,
    account text NOT NULL,
    on_behalf_of text,
    department text,
    object text NOT NULL,
    fields text[] NOT NULL,
    purpose text NOT NULL,
    reason text NOT NULL
);
COMMENT ON TABLE privacy_reveal IS 'Who saw which fields of whose data in clear, what for and why; the person by a keyed hash.';
CREATE INDEX privacy_reveal_person ON privacy_reveal (person, id);

CREATE TABLE privacy_consent (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person bytea NOT NULL,
    purpose text NOT NULL,
    fields text[] NOT NULL,
    text_version text NOT NULL,
    separate boolean NOT NULL,
    given_at timestamptz NOT NULL,
    given_via text NOT NULL,
    revoked_at timestamptz
);
COMMENT ON TABLE privacy_consent IS 'What somebody agreed to, in which words, and until when; separate: asked for by itself (article 29).';
CREATE INDEX privacy_consent_person ON privacy_consent (person, purpose);

CREATE TABLE privacy_erasure (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    holder text NOT NULL,
    by text NOT NULL,
    why text NOT NULL,
    erased integer NOT NULL,
    anonymised integer NOT NULL,
    kept integer NOT NULL,
    laws text[] NOT NULL
);
COMMENT ON TABLE privacy_erasure IS 'What was erased, made anonymous or kept by law, in which part of the city, when and why.';
