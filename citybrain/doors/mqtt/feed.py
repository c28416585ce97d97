# SPDX-License-Identifier: Apache-2.0
"""Listens to the broker. A message of QoS 1 is acknowledged when what it said is committed, and not before."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from citybrain.doors.mqtt.intake import Intake, Message
from citybrain.doors.mqtt.mapping import Plan, filter_of
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.errors import Refusal

PORTS = {"mqtt": 1883, "mqtts": 8883}
KEEPALIVE_S = 30
# The broker sends this many without an acknowledgement: one commit takes them all.
RECEIVE_MAXIMUM = 2_000
TOGETHER = 2_000
RELEASED_EVERY_S = 2.0
RETRY_S = 1.0

log = structlog.get_logger()


class Feed:
    """One connection to a broker, kept up for ever; the session lives on at the broker while we are away.

    `is_waiting` tells that messages are here and cannot be committed just now.
    """

    def __init__(self, plan: Plan, intake: Intake) -> None:
        self._plan = plan
        self._intake = intake
        self._waiting: deque[tuple[Message, paho.MQTTMessage]] = deque()
        self._came = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=plan.broker.client_id,
            protocol=paho.MQTTv5,
            manual_ack=True,
        )
        self._client.on_connect = self._connected
        self._client.on_message = self._arrived
        self._client.on_disconnect = self._lost
        self._client.on_subscribe = self._subscribed
        self.is_subscribed = False
        self.is_waiting = False

    def start(self) -> None:
        """Connect in a thread of the client's own, now and whenever the connection is lost."""
        url = urlsplit(self._plan.broker.url)
        if url.username:
            self._client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        if url.scheme == "mqtts":
            self._client.tls_set()
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._plan.broker.session_expiry_s
        properties.ReceiveMaximum = RECEIVE_MAXIMUM
        self._client.connect_async(
            url.hostname or "localhost",
            url.port or PORTS[url.scheme],
            keepalive=KEEPALIVE_S,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Leave the broker; what was not acknowledged it keeps for the next time."""
        self._client.disconnect()
        self._client.loop_stop()

    async def run(self) -> None:
        """Take messages in as they come, until cancelled. While the database is away they wait, unacknowledged."""
        released_s = monotonic_s()
        while True:
            with suppress(TimeoutError):  # not wait_for: before Python 3.12 it can lose a cancellation
                async with asyncio.timeout(RELEASED_EVERY_S):
                    await self._came.wait()
            self._came.clear()
            if monotonic_s() - released_s >= RELEASED_EVERY_S:
                released_s = monotonic_s()
                await self._intake.free_released()
            while self._waiting:
                await self._take(min(len(self._waiting), TOGETHER))

    async def _take(self, count: int) -> None:
        taken = [self._waiting.popleft() for _ in range(count)]
        while True:
            try:
                await self._intake.take([message for message, _ in taken])
            except Refusal as refusal:
                self.is_waiting = True
                log.warning("mqtt_waits", code=refusal.code, facts=dict(refusal.facts))
                await asyncio.sleep(RETRY_S)
            else:
                self.is_waiting = False
                break
        for _, original in taken:
            if original.qos:
                self._client.ack(original.mid, original.qos)

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("mqtt_refused", url=_without_password(self._plan.broker.url), reason=str(reason))
            return
        wanted: list[tuple[str, int]] = [(filter_of(source.topic), source.qos) for source in self._plan.source]
        client.subscribe(wanted)

    def _subscribed(self, _client: paho.Client, _data: Any, _mid: Any, _reasons: Any, _properties: Any) -> None:
        self.is_subscribed = True

    def _lost(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.is_subscribed = False
        if reason.is_failure:
            log.warning("mqtt_lost", url=_without_password(self._plan.broker.url), reason=str(reason))
        # The broker sends again what was not acknowledged, so what waits here would come twice.
        self._loop.call_soon_threadsafe(self._forget_waiting)

    def _arrived(self, _client: paho.Client, _data: Any, original: paho.MQTTMessage) -> None:
        message = Message(original.topic, bytes(original.payload), utc_now(), monotonic_s())
        self._loop.call_soon_threadsafe(self._put, message, original)

    def _put(self, message: Message, original: paho.MQTTMessage) -> None:
        self._waiting.append((message, original))
        self._came.set()

    def _forget_waiting(self) -> None:
        """Keep those of QoS 0, which nobody sends again."""
        self._waiting = deque(each for each in self._waiting if not each[1].qos)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or PORTS[parts.scheme]}"


@asynccontextmanager
async def listening(plan: Plan, intake: Intake) -> AsyncIterator[Feed]:
    """A feed that runs as long as the block."""
    feed = Feed(plan, intake)
    feed.start()
    running = asyncio.create_task(feed.run(), name="mqtt")
    try:
        yield feed
    finally:
        running.cancel()
        await asyncio.wait([running])
        await asyncio.to_thread(feed.stop)
