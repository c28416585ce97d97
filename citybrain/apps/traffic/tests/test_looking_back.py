# SPDX-License-Identifier: Apache-2.0
"""Looking back: greens of a corridor, and an area before and after with how sure the difference is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from citybrain.apps.traffic.control.plans.network import links, shortest
from citybrain.apps.traffic.control.plans.tests.street import SIGNALS, STREET
from citybrain.apps.traffic.model import Way, singles
from citybrain.apps.traffic.service.compare import WINDOW, difference, welch, windows
from citybrain.apps.traffic.service.corridor import greens
from citybrain.kernel.records import Entity

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
MAIN = (Way(lamp=0, approach=0, exit=0), Way(lamp=2, approach=1, exit=0))

samples = st.lists(st.integers(-1000, 1000).map(float), min_size=2, max_size=30).filter(lambda one: len(set(one)) > 1)


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def test_a_movement_has_green_while_one_of_its_lamps_has() -> None:
    states = [(at(0), "rGr"), (at(10), "GGr"), (at(20), "yrg"), (at(30), "rrr"), (at(40), "rrG")]
    spans = [((one.begins_at - NOON).seconds, (one.ends_at - NOON).seconds) for one in greens(states, MAIN, at(50))]
    assert spans == [(10, 30), (40, 50)]


def test_nothing_kept_is_no_green() -> None:
    assert greens([], MAIN, at(50)) == ()


def test_the_way_between_two_signals_is_the_shortest_and_none_where_no_road_leads() -> None:
    joined = links(singles(STREET), STREET)
    assert shortest(joined, *SIGNALS) == SIGNALS
    assert shortest(joined, SIGNALS[0], "urn:s:elsewhere") is None


@given(samples, samples)
def test_bounds_are_those_of_welchs_test(before: list[float], after: list[float]) -> None:
    low, high = welch(before, after)
    known = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    assert [low, high] == pytest.approx([known.low, known.high], rel=1e-6, abs=1e-6)


def test_a_difference_without_enough_windows_has_no_bounds() -> None:
    one = difference("speed_kmh", "km/h", [30.0], [33.0, 36.0], lower=False)
    assert (one.before, one.after, one.change_percent) == (30.0, 34.5, 15.0)
    assert (one.low, one.high) == (None, None)


def road(name: str, length_m: float) -> Entity:
    facts = {"length": length_m, "maximumAllowedSpeed": 50.0}
    return Entity(id=name, type="RoadSegment", source="test", observed_at=NOON, attributes=facts)


def history(values: Sequence[float]) -> list[tuple[datetime, float]]:
    return [(at(30.0 * number), value) for number, value in enumerate(values)]


def test_samples_of_five_minutes_are_one_value() -> None:
    minutes = 15
    speeds = {"a": history([50.0] * 10 + [25.0] * 20), "b": history([nan] * 30)}
    counts = {"a": history([4.0] * 30), "b": history([0.0] * 30)}
    found = windows([road("a", 500.0), road("b", 500.0)], speeds, counts)
    assert len(found["speed_kmh"]) == minutes * 60 // WINDOW.seconds
    assert found["speed_kmh"] == [50.0, 25.0, 25.0]
    assert found["delay_index"] == [1.0, 2.0, 2.0]
    assert found["congested_share"] == [0.0, 0.0, 0.0], "half the limit is slow traffic and not yet congested"
