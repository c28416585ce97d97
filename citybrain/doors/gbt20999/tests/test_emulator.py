# SPDX-License-Identifier: Apache-2.0
"""The client at an emulated controller: a process of its own, over real sockets, with all that goes wrong there."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from citybrain.doors.gbt20999 import discovery
from citybrain.doors.gbt20999.codec import Address, Dialect, Frame, FrameType, Status
from citybrain.doors.gbt20999.controller import Controller
from citybrain.doors.gbt20999.link import Silent
from citybrain.doors.gbt20999.tests.emulated import BACKUP_S, JUNCTION, SPEED, Emulated, free_port, junction_clock
from citybrain.doors.gbt20999.values import FaultType, RunMode
from citybrain.kernel.controllers.outstation import Mode

CENTRE, LOCAL = int(RunMode.CENTRE_MANUAL), int(RunMode.LOCAL_FIXED)
GREEN = 0x20


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[Emulated]:
    with Emulated(tmp_path) as emulator:
        yield emulator


@asynccontextmanager
async def beating(controller: Controller) -> AsyncIterator[None]:
    """A brain that lives: it beats as often as a city would."""

    async def beat() -> None:
        while True:
            with suppress(Silent):
                await controller.beat()
            await asyncio.sleep(1.0 / SPEED)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


async def wish(controller: Controller, stage: int, *, for_s: float = 60.0) -> str:
    """The code of the answer; "" when it was accepted."""
    return (await controller.wish(stage, for_s=for_s, now=junction_clock())).code


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
async def test_what_it_can_is_read_from_it(emulated: Emulated, scheme: str) -> None:
    controller = emulated.controller(scheme)
    found = await controller.discover()
    controller.close()
    assert (found.maker, found.serial, found.backup_s) == ("citybrain emulator", "X1", BACKUP_S)
    assert found.stages == ((1, 4), (2,), (2, 3))
    assert found.conflicts == {pair for a, b in JUNCTION["conflicts"] for pair in ((a, b), (b, a))}
    assert {(a, b): found.intergreen_s[a, b] for a, b, _ in JUNCTION["intergreen_s"]} == {
        (a, b): s for a, b, s in JUNCTION["intergreen_s"]
    }
    walk = found.phase(4)
    assert (walk.min_green_s, walk.yellow_s, walk.all_red_s, walk.ped_clear_s) == (8.0, 0.0, 3.0, 5.0)
    cars = found.phase(1)
    assert (cars.min_green_s, cars.max_green_s, cars.yellow_s, cars.all_red_s) == (6.0, 40.0, 3.0, 2.0)
    assert found.min_green_s(0) == 8.0


async def test_its_plans_are_read(emulated: Emulated) -> None:
    controller = emulated.controller()
    plans = await discovery.plans(controller.client, range(1, 5))
    controller.close()
    assert [(plan.number, plan.cycle_s, [(s.stage, s.seconds) for s in plan.steps]) for plan in plans] == [
        (1, 66, [(1, 26), (2, 20), (3, 20)]),
        (2, 80, [(1, 50), (2, 30)]),
    ]


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
async def test_a_wished_stage_comes_stays_while_wished_and_goes_when_the_wish_expires(
    emulated: Emulated, scheme: str
) -> None:
    controller = emulated.controller(scheme)
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        assert await wish(controller, 1, for_s=100.0) == ""
        await emulated.until("mode", CENTRE)
        await emulated.until("stage", 2)
        await emulated.until("state", GREEN)
        seen = await controller.look()
        assert (seen.stage, sorted(seen.green), seen.mode) == (1, [2], Mode.CENTRE)
        assert 0 < seen.backup_left_s <= BACKUP_S
        assert await emulated.until("mode", LOCAL, within_s=130) > 40  # the plan would have changed after 20 s
    controller.close()


async def test_a_wish_that_is_renewed_does_not_expire_and_the_newest_counts(emulated: Emulated) -> None:
    controller = emulated.controller()
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        for _ in range(4):
            assert await wish(controller, 0, for_s=30.0) == ""
            await asyncio.sleep(20 / SPEED)
        assert emulated.shown()["mode"] == CENTRE
        assert await wish(controller, 2, for_s=60.0) == ""
        await emulated.until("stage", 3)
        await controller.release()
        assert emulated.shown()["mode"] in (CENTRE, LOCAL)
        await emulated.until("mode", LOCAL)
    controller.close()


async def test_a_brain_that_is_killed_leaves_the_junction_to_its_plan_within_the_back_up_time(
    emulated: Emulated,
) -> None:
    controller = emulated.controller()
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        await wish(controller, 1, for_s=300.0)
        await emulated.until("mode", CENTRE)
    controller.close()
    assert await emulated.until("mode", LOCAL, within_s=BACKUP_S + 20) <= BACKUP_S + 2
    await emulated.until("stage", 3)


async def test_a_brain_that_comes_back_gives_up_what_it_no_longer_knows_of(emulated: Emulated) -> None:
    controller = emulated.controller()
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        await wish(controller, 1, for_s=300.0)
        await emulated.until("mode", CENTRE)
    controller.close()
    again = emulated.controller()
    await again.discover()
    async with beating(again):
        await emulated.until("mode", LOCAL, within_s=BACKUP_S / 2)
    again.close()


async def test_lost_frames_are_sent_again(emulated: Emulated) -> None:
    controller = emulated.controller("udp")
    emulated.trouble(drop=2)
    assert (await controller.discover()).stages == ((1, 4), (2,), (2, 3))
    counts = controller.client.counts
    controller.close()
    assert counts.sent >= counts.answered + 2


async def test_answers_that_come_twice_or_late_are_passed_over(emulated: Emulated) -> None:
    controller = emulated.controller("udp")
    await controller.discover()
    emulated.trouble(twice=3)
    for _ in range(3):
        await controller.client.beat()
    seen = await controller.look()
    assert seen.pattern == 1
    assert controller.client.counts.passed_over >= 3
    emulated.trouble(late=1, late_s=1.5)
    await controller.client.beat()
    await asyncio.sleep(1.0)
    assert (await controller.look()).pattern == 1
    assert controller.client.counts.passed_over >= 4
    controller.close()


async def test_a_refusal_of_the_controller_is_told_and_nothing_is_held(emulated: Emulated) -> None:
    controller = emulated.controller()
    await controller.discover()
    await emulated.until("state", GREEN)
    await asyncio.sleep(10 / SPEED)
    await controller.look()
    emulated.trouble(refuse=1, status=Status.CONTROL_FAILED)
    answer = await controller.wish((await controller.look()).stage or 0, for_s=60.0, now=junction_clock())
    assert (answer.accepted, answer.code, answer.facts) == (False, "gbt20999.refused", {"status": "control_failed"})
    async with beating(controller):
        await asyncio.sleep(10 / SPEED)
    assert emulated.shown()["mode"] == LOCAL
    controller.close()


async def test_what_it_cannot_show_is_not_even_asked(emulated: Emulated) -> None:
    controller = emulated.controller()
    await controller.discover()
    sent = controller.client.counts.sent
    assert await wish(controller, 7) == "gbt20999.no_such_stage"
    assert await wish(controller, 0, for_s=3.0) == "gbt20999.wish_out_of_range"
    assert await wish(controller, 0, for_s=3000.0) == "gbt20999.wish_out_of_range"
    assert controller.client.counts.sent == sent
    controller.close()


async def test_a_controller_that_disappears_in_mid_stage_is_found_again(emulated: Emulated) -> None:
    controller = emulated.controller(tries=1)
    await controller.discover()
    async with beating(controller):
        await emulated.until("state", GREEN)
        await wish(controller, 1, for_s=300.0)
        await emulated.until("mode", CENTRE)
    emulated.kill()
    assert await wish(controller, 0) == "gbt20999.silent"
    with pytest.raises(Silent):
        await controller.beat()
    emulated.start()
    async with beating(controller):
        await emulated.until("state", GREEN, within_s=60)
        await asyncio.sleep(2)  # no connection is tried again at once
        assert await wish(controller, 1) == ""
        await emulated.until("stage", 2)
    controller.close()


async def test_cut_connections_and_deafness_are_survived(emulated: Emulated) -> None:
    controller = emulated.controller(tries=1)
    await controller.discover()
    emulated.trouble(deaf_s=2.5)
    with pytest.raises(Silent):
        await controller.client.beat()
    async with asyncio.timeout(20):
        while True:
            try:
                await controller.beat()
                break
            except Silent:
                await asyncio.sleep(0.1)
    controller.close()


async def test_a_junction_in_other_hands_is_left_alone(emulated: Emulated) -> None:
    controller = emulated.controller()
    await controller.discover()
    emulated.trouble(panel=True)
    await emulated.until("mode", int(RunMode.LOCAL_MANUAL))
    assert await wish(controller, 1) == "gbt20999.in_other_hands"
    assert (await controller.look()).is_manual
    controller.close()


async def test_crossed_wires_make_it_flash_and_the_fault_is_read(emulated: Emulated) -> None:
    controller = emulated.controller()
    await controller.discover()
    await emulated.until("stage", 1)
    await emulated.until("state", GREEN)
    emulated.trouble(crossed={"2": GREEN})
    await emulated.until("mode", int(RunMode.FLASH))
    seen = await controller.look()
    assert (seen.mode, seen.green, seen.stage) == (Mode.FLASH, frozenset(), None)
    assert await wish(controller, 1) == "gbt20999.in_other_hands"
    assert [fault.type for fault in await discovery.faults(controller.client)] == [FaultType.GREEN_CONFLICT]
    controller.close()


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
async def test_what_it_tells_unasked_is_taken_in(emulated: Emulated, scheme: str) -> None:
    told: list[Frame] = []
    controller = emulated.controller(scheme, told)
    await controller.client.beat()
    await emulated.until("stage", 2)
    await controller.client.beat()
    controller.close()
    assert told[0].type is FrameType.TRAP
    assert [item.address for item in told[0].items] == [Address(0x0D, 2, n, 1) for n in (2, 3, 4)]


async def test_a_unit_of_intergreens_that_is_not_the_controllers_is_noticed(emulated: Emulated) -> None:
    controller = emulated.controller(dialect=Dialect(intergreen_unit_s=0.01))
    with pytest.raises(discovery.Contradiction) as refusal:
        await controller.discover()
    assert refusal.value.code == "gbt20999.intergreen_too_short"
    controller.close()


async def test_every_dialect_is_understood_by_whoever_speaks_it(tmp_path: Path) -> None:
    words = ("length=with", "beat_count=true", "arrays=first_first", "intergreen_unit_s=0.5")
    spoken = Dialect(
        length="with", beat_count=True, arrays="first_first", intergreen_unit_s=0.5, centre="objects", sequence="free"
    )
    with Emulated(tmp_path, dialect=words) as emulator:
        controller = emulator.controller(dialect=spoken)
        assert (await controller.discover()).stages == ((1, 4), (2,), (2, 3))
        async with beating(controller):
            await emulator.until("state", GREEN)
            assert await wish(controller, 1) == ""
            await emulator.until("stage", 2)
        controller.close()


async def test_a_controller_that_calls_the_centre_is_driven_over_its_own_call(tmp_path: Path) -> None:
    port = free_port()
    with Emulated(tmp_path, call=f"127.0.0.1:{port}") as emulator:
        controller = emulator.controller("tcp-listen", port=port)
        async with asyncio.timeout(20):
            while controller.client.counts.answered == 0:
                with suppress(Silent):
                    await controller.client.beat()
                await asyncio.sleep(0.1)
        await controller.discover()
        async with beating(controller):
            await emulator.until("state", GREEN)
            assert await wish(controller, 1) == ""
            await emulator.until("stage", 2)
        controller.close()


@pytest.mark.parametrize("scheme", ["tcp", "udp"])
async def test_noise_on_the_line_harms_nobody(emulated: Emulated, scheme: str) -> None:
    noise = bytes(range(256)) * 4
    if scheme == "udp":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(noise, ("127.0.0.1", emulated.port))
    else:
        with socket.create_connection(("127.0.0.1", emulated.port)) as line:
            line.sendall(noise)
    controller = emulated.controller(scheme)
    await controller.client.beat()
    controller.close()


async def test_a_simulator_can_keep_step_with_it(tmp_path: Path) -> None:
    with Emulated(tmp_path, stepped=True) as emulator:
        seconds = [json.loads(emulator.tell(advance_s=1)) for _ in range(40)]
        assert [each["s"] for each in seconds] == [float(s) for s in range(1, 41)]
        assert [each["stage"] for each in seconds] == [1] * 25 + [2] * 15
        assert [each["lamps"]["2"] for each in seconds[-8:]] == [0x10] + [GREEN] * 7
        assert emulator.tell(nonsense=1) != b"ok"
