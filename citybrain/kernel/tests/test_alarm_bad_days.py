# SPDX-License-Identifier: Apache-2.0
"""Bad days of alarms: a storm of 10,000 in a minute, officers who get in each other's way, a kill between two acts."""

import asyncio
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import msgspec
import pytest

from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.app import App, Detector, Frame
from citybrain.kernel.errors import Conflict
from citybrain.kernel.handling import Act, Alarm, Asked, State, Which, Wish
from citybrain.kernel.loop import Loop
from citybrain.kernel.merging import Merge, Near
from citybrain.kernel.outbox import Outbox
from citybrain.kernel.records import Because, Event, Severity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from citybrain.kernel.tests.scene import after, batch, jam

NOW = datetime(2126, 7, 1, 9, tzinfo=UTC)
STORM = 10_000
DARK, CUT = "power.dark", "power.cut"
ACTS_BEFORE_THE_KILL = 60

OFFICER = """
import asyncio, sys
from pathlib import Path
from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.clock import utc_now
from citybrain.kernel.handling import Act, Wish
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.tests.scene import after, jam

async def officer(store, name):
    actor = Actor(name=name, account=name, kind=Kind.STAFF)
    for number in range(1_000_000):
        note = f"{name} {number}"
        for id in ("a", "b"):
            await store.alarms.act(actor, id, Wish(act=Act.COMMENT, note=note), now=utc_now())
            print(id, name, number, flush=True)

async def main():
    async with open_store(Settings(data=Path(sys.argv[1]))) as store:
        await store.journal.tell([jam("a", after(0)), jam("b", after(0))])
        await asyncio.gather(*(officer(store, name) for name in ("lin", "wu", "zhao")))

asyncio.run(main())
"""


