# SPDX-License-Identifier: Apache-2.0
"""Many cases: a clerk's lists and search with row rights, what rights cost, moves, and counts that do not scan.

Cases of 100 types in 200 departments over two years, eight in a hundred not done, two in a hundred helped with.
Users of one process ask or move one after another without a pause; times are what a user waits, pool included.
`python bench/bench_cases.py [--cases 1000000] [--data DIR] [--seconds 10] [--explain]`, kept in DIR for the next time.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.cases_of_a_city import (
    CLERKS,
    DEPARTMENTS,
    EVERYTHING,
    NOW,
    PLACES,
    TEXT,
    TYPES,
    WHATS,
    actor,
    clerk,
    department_of,
    fill,
)
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.auditing import audited
from citybrain.kernel.cases.case import Case, Opening
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.finding import Ask, question
from citybrain.kernel.cases.query import CaseQuery, Order, Scope, where
from citybrain.kernel.cases.refusals import CaseChanged
from citybrain.kernel.cases.rights import seen
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.words import asked
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.migrate import migrate
from citybrain.kernel.settings import Settings

Ask1 = Callable[[Random], tuple[Actor, CaseQuery]]


def _office(random: Random) -> Actor:
    office = random.randrange(20)
    return actor("head", *(department_of(office * 10 + each) for each in range(10)))


def _clerk(random: Random) -> Actor:
    return clerk(random.randrange(DEPARTMENTS), random.randrange(CLERKS))


def _type(random: Random) -> tuple[str, ...]:
    return (f"type_{min(int(random.paretovariate(0.8)) - 1, 10**6) % TYPES:02}",)


def _since(random: Random) -> datetime:
    return NOW - timedelta(days=random.randrange(1, 700))


LISTS: dict[str, Ask1] = {
    "clerk.due": lambda r: (_clerk(r), CaseQuery()),
    "clerk.type_state": lambda r: (_clerk(r), CaseQuery(types=_type(r), states=("new", "working"))),
    "clerk.newest": lambda r: (_clerk(r), CaseQuery(order=Order.NEWEST, channels=("web",))),
    "clerk.done_of_type": lambda r: (
        _clerk(r),
        CaseQuery(order=Order.NEWEST, types=_type(r), phases=(Phase.CLOSED,), created_before=_since(r)),
    ),
    "clerk.category": lambda r: (_clerk(r), CaseQuery(categories=(f"c{r.randrange(300)}",))),
    "clerk.mine": lambda r: (_clerk(r), CaseQuery(scope=Scope.MINE)),
    "clerk.pool_urgent": lambda r: (_clerk(r), CaseQuery(scope=Scope.POOL, order=Order.PRIORITY)),
    "clerk.overdue": lambda r: (_clerk(r), CaseQuery(overdue=True)),
    "office.due": lambda r: (_office(r), CaseQuery()),
    "office.type_newest": lambda r: (_office(r), CaseQuery(types=_type(r), order=Order.NEWEST)),
    "city.due": lambda r: (EVERYTHING, CaseQuery()),
    "city.type_state": lambda r: (EVERYTHING, CaseQuery(types=_type(r), states=("working",))),
    "city.type_newest": lambda r: (EVERYTHING, CaseQuery(types=_type(r), order=Order.NEWEST)),
    "city.place": lambda r: (EVERYTHING, CaseQuery(order=Order.NEWEST, box=_box(r))),
}
SEARCHES: dict[str, Ask1] = {
    "clerk.word": lambda r: (_clerk(r), CaseQuery(words=r.choice(WHATS.split()), order=Order.NEWEST)),
    "clerk.two_words": lambda r: (_clerk(r), CaseQuery(words=f"{r.choice(PLACES.split())} 漏水", order=Order.NEWEST)),
    "clerk.pinyin": lambda r: (_clerk(r), CaseQuery(words="zgcdj", order=Order.NEWEST)),
    "clerk.due_word": lambda r: (_clerk(r), CaseQuery(words=r.choice(WHATS.split()))),
    "office.word": lambda r: (_office(r), CaseQuery(words=r.choice(WHATS.split()), order=Order.NEWEST)),
    "city.word": lambda r: (EVERYTHING, CaseQuery(words=r.choice(WHATS.split()), order=Order.NEWEST)),
    "city.rare": lambda r: (
        EVERYTHING,
        CaseQuery(words=f"{r.choice(PLACES.split())}{r.randrange(1, 300)}号漏水", order=Order.NEWEST),
    ),
    "city.due_word": lambda r: (EVERYTHING, CaseQuery(words=r.choice(WHATS.split()))),
    "city.number_end": lambda r: (EVERYTHING, CaseQuery(words=f"{r.randrange(10**6):06}", order=Order.NEWEST)),
}


def _box(random: Random) -> tuple[float, float, float, float]:
    west, south = 116.2 + random.random() * 0.35, 39.8 + random.random() * 0.25
    return west, south, west + 0.01, south + 0.01


def told(name: str, waited: list[float]) -> None:
    """One line for one question."""
    p50, p95, p99 = np.percentile(np.array(waited) * 1000, [50, 95, 99])
    print(f"{name} p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms ({len(waited)})", flush=True)


async def users(count: int, seconds: float, act: Callable[[Random], Awaitable[object]]) -> list[float]:
    """So many users act one after another for a time; answers with what each act took."""
    until = time.perf_counter() + seconds
    waited: list[float] = []

    async def user(random: Random) -> None:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            await act(random)
            waited.append(time.perf_counter() - begun)

    await asyncio.gather(*(user(Random(number)) for number in range(count)))
    return waited


async def bench_lists(cases: Cases, seconds: float) -> None:
    """Each list alone at one user, then all of a clerk's mixed at one and sixteen."""
    for name, ask in {**LISTS, **SEARCHES}.items():
        kind = "list" if name in LISTS else "search"
        told(f"{kind}.{name}.users_1", await users(1, min(3, seconds), lambda r, a=ask: cases.find(*a(r))))  # type: ignore[misc]
    mixes = (("list.clerks", LISTS, "clerk."), ("list.all", LISTS, ""), ("search.clerks", SEARCHES, "clerk."))
    for name, asks, prefix in mixes:
        mixed = [ask for each, ask in asks.items() if each.startswith(prefix)]
        for count in (1, 16):
            told(f"{name}.users_{count}", await users(count, seconds, lambda r: cases.find(*r.choice(mixed)(r))))  # noqa: B023


