-- SPDX-License-Identifier: Apache-2.0
-- Plans in versions, incidents under command, and everything that is written down of them.

CREATE TABLE emergency_plan (
    id text NOT NULL,
    version integer NOT NULL,
    body jsonb NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (id, version)
);
COMMENT ON TABLE emergency_plan IS 'Response plans; the newest version is in force. A version is never edited.';

CREATE TABLE emergency_incident (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    key text UNIQUE,
    title text NOT NULL,
    plan text NOT NULL,
    plan_version integer NOT NULL,
    level text NOT NULL CHECK (level IN ('I', 'II', 'III', 'IV')),
    state text NOT NULL CHECK (state IN ('active', 'ended', 'closed')),
    event_id text,
    entity_id text,
    geometry jsonb,
    declared_by text NOT NULL,
    declared_at timestamptz NOT NULL,
    level_at timestamptz NOT NULL,
    ended_at timestamptz,
    closed_at timestamptz,
    proposal jsonb,
    version integer NOT NULL,
    FOREIGN KEY (plan, plan_version) REFERENCES emergency_plan (id, version)
);
COMMENT ON TABLE emergency_incident IS 'An incident as it stands; how it came to that is in emergency_act. proposal waits for a second person.';
CREATE UNIQUE INDEX emergency_incident_event ON emergency_incident (event_id) WHERE event_id IS NOT NULL AND state = 'active';

CREATE TABLE emergency_act (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES emergency_incident (id),
    act text NOT NULL,
    by text NOT NULL,
    second_by text,
    at timestamptz NOT NULL,
    from_level text,
    to_level text,
    from_state text,
    to_state text,
    reason text NOT NULL
);
CREATE INDEX emergency_act_incident ON emergency_act (incident, number);

CREATE TABLE emergency_fact (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES emergency_incident (id),
    subject text NOT NULL,
    text text NOT NULL,
    value double precision,
    unit text NOT NULL,
    source text NOT NULL,
    geometry jsonb,
    at timestamptz NOT NULL,
    by text NOT NULL,
    said_at timestamptz NOT NULL
);
COMMENT ON TABLE emergency_fact IS 'The situation board: of each subject the newest by at counts, all stay.';
CREATE INDEX emergency_fact_incident ON emergency_fact (incident, number);

CREATE TABLE emergency_role (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES emergency_incident (id),
    role text NOT NULL,
    name text NOT NULL,
    account text,
    by text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz
);
CREATE UNIQUE INDEX emergency_role_now ON emergency_role (incident, role) WHERE until IS NULL;

CREATE TABLE emergency_post (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES emergency_incident (id),
    name text NOT NULL,
    address text NOT NULL,
    geometry jsonb,
    by text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz
);
CREATE INDEX emergency_post_incident ON emergency_post (incident, number);

CREATE TABLE emergency_message (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES emergency_incident (id),
    kind text NOT NULL CHECK (kind IN ('order', 'report', 'notice')),
    "from" text NOT NULL,
    "to" text NOT NULL,
    text text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    said_at timestamptz NOT NULL
);
CREATE INDEX emergency_message_incident ON emergency_message (incident, number);

CREATE TABLE emergency_task (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident text NOT NULL REFERENCES emergency_incident (id),
    case_id bigint NOT NULL UNIQUE,
    title text NOT NULL,
    department text NOT NULL,
    role text,
    line text,
    by text NOT NULL,
    given_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL
);
COMMENT ON TABLE emergency_task IS 'Tasks of an incident; each is a case. line is level:number of the plan.';
CREATE INDEX emergency_task_incident ON emergency_task (incident, number);
CREATE UNIQUE INDEX emergency_task_line ON emergency_task (incident, line) WHERE line IS NOT NULL;

CREATE FUNCTION emergency_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was written down of an incident stays as it is: %', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER emergency_message_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON emergency_message
    FOR EACH STATEMENT EXECUTE FUNCTION emergency_is_append_only();
CREATE TRIGGER emergency_fact_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON emergency_fact
    FOR EACH STATEMENT EXECUTE FUNCTION emergency_is_append_only();
CREATE TRIGGER emergency_act_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON emergency_act
    FOR EACH STATEMENT EXECUTE FUNCTION emergency_is_append_only();
