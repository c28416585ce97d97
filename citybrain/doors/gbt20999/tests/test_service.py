# SPDX-License-Identifier: Apache-2.0
"""The door looks at the controllers of its file, tells what it sees, and commands nothing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from citybrain.doors.gbt20999 import mapping, service
from citybrain.doors.gbt20999.capability import Capability, PhaseFacts, Seen
from citybrain.doors.gbt20999.codec import Dialect
from citybrain.doors.gbt20999.link import Peer, UnusableAddress
from citybrain.doors.gbt20999.outstation import letters
from citybrain.doors.gbt20999.service import looking
from citybrain.doors.gbt20999.tests.emulated import Emulated
from citybrain.kernel.controllers.mapping import UnusableMapping
from citybrain.kernel.controllers.outlets import Outlets
from citybrain.kernel.controllers.outstation import Mode
from citybrain.kernel.controllers.watch import Measurement, flashes
from citybrain.kernel.records import Event
from citybrain.kernel.store import Store

ENTITY = "urn:ngsi-ld:TrafficSignalController:x1"
FILE = """
look_s = 0.2

[[controller]]
name = "x1"
address = "tcp://127.0.0.1:{port}"
entity = "urn:ngsi-ld:TrafficSignalController:x1"
stages = [2, 1]
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHASE = PhaseFacts(
    number=1, min_green_s=5, max_green_s=40, yellow_s=3, all_red_s=2, ped_clear_s=0, lamp_groups=frozenset({1})
)
CAPABILITY = Capability(
    maker="m",
    version="1",
    phases=(PHASE, msgspec.structs.replace(PHASE, number=3)),
    stages=((1,), (3,)),
    numbers=(1, 2),
    conflicts=frozenset({(1, 3), (3, 1)}),
    intergreen_s={(1, 3): 5.0, (3, 1): 5.0},
    transitions={},
    backup_s=20.0,
    lamp_state=2,
)
SEEN = Seen(
    at=NOON,
    green=frozenset({1}),
    yellow=frozenset(),
    red=frozenset({3}),
    stage=0,
    stage_age_s=4.0,
    mode=Mode.LOCAL,
    run_mode=0x21,
    is_manual=False,
    pattern=1,
    alarms=(),
)


def written(folder: Path, text: str) -> Path:
    path = folder / "controllers.toml"
    path.write_text(text)
    return path


def test_a_file_with_everything_said_is_read(tmp_path: Path) -> None:
    more = 'id = 0x009A2109\n[controller.dialect]\nversion = 0x0100\narrays = "first_first"\n'
    plan = mapping.load(written(tmp_path, FILE.format(port=5000) + more))
    each = plan.controller[0]
    assert (each.line.controller, each.stages, plan.look_s) == (0x009A2109, (2, 1), 0.2)
    assert each.line.dialect == Dialect(version=0x0100, arrays="first_first")
    assert each.line.peer == Peer(scheme="tcp", host="127.0.0.1", port=5000)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("controller = 3", "gbt20999.file_unusable"),
        ("[[controller]", "gbt20999.file_unusable"),
        (FILE.format(port=5000).replace("tcp:", "http:"), "gbt20999.file_unusable"),
        (FILE.format(port=5000) + "colour = 1\n", "gbt20999.file_unusable"),
        (FILE.format(port=5000) + FILE.format(port=5001).replace("look_s = 0.2", ""), "gbt20999.controller_twice"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(text: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableMapping) as refusal:
        mapping.load(written(tmp_path, text))
    assert refusal.value.code == code


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableMapping):
        mapping.load(tmp_path / "none.toml")


@pytest.mark.parametrize("address", ["10.0.0.1", "tcp://10.0.0.1", "tcp://:5000", "udp://h:99999", "ftp://h:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UnusableAddress):
        Peer.of(address)


def test_a_junction_that_flashes_shows_as_such() -> None:
    flashing = msgspec.structs.replace(SEEN, mode=Mode.FLASH, green=frozenset(), red=frozenset(), stage=None)
    assert letters(SEEN, CAPABILITY) == "G-r"
    assert letters(flashing, CAPABILITY) == "o-o"


async def test_what_controllers_show_is_told_and_nothing_is_commanded(tmp_path: Path) -> None:
    with Emulated(tmp_path) as emulator:
        observed: list[Measurement] = []
        events: list[Event] = []

        async def observe(measurements: Sequence[Measurement]) -> None:
            observed.extend(measurements)

        async def tell(told: Sequence[Event]) -> None:
            events.extend(told)

        plan = mapping.load(written(tmp_path, FILE.format(port=emulator.port)))
        async with looking(plan, Outlets(observe=observe, tell=tell)):
            await emulator.until("stage", 2)
            await emulator.until("state", 0x20)
            await asyncio.sleep(0.5)
            emulator.trouble(crossed={"1": 0x20})
            await emulator.until("mode", 0x31)
            await asyncio.sleep(0.5)
    values = {(each.attribute, each.value) for each in observed if each.entity_id == ENTITY}
    assert {("stage", 0.0), ("controllerMode", "local"), ("controllerMode", "flash")} <= values
    assert ("controllerMode", "centre") not in values
    assert [each.kind for each in events] == [flashes("gbt20999")] * 2
    assert events[-1].ended_at is not None


async def test_without_a_file_the_door_stays_shut_and_with_one_the_pool_is_told(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITYBRAIN_GBT20999", raising=False)
    async with service.running(store):
        pass
    with Emulated(tmp_path) as emulator:
        monkeypatch.setenv("CITYBRAIN_GBT20999", str(written(tmp_path, FILE.format(port=emulator.port))))
        async with service.running(store), asyncio.timeout(20):
            while store.documents.get("", ENTITY) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    document = store.documents.get("", ENTITY)
    assert document is not None
    assert document.types == ("TrafficSignalController",)
    assert {"signalState", "controllerMode"} <= set(document.attributes)
