# SPDX-License-Identifier: Apache-2.0
"""Whatever is ordered whenever, the emulated controller shows nothing that an independent judge complains of."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.doors.gbt20999 import site
from citybrain.doors.gbt20999.codec import Status
from citybrain.doors.gbt20999.street import LEAST_FLASH_S, LONGEST_HOLD_S, START_S, Street
from citybrain.doors.gbt20999.tests.judge import complaints
from citybrain.doors.gbt20999.values import Command, FaultType, Lamp, RunMode, mode_of
from citybrain.kernel.controllers.outstation import Mode

FILE = site.CROSSING
JUNCTION: dict[str, Any] = json.loads(FILE.read_text())
SITE = site.load(FILE)
TICK_S = 0.125
BACKUP_S = 20.0


class Watched:
    """A street with a clock and a record of what it showed."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.street = Street(SITE, 0.0, backup_s=BACKUP_S)
        self.lines: list[dict[str, Any]] = []

    def run(self, for_s: float, *, hears: bool = False) -> None:
        for _ in range(round(for_s / TICK_S)):
            self.now_s += TICK_S
            if hears:
                self.street.hear(self.now_s)
            lamps = self.street.step(self.now_s)
            self.lines.append(
                {"s": self.now_s, "mode": self.street.mode, "lamps": {str(g): v for g, v in lamps.items()}}
            )

    def green(self) -> set[int]:
        lamps = self.lines[-1]["lamps"]
        return {phase.number for phase in SITE.phases if any(lamps[str(g)] == Lamp.GREEN for g in phase.lamp_groups)}

    def take_over(self) -> None:
        self.street.hear(self.now_s)
        assert self.street.order_mode(RunMode.CENTRE_MANUAL, self.now_s) is None


ORDERS = st.one_of(
    st.tuples(st.just("stage"), st.integers(0, 5)),
    st.tuples(st.just("mode"), st.sampled_from([*RunMode, 0x99])),
    st.tuples(st.just("plan"), st.integers(0, 3)),
    st.tuples(st.just("command"), st.integers(0, 6)),
    st.tuples(st.just("panel"), st.integers(0, 1)),
    st.tuples(st.just("crossed"), st.integers(0, 4)),
)


def order(watched: Watched, what: str, value: int) -> None:
    street, now_s = watched.street, watched.now_s
    if what == "stage":
        street.order_stage(value)
    elif what == "mode":
        street.order_mode(value, now_s)
    elif what == "plan":
        street.order_plan(value)
    elif what == "command":
        street.command(value, now_s)
    elif what == "panel":
        street.stand_at_panel(now_s, is_there=bool(value))
    else:
        street.crossed = {value: Lamp.GREEN} if value else {}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ORDERS, st.floats(0, 30), st.booleans()), max_size=12))
def test_whatever_is_ordered_nothing_unsafe_is_shown_and_the_plan_comes_back(
    orders: list[tuple[tuple[str, int], float, bool]],
) -> None:
    watched = Watched()
    for (what, value), wait_s, hears in orders:
        watched.run(wait_s, hears=hears)
        order(watched, what, value)
    watched.street.crossed = {}
    watched.run(LEAST_FLASH_S)
    watched.street.stand_at_panel(watched.now_s, is_there=False)
    watched.street.order_mode(RunMode.LOCAL_FIXED, watched.now_s)
    watched.run(150)
    if watched.street.mode == RunMode.LOCAL_FIXED:
        shown = [line["lamps"] for line in watched.lines[-720:]]
        assert all(any(lamps[group] == Lamp.GREEN for lamps in shown) for group in "1234")
    found = complaints(JUNCTION, watched.lines)
    if any(what == "crossed" and value for (what, value), _, _ in orders):
        found = [each for each in found if each.endswith(" green")]  # one crossed lamp alone has no due times
    assert found == []


def test_the_judge_sees_what_is_wrong() -> None:
    def shown(s: float, *lamps: int) -> dict[str, Any]:
        return {"s": s, "mode": 0x21, "lamps": {str(n): lamp for n, lamp in enumerate(lamps, start=1)}}

    red, green, yellow = 0x10, 0x20, 0x30
    begin = shown(0, red, red, red, red)
    assert complaints(JUNCTION, [begin, shown(1, green, green, red, red)]) == ["1: 1 and 2 green"]
    hasty = [begin, shown(1, green, red, red, red), shown(3, yellow, red, red, red), shown(6, red, red, red, red)]
    assert complaints(JUNCTION, hasty) == ["3: 1 green for only 2 s"]
    bare = [begin, shown(1, red, green, red, red), shown(9, red, red, red, red)]
    assert complaints(JUNCTION, bare) == ["9: 2 yellow for only 0.0 s"]
    early = [*bare[:2], shown(9, red, yellow, red, red), shown(12, red, red, red, red), shown(13, green, red, red, red)]
    assert complaints(JUNCTION, early) == ["13: 1 green 4 s after 2"]
    assert complaints(JUNCTION, [begin, shown(300, red, red, red, red)])


