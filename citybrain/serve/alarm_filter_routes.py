# SPDX-License-Identifier: Apache-2.0
"""Routes for filters of the list of alarms that officers keep under a name, for themselves or with their department."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.handling import KeptFilter, KeptFilters
from citybrain.kernel.records import Text

AnyRequest = Request[Any, Any, Any]
# Whoever is signed in sees alarms, and may keep how they look at them.
OWN = {"permission": "session.own"}


class NewFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A filter in the parts of its list's address; `version` is the one that is changed."""

    name: str
    query: Mapping[str, str]
    department: str | None = None
    version: int = 1


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A department that one belongs to, with its name."""

    id: str
    name: Text


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The filters that one has, and the departments that one's own can be shared with."""

    filters: Sequence[KeptFilter]
    departments: Sequence[Place]


def _filters(state: State) -> KeptFilters:
    found: KeptFilters = state.store.alarms.filters
    return found


@get("/api/alarm-filters", opt=OWN)
async def kept_filters(state: State, request: AnyRequest) -> Kept:
    """The filters that one kept, and those shared with one's departments."""
    known = state.store.access.policy.snapshot.departments
    mine = sorted({grant.department for grant in request.state.actor.departments} & known.keys())
    return Kept(
        filters=await _filters(state).of(request.state.actor),
        departments=[Place(id=id, name=known[id].name) for id in mine],
    )


@post("/api/alarm-filters", opt=OWN, status_code=201)
async def keep_filter(state: State, request: AnyRequest, data: JSONBody[NewFilter]) -> KeptFilter:
    """Keep a filter under a name."""
    return await _filters(state).keep(request.state.actor, _given(data, 0))


@put("/api/alarm-filters/{id:int}", opt=OWN)
async def change_filter(state: State, request: AnyRequest, id: FromPath[int], data: JSONBody[NewFilter]) -> KeptFilter:
    """Change a filter of one's own: its name, what it asks, with whom it is shared."""
    return await _filters(state).change(request.state.actor, _given(data, id))


@delete("/api/alarm-filters/{id:int}", opt=OWN, status_code=204)
async def forget_filter(state: State, request: AnyRequest, id: FromPath[int]) -> None:
    """Forget a filter of one's own."""
    await _filters(state).forget(request.state.actor, id)


def _given(data: NewFilter, id: int) -> KeptFilter:
    return KeptFilter(id=id, **msgspec.structs.asdict(data))


ROUTES = (kept_filters, keep_filter, change_filter, forget_filter)
