# SPDX-License-Identifier: Apache-2.0
"""Anomalies as events: what they keep, and that one thing is one event."""

from datetime import UTC, datetime, timedelta

import numpy as np

from citybrain.apps.operations.detect.anomalies import WINDOW_VALUES, Anomalies
from citybrain.kernel.records import Batch, Column, Entity, Event, Severity

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
GAUGE, OTHER = "urn:ngsi-ld:WaterLevelObserved:1", "urn:ngsi-ld:WaterLevelObserved:2"
IDS = (GAUGE, OTHER)
MINUTES = 10
A_DAY = 24 * 60 // MINUTES
WATCHED = (("WaterLevelObserved", "waterLevel"),)


def gauges() -> list[Entity]:
    place = {"type": "Point", "coordinates": [120.2, 30.3]}
    return [Entity(id=id, type="WaterLevelObserved", source="test", observed_at=BEGIN, geometry=place) for id in IDS]


def batch(row: int, values: tuple[float, float], attribute: str = "waterLevel") -> Batch:
    at = BEGIN + timedelta(minutes=MINUTES * row)
    column = Column(attribute=attribute, entity_ids=IDS, values=np.array(values))
    return Batch(id=f"b{row}", source="test", observed_at=at, received_at=at, columns=(column,))


def watch(detector: Anomalies, rows: int, jump: dict[int, float]) -> list[Event]:
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (rows, 2))
    return [
        event
        for row in range(rows)
        for event in detector(batch(row, (2 + noise[row, 0] + jump.get(row, 0.0), 2 + noise[row, 1])))
    ]


def test_an_anomaly_opens_and_closes_one_event_with_its_evidence() -> None:
    told = watch(Anomalies(gauges(), WATCHED), 4 * A_DAY, dict.fromkeys(range(3 * A_DAY, 3 * A_DAY + 6), 3.0))
    opened, ended = told[0], told[-1]
    assert {event.id for event in told} == {opened.id}
    assert (opened.kind, opened.entity_id, opened.severity) == ("operations.anomaly", GAUGE, Severity.III)
    assert opened.at == BEGIN + timedelta(minutes=MINUTES * 3 * A_DAY)
    assert opened.geometry == {"type": "Point", "coordinates": [120.2, 30.3]}
    assert opened.because.code == "operations.anomaly_high"
    assert opened.evidence["low"] < opened.evidence["expected"] < opened.evidence["high"] < opened.evidence["value"]
    assert len(opened.evidence["window"]) == WINDOW_VALUES
    assert opened.evidence["window"][-1][0] == opened.at.isoformat()
    assert ended.ended_at is not None
    assert ended.because.code == "operations.anomaly_over"


def test_equal_batches_give_equal_events() -> None:
    jump = {3 * A_DAY: 3.0}
    told = watch(Anomalies(gauges(), WATCHED), 4 * A_DAY, jump)
    assert told
    assert told == watch(Anomalies(gauges(), WATCHED), 4 * A_DAY, jump)


def test_a_stream_that_falls_silent_closes_its_event_after_six_hours() -> None:
    detector = Anomalies(gauges(), WATCHED)
    (opened,) = watch(detector, 3 * A_DAY + 1, {3 * A_DAY: 3.0})
    told = [event for row in range(1, 60) for event in detector(batch(3 * A_DAY + row, (np.nan, 2 + row % 7 / 100)))]
    assert [(event.id, event.because.code) for event in told] == [(opened.id, "operations.anomaly_lost")]


def test_what_the_table_does_not_name_is_not_looked_at() -> None:
    detector = Anomalies(gauges(), (("WaterLevelObserved", "flow"), ("RoadSegment", "waterLevel")))
    assert watch(detector, 4 * A_DAY, {3 * A_DAY: 3.0}) == []


def test_unknown_entities_of_a_column_are_left_out() -> None:
    detector = Anomalies(gauges()[1:], WATCHED)
    assert watch(detector, 4 * A_DAY, {3 * A_DAY: 3.0}) == []
