# SPDX-License-Identifier: Apache-2.0
import asyncio
import sys
from datetime import timedelta

import pytest

from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.cases.case import Opening
from citybrain.kernel.cases.case_type import CaseType, Move, Phase, State
from citybrain.kernel.cases.rights import PERMISSIONS
from citybrain.kernel.clock import utc_now
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

LI = Actor(name="li", account="li", kind=Kind.STAFF, rights=dict.fromkeys(PERMISSIONS, Right(reach=EVERYTHING)))
LAMP = CaseType(
    id="lamp",
    name={"zh": "路灯", "en": "Lamp"},
    initial="new",
    states={"new": State(), "done": State(phase=Phase.CLOSED)},
    moves=(Move(name="finish", from_=("new",), to="done"),),
    form={
        "properties": {"dark": {"type": "boolean"}},
        "if": {"properties": {"dark": {"const": True}}, "required": ["dark"]},
        "then": {"properties": {"since": {"type": "string"}}},
    },
    deadlines=({"name": "answer", "within": "2h", "warn": ["50%"]},),
)


async def test_in_an_open_city_cases_have_forms_time_limits_and_alarms(store: Store) -> None:
    await store.cases.types.put(LAMP, by="city", now=utc_now() - timedelta(hours=1))
    opening = Opening(type="lamp", title="x", department="lights", assignee="li", fields={"dark": False, "since": "y"})
    case = await store.cases.open(LI, opening)
    assert case.fields == {"dark": False}, "hidden parts are dropped"
    assert case.due_at == case.created_at + timedelta(hours=2)
    ring = next(do for name, _, do in store.casework.chores if name == "case_alarms")
    assert await ring(case.created_at + timedelta(minutes=61)) == 1
    (notice,) = await store.casework.notices.desk("li")
    assert case.number in notice.subject
    for _, _, do in store.casework.chores:
        await do(utc_now())


# A hundred cases whose warnings are due at once; it is killed while it tells of them.
RING = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from citybrain.kernel.cases.case import Opening
from citybrain.kernel.clock import utc_now
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.tests.test_casework import LAMP, LI

async def main():
    async with open_store(Settings(data=Path(sys.argv[1]))) as store:
        await store.cases.types.put(LAMP, by="city", now=utc_now() - timedelta(days=9))
        for number in range(100):
            opening = Opening(type="lamp", title="x", department="lights", assignee="li",
                              created_at=utc_now() - timedelta(minutes=70), key=str(number))
            await store.cases.open(LI, opening)
        print("ringing", flush=True)
        await store.casework.alarms.ring(now=utc_now())

asyncio.run(main())
"""


@pytest.mark.slow
async def test_each_warning_is_told_once_although_the_city_was_killed_while_it_told(fresh_settings: Settings) -> None:
    command = [sys.executable, "-c", RING, str(fresh_settings.data)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    async with asyncio.timeout(60):
        await process.stdout.readline()
        await asyncio.sleep(0.15)
    process.kill()
    await process.wait()
    for _ in range(2):
        async with open_store(fresh_settings) as store:
            told = await store.casework.notices.desk("li", limit=500)
            assert len(told) == len({each.case_id for each in told}) == 100
            assert await store.casework.alarms.ring(now=utc_now()) == 0
