# SPDX-License-Identifier: Apache-2.0
"""A city comes whole or not at all, is listed, opens, and is reported on."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libsumo
import msgspec
import pytest
import sumolib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.importing import cityflow, existing, openstreetmap, programs
from citybrain.doors.sumo.importing.tests.conftest import FLOW, MAP, ROADNET, wish
from citybrain.kernel.app import Opening
from citybrain.kernel.errors import Refusal
from citybrain.kernel.importing import Finding, Level, Report

CODES = Callable[[Report], dict[str, Finding]]


def codes(report: Report) -> dict[str, Finding]:
    return {finding.code: finding for finding in report.findings}


def opened(name: str, begins_at: Any) -> SumoField:
    found = scenario.find(name)
    return SumoField(Opening(scenario=found, seed=1, begins_at=begins_at, obey=True))


def test_a_dry_run_reports_and_writes_nothing(data_folder: Path) -> None:
    report = cityflow.run(wish(ROADNET, FLOW, name="two", dry_run=True))
    assert (report.folder, report.stopped) == (None, False)
    assert [path.name for path in (data_folder / "scenarios").iterdir()] == [".lock"]
    assert scenario.imported() == ()


def test_a_cityflow_city_is_listed_and_opens_by_its_name_and_its_signals_are_nobody_s_yet() -> None:
    asked = wish(ROADNET, FLOW, name="two", attribution="by hand, CC0", timezone="Asia/Shanghai", place=(109.12, 21.48))
    report = cityflow.run(asked)
    assert (report.name, report.figures["vehicles"], report.figures["signals_to_control"]) == ("two", 61 + 31 + 240, 2)
    found = scenario.find("two")
    assert (found.signals, found.timezone, found.attribution) == (2, "Asia/Shanghai", "by hand, CC0")
    assert found in scenario.installed()
    assert not found.trusted
    field = opened("two", asked.at)
    try:
        signals = [one for one in field.entities() if one.type == "TrafficSignalController"]
        assert [one.attributes.get("controlDefault") for one in signals] == [None, None]
        assert signals[0].geometry["coordinates"] == pytest.approx([109.12, 21.48], abs=2e-4)
        for _ in range(120):
            field.step(())
        assert libsumo.vehicle.getIDCount() > 3
        assert field.summary()["due"] > 10
    finally:
        field.close()


def test_a_converted_net_has_the_lanes_turns_and_plans_of_its_file() -> None:
    folder = cityflow.run(wish(ROADNET, FLOW, name="two")).folder
    assert folder is not None
    net = sumolib.net.readNet(f"{folder}/city.net.xml", withPrograms=True)
    edge = net.getEdge("w-_A")
    assert edge.getLength() == pytest.approx(200 - 12, abs=0.1), "up to the stop line, as in CityFlow"
    assert [(lane.getWidth(), lane.getSpeed()) for lane in edge.getLanes()] == [(3.5, 13.9)] * 2
    ways = {
        (c.getFromLane().getIndex(), c.getTo().getID(), c.getToLane().getIndex())
        for c in edge.getOutgoing()[net.getEdge("A-_B")]
    }
    assert ways == {(1, "A-_B", 0), (1, "A-_B", 1)}, "CityFlow's lane 0 is at the middle of the street"
    phases = next(iter(net.getTLS("A").getPrograms().values())).getPhases()
    assert [phase.duration for phase in phases] == [30, 3, 2, 20, 3, 2]
    assert all(set(phase.state) <= set("Ggry") and len(phase.state) == 12 for phase in phases)
    assert "g" in phases[0].state, "a left turn yields to those who come straight on"


def test_what_is_odd_is_told_with_its_place(changed: Callable[..., Path]) -> None:
    def odd(net: dict[str, Any]) -> None:
        net["intersections"][0]["trafficLight"]["lightphases"] = []
        net["intersections"][1]["roadLinks"][0]["laneLinks"] = []
        net["intersections"][1]["trafficLight"]["lightphases"] = net["intersections"][1]["trafficLight"]["lightphases"][
            1:2
        ]
        net["roads"][0]["lanes"][0]["maxSpeed"] = 60
        net["roads"][0]["lanes"][0]["width"] = 11

    found = codes(cityflow.run(wish(changed(odd), FLOW, name="odd", dry_run=True)))
    assert found["sumo.import_signals_without_phases"].places == ("A",)
    assert found["sumo.import_signals_with_one_phase"].places == ("B",)
    assert found["sumo.import_turns_without_lanes"].places[0].startswith("B: A->B")
    assert found["sumo.import_speeds_in_kmh"].facts["count"] == 1
    assert "sumo.import_widths_in_feet" in found
    assert found["sumo.import_without_route"].places == ("[3] w->A → nowhere",)
    assert {"sumo.import_no_place", "sumo.import_no_licence"} <= set(found)
    assert not [one for one in found.values() if one.level is Level.ERROR]


# fmt: off
BROKEN = [
    (lambda net: net["roads"][0].update(endIntersection="moon"),           "sumo.import_road_leads_nowhere", "moon"),
    (lambda net: net["roads"][1].update(id=net["roads"][0]["id"]),         "sumo.import_id_twice", "A->w"),
    (lambda net: net["intersections"][0]["roadLinks"][1].update(endRoad="B->e"),
     "sumo.import_turn_broken", "roadLinks[1]"),
    (lambda net: net["intersections"][0]["roadLinks"][1]["laneLinks"][0].update(startLaneIndex=7),
     "sumo.import_turn_broken", "laneLinks[0]"),
    (lambda net: net["intersections"][1]["trafficLight"]["lightphases"][1]["availableRoadLinks"].append(40),
     "sumo.import_turn_broken", "lightphases[1]"),
    (lambda net: net["roads"][2].update(points=[{"x": 1, "y": 1}] * 2),    "sumo.import_road_without_length", "A->an"),
    (lambda net: net.update(roads=[], intersections=[]),                   "sumo.import_no_roads", ""),
]
# fmt: on


@pytest.mark.parametrize(("break_it", "code", "place"), BROKEN)
def test_a_broken_topology_stops_with_its_place_and_leaves_nothing(
    changed: Callable[..., Path], data_folder: Path, break_it: Any, code: str, place: str
) -> None:
    report = cityflow.run(wish(changed(break_it), FLOW, name="broken"))
    assert (report.stopped, report.folder) == (True, None)
    found = codes(report)[code]
    assert found.level is Level.ERROR
    assert any(place in each for each in found.places) or not place
    assert [path.name for path in (data_folder / "scenarios").iterdir()] == [".lock"]


def test_a_city_stays_when_another_of_its_name_is_broken_or_not_wished(changed: Callable[..., Path]) -> None:
    whole = cityflow.run(wish(ROADNET, FLOW, name="two"))
    broken = changed(lambda net: net["roads"][0].update(endIntersection="moon"))
    assert cityflow.run(wish(broken, FLOW, name="two", replace=True)).stopped
    with pytest.raises(Refusal) as refused:
        cityflow.run(wish(ROADNET, FLOW, name="two"))
    assert refused.value.code == "sumo.import_name_taken"
    assert scenario.find("two").path == f"{whole.folder}/city.sumocfg"
    assert cityflow.run(wish(ROADNET, FLOW, name="two", replace=True, timezone="Asia/Tokyo")).folder == whole.folder
    assert [one.timezone for one in scenario.imported()] == ["Asia/Tokyo"]


def test_what_a_killed_import_left_is_never_listed_and_goes_with_the_next(data_folder: Path) -> None:
    whole = cityflow.run(wish(ROADNET, FLOW, name="two"))
    assert whole.folder is not None
    scenarios = data_folder / "scenarios"
    shutil.copytree(whole.folder, scenarios / ".import-killed")
    (scenarios / "torn").mkdir()
    (scenarios / "torn" / "city.sumocfg").write_text("<configuration/>")
    Path(whole.folder).rename(scenarios / ".old-two")
    assert scenario.imported() == ()
    cityflow.run(wish(ROADNET, FLOW, name="three"))
    assert [one.id for one in scenario.imported()] == ["three", "two"], "an old city whose successor never came is back"
    assert not (scenarios / ".import-killed").exists()


@pytest.mark.parametrize("name", ["../up", "A city", ".hidden", "", "x" * 70])
def test_a_name_that_is_no_name_is_refused_or_made(name: str) -> None:
    if not name:
        assert cityflow.run(wish(ROADNET, FLOW, dry_run=True)).name == "data", "the folder's, as every file is roadnet"
        return
    with pytest.raises(Refusal) as refused:
        cityflow.run(wish(ROADNET, FLOW, name=name))
    assert refused.value.code == "sumo.import_name_unfit"


@pytest.mark.parametrize("packed", [False, True])
def test_a_map_becomes_a_city_with_its_streets_named(tmp_path: Path, packed: bool) -> None:
    path = MAP
    if packed:
        path = tmp_path / "beihai.osm.gz"
        path.write_bytes(gzip.compress(MAP.read_bytes()))
    report = openstreetmap.run(wish(path, name="beihai", demand=300))
    found = codes(report)
    assert not report.stopped, found
    assert (report.figures["osm_ways"], report.figures["osm_signals"], report.figures["signals"]) == (5, 1, 1)
    assert found["sumo.import_islands"].facts["count"] == 1
    assert found["sumo.import_ways_cut"].places == ("way 15",)
    assert "OpenStreetMap contributors, ODbL" in scenario.find("beihai").attribution
    assert 0 < found["sumo.import_demand_made_up"].facts["vehicles"] <= 300
    field = opened("beihai", wish().at)
    try:
        names = {one.name["zh"] for one in field.entities() if one.type == "TrafficSignalController"}
        assert names == {"北海大道与四川路路口"}
    finally:
        field.close()


def test_a_map_without_demand_says_how_to_make_some_up() -> None:
    report = openstreetmap.run(wish(MAP, name="beihai"))
    assert "sumo.import_no_demand" in codes(report)
    assert scenario.find("beihai").end_s == 3600


# fmt: off
MAPS = [
    ("a.osm.pbf", b"\x00\x00\x00\r",                                     "sumo.import_pbf"),
    ("a.osm",     b"<osm><node",                                         "sumo.import_osm_broken"),
    ("a.osm.gz",  b"not packed",                                         "sumo.import_osm_broken"),
    ("a.osm.gz",  gzip.compress(b"<osm>" + b" " * 9999, mtime=0)[:20],   "sumo.import_osm_broken"),
]
# fmt: on


@pytest.mark.parametrize(("name", "content", "code"), MAPS)
def test_a_map_that_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refusal) as refused:
        openstreetmap.run(wish(tmp_path / name, name="a"))
    assert refused.value.code == code
    assert scenario.imported() == ()


def test_a_map_of_nothing_but_houses_has_no_roads(tmp_path: Path) -> None:
    (tmp_path / "a.osm").write_text("<osm><node id='1' lat='0' lon='0'/><way id='2'><nd ref='1'/></way></osm>")
    assert "sumo.import_no_roads" in codes(openstreetmap.run(wish(tmp_path / "a.osm", name="a")))


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder with a configuration of SUMO, as somebody else keeps it."""
    made = cityflow.run(wish(ROADNET, FLOW, name="source"))
    assert made.folder is not None
    folder = tmp_path / "theirs"
    (folder / "net").mkdir(parents=True)
    shutil.copy(f"{made.folder}/city.net.xml", folder / "net" / "a.net.xml")
    shutil.copy(f"{made.folder}/city.rou.xml", folder / "a.rou.xml")
    (folder / "a.add.xml").write_text(
        '<additional><inductionLoop id="x" lane="w-_A_0" pos="-5" file="o.xml"/></additional>'
    )
    (folder / "a.sumocfg").write_text(
        '<configuration><input><net-file value="net/a.net.xml"/><route-files value="a.rou.xml"/>'
        '<additional-files value="a.add.xml"/></input><time><begin value="60"/><end value="0:05:00"/></time>'
        '<processing><lateral-resolution value="0.8"/></processing><output><summary-output value="s.xml"/></output>'
        "</configuration>"
    )
    return folder


