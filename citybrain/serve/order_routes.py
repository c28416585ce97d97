# SPDX-License-Identifier: Apache-2.0
"""Routes for orders of people: what can be ordered, giving, approving, ending, and what became of each."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from citybrain.kernel.access.policy import reach
from citybrain.kernel.app import Effect, Means
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Conflict
from citybrain.kernel.orders import OrderAct, OrderState, StandingOrder, Wanted
from citybrain.kernel.records import Because, Facts, Json
from citybrain.serve import contributions
from citybrain.serve.desk import Desk

ORDER = "city.order"
KEY = "Idempotency-Key"
LONGEST_KEY = 200
LONGEST_REASON = 1_000

AnyRequest = Request[Any, Any, Any]
Reason = Annotated[str, msgspec.Meta(max_length=LONGEST_REASON)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_KEY)]
# The framework has its own use for the name that the API has.
InState = Annotated[OrderState | None, QueryParameter(name="state")]


class NothingRuns(Conflict):
    """A city without streets of its own runs no loop that could carry orders out."""


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants to be done. `id` is the sender's own: sent twice, it is done once.

    `event_id` is the event that it is done about, if there is one.
    """

    means: str
    entity_id: str
    parameters: Facts = {}
    expires_at: datetime | None = None
    reason: Reason = ""
    id: Key | None = None
    event_id: Key | None = None


class Ending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an order ends."""

    reason: Reason = ""


class OrderStory(msgspec.Struct, frozen=True, kw_only=True):
    """An order with all that was done with it."""

    order: StandingOrder
    acts: Sequence[OrderAct]


class EffectView(msgspec.Struct, frozen=True, kw_only=True):
    """What a means promises, and after how many seconds that is looked at; with `mean_s` by means over so long."""

    attribute: str
    on: str
    becomes: str
    value: float | str | None
    within_s: float
    mean_s: float | None


class MeansView(msgspec.Struct, frozen=True, kw_only=True):
    """A means that whoever asks may use; `parameters` is their JSON Schema.

    `executable`: whether somebody would carry it out now, else `lacks` says why not. Words are those under
    `means.<name>`.
    """

    name: str
    group: str
    permission: str
    entity_types: Sequence[str]
    two_person: bool
    lasts: bool
    undone_by: str
    parameters: Json
    executable: bool
    lacks: Because | None
    effect: EffectView | None
    precondition: str


def _desk(state: State) -> Desk:
    desk: Desk = state.desk
    return desk


@get("/api/means", opt={"permission": ORDER})
async def means(state: State, request: AnyRequest, entity_type: FromQuery[str | None] = None) -> Sequence[MeansView]:
    """What whoever asks may order, of everything or of entities of one type, and whether somebody would do it."""
    trade, city = contributions.trade(), _desk(state).city
    return [
        _view(each, city.lacks(each.name))
        for each in trade.means.values()
        if each.name in trade.executed
        and reach(request.state.actor, each.permission)
        and (entity_type is None or not each.entity_types or entity_type in each.entity_types)
    ]


@cache
def _schema(parameters: type[msgspec.Struct]) -> Json:
    """Made once: of a whole catalogue it takes tens of milliseconds."""
    return msgspec.json.schema(parameters)


def _view(means: Means, lacks: Because | None) -> MeansView:
    return MeansView(
        name=means.name,
        group=means.group or means.name.partition(".")[0],
        permission=means.permission,
        entity_types=means.entity_types,
        two_person=means.two_person,
        lasts=means.lasts,
        undone_by=means.undone_by,
        parameters=_schema(means.parameters),
        executable=lacks is None,
        lacks=lacks,
        effect=_promised(means.effect) if means.effect else None,
        precondition=means.precondition,
    )


def _promised(effect: Effect) -> EffectView:
    return EffectView(
        attribute=effect.attribute,
        on=effect.on,
        becomes=effect.becomes,
        value=effect.value,
        within_s=effect.within.total_seconds(),
        mean_s=effect.mean.total_seconds() if effect.mean else None,
    )


@post("/api/orders", opt={"permission": ORDER}, status_code=201)
async def give(state: State, request: AnyRequest, data: JSONBody[NewOrder]) -> StandingOrder:
    """Order something; what needs two persons waits for the second one."""
    city = _desk(state).city
    if not (city.simulated or city.entities or data.means in city.executing.means):
        raise NothingRuns("serve.nothing_runs", {"means": data.means})
    key = data.id or request.headers.get(KEY, "")[:LONGEST_KEY] or None
    wanted = Wanted(
        means=data.means,
        entity_id=data.entity_id,
        parameters=data.parameters,
        expires_at=data.expires_at,
        reason=data.reason,
        key=key,
        because=Because(code="kernel.because_person_event", event_id=data.event_id) if data.event_id else None,
    )
    return await city.store.orders.give(request.state.actor, wanted, now=utc_now(), city_now=city.now)


@get("/api/orders", opt={"permission": ORDER})
async def orders(
    state: State,
    request: AnyRequest,
    entity_id: FromQuery[str | None] = None,
    means: FromQuery[str | None] = None,
    in_state: InState = None,
    limit: FromQuery[int] = 100,
) -> Sequence[StandingOrder]:
    """Orders of people, the newest first; of means that whoever asks may use."""
    desk = _desk(state).city.store.orders
    return await desk.find(request.state.actor, entity_id=entity_id, means=means, state=in_state, limit=limit)


@get("/api/orders/{id:str}", opt={"permission": ORDER})
async def order(state: State, request: AnyRequest, id: FromPath[str]) -> OrderStory:
    """One order with all that was done with it."""
    found, acts = await _desk(state).city.store.orders.get(request.state.actor, id)
    return OrderStory(order=found, acts=acts)


@post("/api/orders/{id:str}/approve", opt={"permission": ORDER}, status_code=200)
async def approve(state: State, request: AnyRequest, id: FromPath[str]) -> StandingOrder:
    """Agree as the second person, within ten minutes: to an order, or to the end of one that two persons gave."""
    return await _desk(state).city.store.orders.approve(request.state.actor, id, now=utc_now())


@post("/api/orders/{id:str}/end", opt={"permission": ORDER}, status_code=200)
async def end(state: State, request: AnyRequest, id: FromPath[str], data: JSONBody[Ending]) -> StandingOrder:
    """End an order that stands, or withdraw one's own proposal; what two persons gave, two must end."""
    orders = _desk(state).city.store.orders
    return await orders.end(request.state.actor, id, reason=data.reason, now=utc_now())


ROUTES = (means, give, orders, order, approve, end)
