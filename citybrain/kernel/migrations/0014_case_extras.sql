-- SPDX-License-Identifier: Apache-2.0
-- What cases come with: drafts, attachments, alarms, notices, answers, ratings, reviews, processes.

CREATE TABLE case_draft (
    owner text NOT NULL,
    place text NOT NULL,
    body bytea NOT NULL,
    saved_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (owner, place)
);
COMMENT ON TABLE case_draft IS 'Forms that are not sent yet, encrypted; owner is an account or the hash of a browser''s secret.';
CREATE INDEX case_draft_expires ON case_draft (expires_at);

CREATE TABLE stored_file (
    sha text PRIMARY KEY CHECK (sha ~ '^[0-9a-f]{64}$'),
    size bigint NOT NULL,
    media_type text NOT NULL,
    scan text NOT NULL CHECK (scan IN ('clean', 'unscanned')),
    stored_at timestamptz NOT NULL
);
COMMENT ON TABLE stored_file IS 'Files in the data folder by the SHA-256 of what is in them.';

CREATE TABLE case_attachment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint REFERENCES city_case (id),
    owner text NOT NULL,
    sha text NOT NULL REFERENCES stored_file (sha),
    original_sha text REFERENCES stored_file (sha),
    name text NOT NULL,
    public boolean NOT NULL,
    uploaded_at timestamptz NOT NULL,
    attached_at timestamptz,
    removed_at timestamptz
);
COMMENT ON TABLE case_attachment IS 'A file with its name, uploaded by owner and then attached to a case; original_sha is the file as it came.';
CREATE INDEX case_attachment_case ON case_attachment (case_id, id) WHERE case_id IS NOT NULL;
CREATE INDEX case_attachment_waiting ON case_attachment (uploaded_at) WHERE case_id IS NULL;
CREATE INDEX case_attachment_sha ON case_attachment (sha);
CREATE INDEX case_attachment_original ON case_attachment (original_sha) WHERE original_sha IS NOT NULL;

CREATE TABLE case_alarm (
    case_id bigint NOT NULL REFERENCES city_case (id),
    clock text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('warn', 'escalate', 'timer')),
    step smallint NOT NULL,
    due_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    recipients text[] NOT NULL,
    rung_at timestamptz,
    tries smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (case_id, clock, kind, step, due_at)
);
COMMENT ON TABLE case_alarm IS 'When to warn of a time limit, tell of one that is over, or let a process go on; rung once.';
CREATE INDEX case_alarm_at ON case_alarm (at) WHERE rung_at IS NULL;

CREATE TABLE notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text UNIQUE,
    topic text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('desk', 'email', 'sms', 'push')),
    person text NOT NULL,
    case_id bigint,
    lang text NOT NULL,
    content bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'sent', 'dead', 'stopped')),
    queued_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    tries smallint NOT NULL DEFAULT 0,
    problem text NOT NULL DEFAULT '',
    sent_at timestamptz,
    read_at timestamptz
);
COMMENT ON TABLE notice IS 'What somebody is told, with address and words encrypted; written with what it tells of, sent afterwards.';
CREATE INDEX notice_waiting ON notice (channel, next_at) WHERE state = 'waiting';
CREATE INDEX notice_desk ON notice (person, id) WHERE channel = 'desk';
CREATE INDEX notice_sent ON notice (sent_at) WHERE state <> 'waiting';
CREATE INDEX notice_dead ON notice (queued_at) WHERE state = 'dead';

