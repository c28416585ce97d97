# SPDX-License-Identifier: Apache-2.0
"""Orders go to the cabinets; a street without a brain touches no lamp."""

from collections.abc import Callable
from pathlib import Path
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


def run(field: SumoField, seconds: int) -> list[tuple[str, str]]:
    return [lamps(field.step(())) for _ in range(seconds)]


def test_all_red_comes_after_the_least_times_and_lasts_until_the_signal_is_resumed(
    opened: Open, crossing: Scenario
) -> None:
    field = opened(crossing, obey=True)
    signal = signal_of(field)
    field.step((order(signal.id, stage=1),))
    (outcome,) = field.step((order(signal.id, "signals.all_red", minutes=5),)).outcomes
    assert outcome.state is OutcomeState.EXECUTED
    shown = run(field, 60)
    assert "y" in "".join(state for state, _ in shown[:15])
    assert {state for state, _ in shown[20:]} == {"r" * len(signal.attributes["stages"][0])}
    assert {mode for _, mode in shown} == {"all_red"}
    (refused,) = field.step((order(signal.id, stage=0),)).outcomes
    assert refused.code == "sumo.signal_is_stopped"
    field.step((order(signal.id, "signals.resume"),))
    after = run(field, 30)
    assert after[-1][1] == "plan"
    assert any(state in signal.attributes["stages"] for state, _ in after)


def test_a_stop_for_longer_than_a_red_may_last_is_no_fault_of_the_signal(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    field.step((order(signal_of(field).id, "signals.all_red", minutes=5),))
    while not field.step(()).finished:
        pass
    assert field.checked()["violations"] == 0


def test_a_signal_flashes_once_all_was_red_and_comes_back_through_red(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    signal = signal_of(field)
    size = len(signal.attributes["stages"][0])
    run(field, 20)
    field.step((order(signal.id, "signals.flash", minutes=5),))
    shown = [state for state, _ in run(field, 60)]
    assert shown[-1] == "o" * size
    assert "y" in "".join(shown[: shown.index("o" * size)])
    field.step((order(signal.id, "signals.resume"),))
    after = [state for state, _ in run(field, 40)]
    lit = next(state for state in after if state != "o" * size)
    assert set(lit) <= {"r", "s"}
    assert any(state in signal.attributes["stages"] for state in after)


def test_a_green_is_extended_and_no_longer_than_that(opened: Open, crossing: Scenario) -> None:
    def green_s(extend: float | None) -> int:
        field = opened(crossing, obey=True)
        signal = signal_of(field).id
        run(field, 12)
        orders = [order(signal, stage=1)]
        if extend:
            orders.append(order(signal, "signals.extend", seconds=extend))
        shown = [lamps(field.step(tuple(orders)))[0]] + [lamps(field.step((orders[0],)))[0] for _ in range(60)]
        field.close()
        return next(second for second, state in enumerate(shown) if "y" in state)

    assert green_s(None) == 5, "the least green"
    assert green_s(20) == pytest.approx(20, abs=2)


def test_an_extension_without_bounds_is_refused(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    for seconds in (0, 61, "long"):
        (refused,) = field.step((order(signal_of(field).id, "signals.extend", seconds=seconds),)).outcomes
        assert refused.code == "sumo.extension_unfit"


@pytest.mark.parametrize(("means", "mode"), [("signals.all_red", "all_red"), ("signals.flash", "flash")])
def test_a_stopped_signal_stays_so_over_a_saved_state(
    opened: Open, crossing: Scenario, tmp_path: Path, means: str, mode: str
) -> None:
    first = opened(crossing, obey=True)
    signal = signal_of(first)
    first.step((order(signal.id, means, minutes=5),))
    before = run(first, 60)[-1]
    first.save(str(tmp_path / "state"))
    first.close()
    second = opened(crossing, obey=True, state_path=str(tmp_path / "state"))
    after = run(second, 40)
    assert {mode_now for _, mode_now in after} == {mode}
    assert after[-1] == before
    assert all(set(state) <= {"r", "o"} for state, _ in after)
    second.step((order(signal.id, "signals.resume"),))
    assert any(state in signal.attributes["stages"] for state, _ in run(second, 40))


def test_a_dark_signal_takes_no_order_but_that_it_is_not_to_be_stopped(opened: Open, crossing: Scenario) -> None:
    dark = [{"kind": "dark_signal", "signal": "middle", "begin_s": 60, "duration_s": 60}]
    field = opened(crossing, obey=True, incidents=dark)
    signal = signal_of(field)
    field.step((order(signal.id, "signals.all_red", minutes=5),))
    assert {mode for _, mode in run(field, 80)[-10:]} == {"dark"}
    (refused,) = field.step((order(signal.id, stage=0),)).outcomes
    assert refused.code == "sumo.signal_is_dark"
    (resumed,) = field.step((order(signal.id, "signals.resume"),)).outcomes
    assert resumed.state is OutcomeState.EXECUTED
    after = run(field, 70)
    assert after[-1][1] == "plan"
    assert any(state in signal.attributes["stages"] for state, _ in after)
