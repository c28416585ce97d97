# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from citybrain.apps.traffic.detect.at_signals import Doubted, spillback
from citybrain.apps.traffic.detect.trust import HEALTHY_S
from citybrain.kernel.records import Batch, Column, Entity, Event, Severity

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEP_S = 10
NO_DATA = float("nan")


def batch(at: datetime, *columns: Column) -> Batch:
    return Batch(id=f"batch-{at:%H%M%S}", source="test", observed_at=at, received_at=at, columns=columns)


def signal(*exits: str) -> list[Entity]:
    return [
        Entity(
            id=name,
            type="TrafficDetector",
            source="test",
            observed_at=NOON,
            attributes={"controller": "signal", "role": "exit", "lane": f"lane {name}", "range_m": 60.0},
        )
        for name in exits
    ]


def tracks_batch(at: datetime, tracks: Mapping[str, Sequence[tuple[float, float]]]) -> Batch:
    rows = tuple(np.array([(d, v, 0.0, 1.0) for d, v in each]).reshape(-1, 4) for each in tracks.values())
    return batch(at, Column(attribute="tracks", entity_ids=tuple(tracks), values=rows))


# fmt: off
EXITS = [
    ([(5.0, 0.0)],              True,  "a vehicle stands right behind the junction"),
    ([(12.5, 0.0)],             True,  "no other one fits before it"),
    ([(13.0, 0.0)],             False, "one more fits"),
    ([(5.0, 10.0)],             False, "it drives off"),
    ([(5.0, 1.0)],              True,  "it creeps"),
    ([(-3.0, 0.0)],             False, "it stands in the junction, not in the exit"),
    ([(-3.0, 0.0), (6.0, 0.0)], True,  "behind it the exit is full all the same"),
    ([],                        False, "empty"),
]
# fmt: on


@pytest.mark.parametrize(("tracks", "full", "why"), EXITS)
def test_an_exit_that_takes_nobody_for_a_minute_is_a_spillback(
    tracks: list[tuple[float, float]], full: bool, why: str
) -> None:
    detect = spillback(signal("east", "west"))
    told = [
        event
        for second in range(0, 61, STEP_S)
        for event in detect(tracks_batch(NOON + timedelta(seconds=second), {"west": [], "east": tracks}))
    ]
    assert [event.because.entity_ids for event in told] == ([("signal", "east")] if full else []), why


def test_a_spillback_is_one_event_per_signal_that_grows_worsens_and_ends() -> None:
    detect = spillback(signal("east", "west"))
    told: list[Event] = []
    queue = [(4.0, 0.0)]
    for second in range(0, 400, STEP_S):
        both = {"east": queue if second < 300 else [], "west": queue if 100 <= second < 300 else []}
        told += detect(tracks_batch(NOON + timedelta(seconds=second), both))
    assert len({event.id for event in told}) == 1
    assert [(event.severity, event.evidence["detectors"]) for event in told] == [
        (Severity.IV, ["east"]),
        (Severity.IV, ["east", "west"]),
        (Severity.III, ["east", "west"]),
        (Severity.III, ["east", "west"]),
    ]
    assert told[-1].ended_at is not None
    assert told[-1].because.code == "traffic.spillback_over"


def test_a_feed_without_tracks_says_nothing_of_any_exit() -> None:
    detect = spillback(signal("east"))
    told = [event for second in range(0, 300, STEP_S) for event in detect(batch(NOON + timedelta(seconds=second)))]
    assert told == []


def counts(at: datetime, **values: float) -> Batch:
    return batch(at, Column(attribute="vehicleCount", entity_ids=tuple(values), values=np.array([*values.values()])))


# fmt: off
SILENCES = [
    (0.0,     0.0, 0, "an empty road is not silence"),
    (NO_DATA, 0.0, 1, "one of two says nothing"),
    (NO_DATA, NO_DATA, 0, "all silent is the feed's own trouble"),
]
# fmt: on


@pytest.mark.parametrize(("east", "west", "events", "why"), SILENCES)
def test_a_detector_that_says_nothing_is_doubted(east: float, west: float, events: int, why: str) -> None:
    detect = Doubted(signal("east", "west"))
    told = [
        event
        for second in range(0, 31, STEP_S)
        for event in detect(counts(NOON + timedelta(seconds=second), east=east, west=west))
    ]
    assert len(told) == events, why
    assert all(event.evidence["detectors"] == ["east"] for event in told)
    assert all(event.evidence["troubles"]["silent"] == 1 for event in told)


def test_a_doubt_ends_by_itself_when_the_detector_was_sound_for_half_a_minute() -> None:
    detect = Doubted(signal("east", "west"))
    told = [
        (second, event)
        for second in range(200)
        for event in detect(counts(NOON + timedelta(seconds=second), east=NO_DATA if second < 60 else 0.0, west=0.0))
    ]
    (_, begun), (second, ended) = told[0], told[-1]
    assert begun.id == ended.id
    assert ended.ended_at is not None
    assert ended.because.code == "traffic.sensor_believed"
    assert 60 + HEALTHY_S - 1 <= second <= 60 + HEALTHY_S + 5
