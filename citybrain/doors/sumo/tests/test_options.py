# SPDX-License-Identifier: Apache-2.0
"""What a simulated city does differently from the shipped one is asked for in its opening."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import libsumo
import pytest

from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.options import OptionsBroken
from citybrain.kernel.app import Scenario

Open = Callable[..., SumoField]


def shown(field: SumoField, seconds: int) -> list[tuple[str, int]]:
    """What the first signal shows, as (lamps, seconds)."""
    states = [field.step(()).batch.columns[0].values[0] for _ in range(seconds)]
    return [(state, len(list(same))) for state, same in groupby(states)]


def due(field: SumoField) -> int:
    while not field.step(()).finished:
        pass
    return int(field.summary()["due"])


def test_demand_multiplies_the_traffic(opened: Open, crossing: Scenario) -> None:
    shipped = due(opened(crossing))
    doubled = due(opened(crossing, demand=2.0))
    assert doubled == pytest.approx(2 * shipped, rel=0.05)


@pytest.mark.parametrize("program", ["actuated", "delay_based"])
def test_signals_run_sumos_own_programs_where_nobody_orders(opened: Open, cologne: Scenario, program: str) -> None:
    field = opened(cologne, program=program)
    stages = next(one for one in field.entities() if one.type == "TrafficSignalController").attributes["stages"]
    greens_s = [lasted_s for state, lasted_s in shown(field, 600)[1:-1] if state in stages]
    assert all(5 <= lasted_s <= 50 for lasted_s in greens_s)
    assert len(set(greens_s)) > 2, "the shipped plan has two lengths of green"


def test_yellow_is_the_plans_own_or_everywhere_resco_s(opened: Open, cologne: Scenario) -> None:
    yellows_s = {}
    for yellow in ("shipped", "resco"):
        field = opened(cologne, program="actuated", yellow=yellow)
        yellows_s[yellow] = {lasted_s for state, lasted_s in shown(field, 200)[1:-1] if "y" in state}
        signal = next(one for one in field.entities() if one.type == "TrafficSignalController")
        assert signal.attributes["yellow_s"] == max(yellows_s[yellow])
        field.close()
    assert yellows_s == {"shipped": {5}, "resco": {3}}


def test_a_city_without_options_keeps_its_own_program(opened: Open, crossing: Scenario) -> None:
    opened(crossing)
    assert libsumo.trafficlight.getProgram("middle") == "0"


@pytest.mark.parametrize("options", [{"demand": 0}, {"program": "magic"}, {"missed": 2}, {"colour": "green"}])
def test_options_that_make_no_sense_are_refused_with_their_name(
    opened: Open, crossing: Scenario, options: dict[str, Any]
) -> None:
    with pytest.raises(OptionsBroken) as refused:
        opened(crossing, **options)
    assert next(iter(options)) in str(refused.value.facts["detail"])
