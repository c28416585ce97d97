# SPDX-License-Identifier: Apache-2.0
"""Devices over MQTT: messages of QoS 1 from publication to commit, beside what the broker alone passes on.

A real mosquitto on this machine, real PostgreSQL with fsync. Each message says two values of one of 1,000 devices.
"""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from citybrain.doors.mqtt import service
from citybrain.doors.mqtt.feed import listening
from citybrain.doors.mqtt.intake import Intake, Outlets
from citybrain.doors.mqtt.mapping import Attribute, Broker, Plan, Source
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.serve import contributions

MESSAGES, DEVICES = 50_000, 1_000
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


def publish(port: int, topic: str) -> None:
    """Publish all messages as fast as the broker takes them."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(1_000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(MESSAGES):
        body = {"ts": f"2026-03-01T12:{number // 1000 % 60:02}:{number // 20 % 60:02}Z", "pm25": number % 300, "no2": 7}
        last = client.publish(f"{topic}/{number % DEVICES}", json.dumps(body), qos=1)
    last.wait_for_publish(120)
    client.disconnect()
    client.loop_stop()


def broker_alone(port: int) -> float:
    """Messages a second from a publisher to a subscriber that does nothing with them."""
    seen = 0

    def arrived(*_: Any) -> None:
        nonlocal seen
        seen += 1

    reader = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    reader.on_message = arrived
    reader.connect("127.0.0.1", port)
    reader.subscribe("alone/#", qos=1)
    reader.loop_start()
    began = time.perf_counter()
    publish(port, "alone")
    while seen < MESSAGES:
        time.sleep(0.01)
    reader.loop_stop()
    return MESSAGES / (time.perf_counter() - began)


async def through_the_door(port: int, folder: Path) -> float:
    """Messages a second from a publisher into the pool, each committed."""
    air = Source(
        name="air",
        topic="air/{id}",
        type="AirQualityObserved",
        entity="urn:ngsi-ld:AirQualityObserved:{id}",
        attributes={"pm25": Attribute(unit="GQ"), "no2": Attribute(unit="GQ")},
        observed_at="ts",
        per_second=1e6,
        burst=1_000_000,
    )
    plan = Plan(broker=Broker(url=f"mqtt://127.0.0.1:{port}", client_id="bench"), source=(air,))
    async with open_store(Settings(data=folder), migrations=contributions.migrations()) as city:
        taken = 0
        outlets = service.outlets(city)

        async def observe(seen: Any) -> None:
            nonlocal taken
            await outlets.observe(seen)
            taken += len(seen)

        intake = await Intake.open(city.db, plan, Outlets(observe=observe, tell=outlets.tell), steady_s=monotonic_s())
        async with listening(plan, intake) as feed:
            await until(lambda: feed.is_subscribed)
            began = time.perf_counter()
            publishing = asyncio.create_task(asyncio.to_thread(publish, port, "air"))
            await until(lambda: taken >= MESSAGES)
            await publishing
            return MESSAGES / (time.perf_counter() - began)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; refuses to wait longer than two minutes."""
    for _ in range(12_000):
        if holds():
            return
        await asyncio.sleep(0.01)
    sys.exit("bench_mqtt: not done within two minutes")


def main() -> None:
    """Print the figures."""
    if not Path(MOSQUITTO).exists():
        sys.exit("bench_mqtt needs mosquitto: apt-get install mosquitto")
    with tempfile.TemporaryDirectory() as top, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        Path(top).chmod(0o755)
        configuration = Path(top, "mosquitto.conf")
        configuration.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
        )
        broker = subprocess.Popen([MOSQUITTO, "-c", configuration], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            alone = broker_alone(port)
            door = asyncio.run(through_the_door(port, Path(top, "data")))
        finally:
            broker.kill()
    print(f"mqtt_messages_committed {door:.0f} messages/s")
    print(f"mqtt_observations_committed {2 * door:.0f} observations/s")
    print(f"mqtt_ratio_to_broker_alone {door / alone:.2f} ratio")


if __name__ == "__main__":
    main()
