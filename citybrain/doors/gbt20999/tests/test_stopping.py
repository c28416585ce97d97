# SPDX-License-Identifier: Apache-2.0
"""A junction is made all red or flash over real sockets, goes on by itself, and refuses what it is not allowed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from citybrain.doors.gbt20999.controller import Controller
from citybrain.doors.gbt20999.tests import judge
from citybrain.doors.gbt20999.tests.emulated import BACKUP_S, Emulated, junction_clock
from citybrain.doors.gbt20999.tests.test_emulator import GREEN, LOCAL, beating
from citybrain.doors.gbt20999.values import RunMode
from citybrain.kernel.controllers.outstation import Mode

ALL_RED, FLASH = int(RunMode.ALL_RED), int(RunMode.FLASH)


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[Emulated]:
    with Emulated(tmp_path) as emulator:
        yield emulator


async def stop(controller: Controller, mode: Mode, *, for_s: float = 60.0) -> str:
    return (await controller.stop(mode, for_s=for_s, now=junction_clock())).code


async def look_until(controller: Controller, mode: Mode) -> frozenset[int]:
    """What is green or yellow when it is in this mode and nothing is, or after a while."""
    for _ in range(600):
        seen = await controller.look()
        if seen.mode is mode and not seen.green | seen.yellow:
            break
        await asyncio.sleep(0.02)
    return seen.green | seen.yellow


async def test_all_red_lasts_as_long_as_it_is_wished_and_ends_by_itself(emulated: Emulated) -> None:
    controller = emulated.controller(stops=True)
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        assert await stop(controller, Mode.ALL_RED) == ""
        await emulated.until("mode", ALL_RED)
        assert await look_until(controller, Mode.ALL_RED) == frozenset()
        assert await emulated.until("mode", LOCAL) > 30
        await emulated.until("state", GREEN)
    controller.close()


async def test_it_flashes_only_once_red_was_shown_to_everybody_and_is_given_back(emulated: Emulated) -> None:
    controller = emulated.controller(stops=True)
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        assert await stop(controller, Mode.FLASH, for_s=300) == ""
        await emulated.until("mode", FLASH)
        modes = [line["mode"] for line in judge.read(emulated.log)]
        assert modes.index(ALL_RED) < modes.index(FLASH)
        await controller.release()
        await emulated.until("mode", LOCAL)
        await emulated.until("state", GREEN)
    controller.close()


@pytest.mark.parametrize("mode", [Mode.ALL_RED, Mode.FLASH])
async def test_a_brain_that_dies_leaves_no_junction_stopped(emulated: Emulated, mode: Mode) -> None:
    controller = emulated.controller(stops=True)
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        assert await stop(controller, mode, for_s=1_000) == ""
        await emulated.until("mode", {Mode.ALL_RED: ALL_RED, Mode.FLASH: FLASH}[mode])
    controller.close()
    assert await emulated.until("mode", LOCAL) <= BACKUP_S + 5
    await emulated.until("state", GREEN)


async def test_who_may_not_be_stopped_or_is_in_somebodys_hand_is_refused(emulated: Emulated) -> None:
    controller = emulated.controller()
    await controller.discover()
    assert await stop(controller, Mode.ALL_RED) == "gbt20999.stop_not_allowed"
    controller.close()
    controller = emulated.controller(stops=True)
    await controller.discover()
    emulated.trouble(panel=True)
    assert await stop(controller, Mode.ALL_RED) == "gbt20999.in_other_hands"
    emulated.trouble(panel=False, refuse=1, status=0x16)
    assert await stop(controller, Mode.ALL_RED) == "gbt20999.refused"
    controller.close()