async def bench_rights(cases: Cases, seconds: float) -> None:
    """The same rows by row rights, and by somebody with none to mind who asks for the department."""
    for name in ("clerk.due", "clerk.type_state", "clerk.newest", "clerk.overdue"):
        with_rights: list[float] = []
        without: list[float] = []
        random = Random(3)
        until = time.perf_counter() + min(4, seconds)
        while time.perf_counter() < until:
            who, query = LISTS[name](random)
            plain = msgspec.structs.replace(query, departments=tuple(seen(who).reach.departments))
            for waited, by, what in ((with_rights, who, query), (without, EVERYTHING, plain)):
                begun = time.perf_counter()
                await cases.find(by, what)
                waited.append(time.perf_counter() - begun)
        cost = np.median(with_rights) / np.median(without) - 1
        print(f"rights.{name} {cost:+.0%} ({np.median(with_rights) * 1000:.1f} ms with, "
              f"{np.median(without) * 1000:.1f} ms without)")  # fmt: skip


async def bench_counts(cases: Cases, seconds: float) -> None:
    """What the counts say, and that no case is read for it."""
    counting = cases.finding.counting
    told("counts.clerk.summary", await users(1, min(3, seconds), lambda r: counting.summary(_clerk(r), NOW)))
    told(
        "counts.clerk.by_type_state", await users(1, min(3, seconds), lambda r: counting.counts(_clerk(r), CaseQuery()))
    )
    told(
        "counts.city.by_type_state", await users(1, min(3, seconds), lambda _: counting.counts(EVERYTHING, CaseQuery()))
    )
    everything = CaseQuery(order=Order.NEWEST)
    by = ("department", "phase")
    told("counts.city.by_department", await users(
        1, min(3, seconds), lambda _: counting.counts(EVERYTHING, everything, by)
    ))  # fmt: skip


