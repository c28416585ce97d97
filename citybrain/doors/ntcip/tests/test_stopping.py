# SPDX-License-Identifier: Apache-2.0
"""A controller is made all red or flash over real sockets, goes on by itself, and refuses what it cannot show."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from citybrain.doors.ntcip.cabinet import dual_ring
from citybrain.doors.ntcip.controller import Controller
from citybrain.doors.ntcip.tests.running import Emulated, driven, emulated, until
from citybrain.doors.ntcip.tests.test_controller import BACKUP_S, keep
from citybrain.kernel.controllers.outstation import Mode


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[Emulated]:
    async with emulated(dual_ring(backup_s=BACKUP_S), tmp_path) as emulator:
        yield emulator
        assert emulator.faults() == []


async def stop(controller: Controller, emulator: Emulated, mode: Mode, *, for_s: float = 200) -> str:
    return (await controller.stop(mode, for_s=for_s, now=emulator.clock())).code


async def beat_while(controller: Controller, emulator: Emulated, lamp: str) -> None:
    """Until every lamp is so."""
    for _ in range(1_000):
        if set(emulator.lamps.values()) == {lamp}:
            return
        await controller.beat()
        await asyncio.sleep(0.05)
    raise AssertionError(f"{lamp} is never shown, but {emulator.lamps}")


async def test_all_red_comes_through_least_greens_stays_and_ends_by_itself(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (2, 6))
        assert await stop(controller, emulator, Mode.ALL_RED, for_s=60) == ""
        await beat_while(controller, emulator, "R")
        begun = emulator.shown[-1].t
        assert (await controller.beat()).mode is Mode.ALL_RED
        while emulator.shown[-1].t < begun + 300:
            await controller.beat()
            await asyncio.sleep(0.05)
        assert {lamp for each in emulator.shown if each.t >= begun for lamp in each.lamps.values()} == {"R"}
        while not emulator.greens():
            await controller.beat()
        assert (await controller.look()).mode is Mode.LOCAL, "its time is over, and the plan goes on"


async def test_it_flashes_once_its_phases_have_cleared_and_comes_back_through_red(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (4, 8))
        assert await stop(controller, emulator, Mode.FLASH) == ""
        await beat_while(controller, emulator, "F")
        assert (await controller.beat()).mode is Mode.FLASH
        assert "Y" in [each.lamps[4] for each in emulator.shown[-200:]]
        assert await stop(controller, emulator, Mode.ALL_RED) == "", "from what we ordered to the other"
        await beat_while(controller, emulator, "R")
        await controller.release()
        await until(emulator.greens)


async def test_a_brain_that_dies_leaves_no_junction_stopped(emulator: Emulated) -> None:
    for mode, lamp in ((Mode.ALL_RED, "R"), (Mode.FLASH, "F")):
        async with driven(emulator) as (controller, _):
            await controller.discover()
            assert await stop(controller, emulator, mode) == ""
            await beat_while(controller, emulator, lamp)
        died = emulator.shown[-1].t
        await until(emulator.greens)
        assert emulator.shown[-1].t - died <= (BACKUP_S + 15) * 10


async def test_what_cannot_be_stopped_or_would_not_go_on_is_refused(emulator: Emulated, tmp_path: Path) -> None:
    async with driven(emulator) as (controller, link):
        can = (await controller.discover()).can
        for lacks, mode, code in (
            ({"plan"}, Mode.FLASH, "ntcip.cannot_flash"),
            ({"red_rest"}, Mode.ALL_RED, "ntcip.cannot_all_red"),
            ({"omit"}, Mode.ALL_RED, "ntcip.cannot_all_red"),
        ):
            less = Controller(link, clock=emulator.clock)
            less._capability = msgspec.structs.replace(await controller.discover(), can=can - lacks)
            assert await stop(less, emulator, mode) == code
        await emulator.fault(manual=True)
        assert await stop(controller, emulator, Mode.ALL_RED) == "ntcip.under_manual_control"
        await emulator.fault(manual=False)
        await emulator.fault(conflict=[2, 8])
        await until(lambda: "F" in emulator.lamps.values())
        assert await stop(controller, emulator, Mode.ALL_RED) == "ntcip.controller_flashes"
    async with emulated(dual_ring(backup_s=0), tmp_path) as without, driven(without) as (controller, _):
        await controller.discover()
        assert await stop(controller, without, Mode.FLASH) == "ntcip.no_backup_timer"
