# SPDX-License-Identifier: Apache-2.0
"""The door at a real broker: mosquitto, with aiomqtt, which nobody here wrote, as the device."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from citybrain.doors.mqtt import service
from citybrain.doors.mqtt import store as kept
from citybrain.doors.mqtt.feed import Feed, listening
from citybrain.doors.mqtt.intake import Intake, Outlets, Seen
from citybrain.doors.mqtt.mapping import Attribute, Broker, Plan, Source
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.entities.document import EntityChange
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.models.policies import DoesNotFit
from citybrain.kernel.store import Store

MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
pytestmark = pytest.mark.skipif(
    not Path(MOSQUITTO).exists(), reason="Debian's mosquitto is not installed: apt-get install mosquitto"
)
WITHIN_S = 10.0


class Mosquitto:
    """A broker of our own on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return process


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path_factory.mktemp("mosquitto"))
    yield mosquitto
    mosquitto.process.kill()
    mosquitto.process.wait()


def plan(broker: Mosquitto, name: str) -> Plan:
    air = Source(
        name=name,
        topic=f"{name}/{{station}}",
        type="AirQualityObserved",
        entity=f"urn:ngsi-ld:{name}:{{station}}",
        attributes={"pm25": Attribute(unit="GQ", range=(0, 3000)), "state": Attribute()},
        observed_at="ts",
        burst=1_000,
        per_second=1_000,
        lies_in_a_row=2,
    )
    return Plan(broker=Broker(url=f"mqtt://127.0.0.1:{broker.port}", client_id=name), source=(air,))


@asynccontextmanager
async def door(city: Store, plan: Plan, outlets: Outlets | None = None) -> AsyncIterator[Feed]:
    intake = await Intake.open(city.db, plan, outlets or service.outlets(city), steady_s=monotonic_s())
    async with listening(plan, intake) as feed:
        await until(lambda: feed.is_subscribed)
        yield feed


async def until(holds: Any) -> None:
    for _ in range(round(WITHIN_S / 0.02)):
        if await found if asyncio.iscoroutine(found := holds()) else found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {WITHIN_S} s")


async def publish(broker: Mosquitto, messages: Sequence[tuple[str, Any]]) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as device:
        for topic, body in messages:
            await device.publish(topic, body if isinstance(body, bytes) else json.dumps(body), qos=1)


def value(city: Store, entity_id: str, attribute: str) -> Any:
    document = city.documents.get("", entity_id)
    return None if document is None else document.attributes[attribute][0].value


async def test_what_a_device_publishes_is_in_the_pool_with_time_and_unit(store: Store, broker: Mosquitto) -> None:
    async with door(store, plan(broker, "one")):
        await publish(broker, [("one/7", {"ts": "2026-03-01T12:00:00Z", "pm25": 35, "state": "ok"})])
        await until(lambda: value(store, "urn:ngsi-ld:one:7", "pm25") == 35)
    document = store.documents.get("", "urn:ngsi-ld:one:7")
    assert document is not None
    pm25 = document.attributes["pm25"][0]
    assert (pm25.unit_code, pm25.observed_at) == ("GQ", "2026-03-01T12:00:00Z")
    assert document.attributes["state"][0].value == "ok"
    assert document.types == ("AirQualityObserved",)


async def test_an_older_observation_does_not_replace_a_newer_one(store: Store, broker: Mosquitto) -> None:
    async with door(store, plan(broker, "two")):
        newer, older = {"ts": "2026-03-01T12:00:00Z", "pm25": 2}, {"ts": "2026-03-01T11:00:00Z", "pm25": 1}
        await publish(broker, [("two/1", newer), ("two/1", older), ("two/2", newer)])
        await until(lambda: value(store, "urn:ngsi-ld:two:2", "pm25") == 2)
    assert value(store, "urn:ngsi-ld:two:1", "pm25") == 2


async def test_a_message_is_acknowledged_only_when_it_is_committed(store: Store, broker: Mosquitto) -> None:
    """While nothing can be committed the broker keeps the message, and gives it to whoever comes after us."""

    async def never(_seen: Sequence[Seen]) -> None:
        raise Unavailable("kernel.database_lost", {"why": "gone"})

    broken = Outlets(observe=never, tell=store.journal.tell)
    async with door(store, plan(broker, "three"), broken) as feed:
        await publish(broker, [("three/1", {"ts": "2026-03-01T12:00:00Z", "pm25": 3})])
        await until(lambda: feed.is_waiting)
    assert store.documents.get("", "urn:ngsi-ld:three:1") is None
    async with door(store, plan(broker, "three")):
        await until(lambda: value(store, "urn:ngsi-ld:three:1", "pm25") == 3)


