# SPDX-License-Identifier: Apache-2.0
"""A dispatch in the whole loop: SUMO, sensors, brain, guards. The ambulance arrives, sooner than a car, and safely."""

from collections.abc import Mapping
from typing import Any

import pytest

from citybrain.apps.traffic.control.missions.model import CANCEL_MISSION, DISPATCH, MISSION, SEND_VEHICLE
from citybrain.kernel.app import Field
from citybrain.kernel.loop import Loop
from citybrain.kernel.records import Because, Event, Order
from citybrain.serve import catalog, scenarios
from citybrain.serve.experiment import BRAIN, Task, opening_of

WARM_UP_S = 120
WITHIN_S = 300
FROM, TO = "urn:ngsi-ld:RoadSegment:32038056%230", "urn:ngsi-ld:RoadSegment:28198821%233"


def opened() -> Field:
    found = scenarios.find("cologne1")
    begin = scenarios.door_of(found.door).open
    assert begin is not None
    return begin(opening_of(Task(door=found.door, scenario=found.scenario, arm=BRAIN, seed=1)))


def drive(means: str, parameters: Mapping[str, Any], *, cancel_after_s: int | None = None) -> tuple[Any, list[Event]]:
    """The summary of a run in which one order is given after two minutes, and the events of missions."""
    field = opened()
    try:
        loop = Loop(catalog.apps(), field.entities(), arm=BRAIN, decide=True)
        told: list[Event] = []
        step = loop.step(field.step(()))
        for second in range(WARM_UP_S + WITHIN_S):
            orders = []
            at = step.frame.batch.observed_at
            because = Because(code="test.because")
            if second == WARM_UP_S:
                entity_id = TO if means == DISPATCH else "urn:ngsi-ld:Vehicle:one"
                orders = [
                    Order(id="one", means=means, entity_id=entity_id, at=at, because=because, parameters=parameters)
                ]
            if cancel_after_s is not None and second == WARM_UP_S + cancel_after_s:
                entity_id = "urn:ngsi-ld:Mission:one"
                orders = [Order(id="two", means=CANCEL_MISSION, entity_id=entity_id, at=at, because=because)]
            home, abroad = loop.split(orders)
            step = loop.step(field.step((*step.abroad, *abroad)), home)
            told.extend(event for event in step.events if event.kind == MISSION)
        return field.summary(), told
    finally:
        field.close()


def trip(summary: Any) -> Mapping[str, Any]:
    (found,) = summary["fleet"]["vehicles"].values()
    one: Mapping[str, Any] = found
    return one


@pytest.fixture(scope="module")
def mission() -> tuple[Any, list[Event]]:
    return drive(DISPATCH, {"kind": "ambulance", "urgency": 1, "from_road": FROM, "to_road": TO})


def test_it_arrives_sooner_than_a_car_and_no_lamp_was_ever_wrong(mission: tuple[Any, list[Event]]) -> None:
    summary, _ = mission
    car, _ = drive(SEND_VEHICLE, {"kind": "car", "from_road": FROM, "to_road": TO})
    assert trip(summary)["arrived"]
    assert trip(summary)["time_s"] < trip(car)["time_s"]
    assert summary["violations"] == 0


def test_screens_hear_of_it_from_the_dispatch_to_the_arrival(mission: tuple[Any, list[Event]]) -> None:
    _, told = mission
    states = list(dict.fromkeys(event.evidence["state"] for event in told))
    assert states == ["assigned", "under_way", "arrived"]
    assert told[-1].ended_at is not None
    assert {one["state"] for event in told for one in event.evidence["junctions"]} >= {"open", "passed"}
    assert told[-1].evidence["acts"][-1]["code"] == "traffic.mission_act.arrived"


def test_one_that_is_called_off_gets_no_more_green(mission: tuple[Any, list[Event]]) -> None:
    parameters = {"kind": "fire", "urgency": 2, "from_road": FROM, "to_road": TO}
    summary, told = drive(DISPATCH, parameters, cancel_after_s=5)
    assert told[-1].evidence["state"] == "cancelled"
    assert trip(summary)["arrived"]
    assert summary["violations"] == 0
