# SPDX-License-Identifier: Apache-2.0
"""Vehicles that orders send report themselves each second, until they have arrived, over a saved state too."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.fleet import ARRIVED_FOR_S, REROUTE_VEHICLE, SEND_VEHICLE
from citybrain.doors.sumo.network import entity_id
from citybrain.kernel.app import Frame, Scenario
from citybrain.kernel.records import Because, Order, OutcomeState

from .conftest import BEGINS_AT

AMBULANCE = entity_id("Vehicle", "ambulance-1")
WEST, EAST, SOUTH = (entity_id("RoadSegment", road) for road in ("in#west", "out#east", "out#south"))
Opened = Callable[..., SumoField]


def order(means: str, parameters: Mapping[str, Any], vehicle: str = AMBULANCE) -> Order:
    because = Because(code="test.because")
    return Order(id="o", means=means, entity_id=vehicle, at=BEGINS_AT, because=because, parameters=parameters)


def send(**facts: Any) -> Order:
    parameters = {"kind": "ambulance", "from_road": WEST, "to_road": EAST, "mission": "m", "urgency": 1, **facts}
    return order(SEND_VEHICLE, parameters)


def reports(frame: Frame) -> Sequence[Mapping[str, Any]]:
    (column,) = (column for column in frame.batch.columns if column.attribute == "fleet")
    found: Sequence[Mapping[str, Any]] = column.values[0]
    return found


def states_until_gone(field: SumoField, frame: Frame) -> list[str]:
    """What the one vehicle says of itself, second by second."""
    said = []
    while reports(frame):
        said.append(reports(frame)[0]["state"])
        frame = field.step(())
    return said


def test_an_ambulance_that_is_sent_reports_road_position_speed_and_way_until_it_arrived(
    crossing: Scenario, opened: Opened
) -> None:
    field = opened(crossing, obey=True)
    frame = field.step((send(),))
    assert frame.outcomes[0].state is OutcomeState.EXECUTED
    for _ in range(5):
        frame = field.step(())
    (report,) = reports(frame)
    assert report["vehicle"] == AMBULANCE
    assert (report["kind"], report["mission"], report["urgency"]) == ("ambulance", "m", 1)
    assert (report["road"], report["route"], report["destination"]) == (WEST, [WEST, EAST], EAST)
    assert 0 < report["speed_mps"] <= 1.5 * 13.89
    assert report["position_m"] > 0
    assert 109.11 < report["lon"] < 109.13
    said = states_until_gone(field, frame)
    assert said[0] == "driving"
    assert said[-ARRIVED_FOR_S:] == ["arrived"] * ARRIVED_FOR_S


def test_the_same_order_twice_sends_one_vehicle(crossing: Scenario, opened: Opened) -> None:
    field = opened(crossing, obey=True)
    field.step((send(),))
    frame = field.step((send(),))
    assert frame.outcomes[0].state is OutcomeState.EXECUTED
    assert len(reports(frame)) == 1


# fmt: off
REFUSED = [
    (send(kind="dragon"),                                     "sumo.no_such_kind"),
    (send(to_road="urn:ngsi-ld:RoadSegment:nowhere"),         "sumo.no_such_road"),
    (send(route=[WEST, entity_id("RoadSegment", "in#east")]), "sumo.route_broken"),
    (order(REROUTE_VEHICLE, {"route": [WEST, EAST]}),         "sumo.vehicle_not_under_way"),
]
# fmt: on


@pytest.mark.parametrize(("wrong", "code"), REFUSED)
def test_what_cannot_be_driven_is_refused(crossing: Scenario, opened: Opened, wrong: Order, code: str) -> None:
    field = opened(crossing, obey=True)
    frame = field.step((wrong,))
    assert (frame.outcomes[0].state, frame.outcomes[0].code) == (OutcomeState.REFUSED, code)
    assert not reports(field.step(()))


def test_a_vehicle_takes_another_way_when_it_is_told_to(crossing: Scenario, opened: Opened) -> None:
    field = opened(crossing, obey=True)
    field.step((send(),))
    field.step(())
    frame = field.step((order(REROUTE_VEHICLE, {"route": [WEST, SOUTH]}),))
    assert frame.outcomes[0].state is OutcomeState.EXECUTED
    assert reports(frame)[0]["route"] == [WEST, SOUTH]


def test_a_resumed_run_goes_on_with_the_vehicles_that_were_under_way(
    crossing: Scenario, opened: Opened, tmp_path: Path
) -> None:
    field = opened(crossing, obey=True)
    frame = field.step((send(),))
    for _ in range(8):
        frame = field.step(())
    field.save(str(tmp_path / "state"))
    straight = states_until_gone(field, frame)
    field.close()
    resumed = opened(crossing, obey=True, state_path=str(tmp_path / "state"))
    frame = resumed.step((send(),))
    assert len(reports(frame)) == 1
    assert reports(frame)[0]["kind"] == "ambulance"
    # SUMO keeps a little of an earlier run in the same process, so that the two may differ by a second or two.
    again = states_until_gone(resumed, frame)
    assert list(dict.fromkeys(again)) == ["driving", "arrived"]
    assert len(again) == pytest.approx(len(straight) - 1, abs=3)


def test_the_judge_tells_the_trips_of_sent_vehicles_from_those_of_others(crossing: Scenario, opened: Opened) -> None:
    field = opened(crossing, obey=True)
    frame = field.step((send(),))
    while not frame.finished:
        frame = field.step(())
    summary = field.summary()
    trip = summary["fleet"]["vehicles"][AMBULANCE]
    assert trip["arrived"]
    assert 20 < trip["time_s"] < 120
    assert trip["length_m"] > 400
    assert summary["fleet"]["others_delay_s"] == pytest.approx(summary["delay_s"], rel=0.1)


def test_a_twin_under_its_plans_takes_no_vehicle(crossing: Scenario, opened: Opened) -> None:
    field = opened(crossing, obey=False)
    frame = field.step((send(),))
    assert frame.outcomes[0].code == "sumo.runs_shipped_plans"
    assert "fleet" not in field.summary()


def sent(frame: Frame) -> Sequence[Mapping[str, Any]]:
    """What the history keeps of those whom orders sent."""
    (column,) = (column for column in frame.batch.columns if column.attribute == "sentVehicles")
    found: Sequence[Mapping[str, Any]] = json.loads(column.values[0]) if column.values[0] else ()
    return found


def test_the_history_is_told_where_those_are_whom_orders_sent_and_of_nobody_else(
    crossing: Scenario, opened: Opened
) -> None:
    field = opened(crossing, obey=True)
    assert sent(field.step(())) == ()
    frame = field.step((send(),))
    for _ in range(5):
        frame = field.step(())
    (one,), (report,) = sent(frame), reports(frame)
    assert (one["vehicle"], one["kind"], one["mission"], one["destination"]) == (AMBULANCE, "ambulance", "m", EAST)
    assert (one["road"], one["lon"], one["lat"]) == (report["road"], report["lon"], report["lat"])
    assert one["kmh"] == round(report["speed_mps"] * 3.6)
    while reports(frame)[0]["state"] == "driving":
        last, frame = sent(frame)[0], field.step(())
    (stands,) = sent(frame)
    assert (stands["state"], stands["kmh"], stands["lon"]) == ("arrived", 0, last["lon"])
    while reports(frame):
        frame = field.step(())
    assert sent(frame) == (), "nobody is out"
