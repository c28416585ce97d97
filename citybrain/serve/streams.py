# SPDX-License-Identifier: Apache-2.0
"""What is pushed to screens: the state and records by server-sent events, vehicles by WebSocket."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import WebSocket, get, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from citybrain.kernel.clock import monotonic_s
from citybrain.serve.desk import Desk

# Two pictures a second are as many as a person can read; the browser moves what lies between.
PICTURE_EVERY_S = 0.5
INDICATORS_EVERY_S = 2.0
PING_EVERY_S = 5.0
VEHICLE_HEADER = struct.Struct("<ddd")


def _message(event: str, data: Any, *, id: int | None = None) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(data).decode(), event=event, id=id)


@get("/api/stream", opt={"permission": "city.view"}, cache=False)
async def stream(
    state: State, last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None
) -> ServerSentEvent:
    """State, indicators and events as they come; `Last-Event-ID` continues the events where a reader stopped."""
    desk: Desk = state.desk
    after = int(last_event_id) if last_event_id and last_event_id.isdigit() else await desk.outbox.last_id()
    return ServerSentEvent(_pushed(desk, after))


async def _pushed(desk: Desk, after: int) -> AsyncIterator[ServerSentEventMessage]:
    pinged_s = indicated_s = 0.0
    while not desk.closing.is_set():
        now_s = monotonic_s()
        if desk.has_picture:
            yield _message("state", desk.picture())
        for row in await desk.outbox.since(after, topic="event", limit=200):
            after = row.id
            yield ServerSentEventMessage(data=row.payload, event="event", id=row.id)
        if now_s - indicated_s >= INDICATORS_EVERY_S:
            indicated_s = now_s
            yield _message("indicators", desk.indicators())
        if now_s - pinged_s >= PING_EVERY_S:
            pinged_s = now_s
            yield _message("ping", {"condition": desk.city.condition})
        await desk.next_picture(PICTURE_EVERY_S)


@websocket("/api/vehicles", opt={"permission": "city.view"})
async def vehicles(socket: WebSocket[Any, Any, Any]) -> None:
    """Moving vehicles, newest picture only; a reader that is slow misses pictures, never sees old ones."""
    desk: Desk = socket.app.state.desk
    await socket.accept()
    desk.city.vehicle_readers += 1
    sent = None
    try:
        while not desk.closing.is_set():
            seen = desk.city.vehicles
            if seen is not None and seen is not sent:
                sent = seen
                header = VEHICLE_HEADER.pack(seen.at.timestamp() * 1000, *seen.origin)
                await socket.send_bytes(header + seen.rows)
            await desk.next_picture(PICTURE_EVERY_S)
        await socket.close()
    except (WebSocketDisconnect, RuntimeError, asyncio.CancelledError):
        return
    finally:
        desk.city.vehicle_readers -= 1