def test_a_configuration_of_sumo_is_taken_with_its_files_and_its_options(theirs: Path) -> None:
    report = existing.run(wish(theirs, name="theirs"))
    assert not report.stopped, codes(report)
    shutil.rmtree(theirs)
    found = scenario.find("theirs")
    assert (found.begin_s, found.end_s, found.signals) == (60, 300, 2)
    text = Path(found.path).read_text()
    assert "lateral-resolution" in text
    assert "summary-output" not in text
    assert report.figures["vehicles"] == 332
    opened("theirs", wish().at).close()


def test_a_net_alone_is_taken_without_vehicles(theirs: Path) -> None:
    report = existing.run(wish(theirs / "net" / "a.net.xml", name="bare"))
    assert "sumo.import_no_demand" in codes(report)
    assert scenario.find("bare").signals == 2


# fmt: off
DEMANDS = [
    ('<vehicle id="v" depart="0"><route edges="w-_A moon"/></vehicle>',      "sumo.import_route_broken", "moon"),
    ('<route id="r" edges="w-_A B-_e"/>',                                    "sumo.import_route_broken", "w-_A → B-_e"),
    ('<trip id="t" depart="0" from="w-_A" to="moon"/>',                      "sumo.import_sumo_refuses", ""),
    ('<vehicle id="v" depart="0"',                                           "sumo.import_xml_broken", ""),
]
# fmt: on


