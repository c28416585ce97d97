# SPDX-License-Identifier: Apache-2.0
"""Sensors as they are: loops that count, vehicles nobody sees, wrong places, detectors that are dead or lie."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.faults import CLAIMED_COUNT, Faults, missed
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.figures import Watch
from citybrain.doors.sumo.options import Fault, Options, OptionsBroken, options
from citybrain.doors.sumo.sensors import STOP_LOOP_M, Zone
from citybrain.kernel.app import Opening, Scenario
from citybrain.kernel.records import Batch

from .conftest import BEGINS_AT

Open = Callable[..., SumoField]
Columns = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def with_options() -> Iterator[Open]:
    fields: list[SumoField] = []

    def open_field(found: Scenario, **given: Any) -> SumoField:
        fields.append(SumoField(Opening(scenario=found, seed=1, begins_at=BEGINS_AT, obey=False, options=given)))
        return fields[-1]

    yield open_field
    for field in fields:
        field.close()


def of_detectors(batch: Batch) -> Columns:
    found: dict[str, dict[str, Any]] = {}
    for column in batch.columns:
        if column.entity_ids[0].startswith("urn:ngsi-ld:TrafficDetector:"):
            found[column.attribute] = dict(zip(column.entity_ids, column.values, strict=True))
    return found


def after(field: SumoField, seconds: int) -> list[Columns]:
    return [of_detectors(field.step(()).batch) for _ in range(seconds)]


SOUTH = "in#south_0"


def lies(kind: str, name: str) -> dict[str, Any]:
    return {"faults": [{"kind": kind, "detector": name, "from_s": 40.0, "until_s": 60.0}]}


def south(field: SumoField) -> str:
    return next(
        one.id
        for one in field.entities()
        if (one.attributes.get("lane"), one.attributes.get("role")) == (SOUTH, "approach")
    )


E1 = """<additional><inductionLoop id="{lane}" lane="{lane}" pos="-{at}" period="300" file="e1.xml"/></additional>"""


@pytest.fixture
def with_e1(crossing_folder: Path, tmp_path: Path) -> Scenario:
    """The crossing with a loop of SUMO's own at a stop line."""
    folder = tmp_path / "e1"
    shutil.copytree(crossing_folder, folder)
    (folder / "e1.add.xml").write_text(E1.format(lane="in#south_0", at=STOP_LOOP_M))
    config = folder / "crossing.sumocfg"
    config.write_text(
        config.read_text().replace("</input>", '<additional-files value="e1.add.xml"/></input>'), encoding="utf-8"
    )
    return scenario.find(str(folder))


def test_a_loop_counts_whom_the_simulators_own_loop_counts(with_options: Open, with_e1: Scenario) -> None:
    field = with_options(with_e1, sensors="loops")
    seconds = after(field, 299)
    name = south(field)
    field.summary()
    interval = ElementTree.parse(Path(with_e1.path).parent / "e1.xml").getroot()[0]
    counted = sum(second["vehicleCount"][name] for second in seconds)
    assert counted == pytest.approx(float(interval.attrib["nVehEntered"]), abs=1)
    assert counted > 20
    occupied = 100 * np.mean([second["occupancy"][name] for second in seconds])
    assert occupied == pytest.approx(float(interval.attrib["occupancy"]), abs=5)


def test_loops_tell_no_places(with_options: Open, crossing: Scenario) -> None:
    (second,) = after(with_options(crossing, sensors="loops"), 1)
    assert set(second) == {"vehicleCount", "occupancy", "advanceCount", "advanceOccupancy"}
    exits = [one for one in second["advanceCount"] if ":exit:" in one]
    assert exits
    assert all(np.isnan(second["advanceCount"][one]) for one in exits)


def test_dead_detectors_report_nothing(with_options: Open, crossing: Scenario) -> None:
    (second,) = after(with_options(crossing, dead=0.5), 1)
    dead = {one for one, count in second["vehicleCount"].items() if np.isnan(count)}
    assert 0 < len(dead) < len(second["vehicleCount"])
    assert set(second["tracks"]) == set(second["vehicleCount"]) - dead


def test_the_ids_of_those_that_speak_are_the_same_tuple_every_second(with_options: Open, crossing: Scenario) -> None:
    field = with_options(crossing, dead=0.5)
    ids = [c.entity_ids for _ in range(3) for c in field.step(()).batch.columns if c.attribute == "tracks"]
    assert all(one is ids[0] for one in ids)


def test_a_fault_begins_and_ends(with_options: Open, crossing: Scenario) -> None:
    field = with_options(crossing, **lies("dark", f"middle:approach:{SOUTH}"))
    name = south(field)
    dark = [name not in second["tracks"] for second in after(field, 80)]
    assert [at for at, one in enumerate(dark, start=1) if one] == list(range(40, 60))


