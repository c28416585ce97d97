# SPDX-License-Identifier: Apache-2.0
"""A town that follows a playbook until somebody kills it: `python -m tests.scenarios.playbook_victim URL FOLDER`."""

import asyncio
import sys
from pathlib import Path

from citybrain.apps.operations.tests.playing import AT, NEXT_ROAD, Town, event, line, playbook, town

EVENTS = 30
LINES = (
    line(1, "street.sign"),
    line(2, "street.tow", after={"line": 1}),
    line(3, "street.divert", after={"line": 2, "state": "failed"}),
    line(4, "street.case", target="upstream_junctions"),
)


async def follow(url: str, folder: Path) -> None:
    """Go on where the one before was killed; say `done` when nothing is left to do."""
    async with town(url, folder, name="victim") as found:
        await found.reopen()
        await begin(found)
        say("begun")
        while not await is_done(found):
            await found.engine.round(found.now)
            await found.street()
        say("done")


def say(word: str) -> None:
    """Tell who started us how far we are."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def begin(found: Town) -> None:
    """The events of the day, once."""
    if not found.operations.active:
        await found.play(playbook("jam", *LINES))
    if not await found.store.journal.events(limit=1):
        place = {"place": {"road": NEXT_ROAD}}
        told = [
            event(id=f"jam-{number}", entity_id=f"road-{number}", at=AT, evidence=place) for number in range(EVENTS)
        ]
        await found.store.journal.tell(told)


async def is_done(found: Town) -> bool:
    """Whether every event has a run, and every run came to its end."""
    states = await found.store.db.read("SELECT state FROM operations_run", as_=str)
    return len(states) == EVENTS and set(states) == {"done"}


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1], Path(sys.argv[2])))
