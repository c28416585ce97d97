# SPDX-License-Identifier: Apache-2.0
"""Comparisons are kept once, told junction by junction, and forgotten in time."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec import structs

from citybrain.apps.traffic import store
from citybrain.apps.traffic.control.locks import HOLD
from citybrain.apps.traffic.control.modes import SET_MODE, NoSuchSignal
from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.measure.shadow import WINDOW_S
from citybrain.apps.traffic.service.traffic import KEPT_FOR, NothingDecides, Traffic
from citybrain.apps.traffic.tests.test_control import EASTERN, NOON, batch, detectors, signal, standing
from citybrain.apps.traffic.tests.test_modes import NEW, ordered
from citybrain.apps.traffic.tests.test_shadow import day, window
from citybrain.kernel.db import Database
from citybrain.kernel.records import Entity, Outcome, OutcomeState

PLAN = [{"state": "Gr", "duration_s": 30}, {"state": "yr", "duration_s": 3}, {"state": "rG", "duration_s": 30}]


@pytest.fixture
async def empty(db: Database) -> Database:
    await db.write("DELETE FROM traffic_comparison")
    return db


async def test_a_quarter_of_an_hour_that_is_run_again_is_kept_once(empty: Database) -> None:
    first, again = window(0, 100.0, 50.0), window(0, 100.0, 60.0)
    await store.keep(empty, [first, window(1, 90.0, 80.0)], forget_before=first.begins_at)
    await store.keep(empty, [again], forget_before=first.begins_at)
    kept = await store.of_junction(empty, "cross", since=first.begins_at, limit=10)
    assert kept == [window(1, 90.0, 80.0), again]
    assert await store.since(empty, kept[0].begins_at) == [kept[0]]


async def test_what_is_too_old_is_forgotten(empty: Database) -> None:
    old = window(0, 100.0, 50.0)
    await store.keep(empty, [old], forget_before=old.begins_at)
    new = structs.replace(old, begins_at=old.begins_at + KEPT_FOR + timedelta(hours=1))
    await store.keep(empty, [new], forget_before=new.begins_at - KEPT_FOR)
    assert await store.since(empty, old.begins_at) == [new]


async def test_nothing_is_told_before_the_city_has_opened(empty: Database) -> None:
    traffic = Traffic(empty)
    with pytest.raises(NothingDecides):
        await traffic.report(24)
    assert await traffic.keep() == 0


async def test_the_report_has_the_junction_that_gains_and_what_it_rests_on(empty: Database) -> None:
    traffic, control = Traffic(empty), SignalControl([NEW, *detectors(NEW)])
    traffic.follow([control])
    day(control, 3 * WINDOW_S + 60)
    report = await traffic.report(24)
    (row,) = report.junctions
    assert (row.id, row.mode, row.says, row.gain.windows) == ("cross", "shadow", "plan", 3)
    assert row.gain.gain is not None
    assert row.gain.gain > 0
    assert row.gain == report.total
    one = await traffic.junction("cross", 24)
    assert [each.begins_at for each in one.compared.windows] == [
        NOON + timedelta(seconds=WINDOW_S * at) for at in (2, 1, 0)
    ]
    assert one.decision is not None
    with pytest.raises(NoSuchSignal):
        await traffic.junction("nowhere", 24)


async def test_what_the_last_controller_of_a_day_compared_is_kept_when_the_next_day_opens(empty: Database) -> None:
    traffic, control = Traffic(empty), SignalControl([NEW, *detectors(NEW)])
    traffic.follow([control])
    day(control, WINDOW_S + 1)
    traffic.follow([SignalControl([NEW, *detectors(NEW)])])
    assert await traffic.keep() == 1


def drive(control: SignalControl, entities: Sequence[Entity], seconds: range, *, refuses: bool = False) -> None:
    outcomes: list[Outcome] = []
    for second in seconds:
        seen = batch(entities, {"cross": "Gr"}, {EASTERN: standing(4, 20.0 + second)}, second=second)
        orders = control(seen, (), outcomes)
        state = OutcomeState.REFUSED if refuses else OutcomeState.EXECUTED
        outcomes = [Outcome(order_id=one.id, state=state, at=NOON, code="sumo.signal_held_on_plan") for one in orders]


async def test_a_junction_tells_who_has_the_say_and_why_the_brain_has_not(empty: Database) -> None:
    trusted = signal("cross", [("n", "s"), ("e", "w")], ["Gr", "rG"])
    trusted = structs.replace(trusted, attributes={**trusted.attributes, "plan": PLAN})
    entities = [trusted, *detectors(trusted)]
    traffic, control = Traffic(empty), SignalControl(entities)
    traffic.follow([control])
    drive(control, entities, range(8))
    one = await traffic.junction("cross", 1)
    assert (one.says, one.why_not, one.stage, one.lamps) == ("brain", None, 0, "Gr")
    assert one.because == one.decision
    assert [stage.number for stage in one.stages] == [0, 1]
    east = one.approaches[1]
    assert (east.vehicles, east.queue, east.waited_s, east.green) == (4.0, 4.0, 27, False)
    assert one.compared.other == "plan"

    drive(control, entities, range(8, 14), refuses=True)
    one = await traffic.junction("cross", 1)
    assert (one.says, one.why_not.code if one.why_not else "") == ("plan", "sumo.signal_held_on_plan")

    control.obey(ordered(HOLD, show=0, minutes=5), NOON)
    drive(control, entities, range(14, 16))
    one = await traffic.junction("cross", 1)
    assert (one.says, one.held.by if one.held else "") == ("lock", "li")
    assert [(claim.by, claim.stage, claim.is_heard) for claim in one.claims] == [("lock", 0, True)]

    control.obey(ordered("traffic.end_hold"), NOON)
    control.obey(ordered(SET_MODE, mode="plan"), NOON)
    drive(control, entities, range(16, 18))
    one = await traffic.junction("cross", 1)
    assert (one.says, one.mode, one.begins_in) == ("plan", "plan", "brain")

    control.obey(ordered(SET_MODE, mode="default"), NOON)
    drive(control, [trusted], range(18, 150))
    one = await traffic.junction("cross", 1)
    assert one.says == "plan", "nothing is seen any more"
    assert one.why_not is not None
