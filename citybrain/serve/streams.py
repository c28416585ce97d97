# SPDX-License-Identifier: Apache-2.0
"""What is pushed to screens: the state and records by server-sent events, vehicles by WebSocket."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import msgspec
from litestar import WebSocket, get, websocket
from litestar.datastructures import State
from litestar.exceptions import WebSocketDisconnect
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.outbox import Told
from citybrain.serve.desk import Desk

# Two pictures a second are as many as a person can read; the browser moves what lies between.
PICTURE_EVERY_S = 0.5
# Of a real street what is new is drawn as soon as this allows: from source to screen is less than half a second.
NEWS_EVERY_S = 0.2
# A pause may end so much early by another clock's count.
EARLY_S = 0.01
INDICATORS_EVERY_S = 2.0
PING_EVERY_S = 5.0
# So many events are told at once; of more a storm's next ones come without waiting for the next picture.
EVENTS_AT_ONCE = 500
PORTIONS_AT_ONCE = 8
EVENT, ALARM = "event", "alarm"
VEHICLE_HEADER = struct.Struct("<ddd")


class Named(msgspec.Struct, frozen=True):
    """What is told of has an id."""

    id: str


def _message(event: str, data: Any, *, id: int | None = None) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(data).decode(), event=event, id=id)


@get("/api/stream", opt={"permission": "city.view"}, cache=False)
async def stream(
    state: State, last_event_id: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None
) -> ServerSentEvent:
    """State, indicators, events and alarms as they come; `Last-Event-ID` continues where a reader stopped."""
    desk: Desk = state.desk
    after = int(last_event_id) if last_event_id and last_event_id.isdigit() else await desk.outbox.last_id()
    return ServerSentEvent(_pushed(desk, after))


async def _pushed(desk: Desk, after: int) -> AsyncIterator[ServerSentEventMessage]:
    pinged_s = indicated_s = asked_s = 0.0
    pictures = Pictures(desk)
    while not desk.closing.is_set():
        now_s = monotonic_s()
        if pictures.is_due(now_s):
            yield _message("state", desk.picture())
        if now_s - asked_s >= PICTURE_EVERY_S - EARLY_S:
            asked_s = now_s
            async for rows in _records(desk, after):
                for message in await _told(desk, rows):
                    yield message
                after = rows[-1].id
        if now_s - indicated_s >= INDICATORS_EVERY_S:
            indicated_s = now_s
            yield _message("indicators", desk.indicators())
        if now_s - pinged_s >= PING_EVERY_S:
            pinged_s = now_s
            yield _message("ping", {"condition": desk.city.condition})
        await desk.next_picture(pictures.pause_s)


async def _records(desk: Desk, after: int) -> AsyncIterator[Sequence[Told]]:
    """What was told since, in portions."""
    for _ in range(PORTIONS_AT_ONCE):
        rows = await desk.outbox.since(after, topics=(EVENT, ALARM), limit=EVENTS_AT_ONCE)
        if rows:
            yield rows
            after = rows[-1].id
        if len(rows) < EVENTS_AT_ONCE:
            return


class Pictures:
    """When one reader is due a picture: always after `PICTURE_EVERY_S`, of a real street sooner if it has news."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sent_s = -PICTURE_EVERY_S
        self._heard = -1

    @property
    def pause_s(self) -> float:
        """How long there is nothing to do."""
        return PICTURE_EVERY_S if self._desk.city.simulated else NEWS_EVERY_S

    def is_due(self, now_s: float) -> bool:
        """Whether to send one now; it counts as sent."""
        heard = self._desk.city.heard
        if not self._desk.has_picture or (heard == self._heard and now_s - self._sent_s < PICTURE_EVERY_S - EARLY_S):
            return False
        self._sent_s, self._heard = now_s, heard
        return True


async def _told(desk: Desk, rows: Sequence[Told]) -> list[ServerSentEventMessage]:
    """Events as they were told, then every alarm among them once, as it is by now.

    Only the last message says how far the reader is: whoever is cut off in between gets all of them again.
    """
    if not rows:
        return []
    ids = dict.fromkeys(msgspec.json.decode(row.payload, type=Named).id for row in rows)
    told = [ServerSentEventMessage(data=row.payload, event=EVENT) for row in rows if row.topic == EVENT]
    alarms = await desk.city.store.alarms.those(list(ids), now=utc_now())
    told += [_message(ALARM, alarm) for alarm in alarms]
    told[-1].id = rows[-1].id
    return told


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