CREATE TABLE notice_template (
    topic text PRIMARY KEY,
    subject jsonb NOT NULL,
    body jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE notice_template IS 'The words of notices by topic and language, with slots.';

CREATE TABLE notice_choice (
    person text NOT NULL,
    topic text NOT NULL,
    channel text NOT NULL,
    wanted boolean NOT NULL,
    PRIMARY KEY (person, topic, channel)
);
COMMENT ON TABLE notice_choice IS 'Which notices somebody wants by which channel; topic * is all that nothing else is said of.';

CREATE TABLE notice_address (
    person text NOT NULL,
    channel text NOT NULL,
    address bytea NOT NULL,
    lang text NOT NULL,
    PRIMARY KEY (person, channel)
);
COMMENT ON TABLE notice_address IS 'Where somebody is told by a channel, encrypted.';

CREATE TABLE notice_stop (
    token text PRIMARY KEY,
    mark bytea NOT NULL,
    topic text NOT NULL,
    stopped_at timestamptz,
    UNIQUE (mark, topic)
);
COMMENT ON TABLE notice_stop IS 'The link by which whoever has an address stops notices of a topic; the address by its keyed hash.';

CREATE TABLE answer_template (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    department text,
    category text NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    words tsvector NOT NULL,
    used integer NOT NULL DEFAULT 0,
    version integer NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    retired_at timestamptz
);
COMMENT ON TABLE answer_template IS 'Answers that are given often, with slots; of one department or of all.';
CREATE INDEX answer_template_words ON answer_template USING gin (words);

CREATE TABLE case_rating (
    case_id bigint NOT NULL REFERENCES city_case (id),
    round smallint NOT NULL CHECK (round IN (1, 2)),
    satisfaction text NOT NULL,
    indicators text[] NOT NULL,
    remark text NOT NULL,
    channel text NOT NULL,
    by_default boolean NOT NULL,
    department text NOT NULL,
    rated_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, round)
);
COMMENT ON TABLE case_rating IS 'How who asked found what was done: the first rating and an additional one.';
CREATE INDEX case_rating_rated ON case_rating (rated_at);

CREATE TABLE case_follow_up (
    case_id bigint NOT NULL REFERENCES city_case (id),
    round smallint NOT NULL,
    department text NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    taken_by text,
    done_at timestamptz,
    result text NOT NULL DEFAULT '',
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (case_id, round)
);
COMMENT ON TABLE case_follow_up IS 'Bad ratings that somebody must look into and tell the result of.';
CREATE INDEX case_follow_up_waiting ON case_follow_up (department, due_at) WHERE done_at IS NULL;

CREATE TABLE case_sample (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    plan jsonb NOT NULL,
    population integer NOT NULL,
    drawn_by text NOT NULL,
    drawn_at timestamptz NOT NULL
);
COMMENT ON TABLE case_sample IS 'A sample of closed cases for review of quality, with the plan by which it can be drawn again.';

CREATE TABLE case_review (
    sample_id bigint NOT NULL REFERENCES case_sample (id),
    case_id bigint NOT NULL REFERENCES city_case (id),
    stratum text NOT NULL,
    reviewer text,
    verdict text,
    scores jsonb NOT NULL DEFAULT '{}',
    note text NOT NULL DEFAULT '',
    reviewed_at timestamptz,
    PRIMARY KEY (sample_id, case_id)
);
COMMENT ON TABLE case_review IS 'A case of a sample, who reviews it and what was found.';
CREATE INDEX case_review_reviewer ON case_review (reviewer) WHERE reviewed_at IS NULL;

CREATE TABLE process_model (
    type text NOT NULL,
    type_version integer NOT NULL,
    xml text NOT NULL,
    put_by text NOT NULL,
    put_at timestamptz NOT NULL,
    PRIMARY KEY (type, type_version),
    FOREIGN KEY (type, type_version) REFERENCES case_type (id, version)
);
COMMENT ON TABLE process_model IS 'The BPMN 2.0 file of a version of a type of case; it never changes.';

CREATE TABLE case_process (
    case_id bigint PRIMARY KEY REFERENCES city_case (id),
    type text NOT NULL,
    type_version integer NOT NULL,
    state text NOT NULL,
    version integer NOT NULL,
    is_over boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    FOREIGN KEY (type, type_version) REFERENCES process_model (type, type_version)
);
COMMENT ON TABLE case_process IS 'Where the process of a case stands; JSON as text, since the order of its keys tells something.';

CREATE TABLE case_process_task (
    case_id bigint NOT NULL REFERENCES case_process (case_id),
    task text NOT NULL,
    element text NOT NULL,
    name text NOT NULL,
    lane text NOT NULL,
    PRIMARY KEY (case_id, task)
);
COMMENT ON TABLE case_process_task IS 'What people have to do in a process now, for lists; case_process has all of it.';
CREATE INDEX case_process_task_lane ON case_process_task (lane);
