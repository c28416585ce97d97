# SPDX-License-Identifier: Apache-2.0
"""Moving means of many streams in constant memory, and how much of the window they rest on."""

import numpy as np

from citybrain.apps.operations.detect.roster import Lanes, Numbers, grown

BINS = 12
FORGETS = 0.1  # a gap counts so much in the usual gap


class Averages:
    """The mean of the last `window_s` seconds by lane. A value stands for the usual gap of its stream, so a station
    that reports an hour's mean once an hour covers the hour with one value; what says how long it was averaged
    (`averaged_s`) covers that."""

    def __init__(self, window_s: float) -> None:
        self._window_s, self._bin_s = window_s, window_s / BINS
        self._sum, self._count, self._bin = np.zeros((3, 0, BINS))
        self._last_s, self._gap_s = np.zeros((2, 0))

    def grow(self, size: int) -> None:
        """Room for more lanes."""
        self._sum, self._count = grown(self._sum, size, 0.0), grown(self._count, size, 0.0)
        self._bin = grown(self._bin, size, -1.0)
        self._last_s, self._gap_s = grown(self._last_s, size, np.nan), grown(self._gap_s, size, np.nan)

    def take(self, lanes: Lanes, at_s: float, values: Numbers) -> None:
        """Values of this moment."""
        gap = at_s - self._last_s[lanes]
        usual = self._gap_s[lanes]
        learned = np.where(np.isfinite(usual), usual + FORGETS * (np.minimum(gap, 3 * usual) - usual), gap)
        self._gap_s[lanes] = np.where(np.isfinite(gap), learned, usual)
        self._last_s[lanes] = at_s
        number = float(at_s // self._bin_s)
        place = int(number) % BINS
        is_new = self._bin[lanes, place] != number
        self._sum[lanes, place] = np.where(is_new, 0.0, self._sum[lanes, place]) + values
        self._count[lanes, place] = np.where(is_new, 0.0, self._count[lanes, place]) + 1
        self._bin[lanes, place] = number

    def mean(self, lanes: Lanes, at_s: float, averaged_s: Numbers) -> tuple[Numbers, Numbers]:
        """The mean of each lane and how many seconds it covers; NaN where there is none."""
        fresh = self._bin[lanes] > at_s // self._bin_s - BINS
        count = np.where(fresh, self._count[lanes], 0.0)
        total = np.where(fresh, self._sum[lanes], 0.0).sum(axis=1)
        several = count.sum(axis=1)
        stands_s = np.fmax(np.nan_to_num(self._gap_s[lanes]), np.nan_to_num(averaged_s))
        covers_s = np.minimum(several * stands_s, self._window_s)
        mean: Numbers = np.divide(total, several, out=np.full(len(lanes), np.nan), where=several > 0)
        return mean, covers_s
