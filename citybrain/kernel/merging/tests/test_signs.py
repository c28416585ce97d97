# SPDX-License-Identifier: Apache-2.0
"""Many signs of one thing are one event, whichever was found first; nothing is lost, and all can be walked back to."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.merging import Merge, Merging, Near
from citybrain.kernel.merging.signs import SIGNS_KEPT, WORST_FIRST
from citybrain.kernel.merging.tests.street import CRASH, JAM, MINUTE, ROADS, SPILL, STREET, at, event
from citybrain.kernel.records import Event, Severity

RULES = (
    Merge(cause=CRASH, signs=(JAM, SPILL), within=5 * MINUTE, near=Near.ADJACENT),
    Merge(cause=JAM, signs=(JAM, SPILL), within=2 * MINUTE, near=Near.ROAD),
)


def merging(*rules: Merge) -> Merging:
    return Merging(STREET, rules or RULES)


def one(found: Sequence[Event], id: str) -> Event:
    (event,) = [each for each in found if each.id == id]
    return event


def test_what_comes_after_its_cause_is_a_sign_of_it_and_a_closed_event_of_its_own() -> None:
    city = merging()
    city([event("crash", CRASH, "road2", 0)], at(0))
    found = city([event("jam", JAM, "road1", 60, severity=Severity.II)], at(60))
    crash, jam = one(found, "crash"), one(found, "jam")
    assert (jam.ended_at, jam.evidence["merged_into"], jam.because.batch_id) == (at(60), "crash", "batch-jam")
    assert (crash.severity, crash.ended_at, crash.evidence["signs_total"]) == (Severity.II, None, 1)
    assert crash.evidence["signs"] == [
        {
            "kind": JAM,
            "entity_id": "road1",
            "at": at(60),
            "severity": "II",
            "event_id": "jam",
            "batch_id": "batch-jam",
        }
    ]


def test_what_was_there_before_its_cause_was_found_becomes_a_sign_with_its_own_signs() -> None:
    city = merging()
    city([event("jam", JAM, "road2", 0)], at(0))
    city([event("spill", SPILL, "road2", 30)], at(30))
    found = city([event("crash", CRASH, "road3", 90)], at(90))
    crash = one(found, "crash")
    assert [sign["event_id"] for sign in crash.evidence["signs"]] == ["jam", "spill"]
    assert one(found, "jam").evidence["merged_into"] == "crash"
    assert one(found, "spill").evidence["merged_into"] == "crash"


@pytest.mark.parametrize(
    ("entity_id", "seconds", "is_sign"),
    [
        ("road3", 60, True),
        ("road1", 60, True),
        ("road2", 300, True),
        ("signal", 60, True),
        ("j2", 60, True),
        ("loop3", 60, True),
        ("road2lane", 60, True),
        ("road0", 60, False),
        ("road4", 60, False),
        ("road2", 301, False),
        ("elsewhere", 60, False),
    ],
)
def test_a_sign_is_near_its_cause_on_the_network_and_in_time(entity_id: str, seconds: float, is_sign: bool) -> None:
    city = merging()
    city([event("crash", CRASH, "road2", 0)], at(0))
    found = city([event("jam", JAM, entity_id, seconds)], at(seconds))
    assert ("merged_into" in one(found, "jam").evidence) == is_sign


def test_where_an_event_says_its_road_itself_that_counts_too() -> None:
    city = merging()
    city([event("crash", CRASH, "camera", 0, evidence={"place": {"road": "road2", "offset_m": 20}})], at(0))
    assert one(city([event("jam", JAM, "road3", 9)], at(9)), "jam").evidence["merged_into"] == "crash"


@pytest.mark.parametrize(
    ("near", "radius_m", "metres", "is_sign"),
    [
        (Near.RADIUS, 500.0, 480.0, True),
        (Near.RADIUS, 500.0, 520.0, False),
        (Near.ENTITY, 0.0, 1.0, False),
    ],
)
def test_things_without_a_road_are_near_by_radius(near: Near, radius_m: float, metres: float, is_sign: bool) -> None:
    city = merging(Merge(cause="air.fire", signs=("air.smoke",), within=MINUTE, near=near, radius_m=radius_m))
    north = {"type": "Point", "coordinates": [11.0, 48.0 + metres / 111_195.0]}
    city([event("fire", "air.fire", "a", 0, geometry={"type": "Point", "coordinates": [11.0, 48.0]})], at(0))
    found = city([event("smoke", "air.smoke", "b", 5, geometry=north)], at(5))
    assert ("merged_into" in one(found, "smoke").evidence) == is_sign


def test_signs_come_one_after_the_other_as_long_as_there_is_no_gap() -> None:
    city = merging()
    city([event("crash", CRASH, "road2", 0)], at(0))
    for number, seconds in enumerate((290, 580, 870)):
        found = city([event(f"jam{number}", JAM, "road2", seconds)], at(seconds))
        assert "merged_into" in one(found, f"jam{number}").evidence
    assert "merged_into" not in one(city([event("late", JAM, "road2", 1171)], at(1171)), "late").evidence


def test_the_oldest_of_one_kind_is_the_cause_of_the_others() -> None:
    city = merging()
    city([event("first", JAM, "road2", 0)], at(0))
    assert one(city([event("second", JAM, "road2", 30)], at(30)), "second").evidence["merged_into"] == "first"


def test_a_sign_that_gets_worse_makes_its_cause_worse_and_its_end_is_kept() -> None:
    city = merging()
    city([event("crash", CRASH, "road2", 0)], at(0))
    city([event("jam", JAM, "road2", 10)], at(10))
    worse = city([event("jam", JAM, "road2", 10, severity=Severity.I)], at(20))
    assert [(each.id, each.severity) for each in worse] == [("crash", Severity.I)]
    over = city([event("jam", JAM, "road2", 10, severity=Severity.I, ended=50)], at(50))
    assert [(each.id, each.ended_at, each.evidence["merged_into"]) for each in over] == [("jam", at(50), "crash")]
    still = one(city([event("crash", CRASH, "road2", 0, evidence={"lanes": 2})], at(60)), "crash")
    assert (still.severity, still.evidence["lanes"], still.evidence["signs_total"]) == (Severity.I, 2, 1)


def test_a_sign_that_outlasts_its_cause_is_an_event_of_its_own_again() -> None:
    city = merging()
    city([event("crash", CRASH, "road2", 0)], at(0))
    city([event("jam", JAM, "road2", 10), event("spill", SPILL, "road1", 10)], at(10))
    city([event("crash", CRASH, "road2", 0, ended=100)], at(100))
    city([event("spill", SPILL, "road1", 10, ended=200)], at(200))
    assert city((), at(399)) == ()
    (back,) = city((), at(400))
    assert (back.id, back.ended_at, back.evidence) == ("jam", None, {"outlasted": "crash"})
    (over,) = city([event("jam", JAM, "road2", 10, ended=500)], at(500))
    assert (over.id, over.ended_at) == ("jam", at(500))


def test_an_event_names_some_of_very_many_signs_and_says_how_many_there_are() -> None:
    city = merging()
    jams = [event(f"jam{number:03}", JAM, "road2", 1 + number / 1000) for number in range(3 * SIGNS_KEPT)]
    city([event("crash", CRASH, "road2", 0)], at(0))
    found = city(jams, at(2))
    assert len(found) == len(jams) + 1, "each is told once"
    crash = one(found, "crash")
    assert (len(crash.evidence["signs"]), crash.evidence["signs_total"]) == (SIGNS_KEPT, 3 * SIGNS_KEPT)


HAPPENING = st.tuples(
    st.integers(0, 120),
    st.sampled_from([CRASH, JAM, SPILL]),
    st.sampled_from(ROADS),
    st.sampled_from(list(Severity)),
    st.integers(1, 90),
)


def stream(happenings: Sequence[tuple[int, str, str, Severity, int]]) -> list[tuple[int, list[Event]]]:
    """What detectors say, step by step: each event begins, and ends so many steps of ten seconds later."""
    steps: dict[int, list[Event]] = {}
    for number, (begins, kind, road, severity, lasts) in enumerate(happenings):
        begun = event(f"e{number:02}", kind, road, begins * 10, severity=severity)
        ended = event(f"e{number:02}", kind, road, begins * 10, severity=severity, ended=(begins + lasts) * 10)
        steps.setdefault(begins, []).append(begun)
        steps.setdefault(begins + lasts, []).append(ended)
    steps.setdefault(300, [])
    return [(step, steps.get(step, [])) for step in range(301)]


@given(st.lists(HAPPENING, max_size=25))
def test_nothing_is_lost_and_equal_streams_give_equal_events(
    happenings: list[tuple[int, str, str, Severity, int]],
) -> None:
    cities = [merging(), merging()]
    rows: dict[str, Event] = {}
    flapped: set[str] = set()
    for step, found in stream(happenings):
        told, again = (city(found, at(step * 10)) for city in cities)
        assert told == again
        assert len({each.id for each in told}) == len(told)
        rows |= {each.id: each for each in told}
        for each in found:
            if each.id not in rows:
                flapped.add(each.id)
    returns = sum(row.evidence.get("returns", 0) for row in rows.values())
    assert len(flapped) == returns, "only what came back within a minute goes on as what it was"
    assert all(row.ended_at is not None for row in rows.values()), "all that ended is over"
    for row in rows.values():
        into = row.evidence.get("merged_into")
        if into is not None:
            assert "merged_into" not in rows[into].evidence or rows[into].evidence["merged_into"] in rows
        for sign in row.evidence.get("signs", ()):
            assert sign["event_id"] in rows
            assert WORST_FIRST.index(row.severity) <= WORST_FIRST.index(Severity(sign["severity"]))


def test_time_between_signs_is_what_the_rule_says() -> None:
    rule = Merge(cause=CRASH, signs=(JAM,), within=timedelta(seconds=7))
    city = merging(rule)
    city([event("crash", CRASH, "road2", 0)], at(0))
    assert "merged_into" not in one(city([event("jam", JAM, "road2", 8)], at(8)), "jam").evidence


@pytest.mark.parametrize(
    ("entity_id", "seconds", "is_sign"),
    [("road1", 110, True), ("road1", 140, False), ("road0", 60, False), ("road3", 60, False)],
)
def test_a_rule_may_reach_up_the_road_only_and_count_from_its_cause(
    entity_id: str, seconds: float, is_sign: bool
) -> None:
    rule = Merge(cause=CRASH, signs=(JAM,), within=2 * MINUTE, near=Near.UPSTREAM, of_cause=True)
    queue = Merge(cause=CRASH, signs=(SPILL,), within=2 * MINUTE, near=Near.ADJACENT)
    city = merging(rule, queue)
    city([event("crash", CRASH, "road2", 0)], at(0))
    city([event("spill", SPILL, "road1", 50)], at(50))
    found = city([event("jam", JAM, entity_id, seconds)], at(seconds))
    assert ("merged_into" in one(found, "jam").evidence) is is_sign
