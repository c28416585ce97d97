# SPDX-License-Identifier: Apache-2.0
"""Orders reach a controller once, in time and in turn; one that answers late holds up nobody."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from citybrain.kernel.controllers.driver import (
    ALL_RED,
    FLASH,
    RELEASE,
    RESUME,
    SET_CONTROL_MODE,
    SET_STAGE,
    Driver,
)
from citybrain.kernel.controllers.fleet import Fleet
from citybrain.kernel.controllers.outstation import ACCEPTED, Answer, Looked, Mode, Tables, refused
from citybrain.kernel.controllers.watch import Watch, Watched, flashes, silent
from citybrain.kernel.errors import Conflict, Unavailable
from citybrain.kernel.records import Because, Json, Order, OutcomeState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SIGNAL = "urn:ngsi-ld:TrafficSignalController:x"
WATCHED = Watched(door="d", name="x", entity=SIGNAL)


class Box:
    """A controller in the street, as its line shows it."""

    def __init__(self) -> None:
        self.now = NOON
        self.is_there = True
        self.is_stubborn = False
        self.is_cut = False
        self.mode = Mode.LOCAL
        self.min_green_s = 5.0
        self.slow: asyncio.Event | None = None
        self.did: list[str] = []
        self.refusal = ""

    def clock(self) -> datetime:
        return self.now

    async def discover(self) -> Tables:
        self._answer("discover")
        return Tables(
            stages=("Gr", "rG"), min_green_s=(self.min_green_s, 5.0), yellow_s=3, all_red_s=1, conflicts=((0, 1),)
        )

    async def look(self) -> Looked:
        self._answer("look")
        return Looked(at=self.now, lamps="Gr", mode=self.mode, stage=0, pattern=1, alarms=())

    async def beat(self) -> Looked:
        if self.is_stubborn:
            raise Conflict("d.will_not", {})
        self._answer("beat")
        return Looked(at=self.now, lamps="Gr", mode=self.mode, stage=0, pattern=1, alarms=())

    async def wish(self, stage: int, *, for_s: float, now: datetime) -> Answer:
        if self.slow is not None:
            await self.slow.wait()
        self._answer(f"wish {stage} for {for_s:.0f}")
        return refused(self.refusal) if self.refusal else ACCEPTED

    async def stop(self, mode: Mode, *, for_s: float, now: datetime) -> Answer:
        self._answer(f"{mode} for {for_s:.0f}")
        if not self.refusal:
            self.mode = mode
        return refused(self.refusal) if self.refusal else ACCEPTED

    async def release(self) -> None:
        self._answer("release")

    def figures(self) -> Mapping[str, float]:
        return {"questionsLost": 0.0}

    def close(self) -> None:
        self.did.append("close")

    def _answer(self, what: str) -> None:
        if self.is_cut:
            raise OSError("network is unreachable")
        if not self.is_there:
            raise Unavailable("d.silent", {})
        self.did.append(what)


def driven(*, commands: bool = True) -> tuple[Box, Driver]:
    box = Box()
    return box, Driver(box, Watch(WATCHED, NOON), commands=commands, clock=box.clock)


Ordering = Callable[..., Order]


@pytest.fixture
def order() -> Ordering:
    count = 0

    def make(means: str = SET_STAGE, at: datetime = NOON, **parameters: Json) -> Order:
        nonlocal count
        count += 1
        return Order(
            id=str(count), means=means, entity_id=SIGNAL, at=at, because=Because(code="c"), parameters=parameters
        )

    return make


async def test_a_stage_is_wished_with_an_expiry_and_renewed_from_then_on(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    outcome = await driver.obey(order(stage=1), NOON)
    await driver.second()
    assert (outcome.state, box.did) == (OutcomeState.EXECUTED, ["discover", "look", "wish 1 for 60", "beat"])


async def test_a_controller_that_is_only_looked_at_gets_no_order(order: Ordering) -> None:
    box, driver = driven(commands=False)
    await driver.second()
    assert (await driver.obey(order(stage=1), NOON)).code == "kernel.controller_only_looked_at"
    assert box.did == ["discover", "look"]


async def test_an_order_that_comes_twice_is_carried_out_once(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    twice = order(stage=1)
    outcomes = [await driver.obey(twice, NOON), await driver.obey(twice, NOON)]
    assert [outcome.code for outcome in outcomes] == ["", "kernel.order_twice"]
    assert box.did.count("wish 1 for 60") == 1


async def test_an_order_that_comes_late_is_refused(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    late = await driver.obey(order(stage=1), NOON + timedelta(seconds=11))
    assert (late.code, late.facts, box.did) == ("kernel.order_late", {"age_s": 11}, ["discover", "look"])


async def test_nobody_who_is_silent_is_commanded_and_a_silence_amid_an_order_is_a_failure(order: Ordering) -> None:
    box, driver = driven()
    box.is_there = False
    await driver.second()
    assert (await driver.obey(order(stage=1), NOON)).code == "kernel.controller_silent"
    box.is_there = True
    await driver.second()
    box.is_there = False
    failed = await driver.obey(order(stage=1), NOON)
    assert (failed.state, failed.code) == (OutcomeState.FAILED, "d.silent")


async def test_a_broken_line_is_a_silence(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    box.is_cut = True
    failed = await driver.obey(order(stage=1), NOON)
    assert (failed.state, failed.code) == (OutcomeState.FAILED, "kernel.controller_silent")
    box.now += timedelta(seconds=11)
    assert [event.kind for event in (await driver.second()).events] == [silent("d")]


async def test_what_the_controller_refuses_is_told_in_its_words(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    box.refusal = "d.no_such_stage"
    outcome = await driver.obey(order(stage=7), NOON)
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "d.no_such_stage")


async def test_one_that_refuses_what_is_renewed_is_seen_all_the_same(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    await driver.obey(order(stage=1), NOON)
    box.is_stubborn, box.now = True, NOON + timedelta(seconds=9)
    await driver.second()
    assert driver.looked is not None
    assert driver.looked.at == box.now


async def test_on_its_plan_it_is_given_back_and_takes_no_stage_until_the_brain_has_it_again(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    await driver.obey(order(stage=1), NOON)
    await driver.obey(order(SET_CONTROL_MODE, mode="plan"), NOON)
    assert (await driver.obey(order(stage=0), NOON)).code == "kernel.signal_held_on_plan"
    assert box.did[-1] == "release"
    await driver.obey(order(SET_CONTROL_MODE, mode="brain"), NOON)
    assert (await driver.obey(order(stage=0), NOON)).state is OutcomeState.EXECUTED


async def test_it_is_released_to_its_own_plan_at_once_and_may_be_wished_for_again(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    await driver.obey(order(RELEASE), NOON)
    assert "release" not in box.did, "nobody has commanded it yet"
    await driver.obey(order(stage=1), NOON)
    await driver.obey(order(RELEASE), NOON)
    assert box.did[-1] == "release"
    assert (await driver.obey(order(stage=0), NOON)).state is OutcomeState.EXECUTED


async def test_who_decides_stands_however_old_the_order_is(order: Ordering) -> None:
    _, driver = driven()
    standing = order(SET_CONTROL_MODE, mode="plan")
    later = NOON + timedelta(hours=1)
    assert [(await driver.obey(standing, later)).state for _ in range(2)] == [OutcomeState.EXECUTED] * 2


async def test_what_is_no_order_for_a_controller_is_refused(order: Ordering) -> None:
    _, driver = driven()
    await driver.second()
    for wrong in (order("traffic.dispatch", stage=1), order(stage="1"), order(SET_CONTROL_MODE, mode="off")):
        assert (await driver.obey(wrong, NOON)).code == "kernel.no_such_order"


async def test_whoever_comes_back_is_asked_again_what_it_can_do(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    box.is_there = False
    await driver.second()
    box.is_there, box.min_green_s = True, 9.0
    await driver.second()
    assert driver.tables is not None
    assert driver.tables.min_green_s == (9.0, 5.0)


async def test_what_nobody_saw_for_a_while_is_shown_no_more() -> None:
    box, driver = driven()
    fleet = Fleet([driver])
    assert fleet.columns() == ()
    await fleet.second()
    assert [(column.attribute, column.values) for column in fleet.columns()] == [
        ("signalState", ("Gr",)),
        ("controlMode", ("plan",)),
    ]
    box.now += timedelta(seconds=6)
    assert fleet.columns() == ()


async def test_a_late_answer_holds_up_nobody_and_of_orders_that_wait_the_newest_counts(order: Ordering) -> None:
    box, driver = driven()
    fleet = Fleet([driver], patience_s=0.01)
    await fleet.second()
    box.slow = asyncio.Event()
    assert await fleet.obey([order(stage=1)], NOON) == ()
    assert await fleet.obey([order(stage=0)], NOON) == ()
    assert await fleet.obey([order(stage=1)], NOON) == ()
    box.slow.set()
    await asyncio.sleep(0.05)
    outcomes = await fleet.obey([], NOON)
    assert sorted((outcome.order_id, outcome.code) for outcome in outcomes) == [
        ("1", ""),
        ("2", "kernel.order_overtaken"),
        ("3", ""),
    ]
    assert box.did[2:] == ["wish 1 for 60", "wish 1 for 60"]


async def test_silence_and_flashing_are_events_that_end_by_themselves() -> None:
    box, driver = driven()
    await driver.second()
    box.mode = Mode.FLASH
    box.now += timedelta(seconds=1)
    begun = await driver.second()
    assert {(each.attribute, each.value) for each in begun.measurements} >= {("deviceState", "flash")}
    box.now, box.mode = box.now + timedelta(seconds=1), Mode.LOCAL
    ended = await driver.second()
    box.is_there = False
    box.now += timedelta(seconds=9)
    quiet = await driver.second()
    box.now += timedelta(seconds=2)
    gone = await driver.second()
    again = await driver.second()
    events = [
        (event.kind, event.ended_at is None) for found in (begun, ended, quiet, gone, again) for event in found.events
    ]
    assert events == [(flashes("d"), True), (flashes("d"), False), (silent("d"), True)]
    assert [event.ended_at for event in driver.watch.ended(NOON).events] == [NOON]


async def test_what_does_not_change_is_told_seldom() -> None:
    box, driver = driven()
    first = await driver.second()
    box.now += timedelta(seconds=1)
    second = await driver.second()
    box.now += timedelta(seconds=40)
    third = await driver.second()
    assert (len(first.measurements), len(second.measurements), len(third.measurements)) == (7, 0, 7)


async def test_a_stop_lasts_for_its_minutes_from_when_it_was_given_and_nobody_else_is_heard(order: Ordering) -> None:
    box, driver = driven()
    await driver.second()
    stop = order(ALL_RED, minutes=3)
    assert (await driver.obey(stop, NOON + timedelta(seconds=60))).state is OutcomeState.EXECUTED
    assert box.did[-1] == "all_red for 120"
    for other in (order(stage=1), order(RELEASE), order(SET_CONTROL_MODE, mode="plan")):
        assert (await driver.obey(other, NOON)).code == "kernel.signal_stopped"
    box.now = NOON + timedelta(seconds=121)
    await driver.second()
    assert (await driver.obey(order(stage=1), NOON)).state is OutcomeState.EXECUTED, "its time is over"
    late = await driver.obey(stop, NOON + timedelta(minutes=4))
    assert (late.code, late.facts) == ("kernel.order_late", {"age_s": 240}), "and does not begin again"


async def test_a_stop_that_stands_reaches_a_controller_before_its_first_look(order: Ordering) -> None:
    box, driver = driven()
    assert (await driver.obey(order(FLASH, minutes=5), NOON)).state is OutcomeState.EXECUTED
    await driver.second()
    assert box.did == ["discover", "flash for 300", "beat"]


async def test_a_stop_is_not_overtaken_by_stages_of_the_brain(order: Ordering) -> None:
    _, driver = driven()
    fleet = Fleet([driver], patience_s=0.05)
    await fleet.second()
    outcomes = await fleet.obey([order(ALL_RED, minutes=1), order(stage=1)], NOON)
    assert sorted((each.state, each.code) for each in outcomes) == [
        (OutcomeState.EXECUTED, ""),
        (OutcomeState.REFUSED, "kernel.signal_stopped"),
    ]


async def test_a_signal_that_flashes_because_it_was_ordered_is_no_event_and_says_who_decides(order: Ordering) -> None:
    box, driver = driven()
    fleet = Fleet([driver])
    await driver.second()
    await driver.obey(order(FLASH, minutes=5), NOON)
    assert (await driver.second()).events == ()
    assert [column.values for column in fleet.columns()] == [("Gr",), ("flash",)]
    await driver.obey(order(RESUME), NOON)
    assert box.did[-1] == "release"
    assert (await driver.second()).events == (), "it still flashes while it goes back"
    box.mode = Mode.LOCAL
    await driver.second()
    box.mode = Mode.FLASH
    assert [event.kind for event in (await driver.second()).events] == [flashes("d")], "but this nobody ordered"


async def test_what_a_controller_cannot_stop_is_refused_by_its_code(order: Ordering) -> None:
    box, driver = driven()
    box.refusal = "d.cannot"
    await driver.second()
    refusal = await driver.obey(order(ALL_RED, minutes=1), NOON)
    assert (refusal.state, refusal.code) == (OutcomeState.REFUSED, "d.cannot")
    assert (await driver.obey(order(ALL_RED), NOON)).code == "kernel.no_such_order"
    box.refusal = ""
    assert (await driver.obey(order(stage=1), NOON)).state is OutcomeState.EXECUTED, "it was never stopped"
