# SPDX-License-Identifier: Apache-2.0
"""Who stands without a reason, which signals fail, and what flows say."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np
import pytest

from citybrain.apps.traffic.detect.incidents import Incidents
from citybrain.apps.traffic.model import DETECTOR, SIGNAL
from citybrain.kernel.records import Batch, Column, Entity, Event, Severity

from .street import NOON

Row = tuple[float, float, float]
Tracks = Mapping[str, Sequence[Row]]
"""By detector rows of distance, speed and seconds of standing, nearest first."""

LENGTH_M = 200.0


def thing(kind: str, name: str, facts: Mapping[str, object]) -> Entity:
    line = {"type": "LineString", "coordinates": [[0.0, 0.0], [0.002, 0.0]]}
    return Entity(id=name, type=kind, source="test", observed_at=NOON, attributes=facts, geometry=line)


def lane(road: str, number: int) -> Entity:
    facts = {"road": road, "number": number, "lane": f"{road}_{number}", "length": LENGTH_M}
    return thing("RoadLane", f"{road}_{number}", facts)


def detector(role: str, name: str, reach_m: float = 150.0, length_m: float = LENGTH_M) -> Entity:
    facts: dict[str, object] = {
        "controller": "signal",
        "role": role,
        "lane": name,
        "length_m": length_m,
        "speed_limit_mps": 13.9,
        "coverage_m": reach_m if role == "approach" else 60.0,
        "loops_m": [2.0, 50.0],
    }
    if role == "approach":
        before = f"{'before' if name.startswith('in') else 'sorts'}_0"
        facts["watches"] = [[name, length_m, -1.0, 1.0], [before, length_m + 210.0, -1.0, 0.5]]
    return thing(DETECTOR, f"{role} {name}", facts)


def road(name: str, lanes: int, begins: str, ends: str, *after: str) -> Entity:
    facts = {"totalLaneNumber": lanes, "length": LENGTH_M, "leadsTo": after, "fromJunction": begins, "toJunction": ends}
    return thing("RoadSegment", name, facts)


CITY = [
    road("in", 2, "a", "b", "out"),
    road("out", 1, "b", "c"),
    road("side", 1, "b", "d"),
    road("before", 1, "z", "a", "in"),
    road("short", 1, "y", "b", "out"),
    road("sorts", 1, "x", "y", "short"),
    *(lane("in", number) for number in (0, 1)),
    lane("out", 0),
    lane("side", 0),
    lane("before", 0),
    lane("short", 0),
    lane("sorts", 0),
    detector("approach", "in_0"),
    detector("approach", "in_1"),
    detector("exit", "out_0"),
    detector("exit", "side_0"),
    detector("approach", "short_0", length_m=9.0),
    thing(
        SIGNAL,
        "signal",
        {
            "links": [
                {"index": at, "approach": name, "exit": "out_0", "via": "", "crosses": []}
                for at, name in ((0, "in_0"), (1, "in_1"), (1, "short_0"))
            ],
            "stages": ["GG", "rr"],
        },
    ),
]
NAMES = tuple(one.id for one in CITY if one.type == DETECTOR)


def batch(second: int, tracks: Tracks, state: str = "rr") -> Batch:
    at = NOON + timedelta(seconds=second)
    rows = tuple(np.array([(*row, 1.0) for row in tracks.get(name, ())]).reshape(-1, 4) for name in NAMES)
    counts = np.array([float((one[:, 0] >= 0.0).sum()) for one in rows])
    columns = (
        Column(attribute="signalState", entity_ids=("signal",), values=(state,)),
        Column(attribute="tracks", entity_ids=NAMES, values=rows),
        Column(attribute="vehicleCount", entity_ids=NAMES, values=counts),
    )
    return Batch(id=f"b{second}", source="test", observed_at=at, received_at=at, columns=columns)


def watched(seconds: int, tracks: Callable[[int], Tracks], state: Callable[[int], str] = lambda _: "rr") -> list[Event]:
    """All that is told, with one batch a second; a far vehicle moves, so that no detector looks frozen."""
    detect = Incidents(CITY)
    return [event for second in range(seconds) for event in detect(batch(second, tracks(second), state(second)))]


def stands(at_m: float, second: int, *, ahead_m: float | None = None, behind: int = 0) -> list[Row]:
    rows = [(ahead_m, 0.0, float(second))] if ahead_m is not None else []
    rows += [(at_m + 7.5 * number, 0.0, float(max(second - 2 * number, 1))) for number in range(behind + 1)]
    return rows


def moving(second: int) -> list[Row]:
    return [(149.0 - 10.0 * (second % 5), 10.0, 0.0)]


# fmt: off
STOPS = [
    ("approach in_1", (60.0, None, 0), "rr", 45, "blocked_lane", "stands far from the line with free road before it"),
    ("approach in_0", (60.0, None, 0), "rr", 45, "illegal_parking", "stands at the kerb, alone"),
    ("approach in_0", (60.0, None, 3), "rr", 45, "blocked_lane", "stands at the kerb with a queue behind it"),
    ("approach in_1", (60.0, None, 0), "rr", 30, None, "stands for no longer than a bus"),
    ("approach in_1", (9.0, 1.5, 0), "rr", 80, None, "is the second of a queue under red"),
    ("approach in_1", (1.5, None, 2), "rr", 80, None, "waits at the line under red"),
    ("approach in_1", (1.5, None, 2), "GG", 25, "blocked_lane", "does not go under green"),
    ("approach in_1", (1.5, None, 2), "gg", 60, None, "gives way under permissive green"),
    ("approach in_1", (1.5, None, 2), "gg", 110, "blocked_lane", "would have found a gap by now"),
    ("approach short_0", (1.5, None, 0), "GG", 80, None, "waits on a lane of 9 m until those beside let it change"),
    ("approach short_0", (1.5, None, 0), "GG", 160, "blocked_lane", "nobody waits for so long"),
    ("exit out_0", (20.0, None, 0), "rr", 45, "blocked_lane", "stands in an exit"),
    ("exit out_0", (55.0, None, 0), "rr", 45, None, "may be the end of a queue that nobody sees"),
    ("exit out_0", (55.0, None, 0), "rr", 110, "blocked_lane", "stands there for longer than any red"),
    ("approach in_1", (-4.0, None, 0), "rr", 60, None, "waits in the box for a gap"),
    ("approach in_1", (-4.0, None, 0), "rr", 90, "stopped_vehicle", "stands in the box for longer than any stage"),
]
# fmt: on


@pytest.mark.parametrize(("where", "queue", "state", "seconds", "kind", "why"), STOPS)
def test_a_vehicle_that_stands_is_told_where_nothing_explains_it(
    where: str, queue: tuple[float, float | None, int], state: str, seconds: int, kind: str | None, why: str
) -> None:
    """`queue`: where it stands, where another one stands before it, and how many behind it."""
    at_m, ahead_m, behind = queue

    def tracks(second: int) -> Tracks:
        rows = stands(at_m, second + 1, ahead_m=ahead_m, behind=behind)
        return {where: [*rows, *(moving(second) if "approach" in where else [])]}

    told = [event for event in watched(seconds, tracks, lambda _: state) if event.kind != "traffic.sensor_doubted"]
    assert [event.kind for event in told] == ([f"traffic.{kind}"] if kind else []), why


def test_a_stop_says_where_it_is_and_ends_when_the_vehicle_has_gone() -> None:
    def tracks(second: int) -> Tracks:
        return {"approach in_1": [*(stands(60.0, second + 1) if second < 60 else []), *moving(second)]}

    opened, ended = watched(90, tracks)
    assert opened.id == ended.id
    assert opened.entity_id == "in"
    assert opened.evidence["place"] == {"road": "in", "lane": "in_1", "offset_m": 140.0}
    assert opened.at - NOON <= timedelta(seconds=45)
    assert datetime.fromisoformat(opened.evidence["since"]) <= NOON + timedelta(seconds=1)
    assert ended.ended_at == NOON + timedelta(seconds=72)
    assert ended.because.code == "traffic.stop_over"


def test_one_beyond_the_lane_is_on_the_road_before_it() -> None:
    def tracks(second: int) -> Tracks:
        return {"approach in_1": [(60.0 - 10.0 * (second % 5), 10.0, 0.0), (300.0, 0.0, second + 1.0)]}

    detect = Incidents([*(one for one in CITY if one.type != DETECTOR), detector("approach", "in_1", 400.0)])
    events = []
    for second in range(60):
        whole = batch(second, {})
        rows = np.array([(*row, 1.0 if row[0] < LENGTH_M else 0.5) for row in tracks(second)["approach in_1"]])
        seen = Column(attribute="tracks", entity_ids=("approach in_1",), values=(rows,))
        events += detect(msgspec.structs.replace(whole, columns=(whole.columns[0], seen)))
    assert [event.entity_id for event in events if event.kind == "traffic.blocked_lane"] == ["before"]


def test_where_vehicles_often_stand_one_must_stand_longer_to_be_told() -> None:
    """For half an hour somebody stands there for 30 s each minute, as those do who wait to change the lane."""

    def tracks(second: int) -> Tracks:
        waits = second % 60 if second < 1800 else second - 1799
        is_there = 0 < waits <= (30 if second < 1800 else 60)
        return {"approach in_1": [*(stands(60.0, waits) if is_there else []), *moving(second)]}

    told = [event for event in watched(1860, tracks) if event.kind == "traffic.blocked_lane"]
    assert [round((event.at - NOON).total_seconds()) for event in told] == [1841]


# fmt: off
PICTURES = [
    ("OO", 10,  "dark",     "all lamps are off"),
    ("oO", 10,  "dark",     "off, one must give way"),
    ("oo", 10,  "flashing", "all flash"),
    ("OO", 4,   None,       "off for a moment"),
    ("rr", 200, None,       "a long red"),
    ("rr", 320, "stuck",    "red for ever while somebody waits"),
]
# fmt: on


@pytest.mark.parametrize(("picture", "seconds", "failure", "why"), PICTURES)
def test_a_signal_fails_that_shows_what_no_plan_has(picture: str, seconds: int, failure: str | None, why: str) -> None:
    def tracks(second: int) -> Tracks:
        return {"approach in_1": [*stands(1.5, second + 1), *moving(second)]}

    told = watched(seconds, tracks, lambda second: picture if second else "GG")
    found = [event.evidence["failure"] for event in told if event.kind == "traffic.signal_dark"]
    assert found == ([failure] if failure else []), why


def test_a_dark_signal_is_over_once_it_is_lit() -> None:
    told = watched(
        40, lambda second: {"approach in_1": moving(second)}, lambda second: "OO" if 5 < second < 25 else "rr"
    )
    dark = [event for event in told if event.kind == "traffic.signal_dark"]
    assert [event.ended_at is None for event in dark] == [True, False]
    assert dark[0].severity is Severity.III


def passing(second: int, every_s: int) -> list[Row]:
    """Somebody comes into the exit every so many seconds and goes on."""
    return [(float(passed_s) * 10.0 - 5.0, 10.0, 0.0) for passed_s in range(6) if (second - passed_s) % every_s == 0]


@pytest.mark.parametrize(
    ("side_s", "state", "is_told", "why"),
    [
        (1800, "GG", True, "others go on, and the first at the line does not go under green"),
        (1800, "rr", False, "nobody could drive into it"),
        (1500, "GG", False, "the junction lets nobody through at all"),
    ],
)
def test_a_road_is_closed_that_nobody_drives_into_though_some_want_to(
    side_s: int, state: str, is_told: bool, why: str
) -> None:
    def tracks(second: int) -> Tracks:
        out = sorted(passing(second, 8)) if second < 1500 else []
        side = sorted(passing(second, 8)) if second < side_s else []
        waits = stands(1.5, second - 1499) if second >= 1500 else []
        return {"exit out_0": out, "exit side_0": side, "approach in_1": [*waits, *moving(second)]}

    told = [event for event in watched(1800, tracks, lambda _: state) if event.kind == "traffic.road_closed"]
    assert [event.entity_id for event in told] == (["out"] if is_told else []), why
    assert all(timedelta(seconds=1620) < event.at - NOON < timedelta(seconds=1700) for event in told)


def test_a_surge_is_many_times_the_usual_traffic_and_not_a_platoon() -> None:
    def tracks(second: int) -> Tracks:
        every_s = 20 if second < 1500 else 3
        return {
            "exit out_0": sorted(passing(second, every_s)),
            "exit side_0": sorted(passing(second, 20)),
            "approach in_1": moving(second),
        }

    told = [event for event in watched(1900, tracks) if event.kind == "traffic.surge"]
    assert [event.entity_id for event in told] == ["out"]
    assert told[0].at - NOON < timedelta(seconds=1500 + 300)


# fmt: off
PROBES = [
    (2.0,  1.0, 0,  110, True,  "a floating car stands on the road before, where no detector sees a queue"),
    (2.0,  1.0, 0,  38,  False, "it stands for no longer than a queue does"),
    (20.0, 1.0, 0,  110, False, "it drives"),
    (2.0,  0.3, 0,  110, False, "it stood for a part of the minute"),
    (2.0,  1.0, 90, 110, False, "a queue of the road that it leads to explains it"),
]
# fmt: on


@pytest.mark.parametrize(("speed_kmh", "number", "queue_s", "seconds", "is_told", "why"), PROBES)
def test_floating_cars_tell_of_a_stop_that_no_detector_sees(
    speed_kmh: float, number: float, queue_s: int, seconds: int, is_told: bool, why: str
) -> None:
    detect, told = Incidents(CITY), []
    for second in range(seconds):
        queue = [(1.5, 0.0, second % 60 + 1.0)] if second < queue_s else []
        seen = batch(second, {"approach in_1": [*queue, *moving(second)]})
        roads = (
            Column(attribute="averageVehicleSpeed", entity_ids=("before",), values=np.array([speed_kmh])),
            Column(attribute="vehicleCount", entity_ids=("before",), values=np.array([number])),
        )
        told += detect(msgspec.structs.replace(seen, columns=(*seen.columns, *roads)))
    found = [event.entity_id for event in told if event.because.code == "traffic.probes_stand"]
    assert found == (["before"] if is_told else []), why


# fmt: off
PLACES = [
    ("before", 100.0, 50,  {},                                  True,  "stands on a road that nobody watches"),
    ("before", 100.0, 40,  {},                                  False, "stands for no longer than a bus"),
    ("before", 195.0, 80,  {},                                  False, "may wait for a gap at the end"),
    ("before", 195.0, 100, {},                                  True,  "would have found a gap by now"),
    ("before", 100.0, 80,  {"approach in_1": (1.5, 0.0)},       False, "a queue on the next road explains it"),
    ("in",     30.0,  50,  {"approach in_1": (1.5, 0.0)},       True,  "the queue at the line is short of it"),
    ("in",     30.0,  80,  {"approach in_1": (140.0, 0.5)},     False, "the queue reaches beyond the sight"),
    ("in",     90.0,  80,  {},                                  False, "is in sight of detectors"),
    ("out",    100.0, 50,  {},                                  True,  "stands behind the sight of the exit"),
    ("out",    100.0, 50,  {"exit out_0": (50.0, 0.0)},         True,  "who stands behind it does not explain it"),
]
# fmt: on


@pytest.mark.parametrize(("name", "at_m", "seconds", "queue", "is_told", "why"), PLACES)
def test_floating_cars_say_where_they_stand(
    name: str, at_m: float, seconds: int, queue: Mapping[str, tuple[float, float]], is_told: bool, why: str
) -> None:
    detect, told = Incidents(CITY), []
    for second in range(seconds):
        rows = {one: [(*row, float(second % 60 + 1))] for one, row in queue.items()}
        seen = batch(second, {"approach in_0": moving(second), **rows})
        cars = np.array([[at_m, 0.0, float(second)]])
        probes = Column(attribute="probes", entity_ids=("before", name), values=(np.empty((0, 3)), cars))
        if name == "before":
            probes = Column(attribute="probes", entity_ids=("before",), values=(cars,))
        told += detect(msgspec.structs.replace(seen, columns=(*seen.columns, probes)))
    found = [event for event in told if event.because.code == "traffic.probes_stand"]
    assert [event.entity_id for event in found] == ([name] if is_told else []), why
    assert all(event.evidence["place"] == {"road": name, "lane": "", "offset_m": at_m} for event in found)


WIDE = [
    road("wide", 2, "a", "b"),
    *(lane("wide", number) for number in (0, 1)),
    *(detector("exit", f"wide_{number}") for number in (0, 1)),
]
LEARNED_S, EVERY_S = 960, 8


# fmt: off
LANES = [
    (lambda n: n % 2,                                     False, "both lanes are used"),
    (lambda n: 1,                                         True,  "one of them is not any more"),
    (lambda n: (n // 6) % 2,                              False, "signals serve one lane after the other"),
]
# fmt: on


@pytest.mark.parametrize(("chosen", "is_told", "why"), LANES)
def test_a_lane_is_deserted_that_nobody_takes_while_those_beside_are_used(
    chosen: Callable[[int], int], is_told: bool, why: str
) -> None:
    detect, told = Incidents(WIDE), []
    names = tuple(one.id for one in WIDE if one.type == DETECTOR)
    for second in range(LEARNED_S + 80 * EVERY_S):
        number, since_s = divmod(second, EVERY_S)
        at = chosen(number) if second >= LEARNED_S else number % 2
        rows = [np.empty((0, 4)), np.empty((0, 4))]
        if since_s < 6:
            rows[at] = np.array([[10.0 * since_s, 10.0, 0.0, 1.0]])
        when = NOON + timedelta(seconds=second)
        columns = (
            Column(attribute="tracks", entity_ids=names, values=tuple(rows)),
            Column(attribute="vehicleCount", entity_ids=names, values=np.array([float(len(one)) for one in rows])),
        )
        told += detect(Batch(id=f"b{second}", source="test", observed_at=when, received_at=when, columns=columns))
    found = [event for event in told if event.because.code == "traffic.lane_deserted"]
    assert {event.entity_id for event in found} == ({"wide"} if is_told else set()), why
    assert len({event.id for event in found}) == is_told
    for event in found:
        assert event.kind == "traffic.blocked_lane"
        assert event.evidence["lanes"] == ["wide_0"]
        assert event.evidence["place"] == {"road": "wide", "lane": "wide_0", "offset_m": 60.0}
        assert event.at - NOON >= timedelta(seconds=LEARNED_S)
