# SPDX-License-Identifier: Apache-2.0
"""What a radar at the stop line sees of a street, and what it does not see."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import libsumo
import numpy as np
import pytest
import sumo

from citybrain.doors.sumo import plans
from citybrain.doors.sumo.sensors import APPROACH_RANGE_M, Sensors, Street, Tracks, zones

# A road of three pieces into a signal; the first piece forks, so half of what is on it may never come.
NODES = """<nodes>
  <node id="far" x="0" y="0"/><node id="fork" x="100" y="0"/><node id="join" x="190" y="0"/>
  <node id="side" x="100" y="-100"/>
  <node id="middle" x="200" y="0" type="traffic_light"/><node id="south" x="200" y="-100"/>
  <node id="east" x="400" y="0"/><node id="north" x="200" y="100"/>
</nodes>"""
EDGES = """<edges>
  <edge id="first" from="far" to="fork" speed="10"/><edge id="away" from="fork" to="side" speed="10"/>
  <edge id="second" from="fork" to="join" speed="10"/><edge id="last" from="join" to="middle" speed="10"/>
  <edge id="up" from="south" to="middle" speed="10"/>
  <edge id="out" from="middle" to="east" speed="10"/><edge id="on" from="middle" to="north" speed="10"/>
</edges>"""


class Eyes:
    """The sensors of the small street, read by lane."""

    def __init__(self) -> None:
        self.plan = plans.read_plan("middle")
        found = zones({"middle": self.plan}, Street((link.approach, link.exit) for link in self.plan.links))
        self._keys = [(role, lane) for _, role, lane in found]
        self._sensors = Sensors(list(found.values()))

    def read(self) -> dict[tuple[str, str], Tracks]:
        return dict(zip(self._keys, self._sensors.read(), strict=True))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street")
    (folder / "street.nod.xml").write_text(NODES)
    (folder / "street.edg.xml").write_text(EDGES)
    files = ["-n", "street.nod.xml", "-e", "street.edg.xml", "-o", "street.net.xml", "--no-turnarounds"]
    subprocess.run([Path(sumo.SUMO_HOME) / "bin" / "netconvert", *files], cwd=folder, check=True, capture_output=True)
    return folder / "street.net.xml"


@pytest.fixture
def eyes(net: Path) -> Iterator[Eyes]:
    libsumo.start(["sumo", "-n", str(net), "--no-step-log", "--no-warnings"])
    libsumo.route.add("through", ["first", "second", "last", "out"])
    libsumo.route.add("turning", ["first", "away"])
    yield Eyes()
    libsumo.close()


def place(name: str, lane: str, position_m: float, *, speed_mps: float = 0.0, route: str = "through") -> None:
    libsumo.vehicle.add(name, route, departPos="0", departSpeed="0")
    libsumo.simulationStep()
    libsumo.vehicle.setSpeedMode(name, 0)
    libsumo.vehicle.setSpeed(name, speed_mps)
    libsumo.vehicle.moveTo(name, lane, position_m)


def test_distance_is_measured_along_the_road_over_all_its_pieces(eyes: Eyes) -> None:
    place("near", "last_0", 2.0)
    place("behind", "second_0", 50.0)
    lengths_m = {lane: libsumo.lane.getLength(lane) for lane in ("last_0", "second_0", ":join_0_0")}
    near_m, behind_m = eyes.read()["approach", "last_0"][:, 0]
    assert near_m == pytest.approx(lengths_m["last_0"] - 2.0)
    assert behind_m == pytest.approx(lengths_m["last_0"] + lengths_m[":join_0_0"] + lengths_m["second_0"] - 50.0)


def test_the_nearest_comes_first(eyes: Eyes) -> None:
    for name, position_m in (("one", 20.0), ("two", 60.0), ("three", 40.0)):
        place(name, "second_0", position_m)
    distances_m = eyes.read()["approach", "last_0"][:, 0]
    assert list(distances_m) == sorted(distances_m)


def test_a_vehicle_before_a_fork_counts_half_wherever_it_is_going(eyes: Eyes) -> None:
    place("comes", "first_0", 60.0)
    place("turns", "first_0", 80.0, route="turning")
    tracks = eyes.read()["approach", "last_0"]
    assert list(tracks[:, 3]) == [0.5, 0.5]


def test_a_vehicle_out_of_range_is_not_seen(eyes: Eyes) -> None:
    place("far", "first_0", 1.0)
    assert len(eyes.read()["approach", "last_0"]) == 0
    libsumo.vehicle.moveTo("far", "first_0", 90.0)
    distance_m = eyes.read()["approach", "last_0"][0, 0]
    assert 0 < distance_m < APPROACH_RANGE_M


def test_a_vehicle_in_the_box_is_past_the_stop_line_and_before_the_exit(eyes: Eyes) -> None:
    via = next(link.via for link in eyes.plan.links if (link.approach, link.exit) == ("last_0", "out_0"))
    place("crossing", via, 2.0)
    seen = eyes.read()
    path_m = sum(libsumo.lane.getLength(lane) for lane in plans.inside(via))
    assert seen["approach", "last_0"][0, 0] == pytest.approx(-2.0)
    assert seen["exit", "out_0"][0, 0] == pytest.approx(2.0 - path_m)
    assert len(seen["exit", "on_0"]) == 0


def test_an_exit_is_seen_for_sixty_metres(eyes: Eyes) -> None:
    place("leaving", "out_0", 30.0)
    assert eyes.read()["exit", "out_0"][0, 0] == pytest.approx(30.0)
    libsumo.vehicle.moveTo("leaving", "out_0", 70.0)
    assert len(eyes.read()["exit", "out_0"]) == 0


def test_waiting_counts_the_seconds_of_standing_and_ends_with_moving(eyes: Eyes) -> None:
    place("standing", "second_0", 50.0)
    for waited_s in (1.0, 2.0, 3.0):
        assert eyes.read()["approach", "last_0"][0, 2] == waited_s
    libsumo.vehicle.setSpeed("standing", 5.0)
    libsumo.simulationStep()
    assert eyes.read()["approach", "last_0"][0, 2] == 0.0


def test_an_empty_street_is_seen_empty(eyes: Eyes) -> None:
    assert all(tracks.shape == (0, 4) for tracks in eyes.read().values())
    assert not any(np.isnan(tracks).any() for tracks in eyes.read().values())


def test_ways_that_meet_in_the_box_know_each_other(eyes: Eyes) -> None:
    ways = {(link.approach, link.exit): at for at, link in enumerate(eyes.plan.links)}
    turning, meeting, parting = ways["last_0", "on_0"], ways["up_0", "on_0"], ways["last_0", "out_0"]
    assert meeting in eyes.plan.links[turning].crosses
    assert parting not in eyes.plan.links[turning].crosses
