# SPDX-License-Identifier: Apache-2.0
"""Better fixed plans: flows are counted right, greens follow the flows, offsets follow the drive."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.apps.traffic.control.plans.delay import dispersed, lane_delay_s, serve
from citybrain.apps.traffic.control.plans.flows import flow_veh_per_s
from citybrain.apps.traffic.control.plans.network import links
from citybrain.apps.traffic.control.plans.optimise import propose, shipped_timing
from citybrain.apps.traffic.control.plans.plan import Timing, check, cycle_s
from citybrain.apps.traffic.control.plans.tests.street import BLOCK_M, SIGNALS, STREET
from citybrain.apps.traffic.model import singles

JUNCTIONS = singles(STREET)
LINKS = links(JUNCTIONS, STREET)
BUSY = {"in_0": 0.25, "back-mid_0": 0.1, "side-west_0": 0.05, "mid_0": 0.25, "back-in_0": 0.1, "side-east_0": 0.05}

profiles = st.lists(st.floats(0.0, 0.6), min_size=30, max_size=30)


def test_the_links_between_signals_follow_the_roads() -> None:
    joined = {(link.signal, link.next_signal, link.exit, link.approaches) for link in LINKS}
    assert joined == {
        (SIGNALS[0], SIGNALS[1], "mid_0", ("mid_0",)),
        (SIGNALS[1], SIGNALS[0], "back-mid_0", ("back-mid_0",)),
    }
    assert all(link.length_m == BLOCK_M for link in LINKS)


def test_a_flow_is_the_distance_driven_over_length_and_time() -> None:
    # One vehicle every 10 s crosses 150 m at 15 m/s: it is there for 10 s, so one is always there.
    counts, speeds = np.ones(60), np.full(60, 15.0 * 3.6)
    assert flow_veh_per_s(counts, speeds, 150.0) == pytest.approx(0.1)


def test_nobody_there_is_no_flow() -> None:
    assert flow_veh_per_s(np.zeros(60), np.full(60, np.nan), 150.0) == 0.0
    assert flow_veh_per_s(np.zeros(0), np.zeros(0), 150.0) == 0.0


@given(profiles, profiles)
def test_what_leaves_a_lane_is_what_arrives_unless_it_is_full(arrivals: list[float], capacity: list[float]) -> None:
    out, waited = serve(np.array(arrivals), np.array(capacity))
    assert waited >= 0.0
    assert float(out.sum()) <= max(sum(arrivals), sum(capacity)) + 1e-6
    if sum(arrivals) < sum(capacity) - 1e-6:
        assert float(out.sum()) == pytest.approx(sum(arrivals), abs=1e-6)


@given(profiles, st.floats(1.0, 90.0))
def test_a_platoon_spreads_and_loses_nobody(departures: list[float], travel_s: float) -> None:
    there = dispersed(np.array(departures), travel_s)
    assert float(there.sum()) == pytest.approx(sum(departures), rel=0.1, abs=0.5)
    assert float(there.max()) <= max(departures) + 1e-9


@given(st.floats(0.01, 0.2), st.floats(10.0, 50.0))
def test_more_green_is_never_more_delay(flow: float, green_s: float) -> None:
    assert lane_delay_s(flow, green_s + 5.0, 80.0) <= lane_delay_s(flow, green_s, 80.0)


def test_greens_follow_the_flows_and_the_plan_can_run() -> None:
    proposal = propose("早高峰", JUNCTIONS, BUSY, LINKS)
    check(proposal.plan, {one.signals[0]: one for one in JUNCTIONS})
    for timing in proposal.plan.timings:
        road, side = timing.phases
        assert road.green_s > 2 * side.green_s, "five vehicles on the road for one from the side"


def test_the_second_signal_is_offset_by_about_one_drive() -> None:
    one_way = {**BUSY, "back-mid_0": 0.001, "back-in_0": 0.001}
    proposal = propose("单向", JUNCTIONS, one_way, LINKS)
    first, second = proposal.plan.timings
    cycle = cycle_s(first, JUNCTIONS[0].change_s)
    late_s = (second.offset_s - first.offset_s - BLOCK_M / 13.9) % cycle
    assert min(late_s, cycle - late_s) <= 8.0


def test_the_proposal_beats_what_runs_by_the_same_model() -> None:
    proposal = propose("早高峰", JUNCTIONS, BUSY, LINKS, now=_shipped())
    assert proposal.delay_now_s is not None
    assert proposal.delay_s < proposal.delay_now_s


def _shipped() -> dict[str, Timing]:
    plans = {one.id: one.attributes["plan"] for one in STREET if one.type == "TrafficSignalController"}
    return {one.signals[0]: shipped_timing(one.signals[0], one, plans[one.signals[0]]) for one in JUNCTIONS}


def test_a_shipped_plan_reads_as_its_greens() -> None:
    plan: Sequence[dict[str, object]] = [
        {"state": "GGr", "duration_s": 30.0},
        {"state": "yyr", "duration_s": 3.0},
        {"state": "rrG", "duration_s": 20.0},
        {"state": "rry", "duration_s": 3.0},
        {"state": "GGr", "duration_s": 5.0},
    ]
    timing = shipped_timing(SIGNALS[0], JUNCTIONS[0], plan)
    assert [(phase.stage, phase.green_s) for phase in timing.phases] == [(0, 35.0), (1, 20.0)]
