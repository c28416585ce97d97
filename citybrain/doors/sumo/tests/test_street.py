# SPDX-License-Identifier: Apache-2.0
"""What the street shows: floating cars, detectors, vehicles on the map, and how it travels between processes."""

from collections.abc import Callable
from datetime import timedelta

import libsumo
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.figures import Watch
from citybrain.doors.sumo.floating import PROBE_SHARE, is_probe
from citybrain.doors.sumo.moving import ROW
from citybrain.doors.sumo.network import entity_id
from citybrain.doors.sumo.place import Place, ProjectionUnknown
from citybrain.doors.sumo.sensors import Zone
from citybrain.doors.sumo.wire import Packer, Unpacker
from citybrain.kernel.app import Frame, Scenario
from citybrain.kernel.records import Batch, Column

from .conftest import BEGINS_AT

Open = Callable[..., SumoField]


def values(frame: Frame, attribute: str, kind: str) -> dict[str, float]:
    column = next(one for one in frame.batch.columns if one.attribute == attribute and f":{kind}:" in one.entity_ids[0])
    return dict(zip(column.entity_ids, column.values, strict=True))


def test_one_vehicle_in_five_is_a_probe() -> None:
    probes = sum(is_probe(f"vehicle {number}") for number in range(20_000))
    assert probes / 20_000 == pytest.approx(PROBE_SHARE, abs=0.01)


def test_a_road_s_speed_is_what_its_probes_drove_in_the_last_minute(opened: Open, cologne: Scenario) -> None:
    field = opened(cologne)
    heard: list[tuple[str, float]] = []
    for second in range(200):
        frame = field.step(())
        if second >= 140:
            vehicle = libsumo.vehicle
            probes = [one for one in vehicle.getIDList() if is_probe(one)]
            heard += [(entity_id("RoadSegment", vehicle.getRoadID(one)), vehicle.getSpeed(one)) for one in probes]
    speeds, counts = values(frame, "averageVehicleSpeed", "RoadSegment"), values(frame, "vehicleCount", "RoadSegment")
    assert any(np.isnan(speed) for speed in speeds.values())
    for road, speed_kmh in speeds.items():
        driven = [speed for where, speed in heard if where == road]
        assert counts[road] == pytest.approx(len(driven) / 60)
        if driven:
            assert speed_kmh == pytest.approx(3.6 * np.mean(driven))
        else:
            assert np.isnan(speed_kmh)


def test_probes_say_where_on_their_road_they_are_and_how_long_they_stand(opened: Open, cologne: Scenario) -> None:
    field = opened(cologne)
    stood_s = 0.0
    for _ in range(120):
        frame = field.step(())
        vehicle = libsumo.vehicle
        probes = [one for one in vehicle.getIDList() if is_probe(one) and not vehicle.getRoadID(one).startswith(":")]
        truth = sorted(
            (entity_id("RoadSegment", vehicle.getRoadID(one)), round(vehicle.getLanePosition(one), 1)) for one in probes
        )
        told = values(frame, "probes", "RoadSegment")
        assert sorted((road, row[0]) for road, table in told.items() for row in np.asarray(table).tolist()) == truth
        stood_s = max([stood_s, *(row[2] for table in told.values() for row in np.asarray(table).tolist())])
    assert stood_s >= 10.0, "somebody waited at red"


def zone(lane: str, range_m: float) -> Zone:
    return Zone(role="approach", lane=lane, range_m=range_m, length_m=200, speed_limit_mps=13.9, cells=())


def test_a_detector_tells_count_speed_occupancy_and_queue() -> None:
    watch = Watch({("s", "approach", "a"): zone("a", 100), ("s", "approach", "b"): zone("b", 50)})
    tracks = np.array([[-3.0, 1.0, 0.0, 1.0], [1.0, 0.0, 9.0, 1.0], [8.5, 0.05, 4.0, 1.0], [40.0, 10.0, 0.0, 0.5]])
    watch.see((tracks, np.empty((0, 4))))
    figures = watch.figures()
    assert figures["vehicleCount"].tolist() == [2.5, 0.0]
    assert figures["averageVehicleSpeed"][0] == pytest.approx(3.6 * (0.05 + 5.0) / 2.5)
    assert np.isnan(figures["averageVehicleSpeed"][1])
    assert figures["occupancy"].tolist() == [0.125, 0.0]
    assert figures["queueLength"].tolist() == [13.5, 0.0]
    assert watch.occupied() == {"s": {"a"}}
    assert watch.calling() == {"s": {"a"}}


