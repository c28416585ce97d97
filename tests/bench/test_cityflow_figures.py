# SPDX-License-Identifier: Apache-2.0
"""The metrics of the CityFlow literature, on two crossings where one can reckon them."""

import shutil
from pathlib import Path

import pytest

from bench.traffic import cityflow
from citybrain.doors.sumo.importing import tests
from citybrain.doors.sumo.importing.roadnet import Phase, read_roadnet

DATA = Path(tests.__file__).parent / "data"
MINUTES_S = 300


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder as the literature keeps its nets."""
    shutil.copy(DATA / "roadnet.json", tmp_path / "roadnet.json")
    shutil.copy(DATA / "flow.json", tmp_path / "flow_1.json")
    return tmp_path


def test_trips_that_nothing_holds_up_take_as_long_as_in_cityflow(source: Path) -> None:
    drove_s, said_s, count = cityflow.free_flow(source)
    assert count > 80
    assert drove_s == pytest.approx(said_s, rel=0.05)


@pytest.mark.parametrize("arm", ["fixed", "brain"])
def test_the_published_metric_leaves_out_the_last_road_and_the_engine_s_does_not(
    source: Path, arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cityflow, "HOUR_S", MINUTES_S)
    result = cityflow.run(source, arm, 1)
    assert 188 / 13.9 < result.published_s < result.engine_s, "each trip has a first and a last road"
    assert result.arrived > 20


def test_the_literature_s_plan_is_the_first_four_phases() -> None:
    given = [Phase(time=5.0), *(Phase(time=40.0, available_road_links=[number]) for number in range(8))]
    assert [(phase.time, phase.available_road_links) for phase in cityflow.PLANS["four"](given)] == [
        (5.0, []), (30.0, [0]), (30.0, [1]), (30.0, [2]), (30.0, [3]),
    ]  # fmt: skip
    net = cityflow.replanned(read_roadnet(DATA / "roadnet.json"), cityflow.PLANS["quick"])
    times = [[p.time for p in j.traffic_light.lightphases] for j in net.intersections if j.traffic_light]
    assert times == [[2.0, 30.0, 20.0]] * 2
