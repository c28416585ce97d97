# SPDX-License-Identifier: Apache-2.0
"""Ratings at the end of a case (好差评): a first one, one additional, and what becomes of bad ones."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import reach, require
from citybrain.kernel.audit import record
from citybrain.kernel.audit.recording import MACHINE, Acting
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.lengths import Length, Unit, after
from citybrain.kernel.cases.rights import WORK
from citybrain.kernel.cases.satisfaction import RatingChannel, Satisfaction
from citybrain.kernel.db import Database, Transaction, to_json
from citybrain.kernel.errors import Conflict, Invalid, NotFound

REMARK_LENGTH = 2_000
INDICATORS = 20
ROUNDS = 2


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    rating_lock: str
    ratings_of: str
    rating_insert: str
    ratings_insert: str
    unrated: str
    follow_up_insert: str
    follow_ups: str
    follow_up_of: str
    follow_up_take: str
    follow_up_done: str
    ratings_counted: str


SQL = sql.load(Path(__file__).with_name("queries_ratings.sql"), Sql)


class RatingRefused(Conflict):
    """This case cannot be rated now: it is not closed, its type has no rating, or both ratings were given."""


class RatingUnusable(Invalid):
    """More words than can be taken, or a rating for nothing."""


class NoSuchFollowUp(NotFound):
    """There is no such bad rating to look into, or somebody else does, or it is done."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How long a case can be rated after it was closed and rated again; within what bad ratings are looked into.

    Parameters of a city: the national rules ask for a return call to every bad rating and name no number of days.
    """

    rate_within: timedelta = timedelta(days=30)
    again_within: timedelta = timedelta(days=30)
    follow_up_within: Length = Length(1, Unit.WORKING_DAYS)


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says. `indicators` are codes of what was good or bad about it."""

    satisfaction: Satisfaction
    channel: RatingChannel
    indicators: tuple[str, ...] = ()
    remark: str = ""


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """A rating of a case: round 1 is the first, 2 the additional one (追评)."""

    case_id: int
    round: int
    satisfaction: Satisfaction
    indicators: tuple[str, ...]
    remark: str
    channel: RatingChannel
    by_default: bool
    department: str
    rated_at: datetime


class Result(StrEnum):
    """What following up a bad rating came to."""

    RESOLVED = "resolved"
    EXPLAINED = "explained"
    UNFOUNDED = "unfounded"
    UNREACHED = "unreached"


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """A bad rating that somebody must look into."""

    case_id: int
    round: int
    department: str
    opened_at: datetime
    due_at: datetime
    taken_by: str | None
    done_at: datetime | None
    result: str
    note: str
    satisfaction: Satisfaction
    remark: str
    number: str
    title: str


class RatingCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases of a department were rated so."""

    department: str
    satisfaction: Satisfaction
    by_default: bool
    count: int


RatingWatcher = Callable[[Transaction, Sequence[Rating]], Awaitable[None]]
"""Told of ratings inside the transaction that writes them."""


class Rated(msgspec.Struct, frozen=True, kw_only=True):
    """A case of a type that is rated. `answered_at` is for one that may be rated once answered, before it is closed."""

    case: Case
    type: CaseType
    answered_at: datetime | None = None

    @property
    def ended_at(self) -> datetime | None:
        """Since when it may be rated; None while it may not."""
        return self.case.closed_at if self.case.phase is Phase.CLOSED else self.answered_at


class Ratings:
    """The ratings of one city. `watchers` are told of each in its transaction."""

    def __init__(self, db: Database, terms: Terms | None = None) -> None:
        self._db = db
        self._terms = terms or Terms()
        self.watchers: list[RatingWatcher] = []

    async def rate(self, case: Case, type: CaseType, given: Given, *, by: Acting, now: datetime) -> Rating:
        """Rate a case; that `by` is who asked, is for the caller to know. Refuses `RatingRefused`.

        A bad one goes to the follow-up queue of the department that had the case.
        """
        async with self._db.transaction() as transaction:
            return await self.rate_within(transaction, Rated(case=case, type=type), given, by=by, now=now)

    async def rate_within(
        self, transaction: Transaction, rated: Rated, given: Given, *, by: Acting, now: datetime
    ) -> Rating:
        """The same in a transaction that writes other things too."""
        _check(given)
        case = rated.case
        await transaction.rows(SQL.rating_lock, {"case_id": case.id})
        before = await transaction.read(SQL.ratings_of, {"case_id": case.id}, as_=Rating)
        self._check_time(rated, before, now)
        rating = _rating(case, given, len(before) + 1, now)
        await self._write(transaction, rating, by)
        return rating

    async def take_over(self, transaction: Transaction, ratings: Sequence[Rating]) -> None:
        """Write down ratings that were given in another system: nobody need look into the bad ones any more."""
        rows = [{**msgspec.structs.asdict(each), "indicators": list(each.indicators)} for each in ratings]
        if rows:
            await transaction.write(SQL.ratings_insert, {"ratings": to_json(rows).decode()})
            for watcher in self.watchers:
                await watcher(transaction, ratings)

    def _check_time(self, rated: Rated, before: Sequence[Rating], now: datetime) -> None:
        facts = {"number": rated.case.number}
        ended_at = rated.ended_at
        if not rated.type.rating or ended_at is None:
            raise RatingRefused("kernel.case_not_rated_now", facts)
        if len(before) >= ROUNDS:
            raise RatingRefused("kernel.case_rated_already", facts)
        # One that was given by default does not take away the time for one's own.
        since = before[0].rated_at if before else ended_at
        within = self._terms.again_within if before else self._terms.rate_within
        if now > since + within:
            raise RatingRefused("kernel.case_rated_too_late", {**facts, "days": within.days})

    async def _write(self, transaction: Transaction, rating: Rating, by: Acting) -> None:
        params = {**msgspec.structs.asdict(rating), "indicators": list(rating.indicators)}
        await transaction.write(SQL.rating_insert, params)
        if rating.satisfaction.is_bad:
            due_at = after(rating.rated_at, self._terms.follow_up_within)
            await transaction.write(SQL.follow_up_insert, {**params, "opened_at": rating.rated_at, "due_at": due_at})
        facts = {"round": rating.round, "satisfaction": rating.satisfaction}
        await record(
            transaction,
            actor=by,
            act="case.rate",
            object=f"case:{rating.case_id}",
            facts=facts,
            department=rating.department,
        )
        for watcher in self.watchers:
            await watcher(transaction, (rating,))

    async def of_case(self, case_id: int) -> list[Rating]:
        """The ratings of a case, the first one first."""
        return await self._db.read(SQL.ratings_of, {"case_id": case_id}, as_=Rating)

    async def rate_by_default(
        self, cases: Sequence[Case], satisfaction: Satisfaction = Satisfaction.SATISFIED, *, now: datetime
    ) -> int:
        """Rate those for whom nobody said anything in time; told apart from what people said. Answers with how many."""
        count = 0
        given = Given(satisfaction=satisfaction, channel=RatingChannel.BY_DEFAULT)
        for case in cases:
            async with self._db.transaction() as transaction:
                await transaction.rows(SQL.rating_lock, {"case_id": case.id})
                if await transaction.read(SQL.ratings_of, {"case_id": case.id}, as_=Rating):
                    continue
                await self._write(transaction, _rating(case, given, 1, now), MACHINE)
                count += 1
        return count

    async def unrated(self, types: Sequence[str], *, now: datetime, limit: int = 500) -> list[int]:
        """Cases that were closed so long ago that their first rating can no longer be given, and that have none."""
        before = now - self._terms.rate_within
        params = {"types": list(types), "before": before, "since": before - timedelta(days=30), "limit": limit}
        return await self._db.read(SQL.unrated, params, as_=int)

    async def follow_ups(self, actor: Actor, *, done: bool = False, limit: int = 200) -> list[FollowUp]:
        """Bad ratings that wait, the soonest due first; only those of departments whose cases the actor works on."""
        require(actor, WORK)
        found = reach(actor, WORK)
        departments = None if found.all else sorted(found.departments)
        params = {"departments": departments, "done": done, "limit": limit}
        return await self._db.read(SQL.follow_ups, params, as_=FollowUp)

    async def take(self, actor: Actor, case_id: int, round: int) -> None:
        """Begin to look into a bad rating."""
        async with self._db.transaction() as transaction:
            key = {"case_id": case_id, "round": round}
            await self._reached(transaction, actor, key)
            if not await transaction.write(SQL.follow_up_take, {**key, "by": actor.account}):
                raise NoSuchFollowUp("kernel.no_such_follow_up", key)

    async def finish(self, actor: Actor, case_id: int, round: int, *, result: Result, note: str, now: datetime) -> None:
        """Say what following up came to."""
        if not note.strip():
            raise RatingUnusable("kernel.follow_up_without_note", {})
        async with self._db.transaction() as transaction:
            key = {"case_id": case_id, "round": round}
            department = await self._reached(transaction, actor, key)
            params = {**key, "by": actor.account, "at": now, "result": result, "note": note[:REMARK_LENGTH]}
            if not await transaction.write(SQL.follow_up_done, params):
                raise NoSuchFollowUp("kernel.no_such_follow_up", key)
            await record(
                transaction,
                actor=actor,
                act="case.follow_up",
                object=f"case:{case_id}",
                facts={"round": round, "result": result},
                department=department,
            )

    async def _reached(self, transaction: Transaction, actor: Actor, key: dict[str, int]) -> str:
        """The department of a bad rating that the actor may look into; others are not there for them."""
        found = await transaction.read(SQL.follow_up_of, key, as_=str)
        if not found or not reach(actor, WORK).covers(found[0]):
            raise NoSuchFollowUp("kernel.no_such_follow_up", key)
        return found[0]

    async def counted(self, *, since: datetime, until: datetime) -> list[RatingCount]:
        """How often each level was given, by department: the last rating of each case."""
        return await self._db.read(SQL.ratings_counted, {"since": since, "until": until}, as_=RatingCount)


def _check(given: Given) -> None:
    if len(given.remark) > REMARK_LENGTH or len(given.indicators) > INDICATORS:
        raise RatingUnusable("kernel.rating_too_long", {"limit": REMARK_LENGTH})


def _rating(case: Case, given: Given, round: int, now: datetime) -> Rating:
    return Rating(
        case_id=case.id,
        round=round,
        satisfaction=given.satisfaction,
        indicators=given.indicators,
        remark=given.remark,
        channel=given.channel,
        by_default=given.channel is RatingChannel.BY_DEFAULT,
        department=case.department,
        rated_at=now,
    )
