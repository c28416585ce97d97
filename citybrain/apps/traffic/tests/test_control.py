# SPDX-License-Identifier: Apache-2.0
"""The signal controller shows the stage that passes most, and never what locks a junction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from citybrain.apps.traffic.choice.mind import DECIDE_EVERY_S
from citybrain.apps.traffic.choice.worth import PATIENCE_S, queue, room
from citybrain.apps.traffic.control.signals import REFUSED_S, SignalControl
from citybrain.apps.traffic.model import DETECTOR, SIGNAL, junctions, worth_trying
from citybrain.kernel.records import Batch, Column, Entity, Order, Outcome, OutcomeState

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

Vehicles = Sequence[tuple[float, float, float]]
"""Distance to the stop line or past the exit's start, speed, waiting time."""


def standing(count: int, wait_s: float = 20.0) -> Vehicles:
    """A queue at a red light."""
    return [(1.0 + 7.5 * at, 0.0, wait_s) for at in range(count)]


def signal(name: str, links: Sequence[tuple[str, str]], stages: Sequence[str], **facts: Any) -> Entity:
    ways = [
        {"index": at, "approach": into, "exit": out, "via": "", "crosses": facts.get("crosses", {}).get(at, [])}
        for at, (into, out) in enumerate(links)
    ]
    attributes: dict[str, Any] = {
        "links": ways,
        "stages": list(stages),
        "min_green_s": [5.0] * len(stages),
        "yellow_s": 3.0,
    }
    attributes |= {"all_red_s": 0.0, "controlDefault": facts.get("mode", "brain")}
    return Entity(id=name, type=SIGNAL, source="test", observed_at=NOON, attributes=attributes)


def detectors(one: Entity, lengths_m: Mapping[str, float] | None = None) -> list[Entity]:
    lanes = {("approach", link["approach"]) for link in one.attributes["links"]}
    lanes |= {("exit", link["exit"]) for link in one.attributes["links"]}
    return [
        Entity(
            id=f"{one.id} {role} {lane}",
            type=DETECTOR,
            source="test",
            observed_at=NOON,
            attributes={
                "controller": one.id,
                "role": role,
                "lane": lane,
                "length_m": (lengths_m or {}).get(lane, 200.0),
                "speed_limit_mps": 13.9,
            },
        )
        for role, lane in sorted(lanes)
    ]


CROSS = signal("cross", [("n", "s"), ("e", "w")], ["Gr", "rG"])
CITY = [CROSS, *detectors(CROSS)]

# Two signals 12 m apart; each lets traffic into the link between them from the road (stage 0) and the side (stage 2).
WEST = signal(
    "west",
    [("a", "mid-east"), ("side-a", "mid-east"), ("side-a", "x"), ("mid-west", "x")],
    ["GrrG", "rrrG", "rGGr"],
    crosses={3: [0, 1], 0: [3], 1: [3]},
)
EAST = signal(
    "east",
    [("b", "mid-west"), ("side-b", "mid-west"), ("side-b", "y"), ("mid-east", "y")],
    ["GrrG", "rrrG", "rGGr"],
    crosses={3: [0, 1], 0: [3], 1: [3]},
)
SHORT = {"mid-east": 12.0, "mid-west": 12.0}
PAIR = [WEST, EAST, *detectors(WEST, SHORT), *detectors(EAST, SHORT)]


def batch(
    entities: Sequence[Entity], lamps: Mapping[str, str], seen: Mapping[str, Vehicles], *, second: float
) -> Batch:
    at = NOON + timedelta(seconds=second)
    watched = tuple(one.id for one in entities if one.type == DETECTOR)
    tracks = tuple(
        np.array([(*vehicle, 1.0) for vehicle in seen.get(one, ())], dtype=float).reshape(-1, 4) for one in watched
    )
    columns = (
        Column(attribute="signalState", entity_ids=tuple(lamps), values=tuple(lamps.values())),
        Column(attribute="tracks", entity_ids=watched, values=tracks),
    )
    return Batch(id=f"b{second:g}", source="test", observed_at=at, received_at=at, columns=columns)


