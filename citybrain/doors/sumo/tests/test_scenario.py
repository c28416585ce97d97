# SPDX-License-Identifier: Apache-2.0
"""Which cities can be opened, and how the rest is refused."""

from pathlib import Path

import msgspec
import pytest

from citybrain.doors.sumo import configuration, scenario
from citybrain.doors.sumo.door import DOOR
from citybrain.kernel.app import Scenario
from citybrain.kernel.errors import Refusal

NET = "<net><location netOffset='0,0' projParameter='!'/></net>"


def test_the_eight_networks_of_the_wheel_are_listed_with_their_signals() -> None:
    signals = {found.id: found.signals for found in scenario.resco()}
    assert signals == {
        "ingolstadt21": 21,
        "ingolstadt7": 7,
        "ingolstadt1": 1,
        "cologne8": 8,
        "cologne3": 3,
        "cologne1": 1,
        "grid4x4": 16,
        "arterial4x4": 16,
    }


def test_a_listed_network_says_when_it_runs_where_it_lies_and_whose_it_is(cologne: Scenario) -> None:
    assert (cologne.begin_s, cologne.end_s) == (25200, 28800)
    assert cologne.timezone == "Europe/Berlin"
    assert cologne.name == {"zh": "科隆 1 个信号", "en": "Cologne, 1 signal"}
    assert "CC BY-NC-SA 3.0" in cologne.attribution


def test_one_s_own_configuration_is_found_by_file_and_by_folder(crossing_folder: Path) -> None:
    by_file = scenario.find(str(crossing_folder / "crossing.sumocfg"))
    assert by_file == scenario.find(str(crossing_folder))
    assert (by_file.end_s, by_file.signals, by_file.name["en"]) == (300, 1, crossing_folder.name)


def test_a_run_without_an_end_lasts_one_hour(tmp_path: Path) -> None:
    (tmp_path / "a.net.xml").write_text(NET)
    (tmp_path / "a.sumocfg").write_text(
        "<configuration><net-file value='a.net.xml'/><begin value='0:30:00'/></configuration>"
    )
    read = configuration.read(tmp_path / "a.sumocfg")
    assert (read.begin_s, read.end_s) == (1800, 5400)


# fmt: off
TIMES = [
    ("90",          90),
    ("1:30",        90),
    ("01:00:00",    3600),
    ("1:00:00:00",  86400),
    ("25200.5",     25200.5),
]
# fmt: on


@pytest.mark.parametrize(("text", "seconds"), TIMES)
def test_times_are_read_as_sumo_reads_them(text: str, seconds: float) -> None:
    assert configuration.seconds(text) == seconds


def configured(inside: str) -> str:
    return f"<configuration><input>{inside}</input></configuration>"


NAMED = "<net-file value='b.net.xml'/>"

# fmt: off
REFUSALS = [
    ("sumo.scenario_not_found",  "nowhere.sumocfg", {}),
    ("sumo.folder_has_none",     ".", {}),
    ("sumo.folder_has_several",  ".", {"a.sumocfg": "", "b.sumocfg": ""}),
    ("sumo.not_xml",             "a.sumocfg", {"a.sumocfg": "net-file: a"}),
    ("sumo.not_a_configuration", "a.sumocfg", {"a.sumocfg": "<net/>"}),
    ("sumo.no_net",              "a.sumocfg", {"a.sumocfg": configured("")}),
    ("sumo.net_missing",         "a.sumocfg", {"a.sumocfg": configured(NAMED)}),
    ("sumo.net_broken",          "a.sumocfg", {"a.sumocfg": configured(NAMED), "b.net.xml": "<net><edge"}),
    ("sumo.routes_missing",      "a.sumocfg", {"a.sumocfg": configured(NAMED + "<r value='c'/>"), "b.net.xml": NET}),
    ("sumo.additional_missing",  "a.sumocfg", {"a.sumocfg": configured(NAMED + "<a value='c'/>"), "b.net.xml": NET}),
    ("sumo.time_unreadable",     "a.sumocfg", {"a.sumocfg": configured(NAMED + "<e value='noon'/>"), "b.net.xml": NET}),
]
# fmt: on


@pytest.mark.parametrize(("code", "asked", "files"), REFUSALS)
def test_what_cannot_be_opened_is_refused_with_its_reason(
    tmp_path: Path, code: str, asked: str, files: dict[str, str]
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(Refusal) as refused:
        scenario.find(str(tmp_path / asked))
    assert refused.value.code == code


def test_every_refusal_has_a_sentence_in_both_languages() -> None:
    folder = Path(scenario.__file__).parent
    words = {lang: msgspec.json.decode((folder / "i18n" / f"{lang}.json").read_bytes()) for lang in ("zh", "en")}
    used = {
        part
        for file in (*folder.glob("*.py"), *folder.glob("importing/*.py"))
        for part in file.read_text().split('"')
        if part.startswith("sumo.") and " " not in part
    }
    assert words["zh"].keys() == words["en"].keys()
    assert used == {key for key in words["zh"] if not key.startswith("feed.")}, "a feed's name is no refusal"


def test_the_door_says_what_it_does() -> None:
    assert set(DOOR.executes) == {
        "traffic.set_stage",
        "traffic.set_control_mode",
        "traffic.release",
        "traffic.send_vehicle",
        "traffic.reroute_vehicle",
        "signals.all_red",
        "signals.flash",
        "signals.resume",
        "signals.extend",
        "street.close_lane",
        "street.close_road",
        "street.reopen",
        "street.speed_limit",
        "street.turn_ban",
        "street.reverse_lane",
        "street.open_bus_lane",
        "street.divert",
        "street.gate",
        "street.clear_obstacle",
        "parking.guide",
        "transit.hold_bus",
        "transit.reroute_bus",
        "transit.insert_bus",
    }
    assert {kind.name for kind in DOOR.entity_types} == {
        "RoadSegment",
        "RoadLane",
        "RoadJunction",
        "TrafficSignalController",
        "TrafficDetector",
        "VehicleFleet",
    }
