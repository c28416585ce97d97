# SPDX-License-Identifier: Apache-2.0
"""What comes and goes on one thing is damped; what does not is told at once."""

from datetime import timedelta

from citybrain.kernel.merging.flapping import Flapping
from citybrain.kernel.merging.rules import Damp
from citybrain.kernel.merging.tests.street import JAM, MINUTE, at, event
from citybrain.kernel.records import Event

SECONDS = timedelta(seconds=1)


def told(flapping: Flapping, seconds: float, *events: Event) -> list[tuple[str, bool]]:
    return [(each.id, each.ended_at is None) for each in flapping(events, at(seconds))]


def test_what_begins_and_ends_in_its_time_is_told_at_once() -> None:
    flapping = Flapping()
    assert told(flapping, 0, event("a", JAM, "road1", 0)) == [("a", True)]
    assert told(flapping, 90, event("a", JAM, "road1", 0, ended=90)) == [("a", False)]
    assert told(flapping, 91, event("b", JAM, "road1", 91)) == [("b", True)]


def test_what_begins_the_third_time_in_a_minute_stays_until_it_was_quiet_for_a_minute() -> None:
    flapping = Flapping()
    for number in (0, 10):
        told(flapping, number, event(f"a{number}", JAM, "road1", number))
        assert told(flapping, number + 5, event(f"a{number}", JAM, "road1", number, ended=number + 5)) != []
    assert told(flapping, 20, event("c", JAM, "road1", 20)) == [("c", True)]
    assert told(flapping, 25, event("c", JAM, "road1", 20, ended=25)) == [], "its end is held"
    (again,) = flapping([event("d", JAM, "road1", 30)], at(30))
    assert (again.id, again.at, again.ended_at, again.evidence["returns"]) == ("c", at(20), None, 1)
    assert told(flapping, 35, event("d", JAM, "road1", 30, ended=35)) == []
    assert told(flapping, 94) == []
    (over,) = flapping((), at(95))
    assert (over.id, over.ended_at) == ("c", at(35)), "it ended when it ended"
    assert told(flapping, 200, event("e", JAM, "road1", 200)) == [("e", True)]


def test_what_flaps_elsewhere_or_is_another_kind_does_not_count() -> None:
    flapping = Flapping()
    for number, (kind, road) in enumerate([(JAM, "r1"), (JAM, "r2"), ("street.other", "r1"), (JAM, "r3")]):
        told(flapping, number, event(f"a{number}", kind, road, number))
        assert told(flapping, number, event(f"a{number}", kind, road, number, ended=number)) == [(f"a{number}", False)]


def test_an_event_counts_only_once_it_lasted_for_its_on_delay() -> None:
    flapping = Flapping([Damp(kinds=(JAM,), on_delay=10 * SECONDS)])
    assert told(flapping, 0, event("a", JAM, "road1", 0)) == []
    assert told(flapping, 9, event("a", JAM, "road1", 0, ended=9)) == []
    assert told(flapping, 20, event("b", JAM, "road1", 20)) == []
    assert told(flapping, 30) == [("b", True)]
    assert told(flapping, 40, event("b", JAM, "road1", 20, ended=40)) == [("b", False)]
    assert told(flapping, 40, event("c", "street.other", "road1", 40)) == [("c", True)], "another kind does not wait"


def test_an_event_is_over_once_it_was_gone_for_its_off_delay() -> None:
    flapping = Flapping([Damp(off_delay=MINUTE)])
    told(flapping, 0, event("a", JAM, "road1", 0))
    assert told(flapping, 10, event("a", JAM, "road1", 0, ended=10)) == []
    assert told(flapping, 60, event("b", JAM, "road1", 60)) == [("a", True)], "it is the same one still"
    assert told(flapping, 70, event("b", JAM, "road1", 60, ended=70)) == []
    assert told(flapping, 129) == []
    assert told(flapping, 130) == [("a", False)]


def test_the_end_of_what_began_before_anybody_listened_is_told() -> None:
    assert told(Flapping(), 50, event("old", JAM, "road1", 0, ended=50)) == [("old", False)]


def test_what_was_over_for_long_is_forgotten() -> None:
    flapping = Flapping()
    for number in range(12_000):
        told(flapping, number, event(f"a{number}", JAM, f"road{number}", number))
        told(flapping, number, event(f"a{number}", JAM, f"road{number}", number, ended=number))
    assert len(flapping._begins) < 2_500
