# SPDX-License-Identifier: Apache-2.0
"""CityFlow's files are read whole, or refused with the place of what is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citybrain.doors.sumo.importing import plain, turns
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.roadnet import Flow, Vehicle, read_flows, read_roadnet
from citybrain.doors.sumo.importing.tests.conftest import FLOW, ROADNET
from citybrain.kernel.errors import Refusal

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=8), inside, max_size=4),
    max_leaves=20,
)


def test_the_whole_net_and_all_flows_are_read() -> None:
    net, flows = read_roadnet(ROADNET), read_flows(FLOW)
    assert (len(net.roads), len(net.intersections), len(flows)) == (14, 8, 4)
    crossing = next(junction for junction in net.intersections if junction.id == "A")
    assert (len(crossing.road_links), crossing.width, crossing.virtual) == (12, 12, False)
    assert crossing.traffic_light is not None
    assert [phase.time for phase in crossing.traffic_light.lightphases] == [5, 30, 20]
    assert (flows[0].vehicle.headway_time, flows[0].vehicle.usual_neg_acc) == (1.5, 4.5)


# fmt: off
UNFIT = [
    (lambda net: net["roads"][3]["lanes"][1].update(width="wide"),       "$.roads[3].lanes[1].width"),
    (lambda net: net["roads"][3]["lanes"][1].update(maxSpeed=0),         "$.roads[3].lanes[1].maxSpeed"),
    (lambda net: net["roads"][0].update(points=[{"x": 0, "y": 0}]),      "$.roads[0].points"),
    (lambda net: net["roads"][0]["points"][0].pop("y"),                  "$.roads[0].points[0]"),
    (lambda net: net["roads"][0]["points"][0].update(x=1e9),             "$.roads[0].points[0].x"),
    (lambda net: net["intersections"][0]["roadLinks"][2].update(type="fly"), "$.intersections[0].roadLinks[2].type"),
    (lambda net: net.pop("roads"),                                       "$"),
]
# fmt: on


@pytest.mark.parametrize(("break_it", "place"), UNFIT)
def test_what_does_not_fit_is_refused_with_its_place(
    changed: Callable[..., Path], break_it: Callable[[dict[str, Any]], None], place: str
) -> None:
    with pytest.raises(Refusal) as refused:
        read_roadnet(changed(break_it))
    assert (refused.value.code, refused.value.facts["place"]) == ("sumo.import_json_unfit", place)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"roads": [}'])
def test_what_is_not_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(Refusal) as refused:
        read_roadnet(tmp_path / "a.json")
    assert refused.value.code == "sumo.import_json_broken"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(Refusal) as refused:
            read_flows(path)
        assert refused.value.code == "sumo.import_file_missing"


@given(JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_json_is_read_or_refused(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "any.json"
    path.write_bytes(msgspec.json.encode(value))
    for read in (read_roadnet, read_flows):
        try:
            read(path)
        except Refusal as refusal:
            assert refusal.facts["path"] == "any.json"


def _places(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [so_far, *(place for key, part in inside for place in _places(part, (*so_far, key)))]


WHOLE = msgspec.json.decode(ROADNET.read_bytes())
PLACES = _places(WHOLE)[1:]


@given(st.sampled_from(PLACES), JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_a_net_with_anything_anywhere_is_refused_found_broken_or_can_be_written(
    tmp_path: Path, place: tuple[Any, ...], value: Any
) -> None:
    net = msgspec.json.decode(ROADNET.read_bytes())
    within = net
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = value
    path = tmp_path / "roadnet.json"
    path.write_bytes(msgspec.json.encode(net))
    findings = Findings()
    try:
        read = read_roadnet(path)
    except Refusal as refusal:
        assert refusal.facts["place"]
        return
    turns.examine(read, findings)
    if not findings.stopped:
        assert all(len(names) == len(set(names.values())) for names in (plain.Names(read).roads,))


# fmt: off
DEPARTURES = [
    (Flow(vehicle=Vehicle(), route=["a"], start_time=3, end_time=3),                 [3],          "one vehicle"),
    (Flow(vehicle=Vehicle(), route=["a"], interval=2, start_time=1, end_time=6),     [1, 3, 5],    "until the end"),
    (Flow(vehicle=Vehicle(), route=["a"], interval=5, start_time=0),                 [0, 5],       "until the horizon"),
    (Flow(vehicle=Vehicle(), route=["a"], interval=5, start_time=9, end_time=4),     [],           "ends too early"),
    (Flow(vehicle=Vehicle(), route=["a"], interval=5, start_time=90),                [],           "begins too late"),
]
# fmt: on


@pytest.mark.parametrize(("flow", "times", "why"), DEPARTURES)
def test_a_flow_departs_at_its_start_and_then_at_every_interval(flow: Flow, times: list[float], why: str) -> None:
    assert flow.departures(10.0) == times, why
