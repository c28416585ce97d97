# SPDX-License-Identifier: Apache-2.0
"""A client drives an emulated controller over real sockets, on good days and bad ones. No lamp is ever wrong."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from citybrain.doors.ntcip import objects
from citybrain.doors.ntcip.cabinet import Cabinet, Phase, dual_ring
from citybrain.doors.ntcip.capability import Capability
from citybrain.doors.ntcip.codec import Version
from citybrain.doors.ntcip.controller import Controller, NotDiscovered, bindings
from citybrain.doors.ntcip.discovery import StageNotAllowed
from citybrain.doors.ntcip.link import Address, Silent, open_link
from citybrain.doors.ntcip.phasing import Command
from citybrain.doors.ntcip.tests.running import Emulated, driven, emulated, free_port, until
from citybrain.kernel.controllers.outstation import Mode

STAGES = ((1, 5), (1, 6), (2, 5), (2, 6), (3, 7), (3, 8), (4, 7), (4, 8))
BACKUP_S = 20
ROOT = Path(__file__).parents[4]


@pytest.fixture
async def emulator(tmp_path: Path) -> AsyncIterator[Emulated]:
    async with emulated(dual_ring(backup_s=BACKUP_S), tmp_path) as emulator:
        yield emulator
        assert emulator.faults() == []


def place(capability: Capability, *phases: int) -> int:
    return capability.stages.index(phases)


async def keep(controller: Controller, emulator: Emulated, stage: tuple[int, ...], *, for_s: float = 60) -> None:
    """Wish and beat until the lamps show it."""
    capability = await controller.discover()
    answer = await controller.wish(place(capability, *stage), for_s=for_s, now=emulator.clock())
    assert answer.accepted, answer
    await beat_until(controller, emulator, set(stage))


async def beat_until(controller: Controller, emulator: Emulated, greens: set[int]) -> None:
    for _ in range(600):
        if emulator.greens() == greens:
            return
        await controller.beat()
        await asyncio.sleep(0.05)
    raise AssertionError(f"{greens} is never shown, but {emulator.lamps}")


@pytest.mark.parametrize("version", Version)
async def test_what_a_controller_can_do_is_read_from_itself(version: Version, emulator: Emulated) -> None:
    async with driven(emulator, version=version) as (controller, _):
        with pytest.raises(NotDiscovered):
            await controller.look()
        capability = await controller.discover()
    assert (capability.maker, capability.version) == ("citybrain emulated ASC", "1")
    assert capability.rings == ((1, 2, 3, 4), (5, 6, 7, 8))
    assert capability.stages == STAGES
    assert capability.can == {"hold", "force_off", "omit", "call", "plan", "red_rest", "stage", "back_up"}
    assert (1, 2) in capability.conflicts and (2, 4) in capability.conflicts and (2, 6) not in capability.conflicts
    assert capability.intergreen_s[2, 4] == 5.0
    assert capability.backup_s == BACKUP_S
    two = capability.phase(2)
    assert (two.min_green_s, two.max_green_s, two.yellow_s, two.all_red_s, two.ped_clear_s) == (5, 20, 3, 2, 4)


@pytest.mark.parametrize("stage", STAGES)
async def test_every_stage_comes_about_and_stays_while_it_is_wished(stage: tuple[int, ...], emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, stage, for_s=200)
        begun = emulator.shown[-1].t
        while emulator.shown[-1].t < begun + 400:
            seen = await controller.beat()
            assert emulator.greens() == set(stage)
            await asyncio.sleep(0.05)
        assert (seen.green, seen.mode) == (frozenset(stage), Mode.CENTRE)
        assert seen.stage == STAGES.index(stage)
        assert 0 < seen.backup_left_s <= BACKUP_S


async def test_a_controller_that_protects_against_backing_up_is_led_round(tmp_path: Path) -> None:
    cabinet = msgspec.structs.replace(dual_ring(), backup_protect=True)
    async with emulated(cabinet, tmp_path) as emulator, driven(emulator, backs_up=False) as (controller, _):
        for stage in ((2, 6), (1, 6), (2, 5), (4, 8)):
            await keep(controller, emulator, stage, for_s=200)
        assert emulator.faults() == []


async def test_a_wish_that_is_not_renewed_is_taken_back_when_it_expires(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (4, 8), for_s=30)
        for _ in range(600):
            seen = await controller.beat()
            if seen.mode is Mode.LOCAL and emulator.greens() not in (set(), {4, 8}):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the plan of the controller never went on")


async def test_a_brain_that_dies_leaves_the_controller_to_its_own_plan_within_the_back_up_time(
    emulator: Emulated,
) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (4, 8), for_s=300)
    died = emulator.shown[-1].t
    await until(lambda: emulator.shown[-1].status == objects.CONTROL_BACKUP)
    assert emulator.shown[-1].t - died <= BACKUP_S * 10 + 15
    await until(lambda: emulator.greens() not in (set(), {4, 8}))


BRAIN = """
import asyncio, sys
from citybrain.doors.ntcip.controller import Controller
from citybrain.doors.ntcip.link import Address, open_link
from citybrain.kernel.clock import utc_now

