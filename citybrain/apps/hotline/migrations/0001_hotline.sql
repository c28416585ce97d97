-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE hotline_version (
    kind text NOT NULL CHECK (kind IN ('categories', 'rules')),
    version integer NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (kind, version)
);
COMMENT ON TABLE hotline_version IS 'The tree of categories and the routing table, in versions; the highest is in force.';

CREATE TABLE hotline_ticket (
    case_id bigint PRIMARY KEY,
    number text NOT NULL,
    category text NOT NULL,
    department text NOT NULL,
    first_department text,
    channel text NOT NULL,
    urgency text NOT NULL,
    state text NOT NULL,
    phase text NOT NULL,
    text text NOT NULL,
    answer text NOT NULL DEFAULT '',
    longitude double precision,
    latitude double precision,
    address text NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    accepted_at timestamptz,
    answered_at timestamptz,
    due_at timestamptz,
    closed_at timestamptz,
    transfers integer NOT NULL DEFAULT 0,
    sent_back integer NOT NULL DEFAULT 0,
    reopened integer NOT NULL DEFAULT 0,
    supervised boolean NOT NULL DEFAULT false,
    resolution text NOT NULL DEFAULT '',
    resolved boolean,
    satisfaction text NOT NULL DEFAULT '',
    public boolean NOT NULL DEFAULT false,
    link_hash bytea UNIQUE
);
COMMENT ON TABLE hotline_ticket IS 'Tickets as figures and search need them; written in the transaction of their case.';
COMMENT ON COLUMN hotline_ticket.link_hash IS 'SHA-256 of the 256-bit secret by which the citizen follows it.';
CREATE INDEX hotline_ticket_changed ON hotline_ticket (changed_at, case_id);
CREATE INDEX hotline_ticket_created ON hotline_ticket (created_at, case_id);
CREATE INDEX hotline_ticket_department ON hotline_ticket (department, created_at);
CREATE INDEX hotline_ticket_follow_up ON hotline_ticket (answered_at, case_id) WHERE state = 'answered';
CREATE INDEX hotline_ticket_public ON hotline_ticket (created_at, case_id) WHERE public;

CREATE TABLE hotline_caller (
    case_id bigint PRIMARY KEY REFERENCES hotline_ticket (case_id) ON DELETE CASCADE,
    name bytea,
    phone bytea,
    phone_mark bytea,
    email bytea,
    email_mark bytea
);
COMMENT ON TABLE hotline_caller IS 'Who told it, encrypted; marks are keyed hashes for search. No row: anonymous.';
CREATE INDEX hotline_caller_phone ON hotline_caller (phone_mark) WHERE phone_mark IS NOT NULL;
CREATE INDEX hotline_caller_email ON hotline_caller (email_mark) WHERE email_mark IS NOT NULL;

CREATE TABLE hotline_call (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    phone bytea,
    phone_mark bytea,
    rang_at timestamptz NOT NULL,
    answered_after_s real,
    ended_at timestamptz,
    agent text NOT NULL DEFAULT '',
    recording text NOT NULL DEFAULT '',
    case_id bigint
);
COMMENT ON TABLE hotline_call IS 'Calls as the telephone system tells them; without answered_after_s nobody answered.';
CREATE INDEX hotline_call_rang ON hotline_call (rang_at);
CREATE INDEX hotline_call_phone ON hotline_call (phone_mark) WHERE phone_mark IS NOT NULL;

CREATE TABLE hotline_follow_up (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES hotline_ticket (case_id),
    at timestamptz NOT NULL,
    by text NOT NULL,
    reached boolean NOT NULL,
    resolved boolean,
    satisfaction text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT ''
);
COMMENT ON TABLE hotline_follow_up IS 'What callers said when they were asked afterwards.';
CREATE INDEX hotline_follow_up_case ON hotline_follow_up (case_id);

CREATE TABLE hotline_supervision (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL REFERENCES hotline_ticket (case_id),
    at timestamptz NOT NULL,
    by text NOT NULL,
    demand text NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz
);
COMMENT ON TABLE hotline_supervision IS 'Tickets that a supervisor wants finished by a time (督办).';
CREATE INDEX hotline_supervision_open ON hotline_supervision (due_at) WHERE ended_at IS NULL;

CREATE TABLE hotline_article (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    body text NOT NULL,
    category text NOT NULL DEFAULT '',
    words text[] NOT NULL,
    public boolean NOT NULL DEFAULT false,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    valid_until date
);
COMMENT ON TABLE hotline_article IS 'What the desk knows: answers to what is often asked.';
CREATE INDEX hotline_article_words ON hotline_article USING gin (words);

CREATE TABLE hotline_import (
    sha text PRIMARY KEY,
    name text NOT NULL,
    began_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    finished_at timestamptz,
    by text NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    taken bigint NOT NULL DEFAULT 0,
    known bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE hotline_import IS 'Files of old tickets by their content, and how far each was read.';

CREATE TABLE hotline_import_refusal (
    sha text NOT NULL REFERENCES hotline_import (sha) ON DELETE CASCADE,
    row bigint NOT NULL,
    code text NOT NULL,
    facts jsonb NOT NULL,
    PRIMARY KEY (sha, row)
);
COMMENT ON TABLE hotline_import_refusal IS 'Every row that was not taken, and why; never what stands in it.';

CREATE TABLE hotline_area (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    email bytea NOT NULL,
    email_mark bytea NOT NULL,
    longitude double precision NOT NULL,
    latitude double precision NOT NULL,
    radius_m double precision NOT NULL,
    lang text NOT NULL,
    asked_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    told_until timestamptz
);
COMMENT ON TABLE hotline_area IS 'Who wants to be told of reports near a place; in force once confirmed by e-mail.';
CREATE INDEX hotline_area_email ON hotline_area (email_mark);