# fmt: off
IN_THE_BOX = [
    (0.0, True,  "it stands"),
    (3.0, True,  "it has just started, and may have to stop for one that turns"),
    (8.0, False, "it will be out of the way"),
]
# fmt: on


@pytest.mark.parametrize(("speed_mps", "occupied", "why"), IN_THE_BOX)
def test_a_vehicle_that_may_not_be_out_of_the_box_in_time_occupies_it(
    speed_mps: float, occupied: bool, why: str
) -> None:
    watch = Watch({("s", "approach", "a"): zone("a", 100)})
    watch.see((np.array([[-7.0, speed_mps, 0.0, 1.0]]),))
    assert watch.occupied() == ({"s": {"a"}} if occupied else {}), why


def test_vehicles_are_drawn_where_they_are(opened: Open, cologne: Scenario) -> None:
    field = opened(cologne)
    for _ in range(120):
        frame = field.step((), vehicles=True)
    assert frame.vehicles is not None
    rows = np.frombuffer(frame.vehicles.rows, dtype=ROW)
    vehicle = libsumo.vehicle
    ids = list(vehicle.getIDList())
    assert len(rows) == frame.vehicles.count == len(ids) > 10
    origin = np.array(frame.vehicles.origin)
    drawn = np.column_stack((rows["dlon"], rows["dlat"])).astype(float) + origin
    truth = np.array([libsumo.simulation.convertGeo(*vehicle.getPosition(one)) for one in ids])
    apart = np.linalg.norm(drawn[:, None] - truth[None], axis=2).min(axis=0)
    assert apart.max() * 111_320 < 0.5
    speeds = sorted(vehicle.getSpeed(one) * 3.6 for one in ids)
    assert sorted(rows["speed"] / 100) == pytest.approx(speeds, abs=0.02)
    assert (rows["heading"] < 36_000).all()


def test_headings_are_from_true_north() -> None:
    place = Place("+proj=utm +zone=49 +datum=WGS84 +units=m +no_defs", (0.0, 0.0))
    assert place.turn_deg((300_000.0, 2_400_000.0)) == pytest.approx(-0.71, abs=0.05)
    assert Place("!", (0.0, 0.0)).turn_deg((300.0, 2400.0)) == pytest.approx(0.0, abs=1e-6)


def test_an_unknown_projection_is_refused() -> None:
    with pytest.raises(ProjectionUnknown) as refused:
        Place("+proj=flat", (0.0, 0.0))
    assert refused.value.code == "sumo.projection_unknown"


def test_the_score_is_told_every_ten_seconds(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing)
    scored = [second for second in range(1, 41) if field.step(()).score]
    assert scored == [10, 20, 30, 40]


numbers = st.lists(st.floats(allow_infinity=False), min_size=1, max_size=9).map(lambda found: np.array(found))
tables = st.lists(st.integers(0, 4), min_size=1, max_size=5).map(
    lambda lengths: tuple(np.arange(length * 4, dtype=float).reshape(length, 4) for length in lengths)
)
words = st.lists(st.text(), min_size=1, max_size=5).map(tuple)


@given(st.lists(st.one_of(numbers, tables, words), max_size=6))
def test_a_frame_arrives_as_it_was_sent(contents: list[object]) -> None:
    ids = tuple(str(number) for number in range(9))
    columns = tuple(Column(attribute=str(at), entity_ids=ids, values=one) for at, one in enumerate(contents))  # type: ignore[arg-type]
    frame = Frame(batch=Batch(id="1", source="sumo", observed_at=BEGINS_AT, received_at=BEGINS_AT, columns=columns))
    later = BEGINS_AT + timedelta(seconds=1)
    packer, unpacker = Packer(), Unpacker()
    for arrived in [unpacker.unpack(packer.pack(frame), later) for _ in range(2)]:
        assert arrived.batch.received_at == later
        for sent, got in zip(columns, arrived.batch.columns, strict=True):
            assert (sent.attribute, sent.entity_ids) == (got.attribute, got.entity_ids)
            for a, b in zip(sent.values, got.values, strict=True):
                assert np.array_equal(a, b, equal_nan=not isinstance(a, str | None))
