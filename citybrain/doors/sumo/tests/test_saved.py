# SPDX-License-Identifier: Apache-2.0
"""A run that was saved goes on as if it had never stopped."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.host import HostedSumoField
from citybrain.doors.sumo.saved import StateBroken
from citybrain.kernel.app import Frame, Opening, Scenario
from citybrain.kernel.records import Because, Facts, Order

from .conftest import BEGINS_AT

Open = Callable[..., SumoField]


def steps(field: SumoField, count: int) -> Frame:
    for _ in range(count - 1):
        field.step(())
    return field.step((), vehicles=True)


def vehicles(frame: Frame) -> list[bytes]:
    assert frame.vehicles is not None
    rows = frame.vehicles.rows
    return sorted(rows[at : at + 16] for at in range(0, len(rows), 16))


def numbers(figures: Facts) -> dict[str, float]:
    return {name: value for name, value in figures.items() if name != "first_violations"}


async def later(host: HostedSumoField, count: int) -> Frame:
    for _ in range(count - 1):
        await host.step(())
    return await host.step((), vehicles=True)


async def test_a_resumed_run_is_the_run_that_was_saved(cologne: Scenario, tmp_path: Path) -> None:
    opening = Opening(
        scenario=msgspec.structs.replace(cologne, end_s=cologne.begin_s + 1500), seed=1, begins_at=BEGINS_AT, obey=False
    )
    path = str(tmp_path / "state")
    first = HostedSumoField(opening)
    await first.start()
    await later(first, 600)
    await first.save(path)
    unbroken = await later(first, 900)
    whole = await first.summary()
    await first.close()

    resumed = HostedSumoField(msgspec.structs.replace(opening, state_path=path))
    await resumed.start()
    again = await later(resumed, 900)
    figures = await resumed.summary()
    await resumed.close()
    assert again.finished
    assert again.batch.observed_at == unbroken.batch.observed_at == BEGINS_AT + timedelta(seconds=1500)
    assert again.batch.id == unbroken.batch.id
    assert vehicles(again) == vehicles(unbroken)
    for ours, theirs in zip(again.batch.columns, unbroken.batch.columns, strict=True):
        if isinstance(theirs.values, np.ndarray):
            np.testing.assert_allclose(ours.values, theirs.values, atol=1e-9)
    assert again.score is not None
    assert unbroken.score is not None
    # SUMO tells the mean time loss of those who arrived in whole milliseconds.
    rounding_s = 0.001 * again.score.arrived
    assert msgspec.to_builtins(again.score) == pytest.approx(msgspec.to_builtins(unbroken.score), abs=rounding_s)
    assert numbers(figures) == pytest.approx(numbers(whole), abs=0.001)
    assert figures["first_violations"] == whole["first_violations"] == []


def test_lamps_under_the_brain_show_after_the_resumption_what_they_showed_before(
    opened: Open, crossing: Scenario, tmp_path: Path
) -> None:
    path = tmp_path / "state"
    first = opened(crossing, obey=True)
    (signal,) = [one for one in first.entities() if one.type == "TrafficSignalController"]
    order = Order(
        id="1",
        means="traffic.set_stage",
        entity_id=signal.id,
        at=BEGINS_AT,
        because=Because(code="test"),
        parameters={"stage": len(signal.attributes["stages"]) - 1},
    )
    first.step((order,))
    before = steps(first, 20)
    first.save(str(path))
    first.close()
    after = steps(opened(crossing, obey=True, state_path=str(path)), 1)
    assert after.batch.columns[0].values == before.batch.columns[0].values
    assert after.batch.columns[0].values == (signal.attributes["stages"][-1],)


def test_a_state_that_cannot_be_read_is_refused(opened: Open, crossing: Scenario, tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"cut off")
    with pytest.raises(StateBroken) as refused:
        opened(crossing, state_path=str(tmp_path / "state"))
    assert refused.value.code == "sumo.state_broken"


def test_with_other_dice_a_saved_run_goes_on_otherwise(opened: Open, crossing: Scenario, tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    first = opened(crossing)
    steps(first, 60)
    first.save(path)
    first.close()
    ends = []
    for dice in (0, 0, 7):
        field = opened(crossing, state_path=path, dice=dice)
        ends.append(vehicles(steps(field, 60)))
        field.close()
    assert ends[0] == ends[1]
    assert ends[0] != ends[2]


def test_the_judge_sees_all_vehicles_of_some_roads(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing)
    roads = [each.id for each in field.entities() if each.type == "RoadSegment"]
    frame = steps(field, 100)
    everywhere, nowhere = field.traffic(roads), field.traffic(["unknown"])
    assert frame.vehicles is not None
    # The others are between two roads.
    assert 0 < everywhere.vehicles <= frame.vehicles.count
    assert 0 <= everywhere.halted <= everywhere.vehicles
    assert 0 < everywhere.lost_s < everywhere.vehicles
    assert everywhere.driven_m > 0
    assert nowhere.vehicles == nowhere.lost_s == nowhere.driven_m == 0
    parts = [field.traffic([road]) for road in roads]
    assert sum(part.vehicles for part in parts) == everywhere.vehicles
    assert sum(part.lost_s for part in parts) == pytest.approx(everywhere.lost_s)