async def main():
    controller = Controller(await open_link(Address(host="127.0.0.1", port=int(sys.argv[1]))))
    stages = (await controller.discover()).stages
    while True:
        await controller.wish(stages.index((4, 8)), for_s=300, now=utc_now())
        await asyncio.sleep(0.1)

asyncio.run(main())
"""


async def test_a_brain_that_is_killed_in_mid_stage_leaves_the_plan_to_go_on_within_the_back_up_time(
    emulator: Emulated,
) -> None:
    brain = await asyncio.create_subprocess_exec(sys.executable, "-c", BRAIN, str(emulator.port), cwd=ROOT)
    try:
        await until(lambda: emulator.greens() == {4, 8} and emulator.shown[-1].status == objects.CONTROL_SYSTEM)
    finally:
        brain.kill()
        await brain.wait()
    killed = emulator.shown[-1].t
    await until(lambda: emulator.shown[-1].status == objects.CONTROL_BACKUP)
    back = next(each.t for each in emulator.shown if each.t > killed and each.status == objects.CONTROL_BACKUP)
    assert back - killed <= BACKUP_S * 10 + 15
    await until(lambda: emulator.greens() not in (set(), {4, 8}))


async def test_a_brain_that_comes_back_goes_on_from_what_is_shown(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (4, 8))
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (1, 6))


@pytest.mark.parametrize("fault", [{"drop": 3}, {"twice": True}, {"late_s": 0.4}, {"late_s": 0.4, "twice": True}])
async def test_lost_late_and_double_packets_only_take_time(fault: dict[str, object], emulator: Emulated) -> None:
    async with driven(emulator, tries=8) as (controller, link):
        await controller.discover()
        await emulator.fault(**fault)
        answer = await controller.wish(STAGES.index((4, 8)), for_s=200, now=emulator.clock())
        assert answer.accepted, answer
        await beat_until(controller, emulator, {4, 8})
        assert link.tally.lost + link.tally.astray > 0


async def test_a_controller_that_refuses_says_so_in_the_answer(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await controller.discover()
        await emulator.fault(refuse=True)
        answer = await controller.wish(0, for_s=30, now=emulator.clock())
    assert (answer.accepted, answer.code) == (False, "ntcip.device_refused")
    assert answer.facts["problem"] == "general"


async def test_a_controller_that_freezes_is_silent_and_then_goes_on_safely(emulator: Emulated) -> None:
    async with driven(emulator, timeout_s=0.05) as (controller, _):
        await keep(controller, emulator, (4, 8))
        await emulator.fault(freeze=True)
        with pytest.raises(Silent):
            await controller.beat()
        answer = await controller.wish(0, for_s=30, now=emulator.clock())
        assert answer.code == "ntcip.silent"
        await emulator.fault()
        await keep(controller, emulator, (2, 6))


async def test_a_controller_that_disappears_in_mid_stage_is_silent(emulator: Emulated) -> None:
    async with driven(emulator, timeout_s=0.05) as (controller, _):
        await keep(controller, emulator, (4, 8))
        emulator.kill()
        with pytest.raises(Silent):
            await controller.beat()


async def test_a_flashing_controller_takes_no_wish_until_it_is_reset(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (2, 6))
        await emulator.fault(conflict=[2, 8])
        await until(lambda: "F" in emulator.lamps.values())
        seen = await controller.beat()
        assert seen.mode is Mode.FLASH
        assert "mmu_flash" in seen.alarms
        answer = await controller.wish(0, for_s=30, now=emulator.clock())
        assert (answer.accepted, answer.code) == (False, "ntcip.controller_flashes")
        await emulator.fault(reset=True)
        await until(emulator.greens)
        await keep(controller, emulator, (4, 8))


async def test_a_phase_that_is_called_and_red_for_three_minutes_is_served_before_any_wish(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (2, 6), for_s=300)
        begun = emulator.shown[-1].t
        served: set[int] = set()
        refused = ""
        while len(served) < 8 and emulator.shown[-1].t < begun + 3_000:
            await controller.beat()
            served |= emulator.greens()
            answer = await controller.wish(STAGES.index((2, 6)), for_s=200, now=emulator.clock())
            refused = refused or answer.code
            await asyncio.sleep(0.05)
    assert served == set(range(1, 9))
    assert refused == "ntcip.phase_starves"
    assert emulator.shown[-1].t - begun >= 1_750


async def test_nothing_is_commanded_while_somebody_stands_at_the_cabinet(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        await keep(controller, emulator, (4, 8))
        await emulator.fault(manual=True)
        answer = await controller.wish(0, for_s=30, now=emulator.clock())
        assert answer.code == "ntcip.under_manual_control"
        await until(lambda: emulator.shown[-1].status == objects.CONTROL_BACKUP)


async def test_walkers_finish_before_their_phase_is_forced_off(tmp_path: Path) -> None:
    cabinet = dual_ring(recall="none")
    phases = tuple(msgspec.structs.replace(phase, ped_recall=phase.number == 4) for phase in cabinet.phases)
    async with emulated(msgspec.structs.replace(cabinet, phases=phases), tmp_path) as emulator:
        async with driven(emulator) as (controller, _):
            await keep(controller, emulator, (4, 8))
            begun = emulator.shown[-1].t
            await keep(controller, emulator, (2, 6))
        ended = next(each.t for each in emulator.shown if each.t > begun and each.lamps[4] == "Y")
        assert ended - begun >= 80, "4 s of walk and 4 s of clearance"
        assert emulator.faults() == []


async def test_a_wish_that_the_controller_could_not_show_or_leave_is_refused(
    emulator: Emulated, tmp_path: Path
) -> None:
    async with driven(emulator) as (controller, _):
        await controller.discover()
        for stage, for_s, code in (
            (8, 30, "ntcip.no_such_stage"),
            (-1, 30, "ntcip.no_such_stage"),
            (0, 4, "ntcip.wish_out_of_range"),
            (0, 301, "ntcip.wish_out_of_range"),
            (0, float("nan"), "ntcip.wish_out_of_range"),
        ):
            answer = await controller.wish(stage, for_s=for_s, now=emulator.clock())
            assert (answer.accepted, answer.code) == (False, code)
    async with emulated(dual_ring(backup_s=0), tmp_path) as without, driven(without) as (controller, _):
        await controller.discover()
        answer = await controller.wish(0, for_s=30, now=without.clock())
        assert answer.code == "ntcip.no_backup_timer"


async def test_stages_of_a_mapping_are_checked_against_the_controller(emulator: Emulated) -> None:
    for stages, code in (([[2, 4]], "ntcip.stage_conflicts"), ([[2, 9]], "ntcip.stage_unknown_phase")):
        link = await open_link(Address(host="127.0.0.1", port=emulator.port))
        controller = Controller(link, stages=stages)
        with pytest.raises(StageNotAllowed) as refused:
            await controller.discover()
        assert refused.value.code == code
        controller.close()


async def test_a_single_ring_of_stages_is_driven_too(tmp_path: Path) -> None:
    cabinet = Cabinet(phases=tuple(Phase(number=n) for n in range(1, 6)), rings=((1, 2, 3, 4, 5),), startup=(1,))
    async with emulated(cabinet, tmp_path) as emulator, driven(emulator) as (controller, _):
        for phase in (4, 2, 5):
            await keep(controller, emulator, (phase,))
        assert emulator.faults() == []


async def test_two_communities_are_kept_apart(tmp_path: Path) -> None:
    cabinet = msgspec.structs.replace(dual_ring(), write_community="secret")
    async with emulated(cabinet, tmp_path) as emulator:
        async with driven(emulator, timeout_s=0.05) as (controller, _):
            await controller.discover()
            answer = await controller.wish(0, for_s=30, now=emulator.clock())
            assert answer.code == "ntcip.silent", "a device does not answer a wrong community"
        async with driven(emulator, write_community="secret") as (controller, _):
            await keep(controller, emulator, (4, 8))


async def test_the_masks_of_sixteen_phases_stand_in_two_groups(emulator: Emulated) -> None:
    async with driven(emulator) as (controller, _):
        capability = await controller.discover()
    last = msgspec.structs.replace(capability.phases[-1], number=12)
    wide = msgspec.structs.replace(capability, phases=(*capability.phases, last))
    written = dict(bindings(Command(hold=frozenset({2, 12}), force_off=frozenset({8})), wide))
    assert written[(*objects.CONTROL_HOLD, 1)] == 0b10
    assert written[(*objects.CONTROL_HOLD, 2)] == 0b1000
    assert written[(*objects.CONTROL_FORCE_OFF, 1)] == 0b10000000
    assert written[objects.PATTERN_CONTROL] == objects.PATTERN_STANDBY


async def test_the_probe_prints_what_a_controller_says_of_itself(emulator: Emulated) -> None:
    async def probed(port: int) -> tuple[int | None, Any]:
        words = ("-m", "citybrain.doors.ntcip.probe", "127.0.0.1", "--port", str(port))
        process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        return process.returncode, msgspec.json.decode(out)

    code, told = await probed(emulator.port)
    assert code == 0
    assert told["capability"]["stages"] == [list(stage) for stage in STAGES]
    assert "2-4" in told["capability"]["conflicts"]
    assert told["seen"]["mode"] == "local"
    nobody = free_port()
    assert await probed(nobody) == (1, {"code": "ntcip.silent", "facts": {"host": "127.0.0.1", "port": nobody}})
