# SPDX-License-Identifier: Apache-2.0
"""The score of the Numenta anomaly benchmark, from its definition (Lavin & Ahmad, ICMLA 2015, arXiv 1510.03336).

Rows of a file are numbered from 0. A window is its first and last row. The first 15 % of the rows, 750 at most, are
probation: what is found there does not count. In a window the earliest detection counts, by how early it is; each
detection outside counts against, by how far it lies behind the last window before it; a window without one costs.
As in the benchmark's published results, the earliest row of a window is worth exactly the weight of a true positive.
"""

import math
from collections.abc import Sequence

import msgspec

PROBATION, LONGEST_PROBATION = 0.15, 0.15 * 5000
FAR_BEHIND = 3.0  # so many windows behind the last one a false alarm costs its whole weight

Window = tuple[int, int]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a right, a false and a missed detection weigh."""

    found: float
    false: float
    missed: float


STANDARD = Profile(found=1.0, false=0.11, missed=1.0)
FEW_FALSE = Profile(found=1.0, false=0.22, missed=1.0)
FEW_MISSED = Profile(found=1.0, false=0.11, missed=2.0)


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """The raw score of one file, what each window brought, and the rows of false alarms."""

    score: float
    windows: tuple[float, ...]
    false: tuple[int, ...]


def weight(position: float) -> float:
    """The scaled sigmoid: near 1 at the left edge of a window (−1), 0 at its right edge, near −1 behind it."""
    return -1.0 if position >= FAR_BEHIND else 2 / (1 + math.exp(5 * position)) - 1


def probation(rows: int) -> int:
    """How many rows at the beginning do not count."""
    return int(min(math.floor(PROBATION * rows), LONGEST_PROBATION))


def score(detected: Sequence[int], rows: int, windows: Sequence[Window], profile: Profile = STANDARD) -> Scored:
    """The raw score of the rows that a detector marked in a file of `rows` rows."""
    counted = sorted(row for row in set(detected) if row >= probation(rows))
    found = tuple(_window(counted, window, profile) for window in windows)
    false = tuple(row for row in counted if not any(first <= row <= last for first, last in windows))
    return Scored(score=sum(found) + sum(_false(row, windows, profile) for row in false), windows=found, false=false)


def _window(counted: Sequence[int], window: Window, profile: Profile) -> float:
    first, last = window
    row = next((row for row in counted if first <= row <= last), None)
    if row is None:
        return -profile.missed
    return profile.found * weight(-(last - row + 1) / (last - first + 1)) / weight(-1.0)


def _false(row: int, windows: Sequence[Window], profile: Profile) -> float:
    before = [window for window in windows if window[1] < row]
    if not before:
        return -profile.false
    first, last = max(before, key=lambda window: window[1])
    return profile.false * weight((row - last) / max(last - first, 1))


def best(scores: Sequence[Sequence[float]], rows_of: Sequence[Sequence[Window]], profile: Profile = STANDARD) -> float:
    """The threshold at which anomaly scores of all files together bring most, as the benchmark chooses it: one for
    the whole corpus and each profile. 1.1 marks nothing."""
    steps = sorted({1.1, *(value for each in scores for value in each)}, reverse=True)
    return max(steps, key=lambda step: _total(scores, rows_of, step, profile))


def _total(
    scores: Sequence[Sequence[float]], rows_of: Sequence[Sequence[Window]], step: float, profile: Profile
) -> float:
    return sum(
        score([row for row, value in enumerate(each) if value >= step], len(each), windows, profile).score
        for each, windows in zip(scores, rows_of, strict=True)
    )