def test_the_plan_runs_round_by_itself() -> None:
    watched = Watched()
    watched.run(START_S + 2 * 66)
    seen = [line["lamps"] for line in watched.lines]
    assert all(any(lamps[str(g)] == Lamp.GREEN for lamps in seen) for g in (1, 2, 3, 4))
    assert complaints(JUNCTION, watched.lines) == []


def test_an_ordered_stage_comes_after_the_least_green_and_stays() -> None:
    watched = Watched()
    watched.run(START_S + 1)
    watched.take_over()
    assert watched.street.order_stage(2) is None
    watched.run(2, hears=True)
    assert watched.green() == {1, 4}
    watched.run(30, hears=True)
    assert watched.green() == {2}
    watched.run(60, hears=True)
    assert watched.green() == {2}


def test_a_centre_that_falls_silent_has_its_orders_ended_within_the_back_up_time() -> None:
    watched = Watched()
    watched.run(START_S + 1)
    watched.take_over()
    watched.street.order_stage(2)
    watched.run(BACKUP_S + 1)
    assert mode_of(watched.street.mode) is Mode.LOCAL
    watched.run(66)
    assert len({line["lamps"]["1"] for line in watched.lines[-66 * 8 :]}) > 1


def test_a_centre_that_never_lets_go_is_not_believed() -> None:
    watched = Watched()
    watched.run(START_S + 1)
    watched.take_over()
    watched.run(LONGEST_HOLD_S + 10, hears=True)
    assert mode_of(watched.street.mode) is Mode.LOCAL
    assert watched.street.last_faults("")[0].type == FaultType.RESPONSE


def test_flashing_that_was_ordered_as_the_centre_fell_silent_lasts_its_least_time() -> None:
    watched = Watched()
    watched.run(BACKUP_S)
    assert watched.street.order_mode(RunMode.FLASH, watched.now_s) is None
    watched.run(LEAST_FLASH_S)
    assert {line["mode"] for line in watched.lines[-round(LEAST_FLASH_S / TICK_S) :][:-1]} == {RunMode.FLASH}
    watched.run(1)
    assert mode_of(watched.street.mode) is Mode.LOCAL
    assert complaints(JUNCTION, watched.lines) == []


def test_crossed_wires_make_it_flash_before_anything_is_shown_until_a_person_comes() -> None:
    watched = Watched()
    watched.run(START_S + 1)
    watched.street.crossed[2] = Lamp.GREEN
    watched.run(1)
    assert watched.street.mode == RunMode.FLASH
    assert complaints(JUNCTION, [line for line in watched.lines if line["mode"] != RunMode.FLASH]) == []
    assert watched.street.order_mode(RunMode.CENTRE_MANUAL, watched.now_s) is Status.CONTROL_FAILED
    watched.street.crossed.clear()
    assert watched.street.command(Command.RESTART, watched.now_s) is Status.CONTROL_FAILED
    watched.run(LEAST_FLASH_S)
    assert watched.street.command(Command.RESTART, watched.now_s) is None
    watched.run(20)
    assert mode_of(watched.street.mode) is Mode.LOCAL


def test_stages_are_ordered_only_by_a_centre_that_took_the_junction_over() -> None:
    street = Street(SITE, 0.0, backup_s=BACKUP_S)
    assert street.order_stage(2) is Status.CONTROL_FAILED
    street.order_mode(RunMode.CENTRE_MANUAL, 0.0)
    assert street.order_stage(9) is Status.OUT_OF_RANGE
    street.stand_at_panel(0.0, is_there=True)
    assert street.order_mode(RunMode.CENTRE_MANUAL, 0.0) is Status.CONTROL_FAILED


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"conflicts": [[2, 3]]}, "stage 3: conflict"),
        ({"intergreen_s": [[1, 2, 1.0]]}, "intergreen 1 2"),
        ({"plans": []}, "no plan"),
        ({"stages": [{"number": 1, "phases": [9]}]}, "stage 1: no such phase"),
        ({"hue": 3}, "unknown field"),
    ],
)
def test_a_junction_that_contradicts_itself_is_refused(change: dict[str, Any], why: str, tmp_path: Path) -> None:
    path = tmp_path / "junction.json"
    path.write_text(json.dumps(JUNCTION | change))
    with pytest.raises(site.UnusableSite) as refusal:
        site.load(path)
    assert why in str(refusal.value.facts["why"])
