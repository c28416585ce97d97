# SPDX-License-Identifier: Apache-2.0
"""Routes for response plans, and for resources and shelters."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from litestar import Request, get, put
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.choice import SAID, TYPES, Resource, nearest
from citybrain.apps.emergency.model import Plan, PlanVersion
from citybrain.apps.emergency.service.desk import EmergencyDesk, put_plan
from citybrain.kernel.clock import utc_now

VIEW, WORK, COMMAND, EDIT = "emergency.view", "emergency.work", "emergency.command", "emergency.edit"
MOST = 1_000

Asking = Request[Any, Any, Any]


def desk_of(state: State) -> EmergencyDesk:
    """The open desk."""
    found: EmergencyDesk = state.store.of_apps["emergency"]
    return found


@get("/api/emergency/plans", opt={"permission": VIEW})
async def plans(state: State, newest: FromQuery[bool] = False) -> Sequence[Plan]:
    """All plans, as they are in force; with `newest` the newest version of each, whenever it begins."""
    return await kept.plans(desk_of(state).db, at=None if newest else utc_now())


@get("/api/emergency/plans/{id:str}", opt={"permission": VIEW})
async def plan(state: State, id: FromPath[str], version: FromQuery[int | None] = None) -> Plan:
    """One plan, as it is in force or was in a version."""
    return await kept.plan(desk_of(state).db, id, version, at=utc_now() if version is None else None)


@get("/api/emergency/plans/{id:str}/versions", opt={"permission": VIEW})
async def plan_versions(state: State, id: FromPath[str]) -> Sequence[PlanVersion]:
    """The versions of a plan, the newest first: by whom, when, and which one is in force."""
    return await kept.plan_versions(desk_of(state).db, id, at=utc_now())


@put("/api/emergency/plans/{id:str}", opt={"permission": EDIT})
async def change_plan(state: State, request: Asking, id: FromPath[str], data: JSONBody[Plan]) -> Plan:
    """A new version, for what is declared from its `valid_from` on; without one from now on."""
    return await put_plan(desk_of(state), request.state.actor, id, data, now=utc_now())


@get("/api/emergency/resources", opt={"permission": VIEW})
async def resources(
    state: State,
    kind: FromQuery[str] = "",
    lon: FromQuery[float | None] = None,
    lat: FromQuery[float | None] = None,
    free: FromQuery[float] = 0.0,
    limit: FromQuery[int] = 100,
) -> Sequence[Resource]:
    """Resources and shelters, the nearest to a place first."""
    pool = desk_of(state).store.pool
    at = (lon, lat) if lon is not None and lat is not None else None
    found = [entity for type in TYPES for entity in pool.entities(type)]
    return nearest(found, at=at, kind=kind, free=free)[: min(max(limit, 1), MOST)]


@get("/api/emergency/resources/past", opt={"permission": VIEW})
async def past_resources(
    state: State, at: FromQuery[datetime], lon: FromQuery[float | None] = None, lat: FromQuery[float | None] = None
) -> Sequence[Resource]:
    """Resources and shelters as they were told of by a city time, the nearest to a place first."""
    store = desk_of(state).store
    place = (lon, lat) if lon is not None and lat is not None else None
    known = await store.pool.past.at(TYPES, SAID, await store.clock_at(at))
    return nearest([each.entity() for each in known], at=place)[:MOST]


ROUTES: Sequence[Any] = (plans, plan, plan_versions, change_plan, resources, past_resources)
