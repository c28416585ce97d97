# SPDX-License-Identifier: Apache-2.0
"""The emulated controller to a client nobody here wrote: snmpget, snmpset and snmpwalk of net-snmp."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from citybrain.doors.ntcip import objects
from citybrain.doors.ntcip.cabinet import dual_ring
from citybrain.doors.ntcip.codec import Oid
from citybrain.doors.ntcip.tests.running import Emulated, emulated, until

pytestmark = pytest.mark.skipif(
    shutil.which("snmpget") is None, reason="Debian's net-snmp is not installed: apt-get install snmp"
)
VERSIONS = pytest.mark.parametrize("version", ["-v1", "-v2c"])


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[Emulated]:
    cabinet = msgspec.structs.replace(dual_ring(), write_community="admin")
    async with emulated(cabinet, tmp_path) as emulator:
        yield emulator


def dotted(oid: Oid) -> str:
    return "." + ".".join(map(str, oid))


async def snmp(emulator: Emulated, tool: str, *words: str, community: str = "public") -> str:
    """What the tool prints: numbers and names of errors alone."""
    options = ("-c", community, "-On", "-Oq", "-Oe", "-r1", "-t2", "-m", "", f"127.0.0.1:{emulator.port}")
    process = await asyncio.create_subprocess_exec(
        tool, words[0], *options, *words[1:], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return out.decode()


@VERSIONS
async def test_snmpget_reads_phases_rings_and_lamps(version: str, emulator: Emulated) -> None:
    two = dotted((*objects.YELLOW, 2))
    said = await snmp(emulator, "snmpget", version, two, dotted((*objects.SEQUENCE_DATA, 1, 2)))
    assert said.splitlines() == [f"{two} 30", f'{dotted((*objects.SEQUENCE_DATA, 1, 2))} "05 06 07 08 "']
    on = (await snmp(emulator, "snmpget", version, dotted((*objects.STATUS_ON, 1)))).split()[1]
    assert objects.numbers([int(on)])


async def test_snmpget_is_told_what_is_not_there_as_its_version_has_it(emulator: Emulated) -> None:
    missing = dotted((*objects.ASC, 99, 0))
    assert "noSuchName" in await snmp(emulator, "snmpget", "-v1", missing)
    assert "No Such Object" in await snmp(emulator, "snmpget", "-v2c", missing)
    assert "No Such Instance" in await snmp(emulator, "snmpget", "-v2c", dotted((*objects.YELLOW, 99)))


@VERSIONS
async def test_snmpwalk_sees_every_object_once_in_order(version: str, emulator: Emulated) -> None:
    lines = (await snmp(emulator, "snmpwalk", version, dotted(objects.ASC))).splitlines()
    oids = [tuple(map(int, line.split()[0].strip(".").split("."))) for line in lines if line.startswith(".1.3.6")]
    assert oids == sorted(set(oids))
    assert {(*objects.CONCURRENCY, 8), (*objects.CONTROL_HOLD, 1), objects.PATTERN_CONTROL} <= set(oids)
    assert len(oids) > 100


async def test_snmpbulkwalk_sees_the_same_objects_and_ends(emulator: Emulated) -> None:
    in_bulk = await snmp(emulator, "snmpbulkwalk", "-v2c", dotted(objects.CHANNELS))
    one_by_one = await snmp(emulator, "snmpwalk", "-v1", dotted(objects.CHANNELS))
    assert in_bulk.startswith(f"{dotted(objects.MAX_CHANNELS)} 12\n")
    assert [line.split()[0] for line in in_bulk.splitlines()] == [
        line.split()[0] for line in one_by_one.splitlines() if line.startswith(".1.3.6")
    ]


@VERSIONS
async def test_snmpset_holds_a_phase(version: str, emulator: Emulated) -> None:
    hold, call = dotted((*objects.CONTROL_HOLD, 1)), dotted((*objects.CONTROL_CALL, 1))
    words = (version, hold, "i", "136", call, "i", "136", dotted((*objects.CONTROL_OMIT, 1)), "i", "119")
    await snmp(emulator, "snmpset", *words, community="admin")
    await until(lambda: emulator.greens() == {4, 8})
    assert (await snmp(emulator, "snmpget", version, hold)).split()[1] == "136"


async def test_snmpset_is_refused_as_its_version_has_it_and_nothing_is_half_done(emulator: Emulated) -> None:
    hold, greens = dotted((*objects.CONTROL_HOLD, 1)), dotted((*objects.STATUS_GREENS, 1))
    for words, one, two in (
        ((hold, "i", "1", greens, "i", "1"), "noSuchName", "notWritable"),
        ((hold, "i", "1", hold, "i", "256"), "badValue", "wrongValue"),
        ((hold, "i", "1", hold, "s", "x"), "badValue", "wrongType"),
        ((hold, "i", "1", dotted((*objects.ASC, 99, 0)), "i", "1"), "noSuchName", "noAccess"),
    ):
        assert one in await snmp(emulator, "snmpset", "-v1", *words, community="admin")
        assert two in await snmp(emulator, "snmpset", "-v2c", *words, community="admin")
    assert (await snmp(emulator, "snmpget", "-v1", hold)).split()[1] == "0"


async def test_a_wrong_community_is_not_answered(emulator: Emulated) -> None:
    assert "Timeout" in await snmp(emulator, "snmpget", "-v1", dotted(objects.MAX_PHASES), community="other")
    hold = dotted((*objects.CONTROL_HOLD, 1))
    assert "Timeout" in await snmp(emulator, "snmpset", "-v1", hold, "i", "1", community="public")
