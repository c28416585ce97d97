# SPDX-License-Identifier: Apache-2.0
"""Routes for the tokens of services: programs that write to the city's doors in their own name."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Request, delete, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.access import Access, Person, ServiceView
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

LONGEST_OVERLAP_HOURS = 7 * 24
LONGEST_DAYS = 366  # a token that nobody renews within a year is one that nobody watches


class DaysOutOfRange(Invalid):
    """A token must end some day."""


class NewService(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service and what it may do, for a number of days; a token that it has already is taken for the overlap."""

    name: str
    may: tuple[str, ...]
    days: int = 90
    overlap_hours: int = 0


@get("/api/services", opt={"permission": "city.services"})
async def services(state: State) -> Sequence[ServiceView]:
    """Every service with what it may do and until when."""
    access: Access = state.access
    return await access.services()


@post("/api/services", opt={"permission": "city.services"}, status_code=201)
async def add_service(state: State, request: Request[Any, Any, Any], data: JSONBody[NewService]) -> dict[str, Json]:
    """Give a service a token, which is in this answer and nowhere else; a service of that name gets a new one."""
    access: Access = state.access
    person: Person = request.state.person
    if not 1 <= data.days <= LONGEST_DAYS:
        raise DaysOutOfRange("serve.days_out_of_range", {"days": data.days, "longest": LONGEST_DAYS})
    now = utc_now()
    expires_at = now + timedelta(days=data.days)
    overlap = timedelta(hours=min(max(data.overlap_hours, 0), LONGEST_OVERLAP_HOURS))
    token = await access.add_service(
        data.name, may=data.may, by=person.name, now=now, expires_at=expires_at, overlap=overlap
    )
    return {"name": data.name, "token": token, "expires_at": expires_at}


@delete("/api/services/{name:str}", opt={"permission": "city.services"}, status_code=204)
async def remove_service(state: State, request: Request[Any, Any, Any], name: FromPath[str]) -> None:
    """End a service's token at once."""
    access: Access = state.access
    await access.remove_service(name, by=request.state.actor.account)


ROUTES = (services, add_service, remove_service)
