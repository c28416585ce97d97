-- SPDX-License-Identifier: Apache-2.0
-- The kernel's tables: what there is, what was seen, what happened, what was done, and who may.

CREATE TABLE entity (
    id text PRIMARY KEY,
    type text NOT NULL,
    source text NOT NULL,
    observed_at timestamptz NOT NULL,
    name jsonb NOT NULL,
    geometry jsonb,
    attributes jsonb NOT NULL
);
COMMENT ON TABLE entity IS 'A thing the city has; geometry is GeoJSON in WGS-84.';
CREATE INDEX entity_type ON entity (type);

CREATE TABLE series (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id text NOT NULL REFERENCES entity (id),
    attribute text NOT NULL,
    UNIQUE (entity_id, attribute)
);
COMMENT ON TABLE series IS 'The short number of one attribute of one entity in the history.';

CREATE TABLE observation_batch (
    number bigint PRIMARY KEY,
    id text NOT NULL UNIQUE,
    source text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
COMMENT ON TABLE observation_batch IS 'Every batch that was acknowledged, also one of which the history keeps nothing.';
CREATE INDEX observation_batch_observed_at ON observation_batch (observed_at);

CREATE TABLE history (
    series_id integer NOT NULL,
    batch_number bigint NOT NULL,
    observed_at timestamptz NOT NULL,
    number double precision,
    word text
) PARTITION BY RANGE (observed_at);
COMMENT ON TABLE history IS 'Kept observations, one partition per day; a number is NaN where the value became unknown.';
CREATE INDEX history_series ON history (series_id, observed_at);
-- A batch is loaded in one piece, so its rows lie together: a block range index of a few pages finds them.
CREATE INDEX history_batch ON history USING brin (batch_number) WITH (pages_per_range = 16, autosummarize = on);

CREATE FUNCTION history_add_day(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF history FOR VALUES FROM (%L) TO (%L)',
        'history_' || to_char(day, 'YYYYMMDD'), day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC'
    );
END $$;

CREATE FUNCTION history_drop_before(day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    old text;
    dropped integer := 0;
BEGIN
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'history'::regclass AND c.relname < 'history_' || to_char(day, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', old);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

CREATE TABLE event (
    id text PRIMARY KEY,
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('I', 'II', 'III', 'IV')),
    at timestamptz NOT NULL,
    ended_at timestamptz,
    entity_id text NOT NULL,
    because jsonb NOT NULL,
    geometry jsonb,
    evidence jsonb NOT NULL
);
COMMENT ON TABLE event IS 'Something that happened; one that goes on keeps its row and ends by ended_at.';
CREATE INDEX event_at ON event (at);
CREATE INDEX event_entity ON event (entity_id, at);
CREATE INDEX event_open ON event (at) WHERE ended_at IS NULL;

CREATE TABLE event_note (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL REFERENCES event (id),
    by text NOT NULL,
    at timestamptz NOT NULL,
    note text NOT NULL
);
COMMENT ON TABLE event_note IS 'Who took note of an event, and with what words; never edited.';
CREATE INDEX event_note_event ON event_note (event_id, id);

CREATE TABLE city_order (
    id text PRIMARY KEY,
    means text NOT NULL,
    entity_id text NOT NULL,
    at timestamptz NOT NULL,
    because jsonb NOT NULL,
    parameters jsonb NOT NULL,
    by text NOT NULL
);
COMMENT ON TABLE city_order IS 'One use of a means on one entity, with its cause.';
CREATE INDEX city_order_entity ON city_order (entity_id, at);
CREATE INDEX city_order_at ON city_order (at);

CREATE TABLE outcome (
    order_id text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('executed', 'refused', 'failed')),
    at timestamptz NOT NULL,
    code text NOT NULL,
    facts jsonb NOT NULL
);
COMMENT ON TABLE outcome IS 'What an order did, or why it was refused or failed.';

CREATE TABLE reading (
    indicator text NOT NULL,
    arm text NOT NULL,
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    parts jsonb NOT NULL,
    PRIMARY KEY (indicator, arm, at)
);
COMMENT ON TABLE reading IS 'One value of an indicator for one arm of a comparison, with the parts it was made of.';
CREATE INDEX reading_at ON reading (at);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    payload text NOT NULL,
    at timestamptz NOT NULL
);
COMMENT ON TABLE outbox IS 'What readers must be told, written with the records themselves; ids are in order of commit.';
CREATE INDEX outbox_topic ON outbox (topic, id);

CREATE TABLE journal_position (
    number bigint NOT NULL
);
COMMENT ON TABLE journal_position IS 'The number of the last group the journal committed: one row.';
INSERT INTO journal_position VALUES (0);

CREATE TABLE run (
    number integer PRIMARY KEY,
    scenario text NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    summary jsonb
);
COMMENT ON TABLE run IS 'One day of the city: begins_at and ends_at are city time, started_at and finished_at the clock''s.';

CREATE TABLE setting (
    name text PRIMARY KEY,
    value jsonb NOT NULL
);
COMMENT ON TABLE setting IS 'What people set at run time, by name.';

CREATE TABLE account (
    name text PRIMARY KEY,
    password_hash text NOT NULL,
    roles text[] NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE account IS 'A person who may sign in; the password is kept as argon2id only.';

CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    account text NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE session IS 'An open session by the SHA-256 of its token; the token itself is nowhere.';
CREATE INDEX session_expires_at ON session (expires_at);

CREATE TABLE sign_in_attempt (
    name text PRIMARY KEY,
    failures integer NOT NULL,
    last_at timestamptz NOT NULL,
    locked_until timestamptz
);
COMMENT ON TABLE sign_in_attempt IS 'Failed sign-ins by the name that was tried, whether or not it exists.';