def test_a_frozen_detector_repeats_itself(with_options: Open, crossing: Scenario) -> None:
    field = with_options(crossing, **lies("frozen", f"middle:approach:{SOUTH}"))
    name = south(field)
    tracks = [second["tracks"][name] for second in after(field, 70)]
    assert len(tracks[39]) > 0
    assert all(np.array_equal(one, tracks[39]) for one in tracks[39:59])
    assert not np.array_equal(tracks[60], tracks[39])


def test_a_contradictory_detector_counts_many_and_shows_nobody(with_options: Open, crossing: Scenario) -> None:
    field = with_options(crossing, **lies("contradictory", f"middle:approach:{SOUTH}"))
    name = south(field)
    last = after(field, 50)[-1]
    assert (last["vehicleCount"][name], last["queueLength"][name], len(last["tracks"][name])) == (CLAIMED_COUNT, 0, 0)


def zone(lane: str) -> Zone:
    return Zone(role="approach", lane=lane, range_m=150.0, length_m=200.0, speed_limit_mps=14.0, cells=())


def faults(**given: Any) -> Faults:
    return Faults(options(given), 1, ["a", "b"], np.array([150.0, 150.0]))


def test_jumping_vehicles_are_somewhere_else_every_second() -> None:
    lying = faults(faults=[{"kind": "jumping", "detector": "a"}])
    nobody = np.empty((0, 4))
    seconds = [lying.tracks([nobody, nobody], float(second)) for second in range(10)]
    assert len({one[0].tobytes() for one in seconds}) > 5
    assert all(len(one[1]) == 0 for one in seconds)


def test_noise_moves_vehicles_by_its_metres_and_leaves_who_stands_standing() -> None:
    rows = np.zeros((4000, 4))
    rows[:, 0] = 50.0
    rows[::2, 1] = 10.0
    blurred, other = faults(noise_m=3.0).blurred([rows, rows[:0]])
    assert np.std(blurred[:, 0]) == pytest.approx(3.0, rel=0.1)
    assert np.all(np.diff(blurred[:, 0]) >= 0.0)
    assert (blurred[:, 1] == 0.0).sum() == 2000
    assert np.std(blurred[blurred[:, 1] > 0.0, 1]) == pytest.approx(1.5, rel=0.1)
    assert len(other) == 0


def test_equal_seeds_miss_the_same_vehicles() -> None:
    names = [f"car{number}" for number in range(4000)]
    one, same, other = missed(0.05, 1), missed(0.05, 1), missed(0.05, 2)
    assert one is not None
    assert same is not None
    assert other is not None
    assert [one(name) for name in names] == [same(name) for name in names] != [other(name) for name in names]
    assert sum(map(one, names)) / 4000 == pytest.approx(0.05, abs=0.015)
    assert missed(0.0, 1) is None


def test_a_missed_vehicle_is_never_seen(with_options: Open, crossing: Scenario) -> None:
    seconds = after(with_options(crossing, missed=1.0), 60)
    assert all(len(tracks) == 0 for second in seconds for tracks in second["tracks"].values())


def test_the_cabinet_takes_somebody_to_wait_where_its_detector_is_dead_and_nobody_to_be_in_the_box() -> None:
    watch = Watch({("s", "approach", "a"): zone("a"), ("s", "approach", "b"): zone("b")})
    in_box = np.array([[-3.0, 0.5, 0.0, 1.0]])
    watch.see([in_box, in_box[:0]], blind=np.array([False, True]))
    assert watch.calling() == {"s": frozenset({"b"})}
    assert watch.occupied() == {"s": frozenset({"a"})}


def test_with_loops_the_cabinet_sees_who_stands_at_the_line_and_nobody_in_the_box() -> None:
    watch = Watch({("s", "approach", "a"): zone("a"), ("s", "approach", "b"): zone("b")})
    watch.feel(np.array([True, False]), blind=np.array([False, False]))
    assert watch.calling() == {"s": frozenset({"a"})}
    assert watch.occupied() == {}


@pytest.mark.parametrize(
    "wrong", [{"dead": 1.5}, {"faults": [{"kind": "bored"}]}, {"noise_m": -1.0}, {"sensors": "cameras"}]
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionsBroken):
        options(wrong)


def test_options_travel_as_plain_facts() -> None:
    given = Options(dead=0.1, faults=(Fault(kind="frozen", share=0.2, from_s=60.0),))
    assert options(msgspec.to_builtins(given)) == given
