-- SPDX-License-Identifier: Apache-2.0
-- What could not be taken in, and which devices are shut out.

CREATE TABLE mqtt_dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    topic text NOT NULL,
    entity_id text NOT NULL,
    payload bytea NOT NULL,
    code text NOT NULL,
    facts jsonb NOT NULL,
    at timestamptz NOT NULL
);
COMMENT ON TABLE mqtt_dead_letter IS 'A message that was not taken in, as it came, with the reason; replayed or deleted by a person.';
CREATE INDEX mqtt_dead_letter_source ON mqtt_dead_letter (source, id);

CREATE TABLE mqtt_quarantine (
    entity_id text PRIMARY KEY,
    source text NOT NULL,
    code text NOT NULL,
    event_id text NOT NULL,
    since timestamptz NOT NULL
);
COMMENT ON TABLE mqtt_quarantine IS 'A device whose messages are not believed just now; a person or calm frees it.';

CREATE TABLE mqtt_count (
    source text PRIMARY KEY,
    taken bigint NOT NULL,
    refused bigint NOT NULL,
    too_many bigint NOT NULL,
    last_at timestamptz NOT NULL
);
COMMENT ON TABLE mqtt_count IS 'What came of each source, added up by the minute.';
