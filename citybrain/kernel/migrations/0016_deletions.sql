-- SPDX-License-Identifier: Apache-2.0
-- What records a deletion has the time of the deletion alone: it is neither created nor modified (CIM 009 clause 4.8).

CREATE OR REPLACE FUNCTION history_has(which text, is_observed boolean, recorded_at timestamptz, detail bytea)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE which
        WHEN 'any' THEN true
        WHEN 'observedAt' THEN is_observed
        WHEN 'deletedAt' THEN coalesce(position('"deletedAt":'::bytea IN detail) > 0, false)
        ELSE recorded_at IS NOT NULL AND coalesce(position('"deletedAt":'::bytea IN detail) = 0, true)
    END
$$;
