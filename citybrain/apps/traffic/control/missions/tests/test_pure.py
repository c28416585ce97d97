# SPDX-License-Identifier: Apache-2.0
"""Who goes first, which stage lets a mission through and when, which way is fastest, and how states follow."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise, product
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from citybrain.apps.traffic.control.missions.corridor import (
    AHEAD_S,
    RECOVERY_S,
    Signal,
    Want,
    best_stages,
    discharge_s,
    emptying,
    needed_s,
    recovery,
    settle,
)
from citybrain.apps.traffic.control.missions.model import ACTS_KEPT, NEXT, OVER, PRIORITY, Kind, Mission, State
from citybrain.kernel.records import Batch, Column, Entity
from citybrain.kernel.routing import BACK_S, TURN_S, Roads, Times

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def road(name: str, *onward: str, length_m: float = 100.0, line: Sequence[tuple[float, float]] = ()) -> Entity:
    return Entity(
        id=f"urn:ngsi-ld:RoadSegment:{name}",
        type="RoadSegment",
        source="test",
        observed_at=NOON,
        geometry={"type": "LineString", "coordinates": list(line) or [(0.0, 0.0), (0.0, 0.001)]},
        attributes={
            "length": length_m,
            "maximumAllowedSpeed": 36.0,
            "totalLaneNumber": 2,
            "leadsTo": [f"urn:ngsi-ld:RoadSegment:{one}" for one in onward],
        },
    )


def named(*names: str) -> tuple[str, ...]:
    return tuple(f"urn:ngsi-ld:RoadSegment:{name}" for name in names)


def speeds(**kmh: float) -> Batch:
    column = Column(attribute="averageVehicleSpeed", entity_ids=named(*kmh), values=list(kmh.values()))
    return Batch(id="b", source="test", observed_at=NOON, received_at=NOON, columns=(column,))


def mission(state: State = State.ASSIGNED) -> Mission:
    return Mission(
        id="m",
        vehicle="v",
        kind=Kind.AMBULANCE,
        urgency=1,
        origin="a",
        destination="b",
        begun_at=NOON,
        route=("a", "b"),
        ordinary_s=100.0,
        state=state,
    )


wants = st.lists(
    st.builds(
        Want,
        mission_id=st.sampled_from("abcdef"),
        signal_id=st.sampled_from(["north", "south"]),
        stages=st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True).map(tuple),
        priority=st.integers(1, 9),
        eta_s=st.floats(0.0, 90.0),
    ),
    max_size=8,
    unique_by=lambda want: (want.mission_id, want.signal_id),
)


def test_a_life_in_danger_goes_before_all_else_and_patients_before_fires_before_police() -> None:
    order = sorted(PRIORITY, key=lambda one: -PRIORITY[one])
    assert order == [(kind, urgency) for urgency, kind in product((1, 2, 3), Kind)]
    assert len(set(PRIORITY.values())) == len(PRIORITY)


@given(wants)
def test_each_signal_shows_one_stage_that_the_first_in_rank_asked_for(given_wants: list[Want]) -> None:
    found = settle(given_wants)
    assert set(found) == {want.signal_id for want in given_wants}
    for signal_id, settled in found.items():
        rivals = [want for want in given_wants if want.signal_id == signal_id]
        assert settled.want == min(rivals, key=lambda want: (-want.priority, want.eta_s, want.mission_id))
        assert settled.stage in settled.want.stages
        assert set(settled.yields) == {want.mission_id for want in rivals if settled.stage not in want.stages}


@given(wants, st.randoms(use_true_random=False))
def test_who_goes_first_does_not_depend_on_who_asked_first(given_wants: list[Want], random: Random) -> None:
    other = list(given_wants)
    random.shuffle(other)
    assert {at: one.want for at, one in settle(given_wants).items()} == {
        at: one.want for at, one in settle(other).items()
    }


def test_equal_ranks_go_by_arrival_and_a_stage_that_suits_both_is_taken() -> None:
    late = Want(mission_id="a", signal_id="s", stages=(0, 2), priority=9, eta_s=30.0)
    soon = Want(mission_id="b", signal_id="s", stages=(1, 2), priority=9, eta_s=10.0)
    assert settle([late, soon])["s"].want == soon
    assert (settle([late, soon])["s"].stage, settle([late, soon])["s"].yields) == (2, ())


def test_the_stage_that_frees_everybody_on_the_lane_beats_one_that_protects_the_movement_alone() -> None:
    # Lamp 0 is straight on, lamp 1 the left turn from the same lane: whoever turns left stands in the way.
    assert best_stages(["Gr", "gg", "rr"], [0], [0, 1], [0, 1]) == (1,)
    assert best_stages(["Gr", "GG", "rr"], [0], [0, 1], [0, 1]) == (1,)
    assert best_stages(["Gr", "rG"], [0], [0], [0, 1]) == (0,)
    assert best_stages(["rG", "rr"], [0], [0], [0, 1]) == ()
    assert best_stages(["GG", "GG"], [0], [0, 1], [0, 1]) == ()
    assert emptying(["Gr", "rG", "rr"], [0, 1], 0) == (1,)
    assert emptying(["GG", "rG"], [0, 1], 0) == ()


stages = st.integers(1, 4).flatmap(lambda lamps: st.lists(st.text("Ggr", min_size=lamps, max_size=lamps), min_size=1))


@given(stages)
def test_a_stage_that_is_chosen_lets_the_movement_through_and_none_lets_more_lamps_of_its_lanes_go(
    given_stages: list[str],
) -> None:
    shared = range(len(given_stages[0]))
    for number in best_stages(given_stages, [0], shared, shared):
        chosen = given_stages[number]
        assert chosen[0] in "Gg"
        rivals = [stage for stage in given_stages if stage[0] in "Gg"]
        assert max(sum(lamp in "Gg" for lamp in stage) for stage in rivals) == sum(lamp in "Gg" for lamp in chosen)
        let_go = {
            lamp
            for other in emptying(given_stages, shared, number)
            for lamp in shared
            if given_stages[other][lamp] in "Gg"
        }
        ever = {lamp for lamp in shared if any(stage[lamp] in "Gg" for stage in given_stages)}
        assert ever <= let_go | {lamp for lamp in shared if chosen[lamp] in "Gg"}


@given(st.floats(0.0, 150.0), st.floats(0.0, 10.0), st.floats(0.0, 40.0))
def test_a_signal_opens_early_enough_for_the_queue_the_change_and_the_least_green(
    queue_m: float, change_s: float, left_s: float
) -> None:
    asked_s = needed_s(queue_m, change_s=change_s, least_green_left_s=left_s)
    assert asked_s == left_s + change_s + discharge_s(queue_m) + AHEAD_S
    assert needed_s(queue_m + 7.5, change_s=change_s, least_green_left_s=left_s) >= asked_s


def test_ten_standing_cars_take_two_seconds_to_start_and_two_each() -> None:
    assert discharge_s(75.0) == 22.0
    assert discharge_s(0.0) == 0.0


def test_afterwards_those_are_served_who_waited_most() -> None:
    serves = (frozenset({"n"}), frozenset({"e", "w"}), frozenset({"w"}), frozenset({"n", "e"}))
    signal = Signal(id="s", stages=("a", "b", "c", "d"), change_s=3.0, min_green_s=(5.0,) * 4, serves=serves)
    assert recovery(signal, 0, {"e": 30.0, "w": 15.0, "n": 90.0}) == (1, 10.0)
    assert recovery(signal, 0, {"e": 120.0}) == (1, RECOVERY_S)
    assert recovery(signal, 1, {"e": 30.0, "w": 15.0}) is None
    assert recovery(signal, 0, {}) is None


def test_the_fastest_way_avoids_the_road_that_stands_and_knows_one_way_roads() -> None:
    city = [road("a", "b", "c"), road("b", "d"), road("c", "d", length_m=150.0), road("d"), road("e", "a")]
    roads = Roads(city)
    free = Times(roads, None).emergency_s
    a, d = named("a", "d")
    assert roads.fastest(a, d, free) == named("a", "b", "d")
    jammed = Times(roads, speeds(b=4.0, c=36.0)).emergency_s
    assert roads.fastest(a, d, jammed) == named("a", "c", "d")
    assert roads.fastest(d, a, free) is None
    assert roads.fastest(a, a, free) == named("a")


def test_turning_costs_time_and_turning_back_more() -> None:
    north, east = [(0.0, 0.0), (0.0, 0.001)], [(0.0, 0.001), (0.001, 0.001)]
    city = [road("n", line=north), road("e", line=east), road("s", line=north[::-1])]
    roads = Roads(city)
    n, e, s = named("n", "e", "s")
    assert (roads.turn_s(n, n), roads.turn_s(n, e), roads.turn_s(n, s)) == (0.0, TURN_S, BACK_S)


def test_a_point_is_on_the_road_that_is_nearest_to_it() -> None:
    city = [road("n", line=[(0.0, 0.0), (0.0, 0.001)]), road("far", line=[(0.01, 0.0), (0.01, 0.001)])]
    roads = Roads(city)
    assert roads.nearest((0.001, 0.0005)) == named("n")[0]
    assert roads.nearest((0.009, -0.0005)) == named("far")[0]
    assert Roads([]).nearest((0.0, 0.0)) is None


grids = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3))),
    min_size=2,
)


@given(grids, st.data())
def test_the_way_hangs_together_and_no_single_road_left_out_makes_it_slower(
    grid: dict[tuple[int, int], list[tuple[int, int]]], data: st.DataObject
) -> None:
    def name(at: tuple[int, int]) -> str:
        return f"{at[0]}-{at[1]}"

    roads = Roads([road(name(at), *map(name, onward), length_m=50.0 + 10 * at[0]) for at, onward in grid.items()])
    start, end = (named(name(data.draw(st.sampled_from(sorted(grid)))))[0] for _ in range(2))
    cost_s = Times(roads, None).emergency_s
    found = roads.fastest(start, end, cost_s)
    if found is None:
        return
    assert (found[0], found[-1]) == (start, end)
    assert len(set(found)) == len(found)
    for one, other in pairwise(found):
        assert other in roads[one].onward
    for number in range(len(found) - 2):
        assert found[number + 2] not in roads[found[number]].onward


@given(st.lists(st.sampled_from(State)))
def test_states_follow_the_table_and_what_is_over_stays_over(tries: list[State]) -> None:
    one = mission()
    for state in tries:
        before = one.state
        went = one.go(state, NOON)
        assert went == (state in NEXT[before])
        assert one.state is (state if went else before)
        assert (one.ended_at is not None) == (one.state in OVER)
        if before in OVER:
            assert not went


def test_every_state_that_is_not_over_can_end_and_contact_can_come_back() -> None:
    for state in State:
        assert bool(NEXT[state] & OVER) != (state in OVER)
    assert State.UNDER_WAY in NEXT[State.LOST]


def test_of_very_many_acts_the_newest_are_kept() -> None:
    one = mission()
    for number in range(ACTS_KEPT + 5):
        one.did(NOON, "traffic.mission_act.opens", number=number)
    assert len(one.acts) == ACTS_KEPT
    assert one.acts[-1].facts == {"number": ACTS_KEPT + 4}
