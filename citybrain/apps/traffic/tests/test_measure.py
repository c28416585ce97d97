# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from citybrain.apps.traffic.measure.figures import TrafficMeasure
from citybrain.kernel.app import Frame, Score
from citybrain.kernel.records import Batch, Column, Entity, Reading

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROADS = ("a", "b")
NO_DATA = float("nan")

SCORE = Score(
    due=10,
    arrived=4,
    running=5,
    waiting=1,
    delay_arrived_s=100.0,
    delay_running_s=70.0,
    delay_waiting_s=30.0,
    travel_time_arrived_s=400.0,
)


def measure() -> TrafficMeasure:
    roads = [
        Entity(
            id=name,
            type="RoadSegment",
            source="test",
            observed_at=NOON,
            attributes={"length": length_m, "maximumAllowedSpeed": 50.0},
        )
        for name, length_m in (("a", 300.0), ("b", 100.0))
    ]
    return TrafficMeasure(roads)


def frame(
    second: int,
    *,
    score: Score | None = SCORE,
    speeds: tuple[float, float] = (50.0, 15.0),
    cars: tuple[float, float] = (3.0, 2.0),
    finished: bool = False,
) -> Frame:
    at = NOON + timedelta(seconds=second)
    columns = (
        Column(attribute="averageVehicleSpeed", entity_ids=ROADS, values=np.array(speeds)),
        Column(attribute="vehicleCount", entity_ids=ROADS, values=np.array(cars)),
    )
    batch = Batch(id=f"batch-{second}", source="test", observed_at=at, received_at=at, columns=columns)
    return Frame(batch=batch, score=score, finished=finished)


def minute_of(one: Frame) -> dict[str, Reading]:
    """What is read from a frame that ends a minute."""
    count = measure()
    count(frame(0), "brain")
    return {reading.indicator: reading for reading in count(one, "brain")}


def test_readings_come_once_each_city_minute() -> None:
    count = measure()
    told = [second for second in range(0, 181) if count(frame(second), "brain")]
    assert told == [60, 120, 180]


def test_each_arm_has_its_own_minutes() -> None:
    count = measure()
    assert not count(frame(30), "brain")
    assert not count(frame(65), "fixed")
    assert {reading.arm for reading in count(frame(66), "brain")} == {"brain"}
    assert not count(frame(67), "fixed")


def test_the_judge_is_read_at_its_first_count_in_the_minute() -> None:
    count = measure()
    count(frame(0), "brain")
    for second in (60, 61):
        assert "traffic.delay" not in {one.indicator for one in count(frame(second, score=None), "brain")}
    assert [one.indicator for one in count(frame(62), "brain")] == [
        "traffic.delay",
        "traffic.arrived",
        "traffic.travel_time",
    ]
    assert not count(frame(70), "brain")


def test_the_end_of_the_run_is_read_even_inside_a_minute() -> None:
    count = measure()
    count(frame(60), "brain")
    assert count(frame(75, finished=True), "brain")


def test_delay_is_all_delay_of_arrived_running_and_waiting_over_all_that_were_due() -> None:
    reading = minute_of(frame(60))["traffic.delay"]
    assert reading.value == pytest.approx(200.0 / 10)
    assert reading.at == NOON + timedelta(seconds=60)
    assert reading.parts == {
        "due": 10,
        "arrived": 4,
        "running": 5,
        "waiting": 1,
        "delay_arrived_s": 100.0,
        "delay_running_s": 70.0,
        "delay_waiting_s": 30.0,
    }


def test_travel_time_is_of_those_that_arrived() -> None:
    reading = minute_of(frame(60))["traffic.travel_time"]
    assert reading.value == pytest.approx(100.0)
    assert reading.parts == {"travel_time_arrived_s": 400.0, "arrived": 4}


def test_before_anybody_arrived_there_is_no_travel_time() -> None:
    nobody = msgspec.structs.replace(SCORE, arrived=0, delay_arrived_s=0.0, travel_time_arrived_s=0.0)
    readings = minute_of(frame(60, score=nobody))
    assert readings["traffic.arrived"].value == 0.0
    assert "traffic.travel_time" not in readings


def test_before_anybody_was_due_the_judge_says_nothing() -> None:
    nobody = msgspec.structs.replace(SCORE, due=0)
    assert set(minute_of(frame(60, score=nobody))) == {"traffic.delay_index", "traffic.tpi", "traffic.congested_share"}


def test_a_real_city_has_no_judge_and_still_its_indices() -> None:
    assert set(minute_of(frame(60, score=None))) == {"traffic.delay_index", "traffic.tpi", "traffic.congested_share"}


def test_the_indices_come_from_floating_cars_and_can_be_made_again_from_their_parts() -> None:
    readings = minute_of(frame(60))
    index = readings["traffic.delay_index"]
    assert index.value == pytest.approx(5.0 / 3.6)
    assert index.value == pytest.approx(index.parts["travel_s"] / index.parts["free_s"])
    assert (index.parts["roads"], index.parts["covered"], index.parts["costliest"]) == (2, 1.0, ["b"])
    tpi = readings["traffic.tpi"]
    assert tpi.parts["dtp"] == pytest.approx(0.28)
    assert tpi.value == pytest.approx(0.28 / 0.3 * 2.0)


def test_the_congested_share_is_the_length_of_levels_4_and_5_in_percent() -> None:
    reading = minute_of(frame(60))["traffic.congested_share"]
    assert reading.value == pytest.approx(25.0)
    assert [reading.parts[f"level_{level}"] for level in range(1, 6)] == [0.75, 0.0, 0.0, 0.0, 0.25]


def test_without_floating_cars_there_is_no_index_and_not_a_good_one() -> None:
    readings = minute_of(frame(60, speeds=(NO_DATA, NO_DATA), cars=(0.0, 0.0)))
    assert set(readings) == {"traffic.delay", "traffic.travel_time", "traffic.arrived"}


def test_both_arms_are_measured_by_the_same_code() -> None:
    count = measure()
    for arm in ("brain", "fixed"):
        count(frame(0), arm)
    brain, fixed = count(frame(60), "brain"), count(frame(60), "fixed")
    assert [(one.indicator, one.value) for one in brain] == [(one.indicator, one.value) for one in fixed]
