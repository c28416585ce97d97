# SPDX-License-Identifier: Apache-2.0
"""Routes for what clerks keep beside cases: drafts of what is not sent yet."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, delete, get, put
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.cases.drafts import Draft, DraftHead, Owner
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Facts
from citybrain.kernel.store import Store

AnyRequest = Request[Any, Any, Any]
# Whoever fills in a form may keep it, whatever else they may.
OWN = {"permission": "session.own"}


class Filled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was filled in so far, checked or not."""

    values: Facts


def _owner(request: AnyRequest) -> Owner:
    return Owner.account(request.state.actor.account)


@get("/api/drafts", opt=OWN)
async def drafts(state: State, request: AnyRequest) -> Sequence[DraftHead]:
    """One's drafts, the newest first."""
    store: Store = state.store
    return await store.casework.drafts.list(_owner(request), now=utc_now())


@get("/api/drafts/{place:str}", opt=OWN)
async def draft(state: State, request: AnyRequest, place: FromPath[str]) -> Draft:
    """What was kept at a place."""
    store: Store = state.store
    return await store.casework.drafts.get(_owner(request), place, now=utc_now())


@put("/api/drafts/{place:str}", opt=OWN)
async def save_draft(state: State, request: AnyRequest, place: FromPath[str], data: JSONBody[Filled]) -> DraftHead:
    """Keep what was filled in so far."""
    store: Store = state.store
    return await store.casework.drafts.save(_owner(request), place, data.values, now=utc_now())


@delete("/api/drafts/{place:str}", opt=OWN, status_code=204)
async def discard_draft(state: State, request: AnyRequest, place: FromPath[str]) -> None:
    """Forget a draft, as when it was sent."""
    store: Store = state.store
    await store.casework.drafts.discard(_owner(request), place)


ROUTES = (drafts, draft, save_draft, discard_draft)
