# SPDX-License-Identifier: Apache-2.0
"""The city's own routes: what it is, how it is, what happened, and the acts of people."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain import __version__
from citybrain.kernel.app import Values
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.extent import extent_of
from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.handling import Act, Wish
from citybrain.kernel.orders import Wanted
from citybrain.kernel.records import Json
from citybrain.serve.desk import Desk
from citybrain.serve.signing import me
from citybrain.serve.views import SIGNAL, parts_table, place_of

SEARCH_LIMIT = 2_000
HISTORY_LIMIT = 5_000
RECENT_ORDERS = 30
EVENTS_LIMIT = 20_000
RUNS_LIMIT = 100
FASTEST = 1_000.0


class NoSuchEntity(NotFound):
    """No entity has this id."""


class NoSuchBatch(NotFound):
    """No batch has this id, or its history has passed its retention."""


class NoSuchIndicator(NotFound):
    """No app declares this indicator."""


class SpeedOutOfRange(Invalid):
    """The city cannot run at this speed."""


class NotASignal(Invalid):
    """Only a signal controller has a control mode."""


class CityNotReady(Conflict):
    """The city has no run yet."""


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an officer says when taking note of an event."""

    note: str = ""


class Speed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """City seconds per second; null is as fast as possible."""

    speed: float | None


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who drives a signal: the brain or its shipped plan."""

    mode: Literal["brain", "plan"]


def _desk(state: State) -> Desk:
    desk: Desk = state.desk
    return desk


@get("/api/city", opt={"permission": "city.view"})
async def city(state: State, request: Request[Any, Any, Any]) -> dict[str, Json]:
    """What this city is and who asks."""
    desk = _desk(state)
    scenario = desk.city.scenario
    return {
        "name": scenario.name,
        "scenario": scenario.id,
        "timezone": scenario.timezone,
        "bounds": desk.screen.network.bounds or await extent_of(desk.city.store.documents),
        "attribution": scenario.attribution,
        "version": __version__,
        "me": me(request.state.actor),
        "arms": desk.city.arms,
    }


@get("/api/status", opt={"permission": "city.view"})
async def status(state: State) -> dict[str, Json]:
    """The running city in a few facts, for `citybrain status`."""
    desk = _desk(state)
    step, run = desk.city.last, desk.city.run
    return {
        "version": __version__,
        "scenario": desk.city.scenario.id,
        "condition": desk.city.condition,
        "run": run.number if run else None,
        "city_time": step.frame.batch.observed_at if step else None,
        "speed": desk.city.pace.speed,
        "vehicles": desk.city.score.running if desk.city.score else None,
        "journal_waiting": desk.journal.waiting,
        "indicators": {view.name: view.arms for view in desk.indicators()},
    }


@get("/api/words/{lang:str}", opt={"permission": "city.view"})
async def words(state: State, lang: FromPath[Literal["zh", "en"]]) -> Mapping[str, str]:
    """Every sentence of kernel, doors and apps in one language."""
    return _desk(state).words.of(lang)


@get("/api/network", opt={"permission": "city.view"})
async def network(state: State) -> Response[bytes]:
    """The map: roads, junctions, signals."""
    content = msgspec.json.encode(_desk(state).screen.network)
    return Response(content, media_type="application/json")


@get("/api/state", opt={"permission": "city.view"})
async def now(state: State) -> dict[str, Json]:
    """The city now: the same picture as the stream's, with open events and indicators."""
    desk = _desk(state)
    events = await desk.journal.events(open_only=True, limit=EVENTS_LIMIT)
    return {**desk.picture(), "events": events, "indicators": desk.indicators()}


@get("/api/replay", opt={"permission": "city.view"})
async def replay(state: State, at: FromQuery[datetime]) -> dict[str, Json]:
    """The city as it was kept for `at`."""
    desk = _desk(state)
    events = await desk.journal.events(open_at=at, limit=EVENTS_LIMIT)
    return {**await desk.replayed(at), "events": events}


