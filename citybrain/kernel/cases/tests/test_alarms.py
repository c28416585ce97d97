# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from citybrain.kernel.access.policy import Department, Membership, Policy, Snapshot
from citybrain.kernel.cases.alarms import Alarms
from citybrain.kernel.cases.case import Case, MoveFacts, Verb
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.deadlines import keep_time
from citybrain.kernel.cases.holidays import holidays_event, missing_year
from citybrain.kernel.cases.notices import Notices
from citybrain.kernel.cases.roster import OfMemberships, recipients
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, ROADS, TICKET, Clock, Tree, pothole
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.i18n import load_words

TIMED = replace(
    TICKET,
    id="timed",
    deadlines=(
        {
            "name": "answer",
            "within": "10h",
            "warn": ["80%"],
            "escalate": [{"to": ["role:head"]}, {"to": ["account:mayor"], "after": "1d"}],
        },
    ),
)


class People:
    """Who is in the roads department."""

    def holders(self, department: str, role: str | None, now: datetime) -> Sequence[str]:
        return {None: ["li", "wang"], "head": ["zhao"]}.get(role, []) if department == "roads" else []


class City:
    """A case engine whose clocks ring."""

    def __init__(self, db: Database) -> None:
        self.clock = Clock()
        self.cases = Cases(db, CaseTypes(db), self.clock, Tree())
        self.notices = Notices(db, KeyRing.new(now=NOON), ways={}, link=str, words=load_words())
        self.alarms = Alarms(db, self.cases, self.notices, People())
        self.cases.hooks.planners.append(keep_time)
        self.cases.hooks.watchers.append(self.alarms.watch)

    async def open(self, **facts: object) -> Case:
        self.clock.at = NOON
        return await self.cases.open(ROADS, pothole(type="timed", **facts))

    async def told(self, person: str) -> list[str]:
        return [each.topic for each in await self.notices.desk(person)]


@pytest.fixture
async def city(db: Database) -> City:
    await db.write("DELETE FROM notice")
    await db.write("DELETE FROM case_alarm")
    city = City(db)
    await city.cases.types.put(TIMED, by="city", now=NOON - timedelta(days=1))
    return city


async def test_a_warning_comes_before_and_others_are_told_afterwards_each_once(city: City) -> None:
    case = await city.open(assignee="li")
    assert case.due_at == case.created_at + timedelta(hours=10)
    assert await city.alarms.ring(now=NOON + timedelta(hours=7)) == 0
    assert await city.alarms.ring(now=NOON + timedelta(hours=8, minutes=1)) == 1
    assert await city.alarms.ring(now=NOON + timedelta(hours=8, minutes=2)) == 0
    warned = await city.cases.get(ROADS, case.id)
    assert warned.warned_at == NOON + timedelta(hours=8, minutes=1)
    assert await city.told("li") == ["case.warning"]
    assert await city.alarms.ring(now=NOON + timedelta(days=1)) == 1
    assert await city.told("zhao") == ["case.late"]
    assert await city.alarms.ring(now=NOON + timedelta(days=2)) == 1
    assert await city.told("mayor") == ["case.late"]
    history = await city.cases.history(ROADS, case.id)
    assert [event.verb for event in history] == [Verb.OPEN, Verb.PLAN, Verb.PLAN, Verb.PLAN]
    assert [event.facts.get("told") for event in history[1:]] == [["li"], ["zhao"], ["mayor"]]


async def test_a_case_that_nobody_has_is_told_to_the_heads_of_its_department(city: City) -> None:
    await city.open()
    await city.alarms.ring(now=NOON + timedelta(hours=9))
    assert await city.told("zhao") == ["case.warning"]


async def test_two_who_ring_at_once_tell_nobody_twice(city: City) -> None:
    for _ in range(5):
        await city.open(assignee="li")
    rung = await asyncio.gather(*(city.alarms.ring(now=NOON + timedelta(hours=9)) for _ in range(4)))
    assert sum(rung) == 5
    assert len(await city.told("li")) == 5


async def test_what_was_not_told_when_the_city_died_is_told_after_it_came_back(city: City, db: Database) -> None:
    await city.open(assignee="li")

    async def dies(*_: object) -> None:
        raise RuntimeError

    city.cases.hooks.watchers.append(dies)
    assert await city.alarms.ring(now=NOON + timedelta(hours=9)) == 0
    assert await city.told("li") == []
    again = City(db)
    assert await again.alarms.ring(now=NOON + timedelta(hours=9, minutes=9)) == 0
    assert await again.alarms.ring(now=NOON + timedelta(hours=9, minutes=11)) == 1
    assert await again.told("li") == ["case.warning"]


