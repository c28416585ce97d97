-- SPDX-License-Identifier: Apache-2.0
-- How events are handled: who has taken note, has taken it, put it on the shelf, cleared it; and every act on it.

ALTER TABLE event ADD COLUMN "group" text;
COMMENT ON COLUMN event."group" IS 'The id of the first event of the storm to which this one belongs.';

CREATE TABLE event_handling (
    event_id text PRIMARY KEY REFERENCES event (id),
    kind text NOT NULL,
    severity text NOT NULL,
    at timestamptz NOT NULL,
    ended_at timestamptz,
    entity_id text NOT NULL,
    "group" text,
    merged_into text,
    words text NOT NULL,
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'acknowledged', 'taken', 'shelved', 'cleared')),
    under text CHECK (under IN ('new', 'acknowledged', 'taken')),
    version integer NOT NULL DEFAULT 0,
    acknowledged_by text,
    acknowledged_at timestamptz,
    taken_by text,
    taken_at timestamptz,
    shelved_by text,
    shelved_until timestamptz,
    cleared_by text,
    cleared_at timestamptz,
    comments integer NOT NULL DEFAULT 0,
    note text NOT NULL DEFAULT ''
);
COMMENT ON TABLE event_handling IS 'One row per event: how people handle it, and what lists of alarms are asked by. under is the state beneath the shelf. Times of acts are the clock''s, those of the event city time.';
CREATE INDEX event_handling_at ON event_handling (at, event_id) WHERE merged_into IS NULL;
CREATE INDEX event_handling_worst ON event_handling (severity, at DESC, event_id DESC) WHERE merged_into IS NULL;
CREATE INDEX event_handling_open ON event_handling (severity, at DESC, event_id DESC)
    WHERE ended_at IS NULL AND merged_into IS NULL;
CREATE INDEX event_handling_entity ON event_handling (entity_id, at);
CREATE INDEX event_handling_group ON event_handling ("group", at) WHERE "group" IS NOT NULL;
CREATE INDEX event_handling_merged ON event_handling (merged_into, at) WHERE merged_into IS NOT NULL;
CREATE INDEX event_handling_taken ON event_handling (taken_by) WHERE taken_by IS NOT NULL;
CREATE INDEX event_handling_shelved ON event_handling (shelved_until) WHERE state = 'shelved';

CREATE TABLE event_act (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL REFERENCES event (id),
    act text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    note text NOT NULL,
    facts jsonb NOT NULL
);
COMMENT ON TABLE event_act IS 'What was done with an event, by whom, when and with what words; never edited. Nobody''s name where the city itself did it.';
CREATE INDEX event_act_event ON event_act (event_id, number);
CREATE INDEX event_act_at ON event_act (at);

CREATE INDEX city_order_event ON city_order ((because ->> 'event_id'), at) WHERE because ->> 'event_id' IS NOT NULL;

-- What people noted before: the first of an event is that it was acknowledged, what came later are comments.
INSERT INTO event_act (event_id, act, by, at, note, facts)
SELECT event_id, CASE WHEN row_number() OVER (PARTITION BY event_id ORDER BY id) = 1 THEN 'acknowledge' ELSE 'comment' END,
    by, at, note, '{}'
FROM event_note ORDER BY id;

INSERT INTO event_handling (event_id, kind, severity, at, ended_at, entity_id, words, state, version, acknowledged_by,
    acknowledged_at, comments, note)
SELECT e.id, e.kind, e.severity, e.at, e.ended_at, e.entity_id, lower(e.kind || ' ' || e.entity_id || ' ' || e.id),
    CASE WHEN first.event_id IS NULL THEN 'new' ELSE 'acknowledged' END, coalesce(every.acts, 0), first.by, first.at,
    coalesce(every.comments, 0), coalesce(last.note, '')
FROM event e
LEFT JOIN LATERAL (SELECT event_id, by, at FROM event_act WHERE event_id = e.id ORDER BY number LIMIT 1) first ON true
LEFT JOIN LATERAL (SELECT note FROM event_act WHERE event_id = e.id ORDER BY number DESC LIMIT 1) last ON true
LEFT JOIN LATERAL (
    SELECT count(*)::integer AS acts, (count(*) FILTER (WHERE note <> ''))::integer AS comments
    FROM event_act WHERE event_id = e.id
) every ON true;

DROP TABLE event_note;
