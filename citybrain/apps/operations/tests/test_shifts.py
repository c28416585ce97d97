# SPDX-License-Identifier: Apache-2.0
"""A shift on a real database: its report, its figures with rows, and how it is handed over."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from citybrain.apps.operations.service import shifts
from citybrain.apps.operations.service.figures import NoSuchFigure, one_figure
from citybrain.apps.operations.service.shifts import NoSuchHandover, NotYourShift, TakenOver
from citybrain.apps.operations.service.spans import TimesReversed
from citybrain.apps.operations.service.suggesting import suggested
from citybrain.apps.operations.store import figures
from citybrain.apps.operations.tests.playing import ANN, BOB, NEXT_ROAD, Town, event, line, officer, playbook, town
from citybrain.kernel.branches import Thought
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.handling import Act, Wish
from citybrain.kernel.orders import Wanted


@pytest.fixture(scope="module")
async def city(database_url: str, open_folder: Path) -> AsyncIterator[Town]:
    async with town(database_url, open_folder) as found:
        yield found


async def test_a_shift_report_tells_what_happened_what_is_open_and_what_waits(city: Town) -> None:
    begun = city.at
    await city.play(
        playbook("jam", line(1), line(2, "street.tow", approval="officer")),
        playbook("flood", line(1), kinds=["*.flood"]),
    )
    jam, flood, quiet = event(at=city.at), event("water.flood", at=city.at), event("traffic.other", at=city.at)
    await city.tell(jam, flood, quiet)
    await city.step()
    alarms = city.store.alarms
    await alarms.act(ANN, quiet.id, Wish(act=Act.CLEAR, note="误报：树影"), now=city.now)
    # Shelves empty themselves by the clock.
    now = utc_now()
    until = now + timedelta(hours=1)
    await alarms.act(BOB, flood.id, Wish(act=Act.SHELVE, until=until, note="pump is on its way"), now=now)
    wanted = Wanted(means="street.divert", entity_id=NEXT_ROAD)
    await city.store.orders.give(ANN, wanted, now=city.now, city_now=city.at)
    await city.later(minutes=1)

    made = await shifts.report(city.operations, ANN, begun, city.at, "en", now=now)
    assert {each.kind: each.number for each in made.happened} == {
        "traffic.jam": 1,
        "water.flood": 1,
        "traffic.other": 1,
    }
    assert made.total == 3
    assert {each.id for each in made.open.rows} >= {jam.id}
    assert [(each.id, each.handling.shelved_until) for each in made.shelved.rows] == [(flood.id, until)]
    assert [run.event_id for run in made.waiting] == [jam.id]
    assert [order.means for order in made.orders] == ["street.divert"]
    assert {each.note for each in made.comments} == {"误报：树影", "pump is on its way"}
    values = {each.name: each.value for each in made.indicators}
    assert values["operations.found_by_machine"] == 100.0
    assert values["operations.handled_at_once"] == pytest.approx(200 / 3)
    assert values["operations.false_alarms"] is not None
    assert values["operations.false_alarms"] > 0

    rows = await one_figure(city.store, "operations.handled_at_once", begun, city.at)
    assert {row["event"]: row["at_once"] for row in rows.came.rows} == {jam.id: True, flood.id: True, quiet.id: False}
    with pytest.raises(NoSuchFigure):
        await one_figure(city.store, "operations.luck", begun, city.at)
    with pytest.raises(TimesReversed):
        await shifts.report(city.operations, ANN, city.at, begun, "zh", now=city.now)


async def test_a_report_reads_the_alarms_of_its_time_once_and_does_not_count_them(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    read = Database.read

    async def watched(self: Database, query: str, params: Any = None, *, as_: Any) -> Any:
        asked.append(query)
        return await read(self, query, params, as_=as_)

    monkeypatch.setattr(Database, "read", watched)
    await shifts.report(city.operations, ANN, city.at - timedelta(hours=8), city.at, "zh", now=city.now)
    assert len([query for query in asked if "h.at >= %(since)s" in query]) == 1


async def test_alarms_that_are_too_many_to_count_are_told_with_every_figure(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = city.at + timedelta(days=1)
    await city.tell(*(event("storm.sign", at=begun) for _ in range(5)))
    monkeypatch.setattr("citybrain.apps.operations.service.figures.MOST", 3)
    made = await shifts.report(city.operations, ANN, begun, begun + timedelta(hours=1), "zh", now=city.now)
    assert made.total == 5
    assert {each.parts["left_out"] for each in made.indicators} == {2}
    monkeypatch.undo()
    whole = await shifts.report(city.operations, ANN, begun, begun + timedelta(hours=1), "zh", now=city.now)
    assert not any("left_out" in each.parts for each in whole.indicators)


async def test_a_shift_is_handed_over_and_acknowledged_by_its_successor_once(city: Town) -> None:
    made = await shifts.report(city.operations, ANN, city.at - timedelta(hours=8), city.at, "zh", now=city.now)
    handover = await shifts.hand_over(city.operations, ANN, made, to="bob", comments="看好泵站")
    kept = await shifts.look(city.operations, handover.id)
    assert (kept.from_by, kept.to_by, kept.comments, kept.acknowledged_by) == ("ann", "bob", "看好泵站", None)
    assert kept.report["total"] == made.total
    for other in (ANN, officer("eve")):
        with pytest.raises(NotYourShift):
            await shifts.take_over(city.operations, other, handover.id, now=city.now)
    taken = await shifts.take_over(city.operations, BOB, handover.id, now=city.now)
    assert (taken.acknowledged_by, taken.acknowledged_at) == ("bob", city.now)
    with pytest.raises(TakenOver):
        await shifts.take_over(city.operations, BOB, handover.id, now=city.now)
    following = await shifts.report(city.operations, BOB, city.at - timedelta(hours=1), city.at, "zh", now=city.now)
    assert following.before is not None
    assert following.before.id == handover.id
    listed = await figures.handovers(city.store.db, limit=10)
    assert handover.id in {each.id for each in listed}
    for each in (following.before, *listed):
        assert not hasattr(each, "report"), "a list has no bodies"
    with pytest.raises(NoSuchHandover):
        await shifts.look(city.operations, "nothing")


async def test_what_a_playbook_would_order_is_thought_of_with_its_times(city: Town) -> None:
    await city.play(
        playbook(
            "jam",
            line(1),
            line(2, "street.tow", approval="two", after={"line": 1, "minutes": 2}),
            line(3, "street.divert", after={"line": 2, "minutes": 1}),
            line(4, after={"line": 1, "state": "failed"}),
            line(5, after={"line": 4}),
            line(6, only_if={"event_open": False}),
        )
    )
    jam = event(at=city.at)
    await city.tell(jam)
    assert await suggested(city.operations, jam.id) == [
        Thought(means="street.sign", entity_id=NEXT_ROAD, parameters={}),
        Thought(means="street.tow", entity_id=NEXT_ROAD, parameters={}, after_s=120.0),
        Thought(means="street.divert", entity_id=NEXT_ROAD, parameters={}, after_s=180.0),
    ]
    unknown = event("nobody.knows", at=city.at)
    await city.tell(unknown)
    assert await suggested(city.operations, unknown.id) == []
