# SPDX-License-Identifier: Apache-2.0
"""What is usual in many streams: level, hours of the day and of the week, and spread of both sides, learned online."""

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.operations.model import DAY_S, HOUR_S, WEEK_S, Numbers, Thresholds

Lanes = NDArray[np.intp]

FIRST_VALUES = 10.0  # before these nothing is far out
SPREAD_OF_DEVIATION = 1.25  # standard deviation over mean absolute deviation of a normal stream (√(π/2))
OTHER_SIDE = 0.25  # a side is at least so wide as this share of both
SLOWEST_PROFILE = 0.02  # an hour forgets with some fifty values
SLOWEST_HOUR_SPREAD = 1 / 300
OFTEN_S = 300.0  # a stream that comes more often than this forgets by time
NARROWEST = 1e-6
THURSDAY, SATURDAY = 3, 5  # the clock began on a Thursday; days from Monday


class Usual:
    """The usual of `count` streams in constant memory for each. A step needs the lanes that have a value."""

    def __init__(self, count: int) -> None:
        self.values = np.zeros(count)
        self.level = np.zeros(count)
        self.spread = np.zeros((2, count))
        self._hours, self._hour_values = np.zeros((count, 24)), np.zeros((count, 24))
        self._hour_spread, self._hour_spread_values = np.zeros((2, count, 24)), np.zeros((2, count, 24))
        self._week, self._weeks = np.zeros((count, 168)), np.zeros((count, 168), dtype=np.int16)
        self._week_seen = np.full((count, 168), -1, dtype=np.int32)

    def expected(self, lanes: Lanes, at_s: Numbers, trust: Numbers) -> Numbers:
        """The usual value: level, hour of the day between the middles of the hours, and hour of the week as soon as
        that was seen in two weeks."""
        hour = (at_s % DAY_S) / HOUR_S - 0.5
        share = hour - np.floor(hour)
        before = np.floor(hour).astype(np.intp) % 24
        day = (1 - share) * self._hour(lanes, before, trust) + share * self._hour(lanes, (before + 1) % 24, trust)
        slot = _of_week(at_s)
        weeks = self._weeks[lanes, slot]
        week = self._week[lanes, slot] * np.maximum(weeks - 1, 0) / (weeks + 1)
        result: Numbers = self.level[lanes] + day + week
        return result

    def _hour(self, lanes: Lanes, hour: Lanes, trust: Numbers) -> Numbers:
        seen = self._hour_values[lanes, hour]
        result: Numbers = self._hours[lanes, hour] * seen / (seen + trust)
        return result

    def is_guessed(self, lanes: Lanes, at_s: Numbers) -> NDArray[np.bool_]:
        """Whether it is an hour of a weekend that was not seen in two weeks: hours of the day are learned from five
        working days and two others, so what is expected there is off by as much as days differ."""
        day = (at_s // DAY_S + THURSDAY) % 7
        result: NDArray[np.bool_] = (day >= SATURDAY) & (self._weeks[lanes, _of_week(at_s)] < 2)
        return result

    def spread_of(self, lanes: Lanes, at_s: Numbers, side: Lanes, trust: Numbers) -> Numbers:
        """How wide a side is at this hour; `side` is 0 above and 1 below the expected."""
        hour = ((at_s % DAY_S) // HOUR_S).astype(np.intp)
        seen = self._hour_spread_values[side, lanes, hour]
        both = self.spread[0, lanes] + self.spread[1, lanes]
        mixed = (trust * self.spread[side, lanes] + seen * self._hour_spread[side, lanes, hour]) / (trust + seen)
        result: Numbers = np.maximum(mixed, NARROWEST + OTHER_SIDE * both)
        return result

    def begin(self, lanes: Lanes, values: Numbers) -> None:
        """The first value of a stream is its level."""
        new = self.values[lanes] == 0
        self.level[lanes[new]] = values[new]

    def learn(self, lanes: Lanes, at_s: Numbers, gap_s: Numbers, error: Numbers, thresholds: Thresholds) -> None:
        """Take in how far a value lay from the expected; `error` is already clipped."""
        count = self.values[lanes]
        fresh = 1 / (count + 1)
        self.level[lanes] += np.maximum(1 - np.exp(-gap_s / _of(thresholds.level_s, lanes)), fresh) * error
        hour = ((at_s % DAY_S) // HOUR_S).astype(np.intp)
        seen, slow = self._hour_values[lanes, hour], np.minimum(gap_s / OFTEN_S, 1.0)
        self._hours[lanes, hour] += np.maximum(1 / (seen + 1), SLOWEST_PROFILE * slow) * error
        self._hour_values[lanes, hour] = seen + 1
        self._learn_week(lanes, at_s, slow * error)
        self._learn_spread(lanes, hour, gap_s, error, thresholds)
        self.values[lanes] = count + 1

    def _learn_week(self, lanes: Lanes, at_s: Numbers, error: Numbers) -> None:
        slot, week = _of_week(at_s), (at_s // WEEK_S).astype(np.int32)
        weeks = self._weeks[lanes, slot] + (self._week_seen[lanes, slot] != week)
        self._week_seen[lanes, slot], self._weeks[lanes, slot] = week, np.minimum(weeks, 1000)
        self._week[lanes, slot] += SLOWEST_PROFILE * error

    def _learn_spread(self, lanes: Lanes, hour: Lanes, gap_s: Numbers, error: Numbers, thresholds: Thresholds) -> None:
        count, side = self.values[lanes], (error < 0).astype(np.intp)
        size = SPREAD_OF_DEVIATION * np.abs(error)
        rate = np.minimum(2 * np.maximum(1 - np.exp(-gap_s / _of(thresholds.spread_s, lanes)), 1 / (count + 1)), 1)
        self.spread[side, lanes] += rate * (size - self.spread[side, lanes])
        learns = count > FIRST_VALUES
        slow = np.minimum(gap_s[learns] / OFTEN_S, 1.0)
        side, lanes, hour, size = side[learns], lanes[learns], hour[learns], size[learns]
        seen = self._hour_spread_values[side, lanes, hour]
        here = self._hour_spread[side, lanes, hour]
        self._hour_spread[side, lanes, hour] = here + np.maximum(1 / (seen + 1), slow * SLOWEST_HOUR_SPREAD) * (
            size - here
        )
        self._hour_spread_values[side, lanes, hour] = seen + 1


def _of_week(at_s: Numbers) -> Lanes:
    return ((at_s % WEEK_S) // HOUR_S).astype(np.intp)


def _of(constant: float | Numbers, lanes: Lanes) -> Numbers:
    return np.broadcast_to(constant, lanes.shape) if np.ndim(constant) == 0 else np.asarray(constant)[lanes]
