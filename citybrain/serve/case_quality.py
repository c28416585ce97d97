# SPDX-License-Identifier: Apache-2.0
"""Routes for how good the work was: ratings, bad ones that somebody looks into, samples that reviewers look at."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.kernel.access import Actor
from citybrain.kernel.cases.drawing import Drawn, Plan
from citybrain.kernel.cases.rating_desk import write_down
from citybrain.kernel.cases.ratings import FollowUp, Given, Rating, Result
from citybrain.kernel.cases.rights import ASSIGN, VIEW, WORK
from citybrain.kernel.cases.sampling import Opinion, Review, Sample, Verdict
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Invalid
from citybrain.kernel.store import Store

AnyRequest = Request[Any, Any, Any]


class TimesWithoutZone(Invalid):
    """Times of which nobody knows when they are."""


class NewRating(Given, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says who asked, as a clerk writes it down."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What following up a bad rating came to."""

    result: Result
    note: str


class NewPlan(Plan, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to draw."""


class NewOpinion(Opinion, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer found."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many cases which would be drawn."""

    population: int
    drawn: Sequence[Drawn]


class ReviewSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A review with what its case is called, if its reader may see that."""

    sample_id: int
    case_id: int
    stratum: str
    reviewer: str | None
    verdict: Verdict | None
    scores: Mapping[str, int]
    note: str
    reviewed_at: datetime | None
    number: str | None = None
    title: str | None = None


class SampleSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A sample with its reviews."""

    sample: Sample
    reviews: Sequence[ReviewSeen]


@post("/api/cases/{id:int}/rating", opt={"permission": WORK}, status_code=201)
async def rate(state: State, request: AnyRequest, id: FromPath[int], data: JSONBody[NewRating]) -> Rating:
    """Write down what somebody says who asked; not of one's own work."""
    store: Store = state.store
    case = await store.cases.get(request.state.actor, id)
    type = await store.cases.types.get(case.type, case.type_version)
    return await write_down(store.casework.ratings, request.state.actor, case, type, data, now=utc_now())


@get("/api/follow-ups", opt={"permission": WORK})
async def follow_ups(state: State, request: AnyRequest, done: FromQuery[bool] = False) -> Sequence[FollowUp]:
    """Bad ratings that wait to be looked into, the soonest due first, or those that are done."""
    store: Store = state.store
    return await store.casework.ratings.follow_ups(request.state.actor, done=done)


@post("/api/follow-ups/{case_id:int}/{round:int}/take", opt={"permission": WORK}, status_code=204)
async def take(state: State, request: AnyRequest, case_id: FromPath[int], round: FromPath[int]) -> None:
    """Begin to look into a bad rating."""
    store: Store = state.store
    await store.casework.ratings.take(request.state.actor, case_id, round)


@post("/api/follow-ups/{case_id:int}/{round:int}/result", opt={"permission": WORK}, status_code=204)
async def finish(
    state: State, request: AnyRequest, case_id: FromPath[int], round: FromPath[int], data: JSONBody[Finding]
) -> None:
    """Say what following up came to."""
    store: Store = state.store
    await store.casework.ratings.finish(
        request.state.actor, case_id, round, result=data.result, note=data.note, now=utc_now()
    )


@post("/api/samples/preview", opt={"permission": ASSIGN}, status_code=200)
async def preview(state: State, request: AnyRequest, data: JSONBody[NewPlan]) -> Preview:
    """What a plan would draw; nothing is written."""
    store: Store = state.store
    population, drawn = await store.casework.sampling.preview(request.state.actor, _zoned(data))
    return Preview(population=population, drawn=drawn)


@post("/api/samples", opt={"permission": ASSIGN}, status_code=201)
async def draw(state: State, request: AnyRequest, data: JSONBody[NewPlan]) -> Sample:
    """Draw a sample and give its cases to reviewers."""
    store: Store = state.store
    return await store.casework.sampling.draw(request.state.actor, _zoned(data), now=utc_now())


def _zoned(plan: Plan) -> Plan:
    if plan.since.tzinfo is None or plan.until.tzinfo is None:
        raise TimesWithoutZone("serve.times_without_zone", {"names": ["since", "until"]})
    return plan


@get("/api/samples", opt={"permission": ASSIGN})
async def samples(state: State, request: AnyRequest) -> Sequence[Sample]:
    """The newest samples first: one's own, or everybody's."""
    store: Store = state.store
    return await store.casework.sampling.samples(request.state.actor)


@get("/api/samples/{id:int}", opt={"permission": ASSIGN})
async def sample(state: State, request: AnyRequest, id: FromPath[int]) -> SampleSeen:
    """A sample and what its reviewers found."""
    store: Store = state.store
    actor: Actor = request.state.actor
    found = await store.casework.sampling.sample(actor, id)
    reviews = await store.casework.sampling.reviews(actor, id)
    return SampleSeen(sample=found, reviews=await _seen(store, actor, reviews))


@get("/api/reviews", opt={"permission": VIEW})
async def reviews(state: State, request: AnyRequest) -> Sequence[ReviewSeen]:
    """The reviews that one has to do."""
    store: Store = state.store
    actor: Actor = request.state.actor
    return await _seen(store, actor, await store.casework.sampling.to_do(actor), to_review=True)


async def _seen(store: Store, actor: Actor, reviews: Sequence[Review], *, to_review: bool = False) -> list[ReviewSeen]:
    cases = await store.cases.finding.those(actor, {each.case_id for each in reviews}, to_review=to_review)
    found = [ReviewSeen(**msgspec.structs.asdict(each)) for each in reviews]
    return [
        msgspec.structs.replace(each, number=case.number, title=case.title) if case else each
        for each, case in ((each, cases.get(each.case_id)) for each in found)
    ]


@post("/api/reviews/{sample_id:int}/{case_id:int}", opt={"permission": VIEW}, status_code=204)
async def review(
    state: State, request: AnyRequest, sample_id: FromPath[int], case_id: FromPath[int], data: JSONBody[NewOpinion]
) -> None:
    """Say what one found, once."""
    store: Store = state.store
    await store.casework.sampling.review(request.state.actor, sample_id, case_id, data, now=utc_now())


ROUTES = (rate, follow_ups, take, finish, preview, draw, samples, sample, reviews, review)