def after(
    seconds: int, entities: Sequence[Entity], lamps: Mapping[str, str], seen: Mapping[str, Vehicles]
) -> list[Order]:
    """The orders in the last of so many equal seconds."""
    control = SignalControl(entities)
    orders: list[Order] = []
    for second in range(seconds + 1):
        orders = control(batch(entities, lamps, seen, second=second), (), ())
    return orders


def stages(orders: Sequence[Order]) -> dict[str, int]:
    return {order.entity_id: order.parameters["stage"] for order in orders}


NORTH, EASTERN = "cross approach n", "cross approach e"

# fmt: off
CHOICES: list[tuple[Mapping[str, Vehicles], int, str]] = [
    ({EASTERN: standing(3)},                                      1, "the only queue is served"),
    ({NORTH: [(20.0, 10.0, 0.0)] * 3, EASTERN: standing(1)},      0, "a platoon that is nearly there goes first"),
    ({},                                                          0, "with nobody there the stage stays"),
    ({NORTH: standing(4), EASTERN: standing(4)},                  0, "equal queues are no reason to change"),
    ({NORTH: [(5.0, 8.0, 0.0)], EASTERN: standing(8)},            1, "one car does not hold back eight"),
    ({NORTH: [(30.0, 10.0, 0.0)], EASTERN: standing(1, 400.0)},   1, "whoever waited far too long is served"),
    ({EASTERN: [(70.0, 0.0, 50.0)]},                              0, "a parked car far from the line is no queue"),
    ({EASTERN: standing(4), "cross exit w": [(4.0, 0.0, 9.0)]},   0, "a queue that cannot leave gets no green"),
]
# fmt: on


@pytest.mark.parametrize(("seen", "stage", "why"), CHOICES)
def test_the_stage_that_passes_most_is_ordered(seen: Mapping[str, Vehicles], stage: int, why: str) -> None:
    assert stages(after(5, CITY, {"cross": "Gr"}, seen)) == {"cross": stage}, why


STREAM: Vehicles = [(20.0, 10.0, 0.0)] * 3


@pytest.mark.parametrize(("queued", "stage"), [(6, 0), (13, 1)])
def test_a_queue_that_reaches_far_back_goes_before_a_stream_that_a_short_one_waits_for(queued: int, stage: int) -> None:
    assert stages(after(5, CITY, {"cross": "Gr"}, {NORTH: STREAM, EASTERN: standing(queued)})) == {"cross": stage}


CROSSING = signal("cross", [("n", "s"), ("e", "w")], ["Gr", "rG"], crosses={0: [1], 1: [0]})
IN_THE_BOX: Vehicles = [(-4.0, 0.0, 9.0)]
FULL: Vehicles = [(-4.0, 0.0, 9.0), (3.0, 0.0, 20.0)]

# fmt: off
HELD_UP: list[tuple[Vehicles, Vehicles, int, str]] = [
    (IN_THE_BOX, FULL,                             0, "nobody drives at one whom a full exit holds in the box"),
    (IN_THE_BOX, IN_THE_BOX,                       1, "one who has room in the exit only waits for a gap"),
    ((),         FULL[1:],                         1, "a full exit alone is in nobody's way"),
    (IN_THE_BOX, [*IN_THE_BOX, (40.0, 0.0, 20.0)], 1, "a queue farther on leaves him room"),
]
# fmt: on


@pytest.mark.parametrize(("before_line", "exit_", "stage", "why"), HELD_UP)
def test_who_stands_in_the_box_before_a_full_exit_keeps_others_out_of_his_way(
    before_line: Vehicles, exit_: Vehicles, stage: int, why: str
) -> None:
    seen = {EASTERN: standing(6), NORTH: before_line, "cross exit s": exit_}
    city = [CROSSING, *detectors(CROSSING)]
    assert stages(after(5, city, {"cross": "Gr"}, seen)) == {"cross": stage}, why


