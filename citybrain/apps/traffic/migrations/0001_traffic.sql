-- SPDX-License-Identifier: Apache-2.0

CREATE TABLE traffic_comparison (
    signal_id text NOT NULL,
    begins_at timestamptz NOT NULL,
    signals text[] NOT NULL,
    seconds integer NOT NULL,
    acting text NOT NULL CHECK (acting IN ('brain', 'plan')),
    came double precision NOT NULL,
    plan_s double precision NOT NULL,
    brain_s double precision NOT NULL,
    measured_s double precision NOT NULL,
    PRIMARY KEY (signal_id, begins_at)
);
COMMENT ON TABLE traffic_comparison IS 'Brain and plan at one junction in one quarter of an hour of city time; signal_id is the first of its signals. Delays are sums in vehicle-seconds; acting is who really steered, the other one is modelled.';
CREATE INDEX traffic_comparison_time ON traffic_comparison (begins_at);