@pytest.mark.parametrize(("demand", "code", "place"), DEMANDS)
def test_routes_that_do_not_fit_the_net_stop_the_import(theirs: Path, demand: str, code: str, place: str) -> None:
    (theirs / "a.rou.xml").write_text(f"<routes>{demand}</routes>")
    report = existing.run(wish(theirs, name="theirs"))
    assert (report.stopped, codes(report)[code].level) == (True, Level.ERROR)
    assert any(place in each for each in codes(report)[code].places) or not place
    assert "theirs" not in [one.id for one in scenario.imported()]


def test_the_folder_says_where_the_city_came_from() -> None:
    folder = Path(cityflow.run(wish(ROADNET, FLOW, name="two", attribution="by hand, CC0")).folder or "")
    assert {path.name for path in folder.iterdir()} == {
        "city.net.xml", "city.rou.xml", "city.sumocfg", "import.json", "report.json", "SOURCE.md",
    }  # fmt: skip
    note = (folder / "SOURCE.md").read_text()
    assert "by hand, CC0" in note
    assert "roadnet.json" in note
    assert msgspec.json.decode((folder / "report.json").read_bytes(), type=Report).name == "two"


def test_a_plan_that_shows_crossing_ways_green_at_once_is_told(theirs: Path) -> None:
    net = theirs / "net" / "a.net.xml"
    states = [
        phase.state
        for phase in sumolib.net.readNet(str(net), withPrograms=True).getTLS("A").getPrograms()["0"].getPhases()
    ]
    net.write_text(net.read_text().replace(f'state="{states[0]}"', f'state="{"G" * 12}"', 1))
    found = codes(existing.run(wish(net, name="bare", dry_run=True)))
    assert found["sumo.import_signals_conflict"].places == ("A",)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"<osm>{text}</osm>".encode()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_any_bytes_are_refused_as_a_map_or_found_to_have_no_roads(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any.osm").write_bytes(content)
    try:
        report = openstreetmap.run(wish(tmp_path / "any.osm", name="any"))
    except Refusal as refusal:
        assert refusal.code == "sumo.import_osm_broken"
    else:
        assert "sumo.import_no_roads" in codes(report)


def test_roads_that_only_meet_the_net_s_exits_are_told(tmp_path: Path) -> None:
    places = {
        "a": (0, 0),
        "b": (100, 0),
        "c": (100, 100),
        "d": (0, 100),
        "x": (-100, 0),
        "y": (-200, 90),
        "z": (-200, 0),
    }
    nodes = "".join(f'<node id="{name}" x="{x}" y="{y}"/>' for name, (x, y) in places.items())
    edges = "".join(
        f'<edge id="{way}" from="{way[0]}" to="{way[1]}"/>' for way in ("ab", "bc", "cd", "da", "ax", "yx", "xz")
    )
    (tmp_path / "a.nod.xml").write_text(f"<nodes>{nodes}</nodes>")
    (tmp_path / "a.edg.xml").write_text(f"<edges>{edges}</edges>")
    programs.run("netconvert", ["-n", "a.nod.xml", "-e", "a.edg.xml", "-o", "a.net.xml"], tmp_path)
    found = codes(existing.run(wish(tmp_path / "a.net.xml", name="ring", dry_run=True)))
    assert found["sumo.import_roads_apart"].places == ("yx",)
    assert "sumo.import_islands" not in found
    assert "sumo.import_no_signals" in found
