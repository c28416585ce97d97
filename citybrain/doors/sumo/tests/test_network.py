# SPDX-License-Identifier: Apache-2.0
"""The net becomes entities that lie where it lies on earth."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import sumolib

from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.network import entity_id
from citybrain.kernel.app import Scenario
from citybrain.kernel.records import Entity

Open = Callable[..., SumoField]


@pytest.fixture
def entities(opened: Open, crossing: Scenario) -> Sequence[Entity]:
    return opened(crossing).entities()


def of(entities: Sequence[Entity], kind: str) -> list[Entity]:
    return [one for one in entities if one.type == kind]


def metres(a: Sequence[float], b: Sequence[float]) -> float:
    east = (a[0] - b[0]) * math.cos(math.radians(a[1]))
    return math.hypot(east, a[1] - b[1]) * 111_320


def test_roads_for_cars_are_entities_and_footpaths_are_not(entities: Sequence[Entity]) -> None:
    roads = of(entities, "RoadSegment")
    assert len(roads) == 8
    assert entity_id("RoadSegment", "walk") not in {road.id for road in roads}
    assert len(of(entities, "RoadLane")) == 12


def test_an_id_with_a_hash_is_a_valid_urn(entities: Sequence[Entity]) -> None:
    assert "urn:ngsi-ld:RoadSegment:in%23west" in {road.id for road in of(entities, "RoadSegment")}


def test_a_road_keeps_its_name_and_says_how_long_how_wide_how_fast(entities: Sequence[Entity]) -> None:
    road = next(one for one in entities if one.id == entity_id("RoadSegment", "in#west"))
    assert road.name == {"zh": "北海大道", "en": "北海大道"}
    assert road.attributes["totalLaneNumber"] == 2
    assert road.attributes["maximumAllowedSpeed"] == 50.0
    assert road.attributes["length"] == pytest.approx(297, abs=8)
    assert road.attributes["fromJunction"] == entity_id("RoadJunction", "west")
    assert road.attributes["toJunction"] == entity_id("RoadJunction", "middle")


def test_the_signal_is_named_after_the_crossing_streets_and_lies_at_their_crossing(entities: Sequence[Entity]) -> None:
    (signal,) = of(entities, "TrafficSignalController")
    assert signal.name["zh"] == "北海大道与四川路路口"
    assert metres(signal.geometry["coordinates"], (109.120, 21.480)) < 15


def test_every_link_of_the_signal_has_its_lamp_at_one_stop_line(entities: Sequence[Entity]) -> None:
    (signal,) = of(entities, "TrafficSignalController")
    heads = signal.attributes["heads"]
    assert len(heads) == 6
    assert sorted(link for head in heads for link in head["links"]) == sorted(
        link["index"] for link in signal.attributes["links"]
    )
    lanes = {lane.id: lane for lane in of(entities, "RoadLane")}
    for head in heads:
        left, right = head["line"]
        assert metres(left, right) == pytest.approx(3.2, abs=0.1)
        end = lanes[head["lane"]].geometry["coordinates"][-1]
        assert metres(left, end) == pytest.approx(1.6, abs=0.1)


def test_junctions_are_closed_areas(entities: Sequence[Entity]) -> None:
    for junction in of(entities, "RoadJunction"):
        (ring,) = junction.geometry["coordinates"]
        assert ring[0] == ring[-1]
        assert len(ring) >= 4


def test_detectors_say_which_lane_of_which_signal_they_watch(entities: Sequence[Entity]) -> None:
    (signal,) = of(entities, "TrafficSignalController")
    detectors = of(entities, "TrafficDetector")
    assert Counter(one.attributes["role"] for one in detectors) == {"approach": 6, "exit": 6}
    assert {one.attributes["controller"] for one in detectors} == {signal.id}


def test_geometry_is_where_sumolib_says(opened: Open, cologne: Scenario) -> None:
    net = sumolib.net.readNet(str(Path(cologne.path).with_name("cologne1.net.xml")))
    lanes = {one.id: one for one in opened(cologne).entities() if one.type == "RoadLane"}
    assert len(lanes) == 19
    for edge in net.getEdges():
        for lane in edge.getLanes():
            drawn = lanes[entity_id("RoadLane", lane.getID())].geometry["coordinates"]
            truth = [net.convertXY2LonLat(*point) for point in lane.getShape()]
            assert max(metres(a, b) for a, b in zip(drawn, truth, strict=True)) < 0.05


def test_signals_and_roads_without_names_are_numbered_from_west_to_east(opened: Open) -> None:
    entities = opened(scenario.find("cologne3")).entities()
    signals = of(entities, "TrafficSignalController")
    assert [signal.name["zh"] for signal in signals] == ["路口 1 号", "路口 2 号", "路口 3 号"]
    longitudes = [signal.geometry["coordinates"][0] for signal in signals]
    assert longitudes == sorted(longitudes)


def test_a_net_without_projection_is_laid_out_in_metres_where_no_city_is(opened: Open) -> None:
    roads = of(opened(scenario.find("grid4x4")).entities(), "RoadSegment")
    for road in roads:
        line = road.geometry["coordinates"]
        length_m = sum(metres(a, b) for a, b in pairwise(line))
        assert length_m == pytest.approx(road.attributes["length"], abs=1.0)
        assert all(abs(degree) < 0.05 for point in line for degree in point)
