-- SPDX-License-Identifier: Apache-2.0
-- A partition of the history may hold a month: it is old when all of it is, and of a younger one only old days go.

CREATE OR REPLACE FUNCTION history_forget_batches(day date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    old text;
    kept boolean;
    dropped integer := 0;
BEGIN
    FOR old IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'history'::regclass AND rpad(substr(c.relname, 9), 8, '0') < to_char(day, 'YYYYMMDD')
        ORDER BY c.relname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE batch_number IS NULL)', old) INTO kept;
        IF kept OR rpad(substr(old, 9), 8, '9') >= to_char(day, 'YYYYMMDD') THEN
            EXECUTE format('DELETE FROM %I WHERE batch_number IS NOT NULL AND observed_at < %L', old,
                day::timestamp AT TIME ZONE 'UTC');
        ELSE
            EXECUTE format('DROP TABLE %I', old);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;
