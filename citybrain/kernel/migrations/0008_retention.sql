-- SPDX-License-Identifier: Apache-2.0
-- The past: how its times are asked for, how long it is kept, and what remains of it in figures.

CREATE FUNCTION history_time(
    which text, observed_at timestamptz, recorded_at timestamptz, modified_at timestamptz
) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE which
        WHEN 'createdAt' THEN recorded_at
        WHEN 'modifiedAt' THEN coalesce(modified_at, recorded_at)
        WHEN 'deletedAt' THEN recorded_at
        ELSE observed_at
    END
$$;
COMMENT ON FUNCTION history_time IS 'The time of an instance that counts when it is asked for by this temporal property.';

CREATE FUNCTION history_has(which text, is_observed boolean, recorded_at timestamptz, detail bytea)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE which
        WHEN 'any' THEN true
        WHEN 'observedAt' THEN is_observed
        WHEN 'deletedAt' THEN coalesce(position('"deletedAt":'::bytea IN detail) > 0, false)
        ELSE recorded_at IS NOT NULL
    END
$$;
COMMENT ON FUNCTION history_has IS 'Whether an instance has this temporal property at all.';

CREATE TABLE retention_policy (
    tenant text NOT NULL DEFAULT '',
    type text NOT NULL,
    attribute text NOT NULL DEFAULT '*',
    raw_days integer NOT NULL CHECK (raw_days >= 1),
    period_s integer CHECK (period_s >= 1),
    figures_days integer CHECK (figures_days >= raw_days),
    PRIMARY KEY (tenant, type, attribute)
);
COMMENT ON TABLE retention_policy IS
    'How long single values of an attribute (* for all) are kept, and of which period figures are kept for how much longer.';

CREATE TABLE history_figures (
    entity integer NOT NULL,
    attribute integer NOT NULL,
    period_at timestamptz NOT NULL,
    period_s integer NOT NULL,
    total bigint NOT NULL,
    sum double precision NOT NULL,
    sumsq double precision NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL,
    PRIMARY KEY (entity, attribute, period_at, period_s)
);
COMMENT ON TABLE history_figures IS 'What remains of numbers whose single values are no longer kept: figures of each period.';

CREATE FUNCTION history_forget_batches(day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    old text;
    kept boolean;
    dropped integer := 0;
BEGIN
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'history'::regclass AND rpad(substr(c.relname, 9), 8, '99') < to_char(day, 'YYYYMMDD')
        ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE batch_number IS NULL)', old) INTO kept;
        IF kept THEN
            EXECUTE format('DELETE FROM %I WHERE batch_number IS NOT NULL', old);
        ELSE
            EXECUTE format('DROP TABLE %I', old);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION history_forget_batches IS
    'Forget what feeds observed before a day; what people and devices wrote through the API stays for its own policy.';

CREATE TABLE import_bookmark (
    key text PRIMARY KEY,
    line bigint NOT NULL,
    taken bigint NOT NULL,
    refused bigint NOT NULL,
    at timestamptz NOT NULL
);
COMMENT ON TABLE import_bookmark IS 'How far the import of a file came: everything up to this line is committed.';
