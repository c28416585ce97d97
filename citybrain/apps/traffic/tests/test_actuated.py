# SPDX-License-Identifier: Apache-2.0
"""Where sensors fail: the brain with an estimate, actuated control, the shipped plan, and back by itself."""

from collections.abc import Collection

import pytest
from msgspec import structs

from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.detect.trust import HEALTHY_S
from citybrain.kernel.records import Entity, Order

from .street import CITY, Columns, Street, batch
from .test_control import CITY as ONE_EACH
from .test_control import CROSS
from .test_control import batch as still

BRAIN = "brain"


def without(columns: Columns, blind: Collection[str]) -> Columns:
    for lane in blind:
        columns["tracks"].pop(lane)
        columns["vehicleCount"][lane] = float("nan")
    return columns


def codes(control: SignalControl, street: Street, seconds: int, blind: Collection[str]) -> list[str]:
    found: list[Order] = []
    for _ in range(seconds):
        found.extend(control(batch(street, without(street.step(), blind)), (), ()))
    return [order.because.code for order in found]


def trusted(city: list[Entity]) -> list[Entity]:
    """The same city, whose signals begin under the brain."""
    return [
        structs.replace(one, attributes={**one.attributes, "controlDefault": BRAIN}) if one.id == "cross" else one
        for one in city
    ]


# fmt: off
BLIND = [
    ((),                          "traffic.stage_",            "all see: the brain"),
    (("south",),                  "traffic.stage_",            "a blind exit: the brain goes on"),
    (("north",),                  "traffic.steered_by_actuated", "one of two approaches: actuated"),
]
# fmt: on


@pytest.mark.parametrize(("blind", "code", "why"), BLIND)
def test_who_steers_follows_from_who_sees(blind: tuple[str, ...], code: str, why: str) -> None:
    found = codes(SignalControl(trusted(CITY)), Street(seed=1, every_s={"north": 6, "east": 8}), 90, blind)
    assert found, why
    assert all(one.startswith(code) for one in found), why


def test_with_no_approach_that_sees_the_plan_runs() -> None:
    street = Street(seed=1, every_s={"north": 6, "east": 8})
    assert codes(SignalControl(trusted(CITY)), street, 90, ("north", "east")) == []


def test_the_brain_comes_back_by_itself() -> None:
    control, street = SignalControl(trusted(CITY)), Street(seed=1, every_s={"north": 6, "east": 8})
    codes(control, street, 90, ("north",))
    early = codes(control, street, int(HEALTHY_S) - 2, ())
    late = codes(control, street, 120, ())
    assert set(early) == {"traffic.steered_by_actuated"}
    assert late[-1].startswith("traffic.stage_")


def test_a_blind_approach_is_recalled_and_has_the_green_of_its_plan() -> None:
    """East sees nobody, north is blind: it gets green again and again, though nobody calls."""
    control, street = SignalControl(trusted(CITY)), Street(seed=1, every_s={"north": 1e9, "east": 6.0})
    wanted: list[int] = []
    for _ in range(240):
        orders = control(batch(street, without(street.step(), ("north",))), (), ())
        wanted += [order.parameters["stage"] for order in orders]
    assert {0, 1} == set(wanted)


def test_a_green_ends_when_nobody_comes_and_lasts_while_somebody_does() -> None:
    city = trusted(ONE_EACH)
    seeing = [one for one in city if one.id != "cross approach n"]

    def ends(vehicles: list[tuple[float, float, float]]) -> int:
        """The first second in which another stage than the eastern one is ordered."""
        control = SignalControl(city)
        for second in range(80):
            seen = {"cross approach e": [(one[0], one[1], one[2] + second) for one in vehicles]}
            for order in control(still(seeing, {"cross": "rG"}, seen, second=second), (), ()):
                if order.parameters["stage"] == 0:
                    return second
        return 80

    assert CROSS.id == "cross"
    assert ends([]) <= 10
    assert 25 <= ends([(20.0, 0.0, 1.0)]) <= 40


def test_a_lane_that_is_red_for_long_is_called_up_though_nobody_is_seen_there() -> None:
    control = SignalControl(trusted(ONE_EACH))
    called = [
        second
        for second in range(300)
        for order in control(still(trusted(ONE_EACH), {"cross": "rG"}, {}, second=second), (), ())
        if order.parameters["stage"] == 0
    ]
    assert 240 <= called[0] < 260
