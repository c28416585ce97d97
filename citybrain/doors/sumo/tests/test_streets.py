# SPDX-License-Identifier: Apache-2.0
"""What is ordered of a road is seen in the simulated street, and taken back it is as it was built."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import libsumo
import pytest

from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.network import entity_id
from citybrain.kernel.app import Frame, Scenario
from citybrain.kernel.records import Because, Order, Outcome, OutcomeState

from .conftest import BEGINS_AT, Built, build

Open = Callable[..., SumoField]

NODES = """<nodes>
  <node id="W" x="0" y="0"/><node id="A" x="300" y="0" type="traffic_light"/><node id="B" x="700" y="0"/>
  <node id="E" x="1000" y="0"/><node id="C" x="300" y="-150"/><node id="D" x="700" y="-150"/>
</nodes>"""

EDGES = """<edges>
  <edge id="WA" from="W" to="A" numLanes="2" speed="13.89"/><edge id="AW" from="A" to="W" numLanes="2" speed="13.89"/>
  <edge id="AB" from="A" to="B" numLanes="4" speed="13.89">
    <lane index="0" allow="bus emergency authority"/><lane index="3" allow="authority"/>
  </edge>
  <edge id="BA" from="B" to="A" numLanes="2" speed="13.89"/>
  <edge id="BE" from="B" to="E" numLanes="4" speed="13.89"/><edge id="EB" from="E" to="B" numLanes="2" speed="13.89"/>
  <edge id="AC" from="A" to="C" numLanes="1" speed="13.89"/><edge id="CD" from="C" to="D" numLanes="1" speed="13.89"/>
  <edge id="DB" from="D" to="B" numLanes="1" speed="13.89"/>
</edges>"""

ROUTES = """<routes>
  <vType id="bus" vClass="bus"/>
  <route id="straight" edges="WA AB BE"/>
  <flow id="car" route="straight" begin="0" end="900" period="3" departLane="best"/>
  <flow id="back" from="EB" to="AW" begin="0" end="900" period="6" departLane="best"/>
  <flow id="home" from="WA" to="AC" begin="0" end="900" period="45"/>
  <flow id="bus" type="bus" route="straight" begin="5" end="900" period="60"/>
</routes>"""

CONFIGURATION = """<sumoConfiguration>
  <input><net-file value="block.net.xml"/><route-files value="block.rou.xml"/></input>
  <time><begin value="0"/><end value="900"/></time>
