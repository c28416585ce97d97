# SPDX-License-Identifier: Apache-2.0
"""The engine dies at any moment and begins again from the tables: nothing is lost, nothing is done twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from citybrain.apps.operations.tests.playing import ROAD, Town, event, line, playbook, town

EVENTS = 12
LINES = (
    line(1, "street.sign"),
    line(2, "street.tow", after={"line": 1}),
    line(3, "street.case", target="upstream_junctions"),
    line(4, "street.divert", after={"line": 2, "state": "failed"}),
)
WANTED = {"street.sign": EVENTS, "street.tow": EVENTS, "street.case": EVENTS}


@pytest.fixture(scope="module")
async def city(database_url: str, open_folder: Path) -> AsyncIterator[Town]:
    async with town(database_url, open_folder) as found:
        yield found


async def test_an_engine_that_is_cut_off_anywhere_orders_each_line_exactly_once(city: Town) -> None:
    await city.play(playbook("jam", *LINES))
    chance = Random(7)
    told = [
        event(entity_id=f"{ROAD}{number}", at=city.at, evidence={"place": {"road": ROAD[:-1] + "b"}})
        for number in range(EVENTS)
    ]
    await city.store.journal.tell(told)
    cuts = 0
    for _ in range(60):
        work = asyncio.create_task(city.engine.round(city.now))
        await asyncio.sleep(chance.uniform(0.0, 0.04))
        if not work.done():
            cuts += 1
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            await city.reopen()
        else:
            await work
        await city.street()
    await city.step()
    assert cuts > 10, "or this test says nothing"
    runs = [(await city.stored(each)) for each in told]
    assert [len(found) for found in runs] == [1] * EVENTS
    states = Counter(tuple(line.state.value for line in found[0].lines) for found in runs)
    assert states == {("executed", "executed", "checked", "skipped"): EVENTS}
    assert Counter(city.ordered()) == WANTED
    keys = await city.store.db.read("SELECT key FROM standing_order WHERE key IS NOT NULL", as_=str)
    assert len(keys) == len(set(keys)) == sum(WANTED.values())
