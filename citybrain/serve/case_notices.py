# SPDX-License-Identifier: Apache-2.0
"""Routes for notices: those on one's desk, what one wants to be told by which channel, and what was not delivered."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, get, post, put
from litestar.datastructures import State
from litestar.params import FromQuery, JSONBody

from citybrain.kernel.cases.notice import Channel, topics_of
from citybrain.kernel.cases.notices import Address, Choice, Dead, DeskNotice, Waiting
from citybrain.kernel.cases.rights import DELIVERY
from citybrain.kernel.clock import utc_now
from citybrain.kernel.i18n import LANGUAGES
from citybrain.kernel.store import Store
from citybrain.serve import contributions

AnyRequest = Request[Any, Any, Any]
OWN = {"permission": "session.own"}
MANY = 500


class Number(msgspec.Struct, frozen=True):
    """How many."""

    count: int


class Ids(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some notices."""

    ids: tuple[int, ...]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody wants to be told by which channel; what is not named stays as it was."""

    choices: tuple[Choice, ...]


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said, where they are told, and what can be chosen. Nothing said of a topic: it is told."""

    choices: Sequence[Choice]
    addresses: Sequence[Address]
    topics: Sequence[str]
    channels: Sequence[Channel]


class NewAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where somebody wants to be told; an empty one takes it back."""

    channel: Channel
    address: str
    lang: str = "zh"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What waits and what was given up."""

    waiting: Sequence[Waiting]
    dead: Sequence[Dead]


def _person(request: AnyRequest) -> str:
    account: str = request.state.actor.account
    return account


@get("/api/notices", opt=OWN)
async def notices(state: State, request: AnyRequest, before: FromQuery[int | None] = None) -> Sequence[DeskNotice]:
    """The notices on one's desk, the newest first; `before` an id for the next page."""
    store: Store = state.store
    return await store.casework.notices.desk(_person(request), before=before)


@get("/api/notices/unread", opt=OWN)
async def unread(state: State, request: AnyRequest) -> Number:
    """How many one has not read, a hundred at most."""
    store: Store = state.store
    return Number(await store.casework.notices.unread(_person(request)))


@post("/api/notices/read", opt=OWN, status_code=204)
async def read(state: State, request: AnyRequest, data: JSONBody[Ids]) -> None:
    """One has read some."""
    store: Store = state.store
    await store.casework.notices.read(_person(request), data.ids[:MANY], now=utc_now())


@get("/api/notices/choices", opt=OWN)
async def choices(state: State, request: AnyRequest) -> Choices:
    """What one wants to be told by which channel."""
    store: Store = state.store
    return await _choices(store, _person(request))


@put("/api/notices/choices", opt=OWN)
async def choose(state: State, request: AnyRequest, data: JSONBody[Wanted]) -> Choices:
    """Say what one wants to be told by which channel."""
    store: Store = state.store
    await store.casework.notices.choose(_person(request), data.choices[:MANY])
    return await _choices(store, _person(request))


@put("/api/notices/address", opt=OWN)
async def set_address(state: State, request: AnyRequest, data: JSONBody[NewAddress]) -> Choices:
    """Say where one wants to be told."""
    store: Store = state.store
    address = Address(channel=data.channel, address=data.address, lang=data.lang)
    await store.casework.notices.set_address(_person(request), address)
    return await _choices(store, _person(request))


async def _choices(store: Store, person: str) -> Choices:
    notices = store.casework.notices
    return Choices(
        choices=await notices.choices(person),
        addresses=await notices.addresses(person),
        topics=topics_of(contributions.words().of(LANGUAGES[0])),
        channels=list(Channel),
    )


@get("/api/notices/delivery", opt={"permission": DELIVERY})
async def delivery(state: State) -> Delivery:
    """What waits in each channel and why, and what was given up."""
    store: Store = state.store
    return Delivery(waiting=await store.casework.notices.waiting(), dead=await store.casework.notices.dead())


@post("/api/notices/again", opt={"permission": DELIVERY}, status_code=200)
async def again(state: State, data: JSONBody[Ids]) -> Number:
    """Try again to send what was given up."""
    store: Store = state.store
    return Number(await store.casework.notices.again(data.ids[:MANY], now=utc_now()))


ROUTES = (notices, unread, read, choices, choose, set_address, delivery, again)