async def test_what_cannot_be_read_is_kept_with_its_reason_and_can_be_replayed(
    store: Store, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [("four/1", b"{"), ("four/1", {"pm25": 1}), ("four/2", {"ts": "2026-03-01T12:00:00Z", "pm": 4})]
    async with door(store, plan(broker, "four")):
        await publish(broker, bad)

        async def three() -> bool:
            return len(await letters(store, "four")) == 3

        await until(three)
    found = await letters(store, "four")
    assert [each.code for each in found] == ["mqtt.nothing_in_it", "mqtt.time_unusable", "mqtt.not_json"]
    assert found[-1].payload == b"{"
    mapping = tmp_path / "mqtt.toml"
    mapping.write_text(
        '[broker]\nurl = "mqtt://127.0.0.1"\n[[source]]\nname = "four"\ntopic = "four/{station}"\n'
        'type = "AirQualityObserved"\nentity = "urn:ngsi-ld:four:{station}"\nobserved_at = "ts"\n'
        '[source.attributes.pm25]\npath = "pm"\n'
    )
    monkeypatch.setenv("CITYBRAIN_MQTT", str(mapping))
    assert await service.replay(store, [each.id for each in found]) == 1, "the mapping was mended for one of them"
    assert value(store, "urn:ngsi-ld:four:2", "pm25") == 4
    assert len(await letters(store, "four")) == 2


async def test_a_lying_device_is_shut_out_with_an_event_and_freed_by_a_person(store: Store, broker: Mosquitto) -> None:
    lie = {"ts": "2026-03-01T12:00:00Z", "pm25": 9999}
    truth = {"ts": "2026-03-01T12:00:01Z", "pm25": 9}
    async with door(store, plan(broker, "five")):
        await publish(broker, [("five/1", lie), ("five/1", lie), ("five/1", truth), ("five/2", truth)])
        await until(lambda: value(store, "urn:ngsi-ld:five:2", "pm25") == 9)
        assert store.documents.get("", "urn:ngsi-ld:five:1") is None, "another device is not touched by it"

        async def told_of() -> bool:
            return bool(await store.journal.events(entity_id="urn:ngsi-ld:five:1"))

        await until(told_of)
        shut = await store_quarantines(store)
        assert [(each.entity_id, each.code) for each in shut] == [("urn:ngsi-ld:five:1", "mqtt.lie_range")]
        told = await store.journal.events(entity_id="urn:ngsi-ld:five:1")
        assert [(each.kind, each.ended_at) for each in told] == [("mqtt.source_quarantined", None)]
        await service.release(store, "urn:ngsi-ld:five:1")
        ended = await store.journal.events(entity_id="urn:ngsi-ld:five:1")
        assert ended[0].ended_at is not None

        async def taken() -> bool:
            await publish(broker, [("five/1", truth)])
            return bool(value(store, "urn:ngsi-ld:five:1", "pm25") == 9)

        await until(taken)
    with pytest.raises(service.NotInQuarantine):
        await service.release(store, "urn:ngsi-ld:five:1")


async def test_a_quarantine_outlives_a_restart(store: Store, broker: Mosquitto) -> None:
    lie = {"ts": "2026-03-01T12:00:00Z", "pm25": 9999}
    truth = {"ts": "2026-03-01T12:00:01Z", "pm25": 9}
    async with door(store, plan(broker, "six")):
        await publish(broker, [("six/1", lie), ("six/1", lie)])

        async def shut() -> bool:
            return any(each.source == "six" for each in await store_quarantines(store))

        await until(shut)
    async with door(store, plan(broker, "six")):
        await publish(broker, [("six/1", truth), ("six/2", truth)])
        await until(lambda: value(store, "urn:ngsi-ld:six:2", "pm25") == 9)
    assert store.documents.get("", "urn:ngsi-ld:six:1") is None


async def test_everything_that_came_is_counted(store: Store, broker: Mosquitto) -> None:
    good = {"ts": "2026-03-01T12:00:00Z", "pm25": 1}
    async with door(store, plan(broker, "seven")):
        await publish(broker, [("seven/1", good), ("seven/1", good), ("seven/1", b"?")])

        async def counted() -> bool:
            found = {each.source: (each.taken, each.refused) for each in await store_counts(store)}
            return found.get("seven") == (2, 1)

        await until(counted)


async def test_what_a_model_refuses_is_kept_and_stops_nobody_else(store: Store, broker: Mosquitto) -> None:
    good, bad = {"ts": "2026-03-01T12:00:00Z", "pm25": 1}, {"ts": "2026-03-01T12:00:00Z", "pm25": 2}
    refused = {"urn:ngsi-ld:eight:bad"}

    def guard(change: EntityChange) -> None:
        if change.id in refused:
            raise DoesNotFit("kernel.model_range", {"attribute": "pm25"})

    store.documents.guards.append(guard)
    async with door(store, plan(broker, "eight")):
        await publish(broker, [("eight/1", good), ("eight/bad", bad), ("eight/2", good)])

        async def kept() -> bool:
            return [each.code for each in await letters(store, "eight")] == ["kernel.model_range"]

        await until(kept)
        await until(lambda: value(store, "urn:ngsi-ld:eight:2", "pm25") == 1)
    store.documents.guards.remove(guard)
    assert value(store, "urn:ngsi-ld:eight:1", "pm25") == 1
    assert store.documents.get("", "urn:ngsi-ld:eight:bad") is None


async def letters(city: Store, source: str) -> list[kept.Letter]:
    return await kept.letters(city.db, source=source, before=None, limit=100)


async def store_quarantines(city: Store) -> list[kept.Quarantine]:
    return await kept.quarantines(city.db)


async def store_counts(city: Store) -> list[kept.Count]:
    return await kept.counts(city.db)
