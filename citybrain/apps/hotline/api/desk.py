# SPDX-License-Identifier: Apache-2.0
"""Routes of the call desk: intake, suggestions, calls, callers, follow-ups, supervision, knowledge."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.apps.hotline.model import DESK, Caller, Intake, Receipt, Ticket
from citybrain.apps.hotline.service import desk, intake, suggesting
from citybrain.apps.hotline.service.desk import Call, FollowUp, PopUp
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.service.suggesting import Asked, Suggestion
from citybrain.apps.hotline.store import kept, tickets
from citybrain.apps.hotline.store.kept import Article, Edition
from citybrain.apps.hotline.store.tickets import Supervision
from citybrain.kernel.access import reach, require
from citybrain.kernel.cases.case import Case, Story
from citybrain.kernel.clock import utc_now

Asking = Request[Any, Any, Any]
FOLLOW_UPS = 200
ARTICLES = 20
ALL_ARTICLES = 500


class Reveal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody wants to see who told it."""

    reason: str


class Demand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a supervisor wants, and until when."""

    demand: str
    due_at: datetime


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with its history, its figures, who told it (masked) and the moves that this clerk may make."""

    story: Story
    ticket: Ticket | None
    caller: Caller
    moves: tuple[str, ...]


def hotline_of(state: State) -> Hotline:
    """The open hotline of this city."""
    found: Hotline = state.store.of_apps["hotline"]
    return found


def at_the_desk(request: Asking) -> None:
    """Refuse those who do not work in the hotline's own department: what is told there is of all departments."""
    require(request.state.actor, "hotline.desk", department=DESK)


@post("/api/hotline/tickets", opt={"permission": "hotline.desk"}, status_code=201)
async def take_in(state: State, request: Asking, data: JSONBody[Intake]) -> Receipt:
    """Take in what somebody told. With a known key it is the ticket which has that key."""
    return await intake.take(hotline_of(state), request.state.actor, data, now=utc_now())


@post("/api/hotline/suggest", opt={"permission": "hotline.desk"}, status_code=200)
async def suggest(state: State, request: Asking, data: JSONBody[Asked]) -> Suggestion:
    """Likely category, department, place, duplicates and answers, while the clerk types: for the desk itself, which
    must know of tickets that other departments have."""
    at_the_desk(request)
    return suggesting.suggest(hotline_of(state), data, now=utc_now())


@get("/api/hotline/tickets/{case_id:int}", opt={"permission": "case.view"})
async def one(state: State, request: Asking, case_id: FromPath[int]) -> Full:
    """A ticket with all that is told of it."""
    hotline, actor = hotline_of(state), request.state.actor
    case: Case = await desk.ticket(hotline, actor, case_id, to_review=True)
    rows = await tickets.by_ids(hotline.db, [case_id])
    return Full(
        story=await hotline.cases.story(actor, case_id),
        ticket=rows[0] if rows else None,
        caller=await desk.caller(hotline, actor, case_id),
        moves=tuple(move.name for move in await hotline.cases.moves(actor, case)),
    )


@get("/api/hotline/tickets/{case_id:int}/caller", opt={"permission": "case.view"})
async def caller(state: State, request: Asking, case_id: FromPath[int]) -> Caller:
    """Who told it, masked."""
    return await desk.caller(hotline_of(state), request.state.actor, case_id)


@post("/api/hotline/tickets/{case_id:int}/caller", opt={"permission": "hotline.callers"}, status_code=200)
async def reveal(state: State, request: Asking, case_id: FromPath[int], data: JSONBody[Reveal]) -> Caller:
    """Who told it, in clear; the reason stands in the audit log."""
    return await desk.reveal(hotline_of(state), request.state.actor, case_id, data.reason)


@post("/api/hotline/calls", opt={"permission": "hotline.desk"}, status_code=200)
async def ring(state: State, request: Asking, data: JSONBody[Call]) -> PopUp:
    """Note a call, and show what its number told before. The telephone system sends it again when it knows more."""
    at_the_desk(request)
    return await desk.ring(hotline_of(state), data)


@get("/api/hotline/follow-ups", opt={"permission": "hotline.desk"})
async def follow_ups(state: State, request: Asking) -> list[Ticket]:
    """Whom to call, the longest waiting first."""
    return await desk.follow_up_list(hotline_of(state), request.state.actor, utc_now(), limit=FOLLOW_UPS)


@post("/api/hotline/tickets/{case_id:int}/follow-up", opt={"permission": "hotline.desk"}, status_code=204)
async def follow_up(state: State, request: Asking, case_id: FromPath[int], data: JSONBody[FollowUp]) -> None:
    """Write down what a caller said when asked."""
    await desk.follow_up(hotline_of(state), request.state.actor, case_id, data, now=utc_now())


@post("/api/hotline/tickets/{case_id:int}/supervision", opt={"permission": "hotline.supervise"}, status_code=204)
async def supervise(state: State, request: Asking, case_id: FromPath[int], data: JSONBody[Demand]) -> None:
    """Demand that a ticket is finished by a time."""
    await desk.supervise(hotline_of(state), request.state.actor, case_id, data.demand, data.due_at, now=utc_now())


@get("/api/hotline/supervision", opt={"permission": "hotline.supervise"})
async def supervised(state: State, request: Asking) -> list[Supervision]:
    """What supervisors wait for in the departments that they supervise, the soonest due first."""
    return await tickets.supervisions(hotline_of(state).db, reach(request.state.actor, "hotline.supervise"))


@get("/api/hotline/knowledge", opt={"permission": "hotline.desk"})
async def knowledge(
    state: State, words: FromQuery[str] = "", kind: FromQuery[str] = "article", old: FromQuery[bool] = False
) -> Sequence[Article]:
    """Articles that fit words best; `kind` script: what clerks say. With `old` also those out of date, and more."""
    today, limit = (None, ALL_ARTICLES) if old else (utc_now().date(), ARTICLES)
    return await kept.articles(hotline_of(state).db, words, today, kind=kind, limit=limit)


@get("/api/hotline/knowledge/{id:int}/editions", opt={"permission": "hotline.desk"})
async def editions(state: State, id: FromPath[int]) -> Sequence[Edition]:
    """Everything that was saved of an article, the newest first."""
    return await kept.editions(hotline_of(state).db, id)


@post("/api/hotline/knowledge", opt={"permission": "hotline.knowledge"}, status_code=201)
async def write_article(state: State, request: Asking, data: JSONBody[Article]) -> dict[str, int]:
    """Write an article, or change one by its id."""
    by = request.state.actor.account
    return {"id": await kept.put_article(hotline_of(state).db, data, by=by, now=utc_now())}


ROUTES = (
    take_in,
    suggest,
    one,
    caller,
    reveal,
    ring,
    follow_ups,
    follow_up,
    supervise,
    supervised,
    knowledge,
    editions,
    write_article,
)
