-- SPDX-License-Identifier: Apache-2.0
-- Attribute instances are found by their number, and read in its order: values that came in columns have none.

CREATE FUNCTION history_says(number double precision, word text, detail bytea) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT number IS NOT NULL OR word IS NOT NULL OR detail IS NULL OR substring(detail FROM 1 FOR 13) <> '{"deletedAt":'::bytea
$$;
COMMENT ON FUNCTION history_says IS 'Whether a row has a value: one that says only that the attribute went away has none.';

CREATE FUNCTION history_is_number(number double precision, detail bytea) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT number IS NOT NULL AND (detail IS NULL OR substring(detail FROM 1 FOR 27) <> '{"type":"Property","value":'::bytea)
$$;
COMMENT ON FUNCTION history_is_number IS 'Whether a row has a plain number: true and false are numbers too, whose detail says more.';

CREATE INDEX history_instance ON history (attribute, instance)
WHERE instance IS NOT NULL AND history_says(number, word, detail);
