# SPDX-License-Identifier: Apache-2.0
"""Anomalies of any numeric stream: far from what is usual at this hour, and further than what was seen lately.

Nothing is trained and nothing looks ahead; each value is seen once. All streams of a call are worked on at once.
"""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from citybrain.apps.operations.detect.memory import FIRST_VALUES, Lanes, Usual
from citybrain.apps.operations.model import DAY_S, USUAL, Numbers, Sign, Thresholds

Mask = NDArray[np.bool_]
FARTHEST = 10.0  # a single value counts for the lasting mean as if it were at most so far out
MOST_OF_ONE = 0.3  # and one value after a gap is not the mean of an hour
FASTEST_RATE = 0.05  # how fast the usual distance of values and the usual run of equal ones are learned
VALUES_A_DAY = 288.0  # one each five minutes: for this rate the thresholds are as stated
SHORTEST_S = 0.01
STUCK_VALUES = 20.0  # a run of fewer equal values says nothing


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look told, for the lanes that had a value: signs, distance in spreads, and the expected band."""

    lanes: Lanes
    opened: Mask
    closed: Mask
    adapted: Mask
    sign: NDArray[np.int8]
    distance: Numbers
    expected: Numbers
    low: Numbers
    high: Numbers


class Streams:
    """`count` streams side by side. Times are seconds of any clock whose days and weeks begin as those of life do."""

    def __init__(self, count: int, thresholds: Thresholds = USUAL) -> None:
        self._rules = thresholds
        self.usual = Usual(count)
        self.going = np.zeros(count, dtype=np.bool_)
        self._since_s, self._opened_s, self._last_s, self._calm_s = np.full((4, count), np.nan)
        self._interval_s, self._mean, self._offset, self._offsets = np.zeros((4, count))
        self._lately = np.zeros((4, count))
        self._value = np.full(count, np.nan)
        self._same_since_s, self._run, self._usual_run = np.full(count, np.nan), np.zeros(count), np.zeros(count)

    def look(self, at_s: ArrayLike, values: Numbers) -> Look:
        """One value for each stream at its time; NaN where there is none. A time that does not advance is ignored."""
        at = np.broadcast_to(np.asarray(at_s, dtype=np.float64), values.shape)
        lanes = (np.isfinite(values) & np.isfinite(at) & ~(at <= self._last_s)).nonzero()[0]
        at, values = at[lanes], values[lanes]
        gap_s = np.nan_to_num(at - self._last_s[lanes])
        self._since_s[lanes] = np.where(np.isnan(self._since_s[lanes]), at, self._since_s[lanes])
        self.usual.begin(lanes, values)
        expected = self.usual.expected(lanes, at, self._of("trust_profile", lanes))
        error = values - expected
        side = (error < 0).astype(np.intp)
        wider = np.sqrt(1 + gap_s / self._of("gap_s", lanes) + self.usual.is_guessed(lanes, at))
        spreads = [
            self.usual.spread_of(lanes, at, np.full_like(side, each), self._of("trust_spread", lanes)) * wider
            for each in (0, 1)
        ]
        spread = np.where(side == 0, spreads[0], spreads[1])
        known = self.usual.values[lanes] > FIRST_VALUES
        distance = np.where(known, error / spread, 0.0)
        sign, hot = self._signs(lanes, at, gap_s, distance)
        sign = self._stuck(lanes, at, values, sign)
        opened, closed, adapted = self._follow(lanes, at, error, sign, hot)
        clip = self._of("clip", lanes) * spread
        taught = np.where(known, np.clip(error, -clip, clip), error)
        self.usual.learn(lanes, at, gap_s, taught, self._rules)
        self._interval_s[lanes] += np.where(
            self._interval_s[lanes] == 0, gap_s, FASTEST_RATE * (gap_s - self._interval_s[lanes])
        )
        self._last_s[lanes] = at
        band = self._of("further", lanes)
        return Look(
            lanes=lanes,
            opened=opened,
            closed=closed,
            adapted=adapted,
            sign=sign,
            distance=distance,
            expected=expected,
            low=expected - band * spreads[1],
            high=expected + band * spreads[0],
        )

    def _signs(self, lanes: Lanes, at: Numbers, gap_s: Numbers, distance: Numbers) -> tuple[NDArray[np.int8], Mask]:
        """What would open an event, and whether a value is too far out for one to end."""
        rate = np.minimum(1 - np.exp(-gap_s / self._of("lasting_s", lanes)), MOST_OF_ONE)
        self._mean[lanes] += rate * (np.clip(distance, -FARTHEST, FARTHEST) - self._mean[lanes])
        mean, far, lasting = self._mean[lanes], self._of("far", lanes), self._of("lasting", lanes)
        ratio = self._of("further", lanes) / far
        again, record = self._of("again", lanes), self._of("record", lanes)
        startles, hurts = self._of("startles", lanes), self._of("hurts", lanes)
        warm = (at - self._since_s[lanes] > self._of("warm_s", lanes)) & (
            self.usual.values[lanes] > self._of("warm_values", lanes)
        )
        faded = 0.5 ** (gap_s / self._of("forgets_s", lanes))
        sign, hot = np.zeros(len(lanes), dtype=np.int8), np.zeros(len(lanes), dtype=np.bool_)
        ways = ((distance, far), (-distance, far), (mean, lasting), (-mean, lasting))
        often = self._often(lanes)
        for number, (value, limit) in enumerate(ways):
            lately = self._lately[number, lanes] * faded
            # A value that lasts is no news where a single one was farther out lately.
            known = np.maximum(lately, self._lately[number % 2, lanes])
            is_out = (value > np.maximum(limit, again * known)) | (
                value > np.maximum(ratio * limit * often, record * known)
            )
            matters = hurts * (1 if number % 2 == 0 else -1) >= 0
            sign = np.where((sign == Sign.NONE) & warm & matters & is_out, number + 1, sign).astype(np.int8)
            hot |= matters & (value > 0.5 * limit)
            self._lately[number, lanes] = lately + startles * np.maximum(value - lately, 0)
        return sign, hot

    def _often(self, lanes: Lanes) -> Numbers:
        """How much further out the farthest of a day's values lies by chance than that of a stream of five minutes:
        the largest of n normal values grows as √(2 ln n) (Leadbetter, Lindgren & Rootzén 1983, theorem 1.5.3)."""
        a_day = DAY_S / np.maximum(self._interval_s[lanes], SHORTEST_S)
        result: Numbers = np.sqrt(np.log(np.maximum(a_day, VALUES_A_DAY)) / np.log(VALUES_A_DAY))
        return result

    def _stuck(self, lanes: Lanes, at: Numbers, values: Numbers, sign: NDArray[np.int8]) -> NDArray[np.int8]:
        """One exact value for far longer than this stream ever keeps one. A stream that only knows one is not stuck."""
        same = values == self._value[lanes]
        run = self._run[lanes]
        usual = self._usual_run[lanes]
        ended = ~same & (run > 0)
        self._usual_run[lanes] = np.where(ended, np.maximum(run, usual + FASTEST_RATE * (run - usual)), usual)
        self._run[lanes] = np.where(same, run + 1, 1)
        self._same_since_s[lanes] = np.where(same, self._same_since_s[lanes], at)
        self._value[lanes] = values
        is_stuck = (
            (self._run[lanes] > np.maximum(STUCK_VALUES, self._of("stuck_ratio", lanes) * usual))
            & (usual > 0)
            & (at - self._same_since_s[lanes] > self._of("stuck_s", lanes))
        )
        return np.where((sign == Sign.NONE) & is_stuck, Sign.STUCK, sign).astype(np.int8)

    def _follow(
        self, lanes: Lanes, at: Numbers, error: Numbers, sign: NDArray[np.int8], hot: Mask
    ) -> tuple[Mask, Mask, Mask]:
        """One event while it lasts: which open, which end, and which of these because the new level is the usual."""
        quiet_s = np.maximum(self._of("quiet_s", lanes), 3 * self._interval_s[lanes])
        going, out = self.going[lanes], sign != Sign.NONE
        over = going & (at - self._calm_s[lanes] > quiet_s)
        opened = out & (~going | over)
        stays = going & ~over & (out | hot)
        self._calm_s[lanes] = np.where(opened | stays, at, self._calm_s[lanes])
        self._opened_s[lanes] = np.where(opened, at, self._opened_s[lanes])
        self._offsets[lanes] = np.where(opened, 1, self._offsets[lanes] + 1)
        offset = np.where(opened, 0.0, self._offset[lanes])
        self._offset[lanes] = offset + (error - offset) / self._offsets[lanes]
        lasts = going & ~over & (sign != Sign.STUCK)
        adapted = lasts & (at - self._opened_s[lanes] > self._of("adapts_s", lanes))
        self.usual.level[lanes] += np.where(adapted, self._offset[lanes], 0.0)
        self._mean[lanes] = np.where(adapted, 0.0, self._mean[lanes])
        self.going[lanes] = (opened | (going & ~over)) & ~adapted
        return opened, over | adapted, adapted

    def _of(self, name: str, lanes: Lanes) -> Numbers:
        constant = getattr(self._rules, name)
        return np.full(len(lanes), constant) if np.ndim(constant) == 0 else np.asarray(constant)[lanes]
