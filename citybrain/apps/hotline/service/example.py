# SPDX-License-Identifier: Apache-2.0
"""Made-up tickets for trying out: sixty days of a hotline, acted out in order of time by the usual verbs."""

import heapq
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random
from statistics import median

import msgspec

from citybrain.apps.hotline.model import Caller, Channel, Intake
from citybrain.apps.hotline.service.example_lives import EACH, LIVES, Life, Script, Step
from citybrain.apps.hotline.service.hotline import MACHINE, SEED, Hotline
from citybrain.apps.hotline.store import tickets
from citybrain.kernel.access.grants import NewMembership
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.departments import OfPolicy
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.errors import Conflict
from citybrain.kernel.store import Store

DAYS = 60
ALARM_EVERY = timedelta(hours=1)
# Calls of a day by hour, our own guess of a weekday.
BY_HOUR = (1, 1, 1, 1, 1, 2, 3, 6, 10, 12, 11, 9, 7, 8, 10, 11, 10, 8, 7, 7, 6, 4, 3, 2)
CHANNELS = {Channel.PHONE: 60, Channel.WEB: 22, Channel.APP: 15, Channel.EMAIL: 3}
CENTRE = (116.397, 39.908)
SPREAD = 0.03
PASSWORD_BYTES = 24
FLOODED = 6


