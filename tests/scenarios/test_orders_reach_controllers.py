# SPDX-License-Identifier: Apache-2.0
"""The whole loop over real sockets: sensors → brain → protocol → emulated controller → SUMO, on good and bad days.

The independent checker of the simulator looks at every lamp of every second; in none of these days does it find
conflicting greens, or a yellow, clearance or green that is too short.
"""

from pathlib import Path

import pytest

from citybrain.kernel.records import Because, Order
from tests.scenarios.closed_loop import DOORS, ClosedLoop, closed_loop, direct

NAMES = {"ntcip": "cologne1", "gbt20999": "ingolstadt1"}

BACKUP_S = 20
# The lamps clear, and the client's clock has whole seconds.
SLACK_S = 3


def order(loop: ClosedLoop, means: str, **parameters: object) -> Order:
    last = loop.side.last
    assert last is not None
    at = last.frame.batch.observed_at
    return Order(
        id=f"{means} {parameters}",
        means=means,
        entity_id=loop.signal,
        at=at,
        because=Because(code="serve.because_person"),
        parameters=parameters,
        by="operator",
    )


@pytest.mark.parametrize("protocol", sorted(DOORS))
async def test_the_brain_drives_an_emulated_controller_over_its_protocol(protocol: str, tmp_path: Path) -> None:
    seconds = 330
    async with closed_loop(NAMES[protocol], protocol, tmp_path) as loop:
        await loop.run(seconds)
        figures = await loop.side.field.summary()
    assert figures["violations"] == 0, figures["first_violations"]
    assert loop.differences == 0, "SUMO shows what the controller shows"
    assert loop.codes["executed"] > seconds / 20
    assert loop.modes.count("centre") > 0.8 * seconds
    by_hand = await direct(NAMES[protocol], seconds)
    print(  # noqa: T201 - the figures of the page on closed loops
        f"{protocol} {NAMES[protocol]}: delay {figures['delay_s']:.1f} s over the protocol, "
        f"{by_hand['delay_s']:.1f} s direct; {figures['arrived']} and {by_hand['arrived']} of {figures['due']} arrived"
    )
    assert figures["arrived"] > 0.8 * by_hand["arrived"]


@pytest.mark.parametrize("protocol", sorted(DOORS))
async def test_a_controller_that_disappears_in_mid_stage_flashes_and_comes_back(protocol: str, tmp_path: Path) -> None:
    async with closed_loop(NAMES[protocol], protocol, tmp_path) as loop:
        await loop.run(60)
        assert loop.modes[-1] == "centre"
        loop.controllers.kill()
        await loop.run(10)
        assert loop.modes[-1] == "silent"
        assert set(loop.lamps) == {"o"}
        await loop.controllers.start()
        await loop.run(60)
        assert loop.modes[-1] == "centre"
        assert loop.differences == 0
        figures = await loop.side.field.summary()
    assert figures["violations"] == 0, figures["first_violations"]


@pytest.mark.parametrize("protocol", sorted(DOORS))
async def test_when_the_brain_falls_silent_the_controller_goes_back_to_its_own_plan(
    protocol: str, tmp_path: Path
) -> None:
    async with closed_loop(NAMES[protocol], protocol, tmp_path) as loop:
        await loop.run(60)
        for _ in range(BACKUP_S + SLACK_S):
            await loop.side.field.step(())
        seen = await loop.fleet.drivers[loop.signal].outstation.look()
        assert seen.mode.value == "local"
        await loop.run(40)
        assert loop.modes[-1] == "centre", "and the brain that is back has it again"
        figures = await loop.side.field.summary()
    assert figures["violations"] == 0, figures["first_violations"]


@pytest.mark.parametrize("protocol", sorted(DOORS))
async def test_a_controller_that_refuses_is_heard_and_asked_again_later(protocol: str, tmp_path: Path) -> None:
    refusing: dict[str, dict[str, object]] = {"ntcip": {"refuse": True}, "gbt20999": {"refuse": 6}}
    async with closed_loop(NAMES[protocol], protocol, tmp_path) as loop:
        await loop.run(40)
        loop.controllers.told(**refusing[protocol])
        await loop.run(30)
        assert loop.codes["ntcip.device_refused"] + loop.codes["gbt20999.refused"] > 0
        loop.controllers.told()
        await loop.run(60)
        assert loop.modes[-1] == "centre"
        figures = await loop.side.field.summary()
    assert figures["violations"] == 0, figures["first_violations"]


@pytest.mark.parametrize("protocol", sorted(DOORS))
async def test_answers_that_come_late_and_twice_change_nothing(protocol: str, tmp_path: Path) -> None:
    trouble: dict[str, dict[str, object]] = {
        "ntcip": {"twice": True, "late_s": 0.02},
        "gbt20999": {"twice": 60, "late": 30, "late_s": 0.02},
    }
    async with closed_loop(NAMES[protocol], protocol, tmp_path) as loop:
        loop.controllers.told(**trouble[protocol])
        await loop.run(60)
        assert loop.codes["executed"] > 3
        figures = await loop.side.field.summary()
    assert figures["violations"] == 0, figures["first_violations"]


@pytest.mark.parametrize("protocol", sorted(DOORS))
async def test_a_person_gives_the_junction_to_its_plan_and_back(protocol: str, tmp_path: Path) -> None:
    async with closed_loop(NAMES[protocol], protocol, tmp_path) as loop:
        await loop.run(40)
        await loop.run(20, [order(loop, "traffic.set_control_mode", mode="plan")])
        assert loop.modes[-1] == "local"
        await loop.run(60, [order(loop, "traffic.set_control_mode", mode="brain")])
        assert loop.modes[-1] == "centre"
        figures = await loop.side.field.summary()
    assert figures["violations"] == 0, figures["first_violations"]


@pytest.mark.parametrize("protocol", sorted(DOORS))
async def test_a_person_stops_the_junction_and_the_brain_has_it_again_afterwards(protocol: str, tmp_path: Path) -> None:
    async with closed_loop(NAMES[protocol], protocol, tmp_path) as loop:
        await loop.run(40)
        await loop.run(45, [order(loop, "signals.all_red", minutes=5)])
        assert (loop.modes[-1], set(loop.lamps) <= {"r"}) == ("all_red", True)
        await loop.run(30, [order(loop, "signals.flash", minutes=5)])
        assert (loop.modes[-1], set(loop.lamps)) == ("flash", {"o"})
        await loop.run(60, [order(loop, "signals.resume")])
        assert loop.modes[-1] == "centre"
        figures = await loop.side.field.summary()
    assert figures["violations"] == 0, figures["first_violations"]