@get("/api/replay/extent", opt={"permission": "city.view"})
async def extent(state: State) -> dict[str, Json]:
    """The times that can be replayed."""
    kept = await _desk(state).pool.extent()
    return {"from": kept[0] if kept else None, "to": kept[1] if kept else None}


@get("/api/events", opt={"permission": "city.view"})
async def events(
    state: State,
    only: FromQuery[Literal["open", "all"]] = "all",
    until: FromQuery[datetime | None] = None,
    limit: FromQuery[int] = 500,
) -> Sequence[Json]:
    """Events, the newest first; `until` shows no later ones."""
    limit = min(max(limit, 1), EVENTS_LIMIT)
    return await _desk(state).journal.events(open_only=only == "open", until=until, limit=limit)


@post("/api/events/{event_id:str}/acknowledge", opt={"permission": "city.acknowledge"}, status_code=200)
async def acknowledge(
    state: State, request: Request[Any, Any, Any], event_id: FromPath[str], data: JSONBody[Acknowledgement]
) -> Json:
    """Take note of an event, with the officer's name and words."""
    store = _desk(state).city.store
    await store.alarms.act(request.state.actor, event_id, Wish(act=Act.ACKNOWLEDGE, note=data.note), now=utc_now())
    return await store.journal.event(event_id)


@get("/api/indicators", opt={"permission": "city.view"})
async def indicators(state: State) -> Json:
    """Every indicator with its newest values."""
    return _desk(state).indicators()


@get("/api/indicators/{name:str}/series", opt={"permission": "city.view"})
async def indicator_series(
    state: State, name: FromPath[str], until: FromQuery[datetime | None] = None
) -> dict[str, Json]:
    """The readings of this day so far, by arm."""
    desk = _desk(state)
    declared = next((each for each in desk.declared if each.name == name), None)
    if declared is None:
        raise NoSuchIndicator("serve.no_such_indicator", {"name": name})
    arms: dict[str, list[Json]] = {arm: [] for arm in desk.city.arms}
    for reading in await _readings(desk, name, until):
        arms.setdefault(reading.arm, []).append([reading.at, reading.value])
    return {"unit": declared.unit, "arms": arms}


@get("/api/indicators/{name:str}/rows", opt={"permission": "city.view"})
async def indicator_rows(
    state: State, name: FromPath[str], arm: FromQuery[str | None] = None, until: FromQuery[datetime | None] = None
) -> Json:
    """The rows behind an indicator: what each reading was made of."""
    readings = await _readings(_desk(state), name, until)
    return parts_table([reading for reading in readings if arm in (None, reading.arm)])


async def _readings(desk: Desk, name: str, until: datetime | None) -> Sequence[Any]:
    run = await desk.runs.at(until) if until else desk.city.run
    if run is None:  # a real street has no days of its own: the last 24 hours
        end = until or desk.city.now
        return await desk.journal.readings(name, since=end - timedelta(days=1), until=end)
    return await desk.journal.readings(name, since=run.begins_at, until=until or run.ends_at)


@get("/api/runs", opt={"permission": "city.view"})
async def runs(state: State) -> Json:
    """The newest days of the city with the judge's final figures of both arms: what the brain was worth."""
    return await _desk(state).runs.newest(RUNS_LIMIT)


@get("/api/entities", opt={"permission": "city.view"})
async def entities(state: State, type: FromQuery[str | None] = None, q: FromQuery[str] = "") -> list[Json]:
    """Entities by type and by words in id or name; at most 2,000."""
    wanted = q.casefold()
    found = [
        entity
        for entity in _desk(state).pool.entities(type)
        if wanted in entity.id.casefold() or any(wanted in word.casefold() for word in entity.name.values())
    ]
    return [
        {"id": entity.id, "type": entity.type, "name": entity.name, "point": place_of(entity)}
        for entity in found[:SEARCH_LIMIT]
    ]


