# SPDX-License-Identifier: Apache-2.0
"""Orders go to the cabinets; a street without a brain touches no lamp."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from citybrain.doors.sumo.field import SumoField
from citybrain.kernel.app import Frame, Scenario
from citybrain.kernel.records import Because, Entity, Order, OutcomeState

from .conftest import BEGINS_AT

Open = Callable[..., SumoField]


def order(entity_id: str, means: str = "traffic.set_stage", **parameters: Any) -> Order:
    return Order(
        id="1", means=means, entity_id=entity_id, at=BEGINS_AT, because=Because(code="test"), parameters=parameters
    )


def signal_of(field: SumoField) -> Entity:
    return next(one for one in field.entities() if one.type == "TrafficSignalController")


def lamps(frame: Frame) -> tuple[str, str]:
    state, mode = (column.values[0] for column in frame.batch.columns[:2])
    return str(state), str(mode)


def test_an_ordered_stage_comes_after_yellow_and_stays(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    stages = signal_of(field).attributes["stages"]
    frame = field.step((order(signal_of(field).id, stage=1),))
    assert frame.outcomes[0].state is OutcomeState.EXECUTED
    shown = [lamps(frame)[0]]
    for _ in range(25):
        shown.append(lamps(field.step((order(signal_of(field).id, stage=1),)))[0])
    assert shown[0] == stages[0]
    assert any("y" in state for state in shown)
    assert shown[-1] == stages[1]


def test_a_signal_says_who_decides(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    signal = signal_of(field).id
    assert lamps(field.step(()))[1] == "plan"
    assert lamps(field.step((order(signal, stage=0),)))[1] == "brain"
    assert lamps(field.step((order(signal, "traffic.set_control_mode", mode="plan"),)))[1] == "plan"


def test_a_signal_held_on_its_plan_refuses_the_brain_until_it_is_given_back(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    signal = signal_of(field).id
    field.step((order(signal, "traffic.set_control_mode", mode="plan"),))
    (refused,) = field.step((order(signal, stage=1),)).outcomes
    assert (refused.state, refused.code) == (OutcomeState.REFUSED, "sumo.signal_held_on_plan")
    field.step((order(signal, "traffic.set_control_mode", mode="brain"),))
    (taken,) = field.step((order(signal, stage=1),)).outcomes
    assert taken.state is OutcomeState.EXECUTED


def test_a_signal_that_is_released_runs_its_plan_at_once_and_takes_orders_again(
    opened: Open, crossing: Scenario
) -> None:
    field = opened(crossing, obey=True)
    signal = signal_of(field).id
    field.step((order(signal, stage=1),))
    released = field.step((order(signal, "traffic.release"),))
    assert released.outcomes[0].state is OutcomeState.EXECUTED
    assert lamps(released)[1] == "plan"
    assert lamps(field.step((order(signal, stage=1),)))[1] == "brain"


def test_only_signals_of_a_trusted_city_say_that_the_brain_decides(opened: Open, crossing: Scenario) -> None:
    unknown = opened(crossing, obey=True)
    assert "controlDefault" not in signal_of(unknown).attributes
    unknown.close()
    trusted = opened(structs.replace(crossing, trusted=True), obey=True)
    assert signal_of(trusted).attributes["controlDefault"] == "brain"


def test_a_silent_brain_is_replaced_by_the_plan(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    field.step((order(signal_of(field).id, stage=0),))
    seen = [lamps(field.step(())) for _ in range(150)]
    assert seen[-1][1] == "plan"
    assert {state for state, _ in seen} >= set(signal_of(field).attributes["stages"])


# fmt: off
REFUSALS = [
    ("sumo.no_such_stage",  "traffic.set_stage",        {"stage": 99}),
    ("sumo.no_such_stage",  "traffic.set_stage",        {"stage": "green"}),
    ("sumo.no_such_stage",  "traffic.set_stage",        {}),
    ("sumo.no_such_mode",   "traffic.set_control_mode", {"mode": "off"}),
    ("sumo.no_such_means",  "traffic.close_road",       {}),
]
# fmt: on


@pytest.mark.parametrize(("code", "means", "parameters"), REFUSALS)
def test_an_order_that_makes_no_sense_is_refused(
    opened: Open, crossing: Scenario, code: str, means: str, parameters: dict[str, Any]
) -> None:
    field = opened(crossing, obey=True)
    (outcome,) = field.step((order(signal_of(field).id, means, **parameters),)).outcomes
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, code)


def test_an_order_for_nothing_is_refused(opened: Open, crossing: Scenario) -> None:
    (outcome,) = (
        opened(crossing, obey=True).step((order("urn:ngsi-ld:TrafficSignalController:none", stage=0),)).outcomes
    )
    assert outcome.code == "sumo.no_such_signal"


def test_a_street_under_its_shipped_plans_refuses_every_order(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing)
    (outcome,) = field.step((order(signal_of(field).id, stage=1),)).outcomes
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "sumo.runs_shipped_plans")
