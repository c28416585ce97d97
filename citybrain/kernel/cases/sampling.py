# SPDX-License-Identifier: Apache-2.0
"""Review of quality: samples of closed cases, and what reviewers found."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import reach, require
from citybrain.kernel.audit import record
from citybrain.kernel.cases.drawing import Candidate, Drawn, Plan, check_plan, draw
from citybrain.kernel.cases.rights import ASSIGN
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid, NotFound

NOTE_LENGTH = 4_000
SCORES = range(101)


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    population: str
    sample_insert: str
    review_insert: str
    reviews_of: str
    reviews_by: str
    review_done: str
    samples: str
    sample_of: str


SQL = sql.load(Path(__file__).with_name("queries_sampling.sql"), Sql)


class NoSuchSample(NotFound):
    """There is no such sample, or somebody else drew it."""


class NoSuchReview(NotFound):
    """The actor has no such review to do."""


class ReviewUnusable(Invalid):
    """Scores out of 0 to 100, or too many words."""


class Verdict(StrEnum):
    """What a review found."""

    GOOD = "good"
    ACCEPTABLE = "acceptable"
    FAULTY = "faulty"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A sample that was drawn."""

    id: int
    plan: Plan
    population: int
    drawn_by: str
    drawn_at: datetime


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """A case of a sample and what was found; `scores` by indicator, of 100."""

    sample_id: int
    case_id: int
    stratum: str
    reviewer: str | None
    verdict: Verdict | None
    scores: Mapping[str, int]
    note: str
    reviewed_at: datetime | None


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer says of a case; scores from 0 to 100."""

    verdict: Verdict
    scores: Mapping[str, int] = {}
    note: str = ""


class Sampling:
    """The samples of one city."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def preview(self, actor: Actor, plan: Plan) -> tuple[int, list[Drawn]]:
        """What a plan would draw: the number of cases to draw from, and the sample. Only of departments reached."""
        require(actor, ASSIGN)
        check_plan(plan)
        found = reach(actor, ASSIGN)
        asked = frozenset(plan.departments)
        reached = asked or None if found.all else (asked & found.departments if asked else found.departments)
        params = {
            "since": plan.since,
            "until": plan.until,
            "types": list(plan.types) or None,
            "departments": None if reached is None else sorted(reached),
            "categories": list(plan.categories) or None,
        }
        population = await self._db.read(SQL.population, params, as_=Candidate)
        return len(population), draw(plan, population)

    async def draw(self, actor: Actor, plan: Plan, *, now: datetime) -> Sample:
        """Draw a sample and give its cases to reviewers. Drawn again with the same plan it is the same."""
        population, drawn = await self.preview(actor, plan)
        async with self._db.transaction() as transaction:
            params = {"plan": plan, "population": population, "by": actor.account, "at": now}
            id = (await transaction.read(SQL.sample_insert, params, as_=int))[0]
            rows = [{**msgspec.structs.asdict(each), "sample_id": id} for each in drawn]
            await transaction.write_many(SQL.review_insert, rows)
            facts = {"population": population, "drawn": len(drawn), "seed": plan.seed}
            await record(transaction, actor=actor, act="case.sample", object=f"sample:{id}", facts=facts)
        return Sample(id=id, plan=plan, population=population, drawn_by=actor.account, drawn_at=now)

    async def samples(self, actor: Actor, *, limit: int = 100) -> list[Sample]:
        """The newest samples first: one's own, and for whoever assigns cases in the whole city everybody's."""
        require(actor, ASSIGN)
        return await self._db.read(SQL.samples, {"by": _drawn_by(actor), "limit": limit}, as_=Sample)

    async def sample(self, actor: Actor, id: int) -> Sample:
        """One of them; refuses `NoSuchSample`."""
        require(actor, ASSIGN)
        found = await self._db.read_one(SQL.sample_of, {"by": _drawn_by(actor), "id": id}, as_=Sample)
        if found is None:
            raise NoSuchSample("kernel.no_such_sample", {"id": id})
        return found

    async def reviews(self, actor: Actor, sample_id: int) -> list[Review]:
        """All reviews of a sample that the actor sees; refuses `NoSuchSample`."""
        await self.sample(actor, sample_id)
        return await self._db.read(SQL.reviews_of, {"sample_id": sample_id}, as_=Review)

    async def to_do(self, actor: Actor, *, limit: int = 200) -> list[Review]:
        """The reviews that the actor has to do."""
        return await self._db.read(SQL.reviews_by, {"reviewer": actor.account, "limit": limit}, as_=Review)

    async def review(self, actor: Actor, sample_id: int, case_id: int, found: Opinion, *, now: datetime) -> None:
        """Say what was found, once. Refuses `NoSuchReview` to everybody but the reviewer."""
        if len(found.note) > NOTE_LENGTH or any(score not in SCORES for score in found.scores.values()):
            raise ReviewUnusable("kernel.review_unusable", {})
        key = {"sample_id": sample_id, "case_id": case_id}
        params = {"verdict": found.verdict, "scores": dict(found.scores), "note": found.note, "at": now}
        async with self._db.transaction() as transaction:
            if not await transaction.write(SQL.review_done, {**key, **params, "reviewer": actor.account}):
                raise NoSuchReview("kernel.no_such_review", key)
            facts = {"sample": sample_id, "verdict": found.verdict}
            await record(transaction, actor=actor, act="case.review", object=f"case:{case_id}", facts=facts)


def _drawn_by(actor: Actor) -> str | None:
    """Whose samples somebody sees; None for all."""
    return None if reach(actor, ASSIGN).all else actor.account