def test_a_queue_that_moves_up_is_as_long_as_one_that_stands() -> None:
    moving_up = [(at_m, 1.0, 0.0) for at_m, _, _ in standing(13)]
    assert stages(after(5, CITY, {"cross": "Gr"}, {NORTH: STREAM, EASTERN: moving_up})) == {"cross": 1}


def test_a_queue_that_green_does_not_move_loses_its_green() -> None:
    blocked = [(*vehicle, 1.0) for vehicle in standing(6, 200.0)]
    assert len(queue(blocked, PATIENCE_S, PATIENCE_S)) == 6
    assert queue(blocked, PATIENCE_S + 1.0, PATIENCE_S) == []


def test_a_change_is_ordered_in_the_second_in_which_it_pays() -> None:
    """Between the seconds in which a junction says that it stays."""
    control = SignalControl(CITY)
    ordered: dict[int, dict[str, int]] = {}
    for second in range(9):
        seen = {EASTERN: standing(3)} if second >= 7 else {}
        if orders := control(batch(CITY, {"cross": "Gr"}, seen, second=second), (), ()):
            ordered[second] = stages(orders)
    assert ordered == {5: {"cross": 0}, 7: {"cross": 1}, 8: {"cross": 1}}


def test_a_junction_that_stays_says_so_every_five_seconds_after_its_least_green() -> None:
    control = SignalControl(CITY)
    ordered = [second for second in range(21) if control(batch(CITY, {"cross": "Gr"}, {}, second=second), (), ())]
    assert ordered == [5, 10, 15, 20]
    assert DECIDE_EVERY_S == 5


def test_nothing_is_ordered_while_a_signal_changes() -> None:
    assert after(10, CITY, {"cross": "yr"}, {EASTERN: standing(5)}) == []


def test_a_signal_with_blind_detectors_only_is_left_to_its_plan() -> None:
    control = SignalControl(CITY)
    seeing = [one for one in CITY if one.id not in (NORTH, EASTERN)]
    assert not any(control(batch(seeing, {"cross": "Gr"}, {}, second=second), (), ()) for second in range(20))


def test_a_signal_with_half_of_its_approaches_blind_is_actuated() -> None:
    control = SignalControl(CITY)
    seeing = [one for one in CITY if one.id != EASTERN]
    ordered = [control(batch(seeing, {"cross": "Gr"}, {}, second=second), (), ()) for second in range(20)]
    codes = {order.because.code for orders in ordered for order in orders}
    assert codes == {"traffic.steered_by_actuated"}
    assert stages(next(orders for orders in reversed(ordered) if orders)) == {"cross": 1}, "the blind lane is recalled"


def test_a_signal_that_refuses_is_asked_again_after_a_minute() -> None:
    control = SignalControl(CITY)
    ordered, refused = [], list[Outcome]()
    for second in range(80):
        orders = control(batch(CITY, {"cross": "Gr"}, {}, second=second), (), refused)
        refused = [Outcome(order_id=one.id, state=OutcomeState.REFUSED, at=one.at, code="held") for one in orders]
        ordered += [second] if orders else []
    assert ordered[0] == 5
    assert ordered[1] >= 5 + REFUSED_S


def test_an_order_says_why() -> None:
    (order,) = after(5, CITY, {"cross": "Gr"}, {EASTERN: standing(3)})
    assert order.means == "traffic.set_stage"
    assert order.because.code == "traffic.stage_passes_more"
    assert order.because.batch_id == "b5"
    assert order.because.facts["vehicles"] == 3
    assert order.because.facts["longest_wait_s"] == 20
    assert order.because.facts["stage_rate"] > order.because.facts["current_rate"]


def test_equal_observations_give_equal_orders() -> None:
    seen = {EASTERN: standing(3), NORTH: [(40.0, 9.0, 0.0)]}
    assert after(5, CITY, {"cross": "Gr"}, seen) == after(5, CITY, {"cross": "Gr"}, seen)


