# SPDX-License-Identifier: Apache-2.0
"""Routes of the signal controller: what it thinks at each junction, and what it would gain. Orders are the city's."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery

from citybrain.apps.traffic.service.junction_view import JunctionView
from citybrain.apps.traffic.service.traffic import ShadowReport, Traffic

Hours = Annotated[float, msgspec.Meta(gt=0, le=24 * 90)]
DAY = 24.0


def _traffic(state: State) -> Traffic:
    found: Traffic = state.store.of_apps["traffic"]
    return found


@get("/api/apps/traffic/shadow", opt={"permission": "city.view"})
async def shadow_report(state: State, hours: FromQuery[Hours] = DAY) -> ShadowReport:
    """Brain and plan at every junction, the one that would gain most first, over the last hours of city time."""
    return await _traffic(state).report(hours)


@get("/api/apps/traffic/junctions/{signal_id:str}", opt={"permission": "city.view"})
async def one_junction(state: State, signal_id: FromPath[str], hours: FromQuery[Hours] = DAY) -> JunctionView:
    """A junction now: stages, who has the say and why, claims, doubts, queues per approach, the comparison."""
    return await _traffic(state).junction(signal_id, hours)


ROUTES = (shadow_report, one_junction)
