# SPDX-License-Identifier: Apache-2.0
import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.subscriptions.tests.scene import Receiver

WRITE = """
import asyncio, sys
from pathlib import Path
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities import verbs
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.subscriptions.tests.scene import lamp, wanted

async def main():
    async with open_store(Settings(data=Path(sys.argv[1]))) as store:
        payload = wanted(sys.argv[2], id="urn:s:crash")
        await store.subscriptions.create(payload, CORE, tenant="", now=utc_now())
        await store.documents.apply([verbs.create("", lamp("urn:lamp:1", power=0), utc_now())])
        for power in range(1, 1_000_000):
            before = store.documents.get("", "urn:lamp:1")
            after = lamp("urn:lamp:1", power=power)
            await store.documents.apply([verbs.replace(before, after, tenant="", at=utc_now())])
            print(power, flush=True)

asyncio.run(main())
"""

ACKNOWLEDGED_BEFORE_THE_KILL = 150


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.mark.slow
async def test_every_acknowledged_change_is_told_in_order_although_the_city_was_killed(
    fresh_settings: Settings, receiver: Receiver
) -> None:
    receiver.pause_s = 0.02  # so that much waits when the kill comes
    command = [sys.executable, "-c", WRITE, str(fresh_settings.data), receiver.url]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    acknowledged = 0
    async with asyncio.timeout(60):
        while acknowledged < ACKNOWLEDGED_BEFORE_THE_KILL:
            acknowledged = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    told_before = len(receiver.seen("urn:s:crash"))
    assert told_before < acknowledged, "the test wants something to be waiting"
    receiver.pause_s = 0.0
    async with open_store(fresh_settings) as store:
        last = store.documents.get("", "urn:lamp:1")
        assert last is not None
        newest = last.attributes["power"][0].value
        assert isinstance(newest, int) and newest >= acknowledged
        await receiver.until(lambda _: receiver.seen("urn:s:crash")[-1][1] == newest)
    seen = [power for _, power in receiver.seen("urn:s:crash")]
    first_time = list(dict.fromkeys(seen))
    assert first_time == list(range(newest + 1)), "each change, in order, none missing"
    again = sum(1 for before, after in pairwise(seen) if after <= before)
    assert again <= 1, "what is told again is told in order too"