# fmt: off
ROOMS: list[tuple[Vehicles, float, str]] = [
    ([],                                       inf, "an empty exit takes all"),
    ([(10.0, 9.0, 0.0)],                       inf, "so does one in which all move"),
    ([(35.0, 0.0, 5.0)],                       4.0, "four cars fit before the tail of the first that stands"),
    ([(10.0, 9.0, 0.0), (35.0, 0.0, 5.0)],     3.0, "less the one on its way"),
    ([(-5.0, 3.0, 0.0), (35.0, 0.0, 5.0)],     3.0, "and less the one still in the box"),
    ([(4.0, 0.0, 5.0)],                        0.0, "nobody fits behind a tail in the box"),
]
# fmt: on


@pytest.mark.parametrize(("vehicles", "fits", "why"), ROOMS)
def test_an_exit_has_room_for_so_many(vehicles: Vehicles, fits: float, why: str) -> None:
    assert room([(*vehicle, 1.0) for vehicle in vehicles]) == fits, why


def test_a_queue_ends_at_the_first_that_stands_for_another_cause() -> None:
    tracks = [(1.0, 0.0, 9.0, 1.0), (8.5, 0.0, 9.0, 1.0), (40.0, 0.0, 9.0, 1.0), (47.5, 0.0, 9.0, 1.0)]
    assert len(queue(tracks, 0.0, PATIENCE_S)) == 2


def test_a_stage_that_another_one_contains_is_not_tried() -> None:
    assert worth_trying(["GGr", "Grr", "rrG", "Ggr"]) == (0, 2)


def test_signals_far_apart_stay_separate() -> None:
    far = [WEST, EAST, *detectors(WEST), *detectors(EAST)]
    assert [one.signals for one in junctions(far)] == [("west",), ("east",)]


def test_signals_a_car_length_apart_act_as_one() -> None:
    (pair,) = junctions(PAIR)
    assert pair.signals == ("west", "east")
    assert {pair.exits[exit_].lane for _, exit_ in pair.inner} == {"mid-east", "mid-west"}


def test_no_joint_stage_fills_a_short_lane_from_a_road_that_leads_nowhere_else_without_emptying_it() -> None:
    (pair,) = junctions(PAIR)
    assert (0, 2) not in pair.orders
    assert (2, 0) not in pair.orders
    assert (0, 0) in pair.orders


def test_a_short_lane_that_empties_only_through_gaps_is_not_filled_while_its_counterpart_is() -> None:
    gaps = ["Grrg", "rrrG", "rGGr"]
    west, east = (structs.replace(one, attributes={**one.attributes, "stages": gaps}) for one in (WEST, EAST))
    (pair,) = junctions([west, east, *detectors(west, SHORT), *detectors(east, SHORT)])
    assert (0, 0) not in pair.orders
    assert (0, 1) in pair.orders


def test_both_sides_turn_in_only_while_the_short_lanes_are_empty() -> None:
    (pair,) = junctions(PAIR)
    at = pair.orders.index((2, 2))
    assert {pair.exits[exit_].lane for exit_ in pair.only_empty[at]} == {"mid-east", "mid-west"}
    sides = {"west approach side-a": standing(5), "east approach side-b": standing(5)}
    lamps = {"west": "rGGr", "east": "rGGr"}
    assert stages(after(5, PAIR, lamps, sides)) == {"west": 2, "east": 2}
    turned_in = {**sides, "west exit mid-east": [(3.0, 4.0, 0.0)]}
    orders = after(6, PAIR, lamps, turned_in)
    assert stages(orders) != {"west": 2, "east": 2}
    assert {order.because.code for order in orders} == {"traffic.stage_frees_short_lane"}


def test_a_short_lane_that_spilled_back_is_emptied_first() -> None:
    seen = {
        "west approach side-a": standing(9),
        "west exit mid-east": [(4.0, 0.0, 3.0)],
        "east approach mid-east": [(1.0, 0.0, 30.0), (8.0, 0.0, 3.0)],
    }
    assert stages(after(5, PAIR, {"west": "GrrG", "east": "rGGr"}, seen)) == {"west": 1, "east": 1}
