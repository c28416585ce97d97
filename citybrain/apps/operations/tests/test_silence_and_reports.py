# SPDX-License-Identifier: Apache-2.0
"""Devices that fall silent, and reports of citizens that cluster."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from citybrain.apps.operations.detect.all import offline
from citybrain.apps.operations.detect.reports import Reports, scan
from citybrain.apps.operations.detect.roster import Numbers
from citybrain.kernel.records import Batch, Column, Entity, Event, Severity

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
GAUGE = "urn:ngsi-ld:FloodMonitoring:1"


def batch(at: datetime, *heard: str) -> Batch:
    column = Column(attribute="currentLevel", entity_ids=heard, values=np.zeros(len(heard)))
    columns = (column,) if heard else ()
    return Batch(id=f"b{at:%d%H%M%S}", source="test", observed_at=at, received_at=at, columns=columns)


def gauge(id: str = GAUGE) -> Entity:
    return Entity(id=id, type="FloodMonitoring", source="test", observed_at=NOON)


def silence(heard_s: Sequence[float], until_s: float, step_s: float = 10.0) -> list[tuple[float, str]]:
    """When what is told of a device that is heard at these seconds."""
    watch, heard = offline([gauge()]), set(heard_s)
    steps = sorted({*np.arange(0, until_s, step_s).tolist(), *heard})
    return [
        (at_s, event.because.code.removeprefix("operations.device_offline_"))
        for at_s in steps
        for event in watch(batch(NOON + timedelta(seconds=at_s), *([GAUGE] if at_s in heard else [])))
    ]


def test_a_device_is_offline_after_three_reports_missed_and_back_with_the_next() -> None:
    reports = [300.0 * number for number in range(8)]
    assert silence([*reports, 4000.0], 4800) == [(3010.0, "silent"), (4000.0, "over")]


def test_a_device_that_reports_each_second_has_two_minutes() -> None:
    assert silence([float(second) for second in range(60)], 400) == [(180.0, "silent")]


def test_a_device_that_reports_irregularly_is_silent_for_longer() -> None:
    gaps = [30, 300, 20, 400, 40, 500, 60, 700, 30, 20]
    assert silence(np.cumsum(gaps).astype(float).tolist(), sum(gaps) + 900) == []


def test_an_outage_teaches_nothing() -> None:
    reports = [60.0 * number for number in range(20)]
    after = [6000.0 + 60.0 * number for number in range(20)]
    told = silence([*reports, *after], 8000)
    assert [code for _, code in told] == ["silent", "over", "silent"]
    assert told[2][0] - after[-1] == told[0][0] - reports[-1]


def test_a_device_that_was_never_heard_is_told_after_a_day() -> None:
    assert silence([], 90_000, 600.0) == [(87_000.0, "never")]


def test_a_day_of_silence_is_worse_and_one_event() -> None:
    watch = offline([gauge()])
    steps = [*range(0, 3000, 300), *range(3000, 100_000, 600)]
    told: list[Event] = []
    for second in steps:
        told += watch(batch(NOON + timedelta(seconds=second), *([GAUGE] if second < 3000 else [])))
    assert [event.severity for event in told] == [Severity.IV, Severity.III]
    assert len({event.id for event in told}) == 1
    assert told[0].evidence["heard_at_s"] == (NOON + timedelta(seconds=2700)).timestamp()


def city(count: int, seed: int) -> tuple[Numbers, Numbers, Numbers]:
    """Reports all over a city of ten kilometres in four weeks."""
    random = np.random.default_rng(seed)
    return random.uniform(0, 10_000, count), random.uniform(0, 10_000, count), random.uniform(0, 28 * 86_400, count)


@pytest.mark.parametrize("seed", range(5))
def test_reports_all_over_are_no_cluster(seed: int) -> None:
    assert scan(*city(2000, seed)) == []


def test_a_day_on_which_everybody_reports_more_is_no_cluster() -> None:
    x, y, age = city(2000, 1)
    age[:200] = np.random.default_rng(2).uniform(0, 7200, 200)
    assert scan(x, y, age) == []


def test_a_place_where_everybody_always_reports_is_no_cluster() -> None:
    x, y, age = city(2000, 1)
    x[:500], y[:500] = 5000, 5000
    assert scan(x, y, age) == []


def test_ten_reports_near_each_other_within_an_hour_are_one() -> None:
    x, y, age = city(2000, 1)
    x[:10], y[:10], age[:10] = 5000 + 20 * np.arange(10), 5000, 300 * np.arange(10)
    (found,) = scan(x, y, age)
    assert set(found.rows) >= set(range(10))
    assert found.radius_m == 300
    assert found.chance < 1e-4


def test_two_clusters_far_apart_are_two() -> None:
    x, y, age = city(2000, 1)
    x[:10], y[:10], age[:10] = 2000, 2000, 100 * np.arange(10)
    x[10:20], y[10:20], age[10:20] = 8000, 8000, 100 * np.arange(10)
    assert [set(each.rows) & set(range(20)) for each in scan(x, y, age)] in (
        [set(range(10)), set(range(10, 20))],
        [set(range(10, 20)), set(range(10))],
    )


def report(number: int, at: datetime, x: float, y: float, code: str = "road.light") -> Entity:
    return Entity(
        id=f"urn:ngsi-ld:Open311ServiceRequest:test:{number}",
        type="Open311ServiceRequest",
        source="test",
        observed_at=NOON,
        geometry={"type": "Point", "coordinates": [120 + x / 96_000, 30 + y / 111_195]},
        attributes={"requested_datetime": at.isoformat(), "service_code": code},
    )


def earlier() -> list[Entity]:
    x, y, age = city(300, 3)
    return [
        report(number, NOON - timedelta(days=1, seconds=float(age[number])), x[number], y[number])
        for number in range(300)
    ]


def test_a_cluster_is_an_event_that_grows_worse_and_ends() -> None:
    detector = Reports(earlier())
    told: list[Event] = []
    for number in range(24):
        at = NOON + timedelta(minutes=2 * number)
        detector.meet([report(1000 + number, at, 5000 + number, 5000, "water" if number % 3 else "power")], ())
        told += detector(batch(at))
    assert {event.id for event in told} == {told[0].id}
    assert 5 <= told[0].because.facts["count"] < 10
    assert told[0].evidence["categories"]["water"] > 2
    assert (told[0].severity, told[-1].severity) == (Severity.III, Severity.II)
    assert told[-1].because.facts["count"] == 24
    ended = [event for minute in range(60, 300, 10) for event in detector(batch(NOON + timedelta(minutes=minute)))]
    assert [event.because.code for event in ended] == ["operations.reports_cluster_over"]


def test_what_was_reported_all_over_before_the_city_began_is_not_told_neither_when_it_changes() -> None:
    detector = Reports(earlier())
    assert detector(batch(NOON)) == []
    detector.meet(earlier(), ())
    assert detector(batch(NOON + timedelta(minutes=2))) == []


def test_a_cluster_that_was_there_when_the_city_began_is_told_once_and_what_changes_is_no_new_report() -> None:
    near = [report(1000 + number, NOON, 5000 + number, 5000) for number in range(24)]
    detector = Reports([*earlier(), *near])
    (told,) = detector(batch(NOON))
    assert set(told.evidence["report_ids"]) >= {each.id for each in near}
    detector.meet(near, ())
    assert detector(batch(NOON + timedelta(minutes=2))) == []
    detector.meet([report(2000, NOON + timedelta(minutes=3), 5000, 5000)], ())
    (grown,) = detector(batch(NOON + timedelta(minutes=4)))
    assert (grown.id, grown.because.facts["count"]) == (told.id, told.because.facts["count"] + 1)
