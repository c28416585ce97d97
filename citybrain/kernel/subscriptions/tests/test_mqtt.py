# SPDX-License-Identifier: Apache-2.0
import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.carriers import Carriers, Message
from citybrain.kernel.subscriptions.subscription import Endpoint
from citybrain.kernel.subscriptions.tests.scene import Town, lamp

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto, a real MQTT broker, is not installed here")


class Broker:
    """A real MQTT broker that can be stopped and started again on its port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            str(MOSQUITTO), "-c", str(self._conf), stdout=quiet, stderr=quiet
        )
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise TimeoutError

    async def stop(self) -> None:
        if self._process:
            self._process.terminate()
            await self._process.wait()
            self._process = None


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    await broker.start()
    yield broker
    await broker.stop()


async def next_message(client: aiomqtt.Client) -> dict[str, Json]:
    async with asyncio.timeout(10):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            told: dict[str, Json] = msgspec.json.decode(message.payload)
            return told
    raise AssertionError


async def test_a_notification_over_mqtt_has_its_headers_in_the_message(town: Town, broker: Broker) -> None:
    info = {"receiverInfo": [{"key": "town", "value": "north"}], "notifierInfo": [{"key": "MQTT-QoS", "value": "2"}]}
    await town.subscribe(f"mqtt://127.0.0.1:{broker.port}/lamps/all", endpoint=info)
    async with aiomqtt.Client("127.0.0.1", broker.port) as listener:
        await listener.subscribe("lamps/#", qos=2)
        await town.create(lamp("urn:lamp:1", power=3))
        told = await next_message(listener)
    assert told["metadata"]["Content-Type"] == "application/json" and told["metadata"]["town"] == "north"
    assert "json-ld#context" in told["metadata"]["Link"]
    assert told["body"]["type"] == "Notification" and told["body"]["data"][0]["power"]["value"] == 3


@pytest.mark.parametrize("version", ["mqtt3.1.1", "mqtt5.0"])
@pytest.mark.parametrize("quality", ["0", "1", "2"])
async def test_both_versions_and_all_qualities_are_spoken(broker: Broker, version: str, quality: str) -> None:
    notifier = (("MQTT-Version", version), ("MQTT-QoS", quality))
    endpoint = Endpoint(uri=f"mqtt://someone:secret@127.0.0.1:{broker.port}/a/b", notifier_info=notifier)
    async with Carriers() as carriers, aiomqtt.Client("127.0.0.1", broker.port) as listener:
        await listener.subscribe("a/b", qos=1)
        for number in range(3):
            assert (await carriers.carry(endpoint, Message(b"%d" % number, {}))).why is None
        assert [(await next_message(listener))["body"] for _ in range(3)] == [0, 1, 2]


async def test_a_broker_that_was_restarted_is_reached_again(broker: Broker) -> None:
    endpoint = Endpoint(uri=f"mqtt://127.0.0.1:{broker.port}/a", timeout_ms=3000)
    async with Carriers() as carriers:
        assert (await carriers.carry(endpoint, Message(b"1", {}))).why is None
        await broker.stop()
        why = (await carriers.carry(endpoint, Message(b"2", {}))).why
        assert why is not None and why.code in ("kernel.notify_unreachable", "kernel.notify_timeout")
        await broker.start()
        assert (await carriers.carry(endpoint, Message(b"3", {}))).why is None
