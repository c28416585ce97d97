# SPDX-License-Identifier: Apache-2.0
"""Routes to look at missions. They are sent and called off as any order is, by `traffic.dispatch` and its undoing."""

from collections.abc import Sequence

import msgspec
from litestar import get
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery

from citybrain.apps.traffic.control.missions.model import MISSION, NoSuchMission
from citybrain.kernel.journal_records import EventView
from citybrain.kernel.records import Json
from citybrain.kernel.store import Store

NEWEST = 2000
"""Of so many events those of missions are listed when the ones that are over are asked for too."""


@get("/api/apps/traffic/missions", opt={"permission": "city.view"})
async def missions(state: State, over: FromQuery[bool] = False) -> list[dict[str, Json]]:
    """Missions under way, the newest first; with `over` also those of late that are over."""
    return [_view(event) for event in await _events(state.store, over)]


@get("/api/apps/traffic/missions/{mission_id:str}", opt={"permission": "city.view"})
async def mission(state: State, mission_id: FromPath[str]) -> dict[str, Json]:
    """One mission with its line, its signals, and all that was done for it. Refuses `NoSuchMission`."""
    store: Store = state.store
    for event in await store.journal.events(entity_id=mission_id, limit=1):
        if event.kind == MISSION:
            return _view(event)
    raise NoSuchMission("traffic.no_such_mission", {"mission": mission_id})


async def _events(store: Store, over: bool) -> Sequence[EventView]:
    found = await store.journal.events(open_only=not over, limit=NEWEST)
    return [event for event in found if event.kind == MISSION]


def _view(event: EventView) -> dict[str, Json]:
    return {
        **event.evidence,
        "begun_at": event.at.isoformat(),
        "ended_at": event.ended_at.isoformat() if event.ended_at else None,
        "because": msgspec.to_builtins(event.because),
        "geometry": event.geometry,
    }


ROUTES = (missions, mission)
