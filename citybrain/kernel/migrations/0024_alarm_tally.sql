-- SPDX-License-Identifier: Apache-2.0
-- How many alarms there are of each sort, kept as they change: a list need not count them anew each time.

-- Changes are only added, and folded from time to time: two who change alarms of one sort never wait for each other.
CREATE TABLE event_tally (
    kind text NOT NULL,
    severity text NOT NULL,
    is_open boolean NOT NULL,
    state text NOT NULL,
    taken_by text,
    number bigint NOT NULL
);
COMMENT ON TABLE event_tally IS 'Alarms by kind, severity, whether they go on, state and who has them: the sum over the rows of a sort. Neither signs of other events, nor what is on the shelf, whose time may be over at any moment: that is counted where it lies.';
CREATE INDEX event_tally_sort ON event_tally (kind, severity, is_open);

CREATE FUNCTION event_tally_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.merged_into IS NULL AND OLD.state <> 'shelved' THEN
        INSERT INTO event_tally VALUES (OLD.kind, OLD.severity, OLD.ended_at IS NULL, OLD.state, OLD.taken_by, -1);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.merged_into IS NULL AND NEW.state <> 'shelved' THEN
        INSERT INTO event_tally VALUES (NEW.kind, NEW.severity, NEW.ended_at IS NULL, NEW.state, NEW.taken_by, 1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER event_tally_came AFTER INSERT OR DELETE ON event_handling
    FOR EACH ROW EXECUTE FUNCTION event_tally_keep();
CREATE TRIGGER event_tally_changed AFTER UPDATE ON event_handling
    FOR EACH ROW WHEN ((OLD.kind, OLD.severity, OLD.ended_at IS NULL, OLD.state, OLD.taken_by, OLD.merged_into IS NULL)
        IS DISTINCT FROM
        (NEW.kind, NEW.severity, NEW.ended_at IS NULL, NEW.state, NEW.taken_by, NEW.merged_into IS NULL))
    EXECUTE FUNCTION event_tally_keep();

INSERT INTO event_tally
SELECT kind, severity, ended_at IS NULL, state, taken_by, count(*) FROM event_handling
WHERE merged_into IS NULL AND state <> 'shelved' GROUP BY 1, 2, 3, 4, 5;

CREATE INDEX event_handling_kind ON event_handling (kind, severity, at DESC, event_id DESC) WHERE merged_into IS NULL;
