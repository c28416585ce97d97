# SPDX-License-Identifier: Apache-2.0
"""Routes that look back: a corridor in time and distance, and an area before and after."""

from datetime import datetime

from litestar import get, post
from litestar.datastructures import State
from litestar.params import FromQuery, JSONBody

from citybrain.apps.traffic.service import compare, corridor

VIEW = {"permission": "city.view"}


@get("/api/apps/traffic/corridor", opt=VIEW)
async def corridor_between(
    state: State, start: FromQuery[str], end: FromQuery[str], since: FromQuery[datetime], until: FromQuery[datetime]
) -> corridor.Corridor:
    """The signals between two signals, with their greens and the speeds between them in a span."""
    return await corridor.corridor(state.store, start, end, since, until)


@post("/api/apps/traffic/compare", opt=VIEW, status_code=200)
async def before_and_after(state: State, data: JSONBody[compare.Asked]) -> compare.Comparison:
    """An area in two spans of time: figures with bounds, and the roads behind them."""
    return await compare.compare(state.store, data)


PAST_ROUTES = (corridor_between, before_and_after)
