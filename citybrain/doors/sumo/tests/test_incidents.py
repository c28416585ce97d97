# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the simulated street really happens there, by seed, and only the judge is told."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import libsumo
import numpy as np
import pytest

from citybrain.doors.sumo.drawing import IncidentUnusable
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.moving import ROW
from citybrain.doors.sumo.network import entity_id
from citybrain.doors.sumo.options import Draw, Incident, OptionsBroken, options
from citybrain.kernel.app import Frame, Scenario
from citybrain.kernel.records import Because, Order

from .conftest import BEGINS_AT

Open = Callable[..., SumoField]


def run(field: SumoField, seconds: int) -> Frame:
    for _ in range(seconds - 1):
        field.step(())
    return field.step(())


def one(kind: str, **facts: Any) -> list[dict[str, Any]]:
    return [{"kind": kind, "road": "in#west", "begin_s": 40, "duration_s": 60, **facts}]


def of_signal(frame: Frame, attribute: str) -> str:
    column = next(each for each in frame.batch.columns if each.attribute == attribute)
    return str(column.values[0])


@pytest.mark.parametrize("kind", ["crash", "breakdown", "stopped", "illegal_parking"])
def test_a_vehicle_stands_on_its_lane_while_the_others_pass_and_drives_on_when_the_time_is_over(
    opened: Open, crossing: Scenario, kind: str
) -> None:
    field = opened(crossing, incidents=one(kind, lane=0, at=0.5))
    run(field, 70)
    (truth,) = field.truth()
    assert truth["entity_id"] == entity_id("RoadSegment", "in#west")
    assert truth["lane"] == "in#west_0"
    assert 40 <= truth["begin_s"] <= 70
    assert truth["end_s"] is None
    assert truth["vehicles_per_hour"] == pytest.approx(900, rel=0.01)
    standing = [each for each in libsumo.lane.getLastStepVehicleIDs("in#west_0") if libsumo.vehicle.isStopped(each)]
    assert 1 <= len(standing) <= (2 if kind == "crash" else 1)
    assert libsumo.vehicle.getLanePosition(standing[0]) == pytest.approx(truth["offset_m"], abs=9.0)
    arrived = sum(libsumo.simulation.getArrivedNumber() for _ in range(30) if field.step(()))
    assert arrived > 5
    run(field, 50)
    (truth,) = field.truth()
    assert truth["end_s"] == pytest.approx(truth["begin_s"] + 60)
    assert truth["cleared_by"] == "time"
    gone = [each for each in standing if each in libsumo.vehicle.getIDList() and libsumo.vehicle.isStopped(each)]
    assert not gone


def test_nobody_gets_past_what_closes_a_lane_but_on_the_one_beside_it(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, incidents=one("lane_closure", road="out#east", lane=0, at=0.5, duration_s=100))
    run(field, 80)
    (truth,) = field.truth()
    assert truth["lane"] == "out#east_0"
    past = {"out#east_0": 0, "out#east_1": 0}
    for _ in range(40):
        field.step(())
        for lane in past:
            places = map(libsumo.vehicle.getLanePosition, libsumo.lane.getLastStepVehicleIDs(lane))
            past[lane] += sum(truth["offset_m"] + 1.0 < place_m < truth["offset_m"] + 20.0 for place_m in places)
    assert past["out#east_0"] == 0
    assert past["out#east_1"] > 5
    run(field, 60)
    assert not any(libsumo.vehicle.isStopped(each) for each in libsumo.vehicle.getIDList())


def test_nobody_gets_past_what_closes_a_road_and_only_some_have_heard_of_it(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, incidents=one("closure", road="out#east", at=0.5, duration_s=200))
    run(field, 90)
    (truth,) = field.truth()
    assert truth["begin_s"] is not None
    standing = {
        libsumo.vehicle.getLaneID(each) for each in libsumo.vehicle.getIDList() if libsumo.vehicle.isStopped(each)
    }
    assert standing == {"out#east_0", "out#east_1"}
    assert libsumo.edge.getLastStepHaltingNumber("out#east") > 4
    run(field, 200)
    assert not any(libsumo.vehicle.isStopped(each) for each in libsumo.vehicle.getIDList())


