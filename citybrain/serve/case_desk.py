# SPDX-License-Identifier: Apache-2.0
"""Routes of the desk: what it needs once, lists, one case with all that is told of it, and opening one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.access import Access, Actor, reach
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.counting import BY
from citybrain.kernel.cases.detail import Detail
from citybrain.kernel.cases.query import CaseQuery, Order
from citybrain.kernel.cases.rights import OPEN, VIEW
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Json, Text
from citybrain.kernel.store import Store
from citybrain.serve.case_act import NewCase
from citybrain.serve.case_named import check_named
from citybrain.serve.case_query import read_query

AnyRequest = Request[Any, Any, Any]
# A list shows no forms, and nobody needs the clocks or the key of a row.
NOT_IN_ROWS = frozenset({"fields", "clocks", "key"})
Row = Mapping[str, Json]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A department, the one above it, and who does its work since it was dissolved."""

    id: str
    name: Text
    parent: str | None
    successor: str | None


class Colleague(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to whom cases can be given, and the departments they belong to."""

    account: str
    shown_name: str
    departments: Sequence[str]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases; of closed ones the assignee is not counted."""

    department: str
    type: str
    state: str
    phase: str
    assignee: str
    count: int


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk needs once."""

    types: Sequence[CaseType]
    departments: Sequence[Place]
    colleagues: Sequence[Colleague]
    counts: Sequence[Counted]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list."""

    cases: Sequence[Row]
    next: str | None
    total: int | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The id of a case."""

    id: int


def row(case: Case) -> Row:
    """A case in a list."""
    return {name: value for name, value in msgspec.structs.asdict(case).items() if name not in NOT_IN_ROWS}


@get("/api/work", opt={"permission": VIEW})
async def work(state: State, request: AnyRequest) -> Desk:
    """Types that are valid now, departments, colleagues whom the actor reaches, and how many cases stand where."""
    store: Store = state.store
    actor: Actor = request.state.actor
    asked = CaseQuery(order=Order.NEWEST)
    counts = await store.cases.finding.counting.counts(actor, asked, BY)
    return Desk(
        types=await store.cases.types.valid(utc_now()),
        departments=departments(store.access),
        colleagues=await colleagues(store.access, actor, utc_now()),
        counts=[
            Counted(
                department=each.department,
                type=each.type,
                state=each.state,
                phase=each.phase,
                assignee=each.assignee,
                count=each.n,
            )
            for each in counts
        ],
    )


def departments(access: Access) -> list[Place]:
    """Every department, as rights go by them now."""
    return [
        Place(id=each.id, name=each.name, parent=each.parent, successor=each.successor)
        for each in access.policy.snapshot.departments.values()
    ]


async def colleagues(access: Access, actor: Actor, now: datetime) -> list[Colleague]:
    """The actor, and whoever belongs now to a department whose cases the actor sees."""
    found: dict[str, set[str]] = {actor.account: set()}
    reached = reach(actor, VIEW)
    for member in access.policy.snapshot.memberships:
        place = access.policy.successor(member.department)
        if member.holds(now) and reached.covers(place):
            found.setdefault(member.account, set()).add(place)
    names = {each.name: each.shown_name for each in await access.accounts.all() if each.disabled_at is None}
    return [
        Colleague(account=account, shown_name=names[account], departments=sorted(places))
        for account, places in sorted(found.items())
        if account in names
    ]


@get("/api/cases", opt={"permission": VIEW})
async def cases(state: State, request: AnyRequest) -> Rows:
    """Cases that the actor sees, page by page."""
    store: Store = state.store
    page = await store.cases.find(request.state.actor, read_query(request.query_params))
    return Rows(cases=[row(case) for case in page.cases], next=page.next, total=page.total)


@get("/api/cases/{id:int}", opt={"permission": VIEW})
async def one(state: State, request: AnyRequest, id: FromPath[int]) -> Detail:
    """A case with its history, what was said, its files, and what the actor may do with it now."""
    store: Store = state.store
    return await store.casework.details.of(request.state.actor, id)


@get("/api/cases/by-number/{number:str}", opt={"permission": VIEW})
async def by_number(state: State, request: AnyRequest, number: FromPath[str]) -> Found:
    """The id of the case of a number."""
    store: Store = state.store
    return Found(id=(await store.cases.finding.by_number(request.state.actor, number)).id)


@post("/api/cases", opt={"permission": OPEN}, status_code=201)
async def open_case(state: State, request: AnyRequest, data: JSONBody[NewCase]) -> Case:
    """Open a case; with a key that is known it is the case which has that key."""
    store: Store = state.store
    actor: Actor = request.state.actor
    await check_named(store.access, actor, data)
    along = store.casework.files.along(actor, data.attachments)
    case = await store.cases.open(actor, data.opening(), also=along)
    return (await store.cases.covered(actor, case))[0]


ROUTES = (work, cases, one, by_number, open_case)
