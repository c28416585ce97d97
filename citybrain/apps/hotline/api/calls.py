# SPDX-License-Identifier: Apache-2.0
"""Routes of calls: what rings at a seat, taking it, putting it away, adding what is told to a ticket that is there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.apps.hotline.api.desk import Reveal, at_the_desk, hotline_of
from citybrain.apps.hotline.measure.promises import Calls
from citybrain.apps.hotline.model import Caller
from citybrain.apps.hotline.service import calls, desk
from citybrain.apps.hotline.service.calls import Known, Ringing
from citybrain.kernel.clock import utc_now

Asking = Request[Any, Any, Any]
DESK = {"permission": "hotline.desk"}


class Seat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where somebody sits: the word by which the telephone system calls the place; empty: their account's name."""

    seat: str = ""


class Addition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was told again, and on which call."""

    text: str
    call_id: int | None = None


class Added(msgspec.Struct, frozen=True):
    """The ticket that it was added to."""

    case_id: int
    number: str


@get("/api/hotline/calls", opt=DESK)
async def waiting(state: State, request: Asking, seat: FromQuery[str] = "") -> list[Ringing]:
    """What rings at a seat, and what it has not put away yet, the oldest first; numbers are masked."""
    at_the_desk(request)
    return await calls.waiting(hotline_of(state), seat or request.state.actor.name, utc_now())


@get("/api/hotline/calls/{call_id:int}", opt=DESK)
async def known(state: State, request: Asking, call_id: FromPath[int]) -> Known:
    """A call with what its number told before."""
    at_the_desk(request)
    return await calls.known(hotline_of(state), call_id)


@post("/api/hotline/calls/{call_id:int}/answer", opt=DESK, status_code=200)
async def answer(state: State, request: Asking, call_id: FromPath[int], data: JSONBody[Seat]) -> Known:
    """Take a call; refused when another seat was quicker."""
    at_the_desk(request)
    seat = data.seat or request.state.actor.name
    return await calls.answer(hotline_of(state), call_id, seat, now=utc_now())


@post("/api/hotline/calls/{call_id:int}/caller", opt={"permission": "hotline.callers"}, status_code=200)
async def reveal(state: State, request: Asking, call_id: FromPath[int], data: JSONBody[Reveal]) -> Caller:
    """The number of a call in clear; the reason stands in the audit log."""
    at_the_desk(request)
    return await calls.reveal(hotline_of(state), request.state.actor, call_id, data.reason)


@post("/api/hotline/calls/{call_id:int}/closing", opt=DESK, status_code=204)
async def close(state: State, request: Asking, call_id: FromPath[int], data: JSONBody[Seat]) -> None:
    """Put a call away that becomes no ticket."""
    at_the_desk(request)
    await calls.close(hotline_of(state), call_id, data.seat or request.state.actor.name, now=utc_now())


@get("/api/hotline/call-figures", opt={"permission": "hotline.figures"})
async def figures(
    state: State, since: FromQuery[datetime], until: FromQuery[datetime], within_s: FromQuery[float | None] = None
) -> Calls:
    """How many calls of a time were answered, and in time: as the type of case promises, or within so many seconds."""
    hotline = hotline_of(state)
    promised = await desk.promises(hotline, utc_now())
    if within_s is not None:
        promised = msgspec.structs.replace(promised, answer_within_s=within_s)
    return await desk.calls(hotline, since, until, promised)


@post("/api/hotline/tickets/{case_id:int}/additions", opt=DESK, status_code=200)
async def add_to(state: State, request: Asking, case_id: FromPath[int], data: JSONBody[Addition]) -> Added:
    """Add what somebody told to a ticket that is there, instead of opening it anew."""
    case = await calls.add_to(hotline_of(state), request.state.actor, case_id, data.text, call_id=data.call_id)
    return Added(case_id=case.id, number=case.number)


ROUTES: Sequence[Any] = (waiting, known, answer, reveal, close, figures, add_to)