def test_a_dark_signal_shows_no_colour_and_comes_back_through_red(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, incidents=one("dark_signal", road="", signal="middle", begin_s=20, duration_s=30))
    dark = run(field, 30)
    assert set(of_signal(dark, "signalState").lower()) == {"o"}
    assert of_signal(dark, "controlMode") == "dark"
    shown = [of_signal(field.step(()), "signalState") for _ in range(60)]
    lit = next(state for state in shown if set(state.lower()) != {"o"})
    assert set(lit) <= {"r", "s"}
    assert any("G" in state for state in shown)
    assert field.truth()[0]["entity_id"] == entity_id("TrafficSignalController", "middle")


def sent(means: str, entity: str) -> Order:
    return Order(id=f"o-{means}", means=means, entity_id=entity, at=BEGINS_AT, because=Because(code="test.because"))


def test_who_mends_signals_drives_to_a_dark_one_and_a_tow_truck_does_not(opened: Open, crossing: Scenario) -> None:
    dark = one("dark_signal", road="", signal="middle", begin_s=20, duration_s=30_000)
    field = opened(crossing, obey=True, incidents=dark)
    run(field, 30)
    signal = entity_id("TrafficSignalController", "middle")
    (refused,) = field.step((sent("street.clear_obstacle", signal),)).outcomes
    assert refused.code == "sumo.no_such_road"
    field.step((sent("people.send_tow", signal), sent("people.send_signal_repair", signal)))
    run(field, 300)
    assert field.truth()[0]["end_s"] is None, "it works for a quarter of an hour"
    run(field, 900)
    assert field.truth()[0]["cleared_by"] == "urn:ngsi-ld:Vehicle:signal_repair-o-people.send_signal_repair"


def test_a_sensor_that_is_dark_reports_nothing_for_its_time(opened: Open, crossing: Scenario) -> None:
    detector = "middle:approach:in#west_0"
    field = opened(crossing, incidents=one("sensor_dark", road="", detector=detector, begin_s=20, duration_s=30))

    def said(frame: Frame) -> float:
        column = next(
            each
            for each in frame.batch.columns
            if each.attribute == "vehicleCount" and "TrafficDetector" in each.entity_ids[0]
        )
        return float(column.values[column.entity_ids.index(entity_id("TrafficDetector", detector))])

    assert not np.isnan(said(run(field, 15)))
    assert np.isnan(said(run(field, 20)))
    assert not np.isnan(said(run(field, 20)))


def test_a_surge_adds_its_vehicles_to_the_traffic(opened: Open, crossing: Scenario) -> None:
    field = opened(crossing, incidents=one("surge", road="in#south", per_hour=600, duration_s=120))
    departed: list[str] = []
    for _ in range(200):
        field.step(())
        departed += [each for each in libsumo.simulation.getDepartedIDList() if each.startswith("surge")]
    (truth,) = field.truth()
    assert truth["vehicles"] == len(departed) == pytest.approx(20, abs=1)
    assert truth["vehicles_per_hour"] == pytest.approx(600, rel=0.01)


def drawn(field: SumoField) -> Sequence[Mapping[str, Any]]:
    return [{name: each[name] for name in ("kind", "entity_id", "planned_s", "duration_s")} for each in field.truth()]