class TicketsThere(Conflict):
    """The city has tickets: made-up ones among real ones are a mess, so one must say that it is meant."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: tickets by state, and how many acts that took."""

    tickets: int
    acts: int
    states: dict[str, int]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to make; with `more` also in a city that has tickets. Equal seeds give equal tickets."""

    tickets: int = 400
    seed: int = 1
    more: bool = False
    password: str = ""


async def make(
    hotline: Hotline, wanted: Wanted, *, now: datetime, tell: Callable[[datetime], None] = lambda _: None
) -> Made:
    """Fill a city with made-up tickets of the last sixty days, in all states, with callers, answers, ratings, calls.

    Refuses a city that has tickets unless `more` is wanted. Clerks of each department come with it, with the given
    password, else with one that nobody knows.
    """
    store = hotline.store
    if not wanted.more and await tickets.are_there(store.db):
        raise TicketsThere("hotline.tickets_there", {})
    await _hire(store, wanted.password or secrets.token_urlsafe(PASSWORD_BYTES), now - timedelta(days=DAYS + 1))
    stage = Stage(hotline, now - timedelta(days=DAYS), now)
    script = msgspec.json.decode((SEED / "example.json").read_bytes(), type=Script)
    acts = await stage.play(_lives(stage.hotline, script, Random(wanted.seed), wanted.tickets, now), now, tell)
    await hotline.refresh()
    return Made(tickets=wanted.tickets, acts=acts, states=await tickets.by_state(store.db))


class TypesOfToday(CaseTypes):
    """Types of cases as they are in force now, whatever time the story says it is."""

    def __init__(self, store: Store, now: datetime) -> None:
        super().__init__(store.db)
        self._now = now

    async def current(self, id: str, at: datetime) -> CaseType:
        """The one in force today."""
        return await super().current(id, max(at, self._now))


class Stage:
    """A hotline whose clock stands where the story is."""

    def __init__(self, hotline: Hotline, begins_at: datetime, now: datetime) -> None:
        store = hotline.store
        self._at = begins_at
        self._store = store
        self.hotline = Hotline(store, hotline.tree, hotline.rules)
        types = TypesOfToday(store, now)
        past = Cases(store.db, types, lambda: self._at, OfPolicy(lambda: store.access.policy))
        past.hooks, past.check_form = store.cases.hooks, store.cases.check_form
        self.hotline.cases = past

    async def play(self, lives: list[Iterator[Step]], until: datetime, tell: Callable[[datetime], None]) -> int:
        """Carry out every step of all lives in order of time, up to a time; answers with how many."""
        order = count()
        waiting: list[tuple[datetime, int, Step, Iterator[Step]]] = []
        for life in lives:
            _push(waiting, next(order), life)
        acts, day, rung_at = 0, self._at.date(), self._at
        while waiting and waiting[0][0] <= until:
            self._at, _, step, life = heapq.heappop(waiting)
            if self._at - rung_at >= ALARM_EVERY:
                await self._store.casework.alarms.ring(now=self._at)
                rung_at = self._at
            await step.act()
            acts += 1
            _push(waiting, next(order), life)
            if self._at.date() != day:
                day = self._at.date()
                tell(self._at)
        return acts


def _push(waiting: list[tuple[datetime, int, Step, Iterator[Step]]], order: int, life: Iterator[Step]) -> None:
    step = next(life, None)
    if step is not None:
        heapq.heappush(waiting, (step.at, order, step, life))


def _lives(hotline: Hotline, script: Script, chance: Random, number: int, now: datetime) -> list[Iterator[Step]]:
    """So many lives: first one of each kind, timed so that it ends where it should, then by chance."""
    centre = _centre(hotline)
    places = [
        (name, centre[0] + chance.gauss(0, SPREAD), centre[1] + chance.gauss(0, SPREAD)) for name in script.places
    ]
    leaves = list(script.texts)
    found: list[Iterator[Step]] = []
    kinds, weights = list(LIVES), [LIVES[kind][1] for kind in LIVES]
    for at in range(number):
        kind, ago = EACH[at] if at < len(EACH) else (chance.choices(kinds, weights)[0], None)
        created_at = now - ago if ago else _time(chance, now)
        category, place = chance.choice(leaves), places[min(int(chance.expovariate(0.12)), len(places) - 1)]
        if len(EACH) <= at < len(EACH) + FLOODED:
            kind, category, place = "usual", "water.drain.flood", places[2]
            created_at = now - timedelta(minutes=chance.randint(5, 100))
        intake = _intake(script, chance, category, place, at)
        found.append(LIVES[kind][0](Life(hotline, script, Random(chance.random()), intake, created_at)))
    return found


def _time(chance: Random, now: datetime) -> datetime:
    day = now - timedelta(days=chance.randint(0, DAYS - 1))
    hour = chance.choices(range(24), BY_HOUR)[0]
    at = day.replace(hour=(hour - 8) % 24, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0)
    return at if at < now else at - timedelta(days=1)


def _centre(hotline: Hotline) -> tuple[float, float]:
    """The middle of what the pool knows the place of; a city without places gets one."""
    known = hotline.places.places
    if not known:
        return CENTRE
    return median(each.longitude for each in known), median(each.latitude for each in known)


def _intake(script: Script, chance: Random, category: str, place: tuple[str, float, float], number: int) -> Intake:
    name, longitude, latitude = place
    what = chance.choice(script.texts[category])
    text = chance.choice(
        (f"{name}{what}，{chance.choice(script.wishes)}", f"我住在{name}附近，{what}。", f"{name}：{what}")
    )
    channel = chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]
    anonymous = channel is not Channel.PHONE and chance.random() < 0.4
    who = f"{chance.choice(script.surnames)}{chance.choice(script.givens)}"
    caller = Caller() if anonymous else Caller(name=who, phone=f"19900{chance.randrange(10**6):06}")
    return Intake(
        text=text,
        channel=channel,
        caller=caller,
        category=category,
        longitude=longitude + chance.gauss(0, 0.001),
        latitude=latitude + chance.gauss(0, 0.001),
        address=name,
        public=channel is not Channel.PHONE or chance.random() < 0.5,
    )


async def _hire(store: Store, password: str, since: datetime) -> None:
    """A clerk and a head for each department that still exists, who were there from the beginning."""
    known = {each.name for each in await store.access.accounts.all()}
    hired = HIRING
    for department in store.access.policy.snapshot.departments.values():
        for role in ("clerk", "head"):
            name = f"{department.id}.{role}"
            if department.dissolved_at or name in known:
                continue
            shown = f"{department.name.get('zh', department.id)}{TITLES[role]}"
            await store.access.accounts.open(hired, name, password, shown_name=shown, now=since)
            new = NewMembership(account=name, department=department.id, role=role, begins_at=since)
            await store.access.grants.give(hired, new, now=since)


TITLES = {"clerk": "经办", "head": "负责人"}
HIRING = msgspec.structs.replace(
    MACHINE, rights={each: MACHINE.rights["case.view"] for each in ("people.accounts", "people.grants")}
)
