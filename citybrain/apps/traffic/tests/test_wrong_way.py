# SPDX-License-Identifier: Apache-2.0
"""Wrong-way drivers are told by the places of floating cars, and no error of those makes one of who drives right."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import cos, hypot, pi, radians, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.apps.traffic.app import APP
from citybrain.apps.traffic.detect.carriageways import SURE
from citybrain.apps.traffic.detect.wrong_way import FLOATING_CARS, WRONG_WAY, WrongWay
from citybrain.kernel.geo import METRES_PER_DEGREE
from citybrain.kernel.merging import Merging
from citybrain.kernel.records import Batch, Column, Entity, Event, Json, Severity

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Point = tuple[float, float]
Fix = tuple[float, Point, float]
"""When in seconds, where in metres, and how sure."""


def lonlat(point: Point) -> list[float]:
    return [120.0 + point[0] / METRES_PER_DEGREE / cos(radians(30.0)), 30.0 + point[1] / METRES_PER_DEGREE]


def road(name: str, *line: Point, leads_to: Sequence[str] = (), lanes: int = 1, limit_kmh: float = 50.0) -> Entity:
    return Entity(
        id=name,
        type="RoadSegment",
        source="survey",
        observed_at=NOON,
        geometry={"type": "LineString", "coordinates": [lonlat(point) for point in line]},
        attributes={
            "length": sum(hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(line)),
            "totalLaneNumber": lanes,
            "maximumAllowedSpeed": limit_kmh,
            "leadsTo": list(leads_to),
        },
    )


def batch(second: float, *cars: tuple[int, Point, float]) -> Batch:
    at = NOON + timedelta(seconds=second)
    table = np.array([[number, *lonlat(point), sure] for number, point, sure in cars], float).reshape(-1, 4)
    column = Column(attribute=FLOATING_CARS, entity_ids=("fleet",), values=(table,))
    return Batch(id=f"b{second}", source="test", observed_at=at, received_at=at, columns=(column,))


def told(city: Iterable[Entity], fixes: Iterable[Fix]) -> list[Event]:
    detector = WrongWay(tuple(city))
    return [event for second, point, sure in fixes for event in detector(batch(second, (7, point, sure)))]


EAST = road("east", (0, 0), (1000, 0))


def against(metres: float = 45.0, *, sure: float = 5.0, until: int = 10, y: float = 0.0) -> list[Fix]:
    """Somebody drives west, a report each 5 s."""
    return [(5.0 * number, (900.0 - metres * number, y), sure) for number in range(until)]


def test_who_drives_against_a_one_way_road_is_told_after_two_moves() -> None:
    events = told([EAST], against(until=5))
    assert [(event.kind, event.entity_id, event.severity) for event in events] == [(WRONG_WAY, "east", "II")]
    first = events[0]
    assert first.at == NOON + timedelta(seconds=10)
    assert first.evidence["place"]["road"] == "east"
    assert first.evidence["place"]["offset_m"] == pytest.approx(810, abs=1)
    assert first.geometry["type"] == "Point"
    assert first.because.facts == {"metres": 90, "seconds": 10}
    assert first.evidence["reports"] == 3


# fmt: off
SILENT: list[tuple[str, Callable[[], list[Event]]]] = [
    ("drives right",             lambda: told([EAST], [(t, (1000 - p[0], 0.0), s) for t, p, s in against()])),
    ("one move only",            lambda: told([EAST], against(until=2))),
    ("rolls 29 m now and then",  lambda: told([EAST], [(70.0 * n, (900 - 29.0 * n, 0.0), 5.0) for n in range(9)])),
    ("places too unsure",        lambda: told([EAST], against(metres=45, sure=30, until=4))),
    ("reports too rare",         lambda: told([EAST], [(20.0 * n, (900 - 45.0 * n, 0.0), 5.0) for n in range(9)])),
    ("the other side is near",   lambda: told([EAST, road("west", (1000, 8), (0, 8))], against())),
    ("far from any road",        lambda: told([EAST], against(y=60.0))),
    ("crosses it",               lambda: told([EAST], [(5.0 * n, (500.0, 200 - 45.0 * n), 5.0) for n in range(9)])),
]
# fmt: on


@pytest.mark.parametrize(("what", "run"), SILENT, ids=[each[0] for each in SILENT])
def test_nobody_is_told_who(what: str, run: Callable[[], list[Event]]) -> None:
    assert run() == [], what


def test_where_the_other_carriageway_is_far_enough_away_one_is_told_and_by_surer_places_sooner() -> None:
    far, near = road("west", (1000, 40), (0, 40)), road("west", (1000, 14), (0, 14))
    assert told([EAST, far], against())
    assert not told([EAST, near], against(sure=5.0))
    assert told([EAST, near], against(sure=1.5))


def test_it_goes_on_over_roads_and_junctions_and_is_over_when_he_drives_right_again() -> None:
    city = [
        road("second", (500, 0), (1000, 0)),
        road("first", (0, 0), (500, 0), leads_to=["second"]),
        road("side", (500, 300), (500, -300)),
    ]
    back = [(5.0 * (20 + n), (45.0 + 45.0 * n, 0.0), 5.0) for n in range(4)]
    events = told(city, [*against(until=20), *back])
    assert len({event.id for event in events}) == 1
    roads = list(dict.fromkeys(event.entity_id for event in events))
    assert roads == ["second", "first"]
    assert [event.ended_at is not None for event in events].count(True) == 1
    assert events[-1].because.code == "traffic.wrong_way_over"


def test_who_says_nothing_for_a_minute_is_not_known_to_drive_so_any_more() -> None:
    detector = WrongWay((EAST,))
    for second, point, sure in against(until=4):
        detector(batch(second, (7, point, sure)))
    assert detector(batch(70.0)) == []
    (over,) = detector(batch(77.0))
    assert over.ended_at == NOON + timedelta(seconds=77)


@pytest.mark.parametrize(("limit_kmh", "until", "worst"), [(50.0, 5, "II"), (80.0, 4, "I"), (50.0, 9, "I")])
def test_on_fast_roads_and_after_300_m_it_is_the_worst_there_is(limit_kmh: float, until: int, worst: str) -> None:
    events = told([road("east", (0, 0), (1000, 0), limit_kmh=limit_kmh)], against(until=until))
    assert events[-1].severity == Severity(worst)


def test_a_vehicle_of_its_own_that_a_door_brings_in_is_looked_at_too() -> None:
    detector = WrongWay((EAST,))
    found: list[Event] = []
    for second, point, _ in against(until=4):
        place: Json = {"type": "Point", "coordinates": lonlat(point)}
        taxi = Entity(id="urn:taxi", type="Vehicle", source="door", observed_at=NOON, geometry=place)
        detector.meet([taxi], [])
        found += detector(batch(second))
    assert [event.entity_id for event in found] == ["east"]
    assert APP.senses["Vehicle"] == ("speed", "heading")


def test_two_who_were_misled_at_one_place_are_one_event() -> None:
    detector, merging = WrongWay((EAST,)), Merging((EAST,), APP.merges)
    open_now: dict[str, Event] = {}
    for second, point, sure in against(until=6):
        behind = (point[0] + 60.0, point[1])
        found = merging(detector(batch(second, (7, point, sure), (8, behind, sure))), NOON + timedelta(seconds=second))
        open_now |= {event.id: event for event in found}
    assert [("merged_into" in event.evidence) for event in open_now.values()].count(False) == 1


# --- whatever way, speed and error

turns = st.lists(st.floats(-28.0, 28.0), min_size=0, max_size=5)
lengths = st.lists(st.floats(40.0, 300.0), min_size=6, max_size=6)
steps = st.lists(st.tuples(st.integers(1, 15), st.floats(0.0, 20.0)), min_size=5, max_size=40)
errors = st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 2 * pi)), min_size=41, max_size=41)


def chain(angles: Sequence[float], metres: Sequence[float]) -> list[Point]:
    """Corners of a way that turns less than half round in all."""
    points, heading = [(0.0, 0.0)], 0.0
    for turn, length_m in zip([0.0, *angles], metres, strict=False):
        heading += radians(turn)
        x, y = points[-1]
        points.append((x + length_m * cos(heading), y + length_m * sin(heading)))
    return points


def along(points: Sequence[Point], metres: float) -> Point:
    for (x0, y0), (x1, y1) in pairwise(points):
        length_m = hypot(x1 - x0, y1 - y0)
        if metres <= length_m:
            share = metres / length_m
            return x0 + share * (x1 - x0), y0 + share * (y1 - y0)
        metres -= length_m
    return points[-1]


def driven(
    points: Sequence[Point], moves: Sequence[tuple[int, float]], sure: float, wrong: Sequence[Point]
) -> list[Fix]:
    """Reports of who drives a way at these speeds and gaps, each place wrong by at most three standard deviations."""
    fixes, second, metres = [], 0.0, 0.0
    for (gap_s, speed_mps), (share, angle) in zip(moves, wrong, strict=False):
        second += gap_s
        metres += gap_s * speed_mps
        x, y = along(points, metres)
        off_m = SURE * sure * share
        fixes.append((second, (x + off_m * cos(angle), y + off_m * sin(angle)), sure))
    return fixes


@settings(max_examples=400, deadline=None)
@given(turns, lengths, steps, errors, st.floats(1.0, 15.0), st.floats(6.0, 80.0))
def test_no_error_of_places_makes_a_wrong_way_driver_of_who_drives_right(
    angles: Sequence[float],
    metres: Sequence[float],
    moves: Sequence[tuple[int, float]],
    wrong: Sequence[Point],
    sure: float,
    apart_m: float,
) -> None:
    points = chain(angles, metres)
    names = [f"on{number}" for number in range(len(points) - 1)]
    ahead = [
        road(name, begin, end, leads_to=names[number + 1 : number + 2])
        for number, (name, (begin, end)) in enumerate(zip(names, pairwise(points), strict=True))
    ]
    beside = [(x - apart_m * 0.5, y + apart_m) for x, y in points]
    back = [road(f"back{number}", end, begin) for number, (begin, end) in enumerate(pairwise(beside))]
    assert told([*ahead, *back], driven(points, moves, sure, wrong)) == []


@settings(max_examples=200, deadline=None)
@given(turns, lengths, errors, st.floats(1.0, 5.0), st.floats(8.0, 20.0))
def test_who_drives_against_a_long_way_is_told_whatever_the_errors(
    angles: Sequence[float], metres: Sequence[float], wrong: Sequence[Point], sure: float, speed_mps: float
) -> None:
    points = chain([angle / 3 for angle in angles], [each + 400.0 for each in metres])
    names = [f"on{number}" for number in range(len(points) - 1)]
    city = [
        road(name, begin, end, leads_to=names[number - 1 : number] if number else [])
        for number, (name, (end, begin)) in enumerate(zip(names, pairwise(points), strict=True))
    ]
    assert told(city, driven(points, [(5, speed_mps)] * 41, sure, wrong))
