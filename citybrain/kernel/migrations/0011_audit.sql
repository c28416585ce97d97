-- SPDX-License-Identifier: Apache-2.0
-- The audit log: what was done, by whom, to what. Entries are written by the act's own transaction and wait a moment
-- until one writer puts them into the chain; so acts do not wait for each other.

CREATE TABLE audit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    actor_kind text NOT NULL,
    on_behalf_of text,
    act text NOT NULL,
    object text NOT NULL,
    department text,
    facts text NOT NULL
);
COMMENT ON TABLE audit_entry IS 'An act as it was recorded by its own transaction; facts are JSON kept as the text that was hashed.';
CREATE INDEX audit_entry_at ON audit_entry (at);
CREATE INDEX audit_entry_actor ON audit_entry (actor, id);
CREATE INDEX audit_entry_act ON audit_entry (act, id);
CREATE INDEX audit_entry_object ON audit_entry (object, id);

CREATE TABLE audit_waiting (
    entry_id bigint PRIMARY KEY REFERENCES audit_entry (id)
);
COMMENT ON TABLE audit_waiting IS 'Entries that are not yet in the chain.';

CREATE TABLE audit_link (
    position bigint PRIMARY KEY,
    entry_id bigint NOT NULL UNIQUE REFERENCES audit_entry (id),
    family text NOT NULL,
    hash bytea NOT NULL
);
COMMENT ON TABLE audit_link IS 'The chain: each hash covers its position, its entry and the hash before it.';

CREATE TABLE audit_seal (
    position bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    hash bytea NOT NULL,
    key_number integer NOT NULL,
    signature bytea NOT NULL
);
COMMENT ON TABLE audit_seal IS 'A signature over the last hash of the chain at some time: nothing up to there can be made anew.';

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to (% on %)', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_link_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_seal_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
