-- SPDX-License-Identifier: Apache-2.0
-- Entities become documents of any tenant, and the history knows them and their attributes by number.

CREATE TABLE document (
    number integer PRIMARY KEY,
    tenant text NOT NULL,
    id text NOT NULL,
    types text[] NOT NULL,
    body bytea NOT NULL,
    live boolean NOT NULL,
    created_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL,
    expires_at timestamptz,
    UNIQUE (tenant, id)
) WITH (fillfactor = 70);
COMMENT ON TABLE document IS 'An entity as JSON of its internal form; one that is not live is known to the history only.';
COMMENT ON COLUMN document.expires_at IS 'When the first part of it expires, or all of it.';

CREATE TABLE attribute_name (
    number integer PRIMARY KEY,
    name text NOT NULL,
    dataset_id text NOT NULL,
    UNIQUE (name, dataset_id)
);
COMMENT ON TABLE attribute_name IS 'The short number of an attribute name and data set in the history.';

ALTER TABLE journal_position ADD COLUMN instance bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN journal_position.instance IS 'The number of the newest attribute instance in the history.';

INSERT INTO attribute_name (number, name, dataset_id)
SELECT row_number() OVER (ORDER BY attribute), attribute, '' FROM (SELECT DISTINCT attribute FROM series) used;

INSERT INTO document (number, tenant, id, types, body, live, created_at, modified_at)
SELECT row_number() OVER (ORDER BY e.id), '', e.id, ARRAY[e.type],
    convert_to(jsonb_build_object(
        'id', e.id, 'types', jsonb_build_array(e.type), 'created_at', t.text, 'modified_at', t.text,
        'attributes', a.attributes
    )::text, 'UTF8'),
    true, e.observed_at, e.observed_at
FROM entity e
CROSS JOIN LATERAL (
    SELECT rtrim(rtrim(to_char(e.observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z' AS text
) t
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(part.name, jsonb_build_array(jsonb_build_object(
        'type', part.type, 'value', part.value, 'created_at', t.text, 'modified_at', t.text
    ))), '{}') AS attributes
    FROM (
        SELECT key AS name, 'Property' AS type, value FROM jsonb_each(e.attributes)
        WHERE value <> 'null' AND key NOT IN ('source', 'name', 'location')
        UNION ALL SELECT 'source', 'Property', to_jsonb(e.source)
        UNION ALL SELECT 'name', 'LanguageProperty', e.name WHERE e.name <> '{}'
        UNION ALL SELECT 'location', 'GeoProperty', e.geometry WHERE e.geometry <> 'null'
    ) part
) a;

ALTER TABLE history RENAME TO history_before;
ALTER INDEX history_series RENAME TO history_before_series;
ALTER INDEX history_batch RENAME TO history_before_batch;

CREATE TABLE history (
    entity integer NOT NULL,
    attribute integer NOT NULL,
    observed_at timestamptz NOT NULL,
    batch_number bigint,
    number double precision,
    word text,
    instance bigint,
    recorded_at timestamptz,
    modified_at timestamptz,
    is_observed boolean NOT NULL,
    detail bytea
) PARTITION BY RANGE (observed_at);
COMMENT ON TABLE history IS 'Attribute instances as they were; a partition holds a day, or a month that came as a whole.';
COMMENT ON COLUMN history.observed_at IS 'When it was observed; if that is not known, when it was recorded (is_observed is false then).';
COMMENT ON COLUMN history.number IS 'A plain number; NaN where a value in columns became unknown.';
COMMENT ON COLUMN history.detail IS 'JSON of the whole instance when it is more than a number or word; of a deletion its time.';
CREATE INDEX history_entity ON history (entity, attribute, observed_at);
-- A batch is loaded in one piece, so its rows lie together: a block range index of a few pages finds them.
CREATE INDEX history_batch ON history USING brin (batch_number) WITH (pages_per_range = 16, autosummarize = on);

CREATE FUNCTION history_add_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', day);
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'history'::regclass AND c.relname LIKE 'history_' || to_char(month, 'YYYYMM') || '%') THEN
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF history FOR VALUES FROM (%L) TO (%L)', 'history_' || to_char(month, 'YYYYMM'),
            month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month')::timestamp AT TIME ZONE 'UTC'
        );
    END IF;
END $$;

CREATE OR REPLACE FUNCTION history_add_day(day date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF to_regclass('history_' || to_char(day, 'YYYYMM')) IS NULL THEN
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF history FOR VALUES FROM (%L) TO (%L)',
            'history_' || to_char(day, 'YYYYMMDD'),
            day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC'
        );
    END IF;
END $$;

CREATE OR REPLACE FUNCTION history_drop_before(day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    old text;
    dropped integer := 0;
BEGIN
    -- A month goes when all of it is old.
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'history'::regclass
            AND rpad(substr(c.relname, 9), 8, '99') < to_char(day, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', old);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

DO $$
DECLARE
    old text;
BEGIN
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'history_before'::regclass ORDER BY c.relname
    LOOP
        EXECUTE format('ALTER TABLE %I RENAME TO %I', old, 'before_' || old);
        PERFORM history_add_day(to_date(substr(old, 9), 'YYYYMMDD'));
        EXECUTE format(
            'INSERT INTO history (entity, attribute, observed_at, batch_number, number, word, is_observed)
            SELECT d.number, a.number, h.observed_at, h.batch_number, h.number, h.word, true
            FROM %I h JOIN series s ON s.id = h.series_id
            JOIN document d ON d.tenant = '''' AND d.id = s.entity_id
            JOIN attribute_name a ON a.name = s.attribute AND a.dataset_id = ''''
            ORDER BY h.batch_number', 'before_' || old
        );
    END LOOP;
END $$;

DROP TABLE history_before;
DROP TABLE series;
DROP TABLE entity;