def storm(second: int) -> list[Event]:
    """What happens in one second of the storm: lights go out everywhere, and in one street a cable is cut."""
    first, last = second * STORM // 60, (second + 1) * STORM // 60
    return [
        Event(
            id=f"storm{number:05}",
            kind=CUT if number % 1_000 == 0 else DARK,
            severity=Severity.II,
            at=after(second),
            entity_id=f"urn:lamp:{number}",
            because=Because(code="x"),
            geometry={"type": "Point", "coordinates": [11.0 + number % 100 * 0.0001, 48.0 + number // 100 * 0.001]},
        )
        for number in range(first, last)
    ]


def storming(entities: object) -> Detector:
    """A detector that finds the storm."""
    return lambda seen: storm(int((seen.observed_at - after(0)).total_seconds()))


@pytest.mark.slow
async def test_of_ten_thousand_events_in_a_minute_none_is_lost_and_the_list_and_the_loop_go_on(store: Store) -> None:
    rule = Merge(cause=CUT, signs=(DARK,), within=timedelta(minutes=5), near=Near.RADIUS, radius_m=50.0)
    app = App(name="power", folder=Path(), detectors=(storming,), merges=(rule,))
    loop = Loop([app], (), arm="brain", decide=True)
    before = await store.outbox.last_id()
    held_s, listed_s = 0.0, []
    committed: list[asyncio.Future[None]] = []
    for second in range(60):
        step = loop.step(Frame(batch=batch(after(second))))
        started_s = perf_counter()
        committed.append(await store.journal.append(step.frame.batch, events=step.events))
        held_s = max(held_s, perf_counter() - started_s)
        started_s = perf_counter()
        page = await store.alarms.find(Asked(kinds=(DARK, CUT), limit=100), now=NOW)
        listed_s.append(perf_counter() - started_s)
    assert len(page.rows) == 100, "the list is there in the midst of it"
    await asyncio.gather(*committed)
    kinds = await store.db.rows("SELECT kind, count(*) FROM event WHERE id LIKE 'storm%%' GROUP BY 1", {})
    assert dict(kinds) == {CUT: 10, DARK: STORM - 10}
    told = await store.outbox.since(before, topic="event", limit=1_000_000)
    assert len({msgspec.json.decode(row.payload)["id"] for row in told}) == STORM
    page = await store.alarms.find(Asked(kinds=(DARK, CUT), limit=500), now=NOW)
    merged = STORM - page.total
    assert merged > 0
    dark = await every(store, Asked(kinds=(DARK,), which=Which.ALL, limit=500))
    assert len(dark) == STORM - 10 - merged
    assert len({alarm.group for alarm in dark}) == 1, "they are shown under one of them"
    assert {alarm.group_size for alarm in dark} == {len(dark)}
    assert held_s < 5.0, "the loop hands its step over and goes on"
    assert sorted(listed_s)[len(listed_s) // 2] < 2.0


async def every(store: Store, asked: Asked) -> list[Alarm]:
    """All pages of a list."""
    found: list[Alarm] = []
    while True:
        page = await store.alarms.find(asked, now=NOW)
        found += page.rows
        if page.next is None:
            return found
        asked = msgspec.structs.replace(asked, after=page.next)


async def test_a_storm_that_no_loop_found_is_grouped_too(store: Store) -> None:
    await store.journal.tell(
        [msgspec.structs.replace(jam(f"told{n:02}", after(n / 2)), kind="door.silent") for n in range(60)]
    )
    page = await store.alarms.find(Asked(kinds=("door.silent",)), now=NOW)
    assert (page.total, {alarm.group for alarm in page.rows}, page.rows[0].group_size) == (60, {"told00"}, 60)


async def test_officers_who_act_on_the_same_alarms_at_once_lose_no_act_and_wait_for_nobody(store: Store) -> None:
    officers = [Actor(name=name, account=name, kind=Kind.STAFF) for name in ("lin", "wu", "zhao", "qian")]
    ids = [f"both{number}" for number in range(30)]
    await store.journal.tell([jam(id, after(0)) for id in ids])

    async def shift(officer: Actor) -> Counter[str]:
        came: Counter[str] = Counter()
        for turn in range(6):
            wish = Wish(act=(Act.TAKE, Act.COMMENT, Act.RELEASE)[turn % 3], note=f"{officer.account} {turn}")
            order = ids if officers.index(officer) % 2 else list(reversed(ids))
            together = await store.alarms.act_together(officer, order, wish, now=NOW)
            came["done"] += len(together.done)
            came.update(each.code for each in together.refused)
        return came

    async with asyncio.timeout(60):
        # The journal writes the same rows meanwhile: nobody may wait in a ring.
        updates = [store.journal.tell([jam(id, after(0)) for id in reversed(ids)]) for _ in range(20)]
        telling = asyncio.gather(*updates)
        shifts = await asyncio.gather(*(shift(each) for each in officers))
        await telling
    came: Counter[str] = Counter()
    for each in shifts:
        came.update(each)
    assert came["done"] + came["kernel.alarm_taken"] + came["kernel.alarm_not_now"] == 4 * 6 * 30
    versions = "SELECT sum(version) FROM event_handling WHERE event_id LIKE 'both%%'"
    acts = "SELECT count(*) FROM event_act WHERE event_id LIKE 'both%%'"
    assert await store.db.read(acts, as_=int) == [came["done"]] == await store.db.read(versions, as_=int)


async def test_who_takes_last_does_not_win_over_who_took_first(store: Store) -> None:
    await store.journal.tell([jam("race", after(0))])
    lin, wu = (Actor(name=name, account=name, kind=Kind.STAFF) for name in ("lin", "wu"))
    seen = await store.alarms.one("race", now=NOW)
    wishes = [Wish(act=act, version=seen.handling.version) for act in (Act.TAKE, Act.CLEAR)]
    both = await asyncio.gather(
        *(store.alarms.act(who, "race", wish, now=NOW) for who, wish in zip((lin, wu), wishes, strict=True)),
        return_exceptions=True,
    )
    (refused,) = [each for each in both if isinstance(each, Conflict)]
    assert refused.code in ("kernel.alarm_taken", "kernel.alarm_changed", "kernel.alarm_not_now")
    assert (await store.alarms.one("race", now=NOW)).handling.state in (State.TAKEN, State.CLEARED)


@pytest.mark.slow
async def test_no_act_that_was_answered_is_lost_and_none_is_half_there_after_kill_9(fresh_settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OFFICER, str(fresh_settings.data), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(ACTS_BEFORE_THE_KILL)]
    process.send_signal(signal.SIGKILL)
    lines += (await process.stdout.read()).decode().splitlines()
    assert await process.wait() == -signal.SIGKILL
    answered = {tuple(line.split()) for line in lines if len(line.split()) == 3}
    async with open_store(fresh_settings) as store:
        kept: set[tuple[str, ...]] = set()
        for id in ("a", "b"):
            story = await store.alarms.story(id, now=NOW)
            kept |= {(id, *act.note.split()) for act in story.acts}
            assert story.handling.version == story.handling.comments == len(story.acts), "row and history agree"
            assert story.handling.note == story.acts[-1].note
            logged = "SELECT count(*) FROM audit_entry WHERE object = %(object)s"
            assert await store.db.read(logged, {"object": f"event:{id}"}, as_=int) == [len(story.acts)]
        assert answered <= kept
        told = await Outbox(store.db).since(0, topic="alarm", limit=1_000_000)
        assert {msgspec.json.decode(row.payload)["id"] for row in told} == {"a", "b"}
