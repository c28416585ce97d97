# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.apps.traffic.detect.congestion import Congestion, connected, neighbours, severity
from citybrain.apps.traffic.detect.persistence import Persistence
from citybrain.kernel.records import Batch, Column, Entity, Event, Severity

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEP_S = 10
FREE, SLOW, SEVERE = 50.0, 18.0, 10.0
NO_DATA = float("nan")

Roads = Mapping[str, tuple[str, str, float]]

# A street of three roads from A to D, and the way back of the middle one.
STREET: Roads = {
    "ab": ("A", "B", 120.0),
    "bc": ("B", "C", 200.0),
    "cd": ("C", "D", 160.0),
    "cb": ("C", "B", 200.0),
}


def entities(roads: Roads) -> list[Entity]:
    return [
        Entity(
            id=name,
            type="RoadSegment",
            source="test",
            observed_at=NOON,
            geometry={"type": "LineString", "coordinates": [[0.0, 0.0], [0.0, length_m]]},
            attributes={"length": length_m, "maximumAllowedSpeed": 50.0, "fromJunction": begin, "toJunction": end},
        )
        for name, (begin, end, length_m) in roads.items()
    ]


class Day:
    """Feeds a detector one batch per `STEP_S` and keeps what it told."""

    def __init__(self, roads: Roads = STREET) -> None:
        self.detect = Congestion(entities(roads))
        self.at = NOON
        self.told: list[Event] = []
        self._speeds = dict.fromkeys(roads, FREE)

    def drive(self, seconds: int, **speeds: float) -> list[Event]:
        """Go on for so long with these speeds; roads not named keep theirs."""
        self._speeds.update(speeds)
        told: list[Event] = []
        for _ in range(seconds // STEP_S):
            self.at += timedelta(seconds=STEP_S)
            told += self.detect(batch(self.at, speeds_column(self._speeds)))
        self.told += told
        return told

    @property
    def open(self) -> list[Event]:
        newest = {event.id: event for event in self.told}
        return [event for event in newest.values() if event.ended_at is None]


def batch(at: datetime, *columns: Column) -> Batch:
    return Batch(id=f"batch-{at:%H%M%S}", source="test", observed_at=at, received_at=at, columns=columns)


def speeds_column(speeds: Mapping[str, float]) -> Column:
    return Column(attribute="averageVehicleSpeed", entity_ids=tuple(speeds), values=np.array(list(speeds.values())))


def roads_of(event: Event) -> list[str]:
    return list(event.evidence["roads"])


@pytest.fixture
def day() -> Iterator[Day]:
    one = Day()
    one.drive(60)
    yield one


# fmt: off
OPENINGS = [
    (110, SLOW,  0, "one step before two minutes"),
    (120, SLOW,  1, "two minutes of level 4"),
    (120, 20.0,  1, "40 % of free speed is level 4"),
    (120, 20.1,  0, "just above is level 3, slow but not congested"),
    (120, 0.0,   1, "standing"),
    (600, NO_DATA, 0, "no data never opens"),
]
# fmt: on


@pytest.mark.parametrize(("seconds", "speed_kmh", "events", "why"), OPENINGS)
def test_congestion_opens_when_level_4_has_lasted_two_minutes(
    day: Day, seconds: int, speed_kmh: float, events: int, why: str
) -> None:
    assert len(day.drive(seconds, bc=speed_kmh)) == events, why


def test_the_event_says_where_since_when_and_why(day: Day) -> None:
    (event,) = day.drive(120, bc=SLOW)
    assert (event.kind, event.severity, event.entity_id, event.at) == (
        "traffic.congestion",
        Severity.IV,
        "bc",
        NOON + timedelta(seconds=180),
    )
    assert event.because.code == "traffic.congestion_slow"
    assert event.because.facts == {"roads": 1, "length_m": 200, "speed_kmh": 18.0, "percent": 36, "minutes": 2}
    assert (event.because.batch_id, event.because.entity_ids) == ("batch-120300", ("bc",))
    assert event.geometry == {"type": "LineString", "coordinates": [[0.0, 0.0], [0.0, 200.0]]}
    assert event.evidence["since"] == (NOON + timedelta(seconds=60)).isoformat()
    assert (event.evidence["roads"], event.evidence["road_speeds_kmh"]) == (["bc"], [18.0])
    assert (event.evidence["road_lengths_m"], event.evidence["free_kmh"]) == ([200.0], 50.0)


def test_a_queue_shorter_than_what_one_signal_sees_itself_is_no_event(day: Day) -> None:
    assert day.drive(600, ab=SEVERE) == []


def test_one_good_moment_before_the_two_minutes_are_over_starts_the_count_again(day: Day) -> None:
    assert not day.drive(110, bc=SLOW) + day.drive(10, bc=FREE) + day.drive(110, bc=SLOW)
    assert len(day.drive(10)) == 1


def test_congestion_closes_only_after_two_minutes_of_level_3_or_better(day: Day) -> None:
    (opened,) = day.drive(120, bc=SLOW)
    assert day.drive(110, bc=22.0) == []
    (closed,) = day.drive(10)
    assert (closed.id, closed.ended_at, closed.because.code) == (opened.id, day.at, "traffic.congestion_clear")
    assert day.open == []


def test_a_relapse_before_it_closed_is_the_same_event(day: Day) -> None:
    day.drive(120, bc=SLOW)
    assert day.drive(110, bc=FREE) == []
    assert day.drive(60, bc=SLOW) == []
    assert len(day.open) == 1


def test_no_data_does_not_close_and_does_not_count_as_either(day: Day) -> None:
    day.drive(120, bc=SLOW)
    assert day.drive(600, bc=NO_DATA) == []
    assert len(day.open) == 1


def test_a_short_gap_in_the_data_does_not_undo_what_was_seen(day: Day) -> None:
    assert day.drive(60, bc=SLOW) + day.drive(50, bc=NO_DATA) + day.drive(50, bc=SLOW) == []
    assert len(day.drive(10)) == 1


def test_what_was_seen_before_a_long_gap_no_longer_counts(day: Day) -> None:
    assert day.drive(110, bc=SLOW) + day.drive(70, bc=NO_DATA) + day.drive(110, bc=SLOW) == []


def test_what_nobody_has_seen_for_a_quarter_of_an_hour_is_closed_as_lost_and_not_as_clear(day: Day) -> None:
    day.drive(120, bc=SLOW)
    assert day.drive(900, bc=NO_DATA) == []
    (closed,) = day.drive(10)
    assert closed.because.code == "traffic.congestion_lost"


def test_connected_roads_are_one_event_that_keeps_its_id_while_it_grows(day: Day) -> None:
    (opened,) = day.drive(120, bc=SLOW)
    (grown,) = day.drive(120, cd=SLOW)
    assert (grown.id, grown.at, roads_of(grown)) == (opened.id, opened.at, ["bc", "cd"])
    assert grown.evidence["length_m"] == 360
    assert grown.geometry["type"] == "MultiLineString"


def test_short_roads_that_hang_together_are_long_enough_together() -> None:
    day = Day({"one": ("A", "B", 80.0), "two": ("B", "C", 80.0)})
    (event,) = day.drive(130, one=SLOW, two=SLOW)
    assert roads_of(event) == ["one", "two"]


def test_the_opposite_direction_is_another_event(day: Day) -> None:
    told = day.drive(120, bc=SLOW, cb=SLOW)
    assert [roads_of(event) for event in told] == [["bc"], ["cb"]]


def test_two_events_that_meet_become_the_older_one_and_the_younger_says_so() -> None:
    day = Day({"ab": ("A", "B", 200.0), "bc": ("B", "C", 50.0), "cd": ("C", "D", 300.0)})
    (older,) = day.drive(130, ab=SLOW)
    (younger,) = day.drive(120, cd=SLOW)
    ended, grown = day.drive(120, bc=SLOW)
    assert (ended.id, ended.because.code, ended.because.event_id) == (
        younger.id,
        "traffic.congestion_merged",
        older.id,
    )
    assert (grown.id, roads_of(grown)) == (older.id, ["ab", "bc", "cd"])


def test_when_an_event_falls_apart_the_longer_part_keeps_the_id_and_the_other_names_it() -> None:
    day = Day({"ab": ("A", "B", 200.0), "bc": ("B", "C", 50.0), "cd": ("C", "D", 300.0)})
    (whole,) = day.drive(130, ab=SLOW, bc=SLOW, cd=SLOW)
    told = day.drive(120, bc=FREE)
    kept, new = told
    assert (kept.id, roads_of(kept)) == (whole.id, ["cd"])
    assert (roads_of(new), new.because.event_id) == (["ab"], whole.id)
    assert new.id != whole.id


def test_an_event_is_told_again_only_when_something_changed(day: Day) -> None:
    day.drive(120, bc=SLOW)
    assert day.drive(170) == []


# fmt: off
SEVERITIES = [
    (4,  150,  2, Severity.IV,  "it has just begun"),
    (5,  299, 60, Severity.IV,  "severe, but short in metres"),
    (5,  300,  4, Severity.IV,  "severe, but short in minutes"),
    (5,  300,  5, Severity.III, "severe on 300 m for 5 min"),
    (4, 1000, 15, Severity.III, "moderate needs 1 km and 15 min"),
    (4,  999, 60, Severity.IV,  "one metre less does not reach it"),
    (5, 1000, 15, Severity.II,  "severe on 1 km for 15 min"),
    (4, 2000, 30, Severity.II,  "moderate on 2 km for 30 min"),
    (5, 2000, 29, Severity.II,  "one minute before the worst"),
    (5, 2000, 30, Severity.I,   "severe on 2 km for 30 min"),
]
# fmt: on


@pytest.mark.parametrize(("level", "length_m", "minutes", "expected", "why"), SEVERITIES)
def test_severity_follows_level_length_and_duration(
    level: int, length_m: float, minutes: int, expected: Severity, why: str
) -> None:
    assert severity(level, length_m, timedelta(minutes=minutes)) == expected, why


@given(st.integers(4, 5), st.floats(0, 5000), st.integers(0, 90), st.floats(0, 1000), st.integers(0, 30))
def test_more_metres_or_more_minutes_are_never_less_severe(
    level: int, length_m: float, minutes: int, more_m: float, more_minutes: int
) -> None:
    less = severity(level, length_m, timedelta(minutes=minutes))
    more = severity(5, length_m + more_m, timedelta(minutes=minutes + more_minutes))
    assert list(Severity).index(more) <= list(Severity).index(less)


def test_an_event_becomes_worse_with_time_and_stays_at_the_worst_it_was(day: Day) -> None:
    day.drive(130, bc=SEVERE, cd=SEVERE)
    (worse,) = day.drive(300)
    assert worse.severity == Severity.III
    assert day.drive(60, bc=SLOW, cd=SLOW) == []
    assert [event.severity for event in day.open] == [Severity.III]


def test_equal_batches_give_equal_events() -> None:
    def told() -> list[Event]:
        day = Day()
        day.drive(130, bc=SLOW)
        day.drive(130, cd=SEVERE)
        day.drive(130, bc=FREE)
        return day.told

    assert told() == told()


GRID: Roads = {f"{a}{b}": (a, b, 100.0) for a, b in ("AB", "BC", "CD", "DA", "AC", "CE", "EF", "FA")}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from([FREE, SLOW, SEVERE, NO_DATA]), min_size=8, max_size=8), max_size=14))
def test_whatever_the_traffic_does_no_road_is_in_two_events_and_what_ended_stays_ended(days: list[list[float]]) -> None:
    day = Day(GRID)
    ended: set[str] = set()
    for speeds in days:
        for event in day.drive(130, **dict(zip(GRID, speeds, strict=True))):
            assert event.id not in ended
            ended |= {event.id} if event.ended_at else set()
        roads = [road for event in day.open for road in roads_of(event)]
        assert len(roads) == len(set(roads))
    day.drive(1100, **dict.fromkeys(GRID, FREE))
    assert day.open == []


def test_turning_back_is_not_going_on() -> None:
    assert neighbours(entities(STREET)) == ((1,), (0, 2), (1,), ())


def test_roads_without_known_ends_are_connected_to_nothing() -> None:
    nowhere = Entity(id="x", type="RoadSegment", source="test", observed_at=NOON)
    assert neighbours([nowhere, nowhere]) == ((), ())


def test_groups_hang_together_and_share_nothing() -> None:
    assert connected([0, 1, 3, 5], [(1,), (0, 2), (1, 3), (2,), (5,), (4,)]) == [(0, 1), (3,), (5,)]


@given(st.lists(st.sampled_from(["on", "off", "unseen"]), max_size=60))
def test_persistence_turns_only_in_a_step_in_which_it_is_seen(seen: list[str]) -> None:
    memory = Persistence(1, opens_after_s=30.0, closes_after_s=30.0)
    for one in seen:
        before = bool(memory.holds[0])
        memory.update(np.array([one == "on"]), np.array([one == "off"]), 10.0)
        after = bool(memory.holds[0])
        assert after == before or one == ("on" if after else "off")