def test_equal_seeds_draw_equal_incidents_and_others_others(opened: Open, cologne: Scenario) -> None:
    def plan(seed: int, incidents: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        field = opened(cologne, seed=seed, incidents=incidents)
        found = drawn(field)
        field.close()
        return found

    first = plan(1, {"seed": 3, "per_hour": 60})
    assert first == plan(1, {"seed": 3, "per_hour": 60})
    assert first != plan(1, {"seed": 4, "per_hour": 60})
    assert first != plan(2, {"seed": 3, "per_hour": 60})
    assert 35 <= len(first) <= 85
    assert len({each["kind"] for each in first}) > 6


def test_a_kind_lasts_as_long_as_was_said_and_others_as_usual(opened: Open, cologne: Scenario) -> None:
    found = drawn(opened(cologne, incidents={"seed": 3, "per_hour": 60, "minutes": {"crash": [50, 50]}}))
    assert {each["duration_s"] for each in found if each["kind"] == "crash"} == {3000.0}
    assert {each["duration_s"] <= 1800.0 for each in found if each["kind"] in ("breakdown", "stopped")} == {True}


def test_people_say_incidents_as_a_number_as_json_or_as_a_file(tmp_path: Path) -> None:
    file = tmp_path / "incidents.json"
    file.write_text('[{"kind": "crash", "road": "in#west"}]')
    assert options({"incidents": 12.0}).incidents == options({"incidents": "12"}).incidents == Draw(per_hour=12.0)
    assert options({"incidents": '{"per_hour": 2, "kinds": ["surge"]}'}).incidents == Draw(per_hour=2, kinds=("surge",))
    assert options({"incidents": str(file)}).incidents == (Incident(kind="crash", road="in#west"),)
    for wrong in ("nowhere.json", "{", {"per_hour": 0}, [{"kind": "dragon"}]):
        with pytest.raises(OptionsBroken):
            options({"incidents": wrong})


def test_a_city_saved_before_it_had_incidents_has_those_of_the_rest_of_its_day(
    opened: Open, crossing: Scenario, tmp_path: Path
) -> None:
    first = opened(crossing)
    run(first, 50)
    first.save(str(tmp_path / "state"))
    first.close()
    wanted = [*one("breakdown"), *one("lane_closure", road="out#east", begin_s=60, lane=0)]
    second = opened(crossing, incidents=wanted, state_path=str(tmp_path / "state"))
    run(second, 20)
    assert [(each["kind"], each["planned_s"]) for each in second.truth()] == [("lane_closure", 60.0)]


def test_a_resumed_run_goes_on_with_its_incidents(opened: Open, crossing: Scenario, tmp_path: Path) -> None:
    wanted = [
        *one("breakdown", lane=1, duration_s=80),
        *one("lane_closure", road="out#east", lane=0, duration_s=80),
        *one("dark_signal", road="", signal="middle", duration_s=80),
        *one("surge", road="in#north", duration_s=150),
    ]
    first = opened(crossing, incidents=wanted)
    run(first, 90)
    first.save(str(tmp_path / "state"))
    before = first.truth()
    assert all(each["begin_s"] is not None for each in before)
    first.close()
    second = opened(crossing, incidents=wanted, state_path=str(tmp_path / "state"))
    frame = second.step(())
    assert of_signal(frame, "controlMode") == "dark"
    assert any(map(libsumo.vehicle.isStopped, libsumo.lane.getLastStepVehicleIDs("out#east_0")))
    assert [each["begin_s"] for each in second.truth()] == [each["begin_s"] for each in before]
    frame = run(second, 80)
    assert [each["end_s"] is not None for each in second.truth()] == [True, True, True, False]
    assert of_signal(frame, "controlMode") == "plan"
    assert not any(map(libsumo.vehicle.isStopped, libsumo.lane.getLastStepVehicleIDs("out#east_0")))
    assert second.truth()[3]["vehicles"] > before[3]["vehicles"]


def test_a_branch_foresees_neither_what_will_go_wrong_nor_when_it_will_be_over(
    opened: Open, crossing: Scenario, tmp_path: Path
) -> None:
    wanted = [*one("breakdown", duration_s=60), *one("dark_signal", road="", signal="middle", begin_s=100)]
    first = opened(crossing, incidents=wanted)
    run(first, 80)
    first.save(str(tmp_path / "state"))
    first.close()
    branch = opened(crossing, incidents=wanted, branch=True, state_path=str(tmp_path / "state"))
    frame = run(branch, 120)
    assert branch.truth()[0]["end_s"] is None
    assert of_signal(frame, "controlMode") == "plan"
    branch.close()
    before = opened(crossing, incidents=wanted)
    before.save(str(tmp_path / "early"))
    before.close()
    nothing = opened(crossing, incidents=wanted, branch=True, state_path=str(tmp_path / "early"))
    run(nothing, 120)
    assert [each["begin_s"] for each in nothing.truth()] == [None, None]


def test_the_judge_is_told_in_the_summary_and_the_brain_is_not(opened: Open, crossing: Scenario) -> None:
    attributes = []
    for wanted in ({"incidents": one("breakdown")}, {}):
        field = opened(crossing, **wanted)
        frame = run(field, 100)
        attributes.append([(each.attribute, each.entity_ids) for each in frame.batch.columns])
        summary = field.summary()
        assert [each["kind"] for each in summary.get("truth", ())] == (["breakdown"] if wanted else [])
        field.close()
    assert attributes[0] == attributes[1]


# fmt: off
UNUSABLE = [
    one("breakdown", road="nowhere"),
    one("dark_signal", road="in#west"),
    one("sensor_dark", detector="middle"),
]
# fmt: on


@pytest.mark.parametrize("wanted", UNUSABLE)
def test_an_incident_at_a_place_that_there_is_not_is_refused(
    opened: Open, crossing: Scenario, wanted: Sequence[Mapping[str, Any]]
) -> None:
    with pytest.raises(IncidentUnusable) as refused:
        opened(crossing, incidents=wanted)
    assert refused.value.code == "sumo.incident_unusable"


def test_a_driver_on_the_wrong_way_reports_and_is_drawn_going_backwards_and_is_not_in_the_simulator(
    opened: Open, crossing: Scenario
) -> None:
    field = opened(crossing, incidents=one("wrong_way", road="in#west", at=0.9, begin_s=40, duration_s=30))
    run(field, 60)
    (truth,) = field.truth()
    assert (truth["roads"], truth["begin_s"], truth["end_s"]) == (["in#west"], 40, None)
    seen = [field.step((), vehicles=True) for _ in range(8)]
    driver = zlib.crc32(b"wrong-way-0")
    assert "wrong-way-0" not in libsumo.vehicle.getIDList()
    places = [
        (lon, lat)
        for frame in seen
        for column in frame.batch.columns
        if column.attribute == "floatingCars"
        for number, lon, lat, accuracy_m in column.values[0]
        if int(number) == driver and accuracy_m == 5.0
    ]
    assert 1 <= len(places) <= 2
    assert seen[-1].vehicles is not None
    assert seen[-1].vehicles.count == len(libsumo.vehicle.getIDList()) + 1
    drawn = [np.frombuffer(frame.vehicles.rows, ROW) for frame in seen if frame.vehicles]
    lons = [float(rows["dlon"][rows["id"] == driver][0]) for rows in drawn]
    assert lons == sorted(lons, reverse=True)
    assert lons[0] > lons[-1]
    run(field, 20)
    assert field.truth()[0]["end_s"] is not None
    last = field.step((), vehicles=True).vehicles
    assert last is not None
    assert driver not in np.frombuffer(last.rows, ROW)["id"]


def test_a_wrong_way_driver_goes_on_when_the_run_is_resumed(opened: Open, crossing: Scenario, tmp_path: Path) -> None:
    incidents = one("wrong_way", road="in#west", at=0.9, begin_s=10, duration_s=30)
    field = opened(crossing, incidents=incidents)
    run(field, 20)
    field.save(str(tmp_path / "state"))
    field.close()
    again = opened(crossing, incidents=incidents, state_path=str(tmp_path / "state"))
    run(again, 5)
    assert again.truth()[0]["begin_s"] == 10
    assert again.truth()[0]["end_s"] is None
    run(again, 20)
    assert again.truth()[0]["end_s"] is not None
