# SPDX-License-Identifier: Apache-2.0
"""Delay under a fixed plan: per lane by the formula of the HCM, and along roads by cyclic flow."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

SATURATION_VEH_PER_S = 0.5
"""1800 veh/h of green (HBS 2015; HCM 6 chapter 19: 1900)."""

ANALYSIS_H = 0.25
"""HCM 6 chapter 19: analysis period of 15 minutes."""

INCREMENTAL = 0.5
"""HCM 6 chapter 19: k for fixed plans."""

DISPERSION = 0.35 * 0.8
"""Robertson's platoon dispersion, alpha × beta: TRANSYT's 0.35 and 0.8 (TRRL LR 253, 1969)."""

EARLIEST = 0.8
"""The head of a platoon takes this share of the mean travel time (same source: beta)."""

Profile = NDArray[np.float64]


def lane_delay_s(flow_veh_per_s: float, green_s: float, cycle_s: float) -> float:
    """Mean control delay of one vehicle (HCM 6, equations 19-20 and 19-26, progression factor 1, no initial queue)."""
    if green_s <= 0.0:
        return cycle_s * 10.0
    share = green_s / cycle_s
    capacity = SATURATION_VEH_PER_S * share
    load = flow_veh_per_s / capacity
    uniform_s = 0.5 * cycle_s * (1 - share) ** 2 / (1 - min(1.0, load) * share)
    more = load - 1.0
    inside = more**2 + 8 * INCREMENTAL * load / (capacity * 3600.0 * ANALYSIS_H)
    return uniform_s + 900.0 * ANALYSIS_H * (more + sqrt(inside))


def serve(arrivals: Profile, capacity: Profile) -> tuple[Profile, float]:
    """One lane over one cycle in steps of a second, from a queue that has settled: departures, and vehicle-seconds.

    `arrivals` and `capacity` are vehicles per step. A lane that is fuller than its capacity is let go at capacity, and
    what is left over waits half a cycle on average; the HCM part of the score punishes it properly.
    """
    steps = len(arrivals)
    over = max(0.0, float(arrivals.sum() - capacity.sum()))
    queue = _settled(arrivals, capacity)
    out = np.zeros(steps)
    waited = 0.0
    for at in range(steps):
        queue += arrivals[at]
        out[at] = min(queue, capacity[at])
        queue -= out[at]
        waited += queue
    return out, waited + over * steps / 2


def _settled(arrivals: Profile, capacity: Profile) -> float:
    """The queue with which a cycle begins when equal ones went before (Lindley 1952); none where it only grows."""
    surplus = np.cumsum(arrivals - capacity)
    total = float(surplus[-1])
    return max(0.0, total - min(0.0, float(surplus.min()))) if total < 0.0 else 0.0


def dispersed(departures: Profile, travel_s: float) -> Profile:
    """What arrives `travel_s` farther on: shifted and spread (Robertson, TRRL LR 253), cyclic."""
    lead = round(EARLIEST * travel_s)
    factor = 1.0 / (1.0 + DISPERSION * max(travel_s, 1.0))
    shifted = np.roll(departures, lead)
    found = np.zeros(len(departures))
    value = float(departures.mean())
    for _ in range(2):  # the second time round the start no longer matters
        for at in range(len(found)):
            value = factor * shifted[at] + (1.0 - factor) * value
            found[at] = value
    return found


def capacity_profile(greens: Sequence[tuple[float, float, float]], cycle: int) -> Profile:
    """Vehicles a lane can let go per second of the cycle, from greens as (begins_s, lasts_s, part)."""
    found = np.zeros(cycle)
    for begins_s, lasts_s, part in greens:
        for second in range(round(lasts_s)):
            found[(round(begins_s) + second) % cycle] += SATURATION_VEH_PER_S * part
    return found
