# SPDX-License-Identifier: Apache-2.0
"""Routes for a person's own data: who looked at it, what was agreed to, taking it along, having it erased."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.access import Access, Actor, Kind
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Forbidden
from citybrain.kernel.privacy import Consent, Gone, Look, People
from citybrain.kernel.records import Json

AnyRequest = Request[Any, Any, Any]


class NotACitizen(Forbidden):
    """Only who signed in with an own phone number or e-mail address is known as a person."""


class Erasing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody wants their data erased; they need not say."""

    why: str = ""


async def _own(state: State, request: AnyRequest) -> tuple[People, list[bytes]]:
    access: Access = state.access
    actor: Actor = request.state.actor
    if actor.kind is not Kind.CITIZEN:
        raise NotACitizen("serve.not_a_citizen", {})
    people: People = state.store.people
    return people, await access.citizens.marks(actor.account)


@get("/api/own/looks", opt={"permission": "session.own"})
async def looks(state: State, request: AnyRequest) -> Sequence[Look]:
    """Who saw which of the person's own data in clear, what for and why."""
    people, marks = await _own(state, request)
    return await people.looks(marks)


@get("/api/own/consents", opt={"permission": "session.own"})
async def consents(state: State, request: AnyRequest) -> Sequence[Consent]:
    """What the person agreed to, and what they took back."""
    people, marks = await _own(state, request)
    return await people.consents(marks)


@post("/api/own/consents/{purpose:str}/revoke", opt={"permission": "session.own"}, status_code=200)
async def revoke(state: State, request: AnyRequest, purpose: FromPath[str]) -> Sequence[Consent]:
    """Take consent to a purpose back; what was done before stays lawful."""
    people, marks = await _own(state, request)
    async with people.db.transaction() as transaction:
        await people.revoke(transaction, marks, purpose, now=utc_now())
    return await people.consents(marks)


@get("/api/own/data", opt={"permission": "session.own"})
async def take_out(state: State, request: AnyRequest) -> Mapping[str, Json]:
    """All that the city holds of the person, as JSON."""
    people, marks = await _own(state, request)
    return await people.take_out(request.state.actor, marks)


@post("/api/own/data/erase", opt={"permission": "session.own"}, status_code=200)
async def erase(state: State, request: AnyRequest, data: JSONBody[Erasing]) -> Mapping[str, Gone]:
    """Erase what may be erased; what stays says by which law."""
    people, marks = await _own(state, request)
    return await people.erase(request.state.actor, marks, why=data.why or "asked for", now=utc_now())


ROUTES = (looks, consents, revoke, take_out, erase)