</sumoConfiguration>"""


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """A road from west to east with a bus lane, a lane kept for the morning, and a longer way round by the south."""
    folder = tmp_path_factory.mktemp("block")
    city = Built(nodes=NODES, edges=EDGES, routes=ROUTES, configuration=CONFIGURATION)
    build(folder, city, "--no-turnarounds")
    return scenario.find(str(folder))


def order(means: str, road: str, **parameters: Any) -> Order:
    thing = road if road.startswith("urn:") else entity_id("RoadSegment", road)
    because = Because(code="test.because")
    return Order(id=f"o-{means}", means=means, entity_id=thing, at=BEGINS_AT, because=because, parameters=parameters)


def give(field: SumoField, means: str, road: str, **parameters: Any) -> Outcome:
    (outcome,) = field.step((order(means, road, **parameters),)).outcomes
    return outcome


def obeyed(field: SumoField, means: str, road: str, **parameters: Any) -> None:
    outcome = give(field, means, road, **parameters)
    assert outcome.state is OutcomeState.EXECUTED, outcome


def run(field: SumoField, seconds: int) -> Frame:
    for _ in range(seconds - 1):
        field.step(())
    return field.step(())


def entered(field: SumoField, roads: Mapping[str, str], seconds: int) -> dict[str, int]:
    """How many vehicles come onto each of some lanes or roads in so many seconds, under the names given."""
    seen: dict[str, set[str]] = {name: set() for name in roads}
    for _ in range(seconds):
        field.step(())
        for name, place in roads.items():
            here = libsumo.lane if "_" in place else libsumo.edge
            seen[name] |= set(here.getLastStepVehicleIDs(place))
    return {name: len(vehicles) for name, vehicles in seen.items()}


LANES = {name: f"AB_{name}" for name in "0123"}


def test_a_closed_lane_is_empty_until_it_is_reopened(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    run(field, 60)
    built = libsumo.lane.getAllowed("AB_2")
    obeyed(field, "street.close_lane", "AB", lane_index=2, minutes=10)
    run(field, 45)
    closed = entered(field, LANES, 60)
    assert closed["2"] == 0
    assert closed["1"] > 10
    obeyed(field, "street.reopen", "AB", what="street.close_lane")
    assert libsumo.lane.getAllowed("AB_2") == built
    run(field, 30)
    assert entered(field, LANES, 60)["2"] > 0


def test_a_lane_that_is_the_only_way_for_somebody_is_not_closed(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    only = give(field, "street.close_lane", "AC", lane_index=0)
    assert only.code == "sumo.all_lanes"
    assert give(field, "street.close_lane", "WA", lane_index=0).code == "sumo.lane_is_needed"
    for number in (5, 0, -1):
        assert give(field, "street.close_lane", "AB", lane_index=number).code == "sumo.no_such_lane"
    assert give(field, "street.close_lane", "nowhere", lane_index=0).code == "sumo.no_such_road"


def test_a_closed_road_is_driven_around_and_after_it_is_reopened_driven_on(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    roads = {"straight": "AB", "around": "CD"}
    assert entered(field, roads, 100)["around"] == 0
    obeyed(field, "street.close_road", "AB")
    run(field, 60)
    closed = entered(field, roads, 100)
    assert closed["straight"] <= 2, "buses keep to their line"
    assert closed["around"] > 20
    obeyed(field, "street.reopen", "AB", what="street.close_road")
    run(field, 150)
    again = entered(field, roads, 60)
    assert again["around"] == 0
    assert again["straight"] > 10


@pytest.mark.parametrize(
    ("means", "parameters", "share"),
    [
        ("street.divert", {"share": 0.4}, 0.4),
        ("street.divert", {}, 0.3),
    ],
)
def test_so_many_drivers_take_the_other_way_as_are_said_to_follow(
    opened: Open, block: Scenario, means: str, parameters: dict[str, Any], share: float
) -> None:
    field = opened(block, obey=True)
    obeyed(field, means, "AB", **parameters)
    run(field, 60)
    came = entered(field, {"straight": "AB", "around": "CD"}, 400)
    assert came["around"] / (came["around"] + came["straight"]) == pytest.approx(share, abs=0.12)


def test_a_speed_limit_is_kept_and_lifted(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    run(field, 60)

    def fastest() -> float:
        speeds = [0.0]
        for _ in range(30):
            field.step(())
            cars = [
                one for one in libsumo.edge.getLastStepVehicleIDs("AB") if libsumo.vehicle.getLanePosition(one) > 60
            ]
            speeds += [libsumo.vehicle.getSpeed(one) for one in cars]
        return max(speeds)

    assert fastest() > 12.0
    obeyed(field, "street.speed_limit", "AB", kmh=30)
    run(field, 40)
    assert fastest() < 11.0
    obeyed(field, "street.speed_limit", "AB", kmh=30)
    obeyed(field, "street.reopen", "AB")
    assert libsumo.lane.getMaxSpeed("AB_1") == pytest.approx(13.89)
    run(field, 40)
    assert fastest() > 12.0
    assert give(field, "street.speed_limit", "AB", kmh=1).code == "sumo.speed_unfit"


def test_a_banned_turn_is_not_made(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    obeyed(field, "street.turn_ban", "WA", to=entity_id("RoadSegment", "AB"))
    run(field, 60)
    banned = entered(field, {"straight": "AB", "around": "CD"}, 100)
    assert banned["straight"] <= 2
    assert banned["around"] > 20
    obeyed(field, "street.reopen", "WA", what="street.turn_ban")
    assert give(field, "street.turn_ban", "WA", to=entity_id("RoadSegment", "DB")).code == "sumo.no_such_turn"
    assert give(field, "street.turn_ban", "EB", to=entity_id("RoadSegment", "BA")).code == "sumo.no_other_way"


def test_cars_use_a_bus_lane_that_is_opened_to_them(opened: Open, block: Scenario) -> None:
    broken = [{"kind": "breakdown", "road": "AB", "lane": 0, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=broken)
    run(field, 60)

    def cars_on_it() -> int:
        cars = set()
        for _ in range(100):
            field.step(())
            on_it = libsumo.lane.getLastStepVehicleIDs("AB_0")
            cars |= {one for one in on_it if libsumo.vehicle.getVehicleClass(one) == "passenger"}
        return len(cars)

    assert cars_on_it() == 0
    obeyed(field, "street.open_bus_lane", "AB")
    obeyed(field, "street.close_lane", "AB", lane_index=2)
    assert cars_on_it() > 5
    obeyed(field, "street.reopen", "AB", what="street.open_bus_lane")
    assert set(libsumo.lane.getAllowed("AB_0")) == {"bus", "emergency", "authority"}
    assert give(field, "street.open_bus_lane", "CD").code == "sumo.no_bus_lane"


def test_a_reversed_lane_carries_this_direction_and_takes_one_from_the_other(opened: Open, block: Scenario) -> None:
    broken = [{"kind": "breakdown", "road": "AB", "lane": 1, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=broken)
    run(field, 60)
    obeyed(field, "street.close_lane", "AB", lane_index=1)
    obeyed(field, "street.reverse_lane", "AB")
    run(field, 60)
    used = entered(field, {"kept": "AB_3", "theirs": "BA_1"}, 100)
    assert used["kept"] > 5
    assert used["theirs"] == 0
    obeyed(field, "street.reopen", "AB", what="street.reverse_lane")
    assert libsumo.lane.getAllowed("AB_3") == ("authority",)
    assert "passenger" in libsumo.lane.getAllowed("BA_1")
    assert give(field, "street.reverse_lane", "CD").code == "sumo.no_reversible_lane"


def test_a_gate_lets_in_its_share(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    run(field, 100)
    assert entered(field, {"in": "BE"}, 200)["in"] == pytest.approx(70, abs=12)
    obeyed(field, "street.gate", "WA", share=0.1)
    run(field, 60)
    # 0.1 of 1,800 vehicles per hour on each of two lanes are 360, or 20 in 200 s.
    assert entered(field, {"in": "AB"}, 200)["in"] == pytest.approx(20, abs=6)
    obeyed(field, "street.reopen", "WA", what="street.gate")
    run(field, 60)
    assert entered(field, {"in": "AB"}, 100)["in"] > 30


def test_drivers_are_guided_to_another_place(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    obeyed(field, "parking.guide", "BE", to_road=entity_id("RoadSegment", "DB"), share=0.5)
    run(field, 60)
    came = entered(field, {"full": "BE", "other": "DB"}, 300)
    assert came["other"] / (came["other"] + came["full"]) == pytest.approx(0.5, abs=0.12)


def test_a_tow_truck_clears_what_stands_there_after_its_work(opened: Open, block: Scenario) -> None:
    broken = [{"kind": "breakdown", "road": "AB", "lane": 1, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=broken)
    run(field, 80)
    assert field.truth()[0]["begin_s"] is not None
    obeyed(field, "street.clear_obstacle", "AB", vehicle="urn:ngsi-ld:Vehicle:tow-1")
    run(field, 200)
    assert field.truth()[0]["end_s"] is None, "it works for five minutes"
    run(field, 250)
    (truth,) = field.truth()
    assert truth["cleared_by"] == "urn:ngsi-ld:Vehicle:tow-1"
    assert 300 < truth["end_s"] - truth["begin_s"] < 500


def test_whom_people_send_drives_there_in_the_simulated_street_too(opened: Open, block: Scenario) -> None:
    parked = [{"kind": "illegal_parking", "road": "AB", "lane": 0, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=parked)
    run(field, 60)
    obeyed(field, "people.send_traffic_police", "AB", number=1)
    run(field, 320)
    assert field.truth()[0]["cleared_by"].startswith("urn:ngsi-ld:Vehicle:police")


def test_road_maintenance_takes_away_what_closes_a_road(opened: Open, block: Scenario) -> None:
    closed = [{"kind": "closure", "road": "AB", "at": 0.5, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=closed)
    run(field, 80)
    obeyed(field, "people.send_road_maintenance", "AB", number=1)
    run(field, 1300)
    assert field.truth()[0]["cleared_by"].startswith("urn:ngsi-ld:Vehicle:")


def said_of(frame: Frame) -> list[tuple[str, str]]:
    """What crews say: the means of the order and the state."""
    (column,) = (each for each in frame.batch.columns if each.attribute == "crews")
    return [(each["order"].removeprefix("o-"), each["state"]) for each in column.values[0]]


def kept_of(frame: Frame) -> list[dict[str, Any]]:
    """What the history keeps of those whom orders sent."""
    (column,) = (each for each in frame.batch.columns if each.attribute == "sentVehicles")
    found: list[dict[str, Any]] = json.loads(column.values[0]) if column.values[0] else []
    return found


def test_a_tow_truck_takes_debris_off_a_lane_and_says_how_far_it_is(opened: Open, block: Scenario) -> None:
    debris = [{"kind": "lane_closure", "road": "AB", "lane": 1, "at": 0.5, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=debris)
    run(field, 80)
    obeyed(field, "street.clear_obstacle", "AB")
    said: list[list[tuple[str, str]]] = []
    kept: list[tuple[str, bool]] = []
    while field.truth()[0]["end_s"] is None and len(said) < 760:
        frame = field.step(())
        said.append(said_of(frame))
        kept += [(crew["state"], "lon" in crew) for crew in kept_of(frame)]
    states = [state for each in said for means, state in each if means == "street.clear_obstacle"]
    assert list(dict.fromkeys(states)) == ["under_way", "at_work", "cleared"]
    assert states.count("at_work") == pytest.approx(600, abs=2)
    assert kept.count(("at_work", True)) == states.count("at_work"), "and the history is told where it works"
    assert said_of(run(field, 60)) == [("street.clear_obstacle", "cleared")]
    assert said_of(run(field, 100)) == [], "it does not say so for ever"


def test_a_crew_that_finds_nothing_where_it_was_sent_clears_what_it_sees_on_the_next_road(
    opened: Open, block: Scenario
) -> None:
    broken = [{"kind": "breakdown", "road": "AB", "lane": 1, "at": 0.9, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=broken)
    run(field, 80)
    assert field.truth()[0]["begin_s"] is not None
    obeyed(field, "street.clear_obstacle", "BE")
    run(field, 500)
    assert field.truth()[0]["cleared_by"].startswith("urn:ngsi-ld:Vehicle:tow")


def test_police_clear_no_crash_and_a_crew_finds_nothing_where_nothing_is(opened: Open, block: Scenario) -> None:
    crash = [{"kind": "crash", "road": "AB", "lane": 1, "begin_s": 20, "duration_s": 3000}]
    field = opened(block, obey=True, incidents=crash)
    run(field, 60)
    obeyed(field, "street.clear_obstacle", "AB", crew="police")
    obeyed(field, "street.clear_obstacle", "CD", vehicle="urn:ngsi-ld:Vehicle:tow-1")
    said = [each for _ in range(400) for each in said_of(field.step(()))]
    assert field.truth()[0]["end_s"] is None
    assert said.count(("street.clear_obstacle", "nothing")) > 200, "both say that they found nothing for them"
    assert give(field, "street.clear_obstacle", "AB", crew="dragon").code == "sumo.no_such_kind"


def test_a_bus_waits_or_drives_another_way_or_one_more_drives(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=True)
    run(field, 12)
    bus = entity_id("Vehicle", "bus.0")
    obeyed(field, "transit.hold_bus", bus, seconds=40)
    run(field, 25)
    assert libsumo.vehicle.isStopped("bus.0")
    run(field, 30)
    assert libsumo.vehicle.getSpeed("bus.0") > 3
    run(field, 5)
    obeyed(
        field,
        "transit.insert_bus",
        entity_id("Vehicle", "more"),
        from_road=entity_id("RoadSegment", "WA"),
        to_road=entity_id("RoadSegment", "BE"),
    )
    run(field, 6)
    assert libsumo.vehicle.getVehicleClass("more") == "bus"
    obeyed(field, "transit.reroute_bus", entity_id("Vehicle", "more"), avoid=entity_id("RoadSegment", "AB"))
    assert libsumo.vehicle.getRoute("more") == ("WA", "AC", "CD", "DB", "BE")
    assert give(field, "transit.hold_bus", entity_id("Vehicle", "car.0"), seconds=10).code == "sumo.no_such_bus"
    assert give(field, "transit.hold_bus", entity_id("Vehicle", "more"), seconds=0).code == "sumo.hold_unfit"
    refused = give(field, "transit.reroute_bus", entity_id("Vehicle", "more"), avoid=entity_id("RoadSegment", "BA"))
    assert refused.code == "sumo.not_on_its_way"


def test_what_was_ordered_of_roads_stands_over_a_saved_state_and_is_undone_exactly(
    opened: Open, block: Scenario, tmp_path: Path
) -> None:
    first = opened(block, obey=True)
    obeyed(first, "street.close_lane", "AB", lane_index=2)
    obeyed(first, "street.speed_limit", "BE", kmh=30)
    obeyed(first, "street.close_road", "CD")
    obeyed(first, "street.gate", "WA", share=0.1)
    run(first, 60)
    first.save(str(tmp_path / "state"))
    first.close()
    second = opened(block, obey=True, state_path=str(tmp_path / "state"))
    obeyed(second, "street.close_lane", "AB", lane_index=2)
    assert "passenger" not in libsumo.lane.getAllowed("AB_2")
    assert libsumo.lane.getMaxSpeed("BE_0") == pytest.approx(30 / 3.6)
    assert entered(second, {"in": "AB"}, 100)["in"] < 20, "the gate stands"
    for road in ("AB", "BE", "CD", "WA"):
        obeyed(second, "street.reopen", road)
    assert "passenger" in libsumo.lane.getAllowed("AB_2")
    assert libsumo.lane.getMaxSpeed("BE_0") == pytest.approx(13.89)
    run(second, 60)
    assert entered(second, {"in": "AB"}, 100)["in"] > 20


def test_a_twin_under_its_plans_takes_no_order_of_roads(opened: Open, block: Scenario) -> None:
    field = opened(block, obey=False)
    assert give(field, "street.close_road", "AB").code == "sumo.runs_shipped_plans"
