# SPDX-License-Identifier: Apache-2.0
"""Routes for incidents: decode, call, encode."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import get, post
from litestar.datastructures import State as Held
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.api.plans import COMMAND, MOST, VIEW, WORK, Asking, desk_of
from citybrain.apps.emergency.model import Fact, Incident, Message, Post, Role, State, Task
from citybrain.apps.emergency.service import incidents as desk
from citybrain.apps.emergency.service import tasks
from citybrain.apps.emergency.service.incidents import (
    Declaration,
    IncidentAct,
    Known,
    NewFact,
    NewMessage,
    NewPost,
    NewRole,
)
from citybrain.apps.emergency.service.reporting import Report, report
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Text

Which = Annotated[Literal["active", "ended", "closed", "all"], QueryParameter(name="state")]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many tasks of an incident stand how."""

    open: int
    late: int
    closed: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An incident in a list."""

    incident: Incident
    plan_name: Text
    tasks: Counts


class Shown(Known, frozen=True, kw_only=True):
    """An incident with everything, and what may be done with it now."""

    plan_name: Text
    tasks: Counts
    tasks_list: Sequence[Task]


@get("/api/emergency/incidents", opt={"permission": VIEW})
async def incidents(
    state: Held,
    which: Which = "active",
    limit: FromQuery[int] = 100,
) -> Sequence[Row]:
    """Incidents, the newest first; without `state` those that are commanded now."""
    open_desk, now = desk_of(state), utc_now()
    wanted = None if which == "all" else State(which)
    found = await kept.incidents(open_desk.db, wanted, min(max(limit, 1), MOST))
    return [
        Row(
            incident=each,
            plan_name=(await kept.plan(open_desk.db, each.plan, each.plan_version)).name,
            tasks=_counts(await tasks.stand(open_desk, each.id, now)),
        )
        for each in found
    ]


@get("/api/emergency/commanded", opt={"permission": VIEW})
async def commanded(state: Held, at: FromQuery[datetime]) -> Sequence[Incident]:
    """The incidents that were commanded at a city time, with their level of then, the newest first."""
    open_desk = desk_of(state)
    return await kept.incidents_at(open_desk.db, await open_desk.store.clock_at(at), MOST)


@post("/api/emergency/incidents", opt={"permission": COMMAND})
async def declare(state: Held, request: Asking, data: JSONBody[Declaration]) -> Shown:
    """Begin an incident, by hand or from an event."""
    open_desk, now = desk_of(state), utc_now()
    incident = await desk.declare(open_desk, request.state.actor, data, now=now)
    return await _shown(state, incident.id)


@get("/api/emergency/incidents/{id:str}", opt={"permission": VIEW})
async def incident(state: Held, id: FromPath[str]) -> Shown:
    """One incident with everything that belongs to it."""
    return await _shown(state, id)


@post("/api/emergency/incidents/{id:str}/acts", opt={"permission": COMMAND}, status_code=200)
async def act(state: Held, request: Asking, id: FromPath[str], data: JSONBody[IncidentAct]) -> Shown:
    """Raise, lower, stand down, resume, close; confirm or withdraw what waits for a second person."""
    await desk.act(desk_of(state), request.state.actor, id, data, now=utc_now())
    return await _shown(state, id)


@post("/api/emergency/incidents/{id:str}/facts", opt={"permission": WORK})
async def say(state: Held, request: Asking, id: FromPath[str], data: JSONBody[NewFact]) -> Fact:
    """Write a fact on the board."""
    return await desk.say(desk_of(state), request.state.actor, id, data, now=utc_now())


@post("/api/emergency/incidents/{id:str}/roles", opt={"permission": COMMAND})
async def assign(state: Held, request: Asking, id: FromPath[str], data: JSONBody[NewRole]) -> Role:
    """Give a role to somebody."""
    return await desk.assign(desk_of(state), request.state.actor, id, data, now=utc_now())


@post("/api/emergency/incidents/{id:str}/posts", opt={"permission": COMMAND})
async def open_post(state: Held, request: Asking, id: FromPath[str], data: JSONBody[NewPost]) -> Post:
    """Open a command post."""
    return await desk.open_post(desk_of(state), request.state.actor, id, data, now=utc_now())


@post("/api/emergency/incidents/{id:str}/posts/{number:int}/close", opt={"permission": COMMAND}, status_code=200)
async def close_post(state: Held, request: Asking, id: FromPath[str], number: FromPath[int]) -> Post:
    """Close a command post."""
    return await desk.close_post(desk_of(state), request.state.actor, id, number, now=utc_now())


@post("/api/emergency/incidents/{id:str}/tasks", opt={"permission": WORK})
async def give(state: Held, request: Asking, id: FromPath[str], data: JSONBody[tasks.Asked]) -> Task:
    """Give a task to a department."""
    open_desk = desk_of(state)
    found = await kept.incident(open_desk.db, id)
    return await tasks.ask(open_desk, request.state.actor, found, data, now=utc_now())


@get("/api/emergency/incidents/{id:str}/messages", opt={"permission": VIEW})
async def messages(
    state: Held, id: FromPath[str], after: FromQuery[int] = 0, limit: FromQuery[int] = 500
) -> Sequence[Message]:
    """The log, the oldest first."""
    open_desk = desk_of(state)
    await kept.incident(open_desk.db, id)
    return await kept.messages(open_desk.db, id, after=after, limit=min(max(limit, 1), MOST))


@post("/api/emergency/incidents/{id:str}/messages", opt={"permission": WORK})
async def log(state: Held, request: Asking, id: FromPath[str], data: JSONBody[NewMessage]) -> Message:
    """Write a message into the log."""
    return await desk.log(desk_of(state), request.state.actor, id, data, now=utc_now())


@get("/api/emergency/incidents/{id:str}/report", opt={"permission": VIEW})
async def after_action(
    state: Held, request: Asking, id: FromPath[str], lang: FromQuery[Literal["zh", "en"]] = "zh"
) -> Report:
    """The after-action report, as far as it goes."""
    return await report(desk_of(state), request.state.actor, id, lang=lang, now=utc_now())


async def _shown(state: Held, id: str) -> Shown:
    found = await desk.whole(desk_of(state), id, now=utc_now())
    return Shown(
        **{name: getattr(found, name) for name in Known.__struct_fields__},
        plan_name=found.plan.name,
        tasks=_counts(found.tasks),
        tasks_list=found.tasks,
    )


def _counts(found: Sequence[Task]) -> Counts:
    is_open = [each for each in found if each.phase != "closed"]
    return Counts(open=len(is_open), late=sum(each.late for each in found), closed=len(found) - len(is_open))


ROUTES: Sequence[Any] = (
    incidents,
    commanded,
    declare,
    incident,
    act,
    say,
    assign,
    open_post,
    close_post,
    give,
    messages,
    log,
    after_action,
)
