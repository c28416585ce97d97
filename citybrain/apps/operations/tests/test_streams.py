# SPDX-License-Identifier: Apache-2.0
"""What is out of the ordinary in a stream, and what is not."""

import numpy as np
import pytest

from citybrain.apps.operations.detect.streams import Streams
from citybrain.apps.operations.model import DAY_S, HOUR_S, Numbers, Sign

STEP_S = 300.0
A_DAY = int(DAY_S / STEP_S)


def daily(days: int, seed: int = 1) -> Numbers:
    """A stream with a daily course and noise."""
    hours = np.arange(days * A_DAY) * STEP_S / HOUR_S
    noise = np.random.default_rng(seed).normal(0, 1, len(hours))
    result: Numbers = 50 + 10 * np.sin(hours / 24 * 2 * np.pi) + noise
    return result


def openings(values: Numbers, step_s: float = STEP_S) -> list[tuple[int, Sign]]:
    streams = Streams(1)
    looks = [streams.look(row * step_s, np.array([value])) for row, value in enumerate(values)]
    return [(row, Sign(int(look.sign[0]))) for row, look in enumerate(looks) if len(look.lanes) and look.opened[0]]


def test_a_usual_course_of_three_weeks_tells_nothing() -> None:
    assert openings(daily(21)) == []


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_unit_and_scale_do_not_matter(scale: float) -> None:
    values = daily(5)
    values[4 * A_DAY] += 30
    assert openings(values * scale) == [(4 * A_DAY, Sign.HIGH)]


def test_a_drop_is_found_on_its_first_value_and_told_once() -> None:
    values = daily(6)
    values[4 * A_DAY : 4 * A_DAY + 24] -= 40
    assert openings(values) == [(4 * A_DAY, Sign.LOW)]


def test_a_value_that_is_usual_at_noon_is_found_at_night() -> None:
    values = daily(15)
    highest, lowest = 14 * A_DAY + A_DAY // 4, 14 * A_DAY + 3 * A_DAY // 4
    values[lowest] = values[highest]
    assert openings(values) == [(lowest, Sign.HIGH)]


def test_the_first_day_tells_nothing() -> None:
    values = daily(2)
    values[A_DAY // 2] = 500
    assert openings(values) == []


def test_a_shift_of_eight_deviations_is_found_within_two_hours() -> None:
    values = daily(8)
    values[6 * A_DAY + 12 :] += 8
    assert 0 <= openings(values)[0][0] - (6 * A_DAY + 12) <= 24


def test_a_new_level_is_the_usual_after_a_day_and_a_little() -> None:
    values = daily(12)
    values[6 * A_DAY :] += 40
    streams = Streams(1)
    looks = [streams.look(row * STEP_S, np.array([value])) for row, value in enumerate(values)]
    opened = [row for row, look in enumerate(looks) if look.opened[0]]
    adapted = [row for row, look in enumerate(looks) if look.adapted[0]]
    assert opened == [6 * A_DAY]
    assert len(adapted) == 1
    assert 0 < adapted[0] - 7 * A_DAY <= 2
    assert abs(looks[-1].expected[0] - values[-1]) < 8


def test_an_event_ends_an_hour_after_the_last_value_that_was_far_out() -> None:
    values = daily(6)
    values[4 * A_DAY : 4 * A_DAY + 6] += 40
    streams = Streams(1)
    closed = [row for row, value in enumerate(values) if streams.look(row * STEP_S, np.array([value])).closed[0]]
    assert len(closed) == 1
    assert 12 <= closed[0] - (4 * A_DAY + 5) <= 36


def test_one_value_for_hours_in_a_stream_that_changes_is_a_stuck_sensor() -> None:
    values = np.random.default_rng(4).uniform(0, 1, 6 * A_DAY).round(3)
    stuck = 4 * A_DAY
    values[stuck:] = 0.5
    ((row, sign),) = openings(values)
    assert sign == Sign.STUCK
    assert 6 * HOUR_S < (row - stuck) * STEP_S <= 7 * HOUR_S


def test_a_stream_that_always_has_one_value_is_not_stuck() -> None:
    assert openings(np.full(6 * A_DAY, 7.0)) == []


def test_missing_values_and_gaps_open_nothing() -> None:
    values = daily(14)
    values[np.random.default_rng(2).random(len(values)) < 0.3] = np.nan
    values[7 * A_DAY : 9 * A_DAY] = np.nan
    values[100] = np.inf
    assert openings(values) == []


def test_a_time_that_does_not_advance_is_not_looked_at() -> None:
    streams = Streams(1)
    assert len(streams.look(10.0, np.array([1.0])).lanes) == 1
    assert len(streams.look(10.0, np.array([9.0])).lanes) == 0
    assert len(streams.look(5.0, np.array([9.0])).lanes) == 0


def test_streams_side_by_side_do_not_touch_each_other() -> None:
    rows = np.array([daily(4, seed) for seed in range(6)])
    rows[3, 3 * A_DAY] += 60
    streams = Streams(6)
    found = [
        (row, lane)
        for row in range(rows.shape[1])
        for look in [streams.look(row * STEP_S, rows[:, row])]
        for lane in look.lanes[look.opened].tolist()
    ]
    assert found == [(3 * A_DAY, 3)]


@pytest.mark.parametrize(("step_s", "days"), [(10.0, 2), (60.0, 3), (900.0, 6), (HOUR_S, 6)])
def test_the_rate_of_a_stream_does_not_matter(step_s: float, days: int) -> None:
    rows = int(days * DAY_S / step_s)
    hours = np.arange(rows) * step_s / HOUR_S
    values = 50 + 10 * np.sin(hours / 24 * 2 * np.pi) + np.random.default_rng(3).normal(0, 1, rows)
    values[rows - 5] += 40
    assert openings(values, step_s) == [(rows - 5, Sign.HIGH)]