MOVES = {"new": ("accept",), "working": ("finish", "wait"), "waiting": ("go_on",), "done": ("reopen",)}


async def bench_moves(cases: Cases, seconds: float, name: str, count: int, pace: float | None) -> None:
    """Users move cases of their own department, at full speed or so many moves a second in all."""
    mine: dict[int, list[Case]] = {}
    clerks = [clerk(number * 7 % DEPARTMENTS, 0) for number in range(count)]
    for number, who in enumerate(clerks):
        mine[number] = list((await cases.find(who, CaseQuery(scope=Scope.HELD, limit=500))).cases)
    waited: list[float] = []
    changed = 0
    begun = time.perf_counter()

    async def user(number: int) -> None:
        nonlocal changed
        random, turn = Random(number), 0
        while time.perf_counter() - begun < seconds:
            if pace:
                turn += 1
                await asyncio.sleep(max(0, begun + (turn * count + number) / pace - time.perf_counter()))
            at = random.randrange(len(mine[number]))
            case = mine[number][at]
            start = time.perf_counter()
            try:
                move = random.choice(MOVES[case.state])
                mine[number][at] = await cases.move(clerks[number], case.id, move, expected_version=case.version)
            except CaseChanged:
                changed += 1
                mine[number][at] = await cases.get(clerks[number], case.id)
            waited.append(time.perf_counter() - start)

    await asyncio.gather(*(user(number) for number in range(count)))
    told(f"move.{name}.users_{count}", waited)
    print(f"move.{name}.per_s {len(waited) / (time.perf_counter() - begun):.0f} ({changed} met somebody quicker)")


async def bench_opens(cases: Cases, seconds: float) -> None:
    """Sixteen users open cases of one type, whose numbers follow each other."""

    def opening(random: Random) -> tuple[Actor, Opening]:
        department = random.randrange(DEPARTMENTS)
        place, what = random.choice(PLACES.split()), random.choice(WHATS.split())
        text = TEXT.format(place=place, number=random.randrange(300), what=what)
        made = Opening(
            type="type_00", title=f"{place}{what}", department=department_of(department), fields={"text": text}
        )
        return clerk(department, 0), made

    begun = time.perf_counter()
    waited = await users(16, seconds, lambda r: cases.open(*opening(r)))
    told("open.users_16", waited)
    print(f"open.per_s {len(waited) / (time.perf_counter() - begun):.0f}")


async def explain(db: Database, cases: Cases) -> None:
    """How PostgreSQL answers each question."""
    for name, ask in {**LISTS, **SEARCHES}.items():
        who, query = ask(Random(5))
        made = Ask(query, where(query, NOW), seen(who), tuple(asked(query.words)))
        text, params = question(made)
        print(f"--- {name} {query}")
        for (line,) in await db.rows(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {text}", params):
            print(line)


async def main() -> None:
    """Fill when there is nothing yet, then measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=Path("/dev/shm/bench-cases"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", default="")
    parser.add_argument("--explain", action="store_true")
    given = parser.parse_args()
    db = await Database.open(Settings(data=given.data))
    try:
        await migrate(db, {})
        if not (await db.read("SELECT count(*) FROM case_type", as_=int))[0]:
            await fill(db, given.cases)
        cases = Cases(db, CaseTypes(db), utc_now)
        cases.hooks.watchers.append(audited)
        if given.explain:
            await explain(db, cases)
            return
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "lists": lambda: bench_lists(cases, given.seconds),
            "rights": lambda: bench_rights(cases, given.seconds),
            "counts": lambda: bench_counts(cases, given.seconds),
            "moves": lambda: bench_moves(cases, given.seconds, "full_speed", 16, None),
            "pace": lambda: bench_moves(cases, given.seconds, "at_200_a_second", 16, 200),
            "opens": lambda: bench_opens(cases, given.seconds),
        }
        for name, part in parts.items():
            if name.startswith(given.only):
                await part()
    finally:
        await db.close()


if __name__ == "__main__":
    asyncio.run(main())