@get("/api/entities/{entity_id:str}", opt={"permission": "city.view"})
async def entity(state: State, entity_id: FromPath[str], at: FromQuery[datetime | None] = None) -> dict[str, Json]:
    """An entity with its newest values, or those kept for `at`; its parts, and what was ordered and happened there."""
    desk = _desk(state)
    found = desk.pool.entity(entity_id)
    if found is None:
        raise NoSuchEntity("serve.no_such_entity", {"id": entity_id})
    parts = [each for each in desk.pool.entities("TrafficDetector") if each.attributes.get("controller") == entity_id]
    run = await desk.runs.at(at) if at else None
    kept = await desk.pool.values_at(at, since=run.begins_at) if at and run else None
    return {
        "entity": found,
        "now": _values(desk, entity_id, kept),
        "orders": await desk.journal.recent_orders(entity_id, until=at, limit=RECENT_ORDERS),
        "events": await desk.journal.events(entity_id=entity_id, until=at, limit=RECENT_ORDERS),
        "parts": [
            {"id": part.id, "type": part.type, "name": part.name, "now": _values(desk, part.id, kept)} for part in parts
        ],
    }


def _values(desk: Desk, entity_id: str, kept: Values | None) -> list[Json]:
    """The newest values of an entity, or those of a past time; tracks are arrays, for the brain only."""
    newest = [
        {"attribute": attribute, "unit": desk.units.get(attribute, ""), **msgspec.structs.asdict(value)}
        for attribute, value in desk.pool.now(entity_id).items()
        if isinstance(value.value, str | int | float | None)
    ]
    if kept is None:
        return newest
    unknown = {"observed_at": None, "received_at": None, "batch_id": None}
    return [{**each, **unknown, "value": kept(each["attribute"], (entity_id,))[0]} for each in newest]


@get("/api/entities/{entity_id:str}/history", opt={"permission": "city.view"})
async def history(
    state: State,
    entity_id: FromPath[str],
    attribute: FromQuery[str],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> dict[str, Json]:
    """One attribute's kept values, oldest first."""
    desk = _desk(state)
    points = await desk.pool.history(entity_id, attribute, since=since, until=until, limit=HISTORY_LIMIT)
    return {"unit": desk.units.get(attribute, ""), "points": points}


@get("/api/batches/{batch_id:str}", opt={"permission": "city.view"})
async def batch(state: State, batch_id: FromPath[str]) -> Json:
    """The observations that were kept of one batch: where a because-chain ends."""
    found = await _desk(state).pool.batch(batch_id)
    if found is None:
        raise NoSuchBatch("serve.no_such_batch", {"id": batch_id})
    return found


@post("/api/city/speed", opt={"permission": "city.control"}, status_code=200)
async def change_speed(state: State, data: JSONBody[Speed]) -> dict[str, Json]:
    """Run the simulated city at another speed."""
    if data.speed is not None and not 0 < data.speed <= FASTEST:
        raise SpeedOutOfRange("serve.speed_out_of_range", {"speed": data.speed, "fastest": FASTEST})
    _desk(state).city.pace.change(data.speed)
    return {"speed": data.speed}


@post("/api/signals/{entity_id:str}/control", opt={"permission": "traffic.control"}, status_code=200)
async def change_control(
    state: State, request: Request[Any, Any, Any], entity_id: FromPath[str], data: JSONBody[Control]
) -> dict[str, Json]:
    """Give a signal to the brain or back to its shipped plan, as an order with the officer's name."""
    desk = _desk(state)
    found = desk.pool.entity(entity_id)
    if found is None or found.type != SIGNAL:
        raise NotASignal("serve.not_a_signal", {"id": entity_id})
    if desk.city.last is None:
        raise CityNotReady("serve.city_not_ready", {})
    wanted = Wanted(means="traffic.set_control_mode", entity_id=entity_id, parameters={"mode": data.mode})
    order = await desk.city.store.orders.give(request.state.actor, wanted, now=utc_now(), city_now=desk.city.now)
    return {"order_id": order.id}


ROUTES = (
    city,
    status,
    words,
    network,
    now,
    replay,
    extent,
    events,
    acknowledge,
    indicators,
    indicator_series,
    indicator_rows,
    runs,
    entities,
    entity,
    history,
    batch,
    change_speed,
    change_control,
)