async def test_a_suspended_or_finished_case_warns_nobody_and_goes_on_with_what_was_left(city: City) -> None:
    case = await city.open()
    case = await city.cases.move(ROADS, case.id, "accept", MoveFacts())
    city.clock.at = NOON + timedelta(hours=4)
    case = await city.cases.move(ROADS, case.id, "wait", MoveFacts(reason="parts"))
    assert case.due_at is None
    assert await city.alarms.ring(now=NOON + timedelta(days=5)) == 0
    city.clock.at = NOON + timedelta(days=5)
    case = await city.cases.move(ROADS, case.id, "go_on", MoveFacts())
    assert case.due_at is not None
    assert abs(case.due_at - (NOON + timedelta(days=5, hours=6))) < timedelta(minutes=1)
    assert await city.alarms.ring(now=NOON + timedelta(days=5, hours=4, minutes=1)) == 1
    city.clock.at = NOON + timedelta(days=5, hours=5)
    done = MoveFacts(answer="done", fields={"cause": "rain"})
    await city.cases.move(ROADS, case.id, "finish", done)
    assert await city.alarms.ring(now=NOON + timedelta(days=9)) == 0


async def test_alarms_that_rang_stay_in_the_record(city: City) -> None:
    case = await city.open(assignee="li")
    await city.alarms.ring(now=NOON + timedelta(hours=9))
    found = await city.alarms.of_case(case.id)
    assert [(each.kind, each.rung_at is not None) for each in found] == [
        ("warn", True),
        ("escalate", False),
        ("escalate", False),
    ]


def test_the_roster_goes_by_memberships_posts_and_successors() -> None:
    snapshot = Snapshot(
        departments={
            "city": Department(id="city"),
            "roads": Department(id="roads", parent="city"),
            "old": Department(id="old", parent="city", dissolved_at=NOON, successor="roads"),
        },
        posts={"chief": ("head",)},
        memberships=(
            Membership(account="li", department="roads", begins_at=NOON, role="clerk"),
            Membership(account="zhao", department="roads", begins_at=NOON, post="chief"),
            Membership(account="sun", department="old", begins_at=NOON, role="clerk"),
            Membership(account="boss", department="city", begins_at=NOON, role="head", below=True),
            Membership(account="gone", department="roads", begins_at=NOON, ends_at=NOON, role="clerk"),
        ),
    )
    roster = OfMemberships(lambda: Policy(snapshot))
    assert roster.holders("roads", "head", NOON) == ["boss", "zhao"]
    assert roster.holders("roads", None, NOON) == ["li", "sun", "zhao"]
    assert roster.holders("roads", "clerk", NOON) == ["li", "sun"]
    case = Case(
        id=1,
        number="1",
        type="t",
        type_version=1,
        state="new",
        phase="open",  # type: ignore[arg-type]
        title="",
        department="roads",
        opened_by="wang",
        created_at=NOON,
        changed_at=NOON,
    )
    assert recipients(case, ("opener", "role:clerk", "account:li"), roster, NOON) == ["wang", "li", "sun"]
    assert recipients(case, ("department:city", "department"), roster, NOON) == ["boss", "zhao"]


def test_a_year_without_holidays_is_told_a_month_before() -> None:
    known = datetime(2025, 6, 1, tzinfo=UTC)
    assert missing_year(known) is None
    assert holidays_event(known) is None
    assert missing_year(datetime(2098, 11, 30, tzinfo=UTC)) == 2098
    event = holidays_event(datetime(2099, 1, 1, tzinfo=UTC))
    assert event
    assert (event.id, event.because.facts) == ("holidays-2099", {"year": 2099})


def test_the_warning_comes_neither_later_nor_much_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("citybrain.kernel.cases.holidays.is_known", lambda year: year < 2030)
    assert missing_year(datetime(2029, 11, 30, tzinfo=UTC)) is None
    assert missing_year(datetime(2029, 12, 1, tzinfo=UTC)) == 2030
    sooner = holidays_event(datetime(2029, 12, 1, tzinfo=UTC))
    later = holidays_event(datetime(2030, 1, 2, tzinfo=UTC))
    assert sooner
    assert later
    assert (sooner.id, sooner.severity, later.severity) == (later.id, "IV", "III")
