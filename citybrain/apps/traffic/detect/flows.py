# SPDX-License-Identifier: Apache-2.0
"""Roads on which nobody drives any more though others want to, and roads to which far more come than did.

Looks at how many vehicles come onto each lane that detectors watch (they pass, or are more than a second ago), against
what was learned of the lane. Closed is a road on which nobody has been seen while `EXPECTED` vehicles should have come,
the junction before it passed others, and somebody at the stop line before it did not go under green. A surge is found
by the cumulative sum of the log-likelihood ratio of twice the learned rate against that rate (Page, Biometrika 41,
1954), with arrivals `SPREAD` times as scattered as a Poisson process: signals make platoons. Constants are ours, chosen
on runs without incidents. Evidence: what was expected and what came, rates, and since when.
"""

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.detect.persistence import Mask
from citybrain.apps.traffic.detect.streets import Streets
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.index import Numbers
from citybrain.kernel.records import Entity

LEARNED_S = 900.0
"""Time constant of what is learned of a lane's traffic."""

LEARNS_FOR_S = 100.0
"""Of a lane that has been empty for longer nothing is learned: it may be closed."""

LEARNING_S = 900.0
"""Nothing is told of a lane that was watched for less."""

EXPECTED = 15.0
"""Vehicles that should have come. Alone it says little: demand comes and goes, and roads were empty while 30 were
expected."""

WANTED_S = 120.0
"""Somebody who could drive into the road under green and did not stood there within this time."""

QUIET_S = 120.0
"""They come in platoons: a road is empty while it has red upstream."""

USUAL = 1.5
"""So many times more than were expected in vain before, when it was not closed."""

USUAL_UP_TO_S = 400.0
"""Whatever was empty for longer was not between two platoons."""

USUAL_FADES = 0.9

OTHERS = 0.4
"""Of what the junction upstream usually passes must go on: else it is the junction that lets nobody in."""

TIMES = 2.0
"""A surge is at least twice the learned rate,"""

AT_LEAST_PER_S = 200.0 / 3600.0
"""and at least so much more."""

SPREAD = 4.0
"""Variance of arrivals by their mean."""

ALARM = 10.0
"""Of the cumulative sum: the chance of one false alarm is about exp(-10) for each time it begins."""

CALM_S = 180.0
"""A surge is over when the sum has been at 0 for so long, or after `SURGE_MAX_S`, when it is what there is."""

SURGE_MAX_S = 1800.0


class Groups:
    """Detectors put together: by lane, by road, by signal. Counts of a lane with two detectors are their mean."""

    def __init__(self, streets: Streets) -> None:
        entities = streets.places.entities
        lanes = [str(one.attributes.get("lane")) for one in entities]
        self.lanes = list(dict.fromkeys(lanes))
        number = {name: at for at, name in enumerate(self.lanes)}
        self.lane_of = np.array([number[name] for name in lanes], dtype=np.int64)
        roads = [streets.road_of(place) for place in range(len(entities))]
        self.roads: list[Entity] = list({road.id: road for road in roads if road is not None}.values())
        road_number = {road.id: at for at, road in enumerate(self.roads)}
        self.road_of_lane = np.full(len(self.lanes), -1, dtype=np.int64)
        for place, road in enumerate(roads):
            if road is not None:
                self.road_of_lane[self.lane_of[place]] = road_number[road.id]
        self.detectors = np.maximum(np.bincount(self.lane_of, minlength=len(self.lanes)), 1)
        self.is_known = self.road_of_lane >= 0

    def by_lane(self, values: Numbers) -> Numbers:
        """The mean of a value of detectors, by lane."""
        sums = np.bincount(self.lane_of, weights=values, minlength=len(self.lanes))
        return (sums / self.detectors).astype(np.float64)

    def by_road(self, values: Numbers) -> Numbers:
        """The sum of a value of lanes, by road."""
        known = self.is_known
        sums = np.bincount(self.road_of_lane[known], weights=values[known], minlength=len(self.roads))
        return sums.astype(np.float64)


class Flows:
    """What came onto the lanes and roads, second by second, and what should have come."""

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        self.groups = groups = Groups(streets)
        lanes, roads = len(groups.lanes), len(groups.roads)
        self.rate_per_s, self._watched_s, self.lane_quiet_s = np.zeros((3, lanes))
        self._number = np.full(len(streets.places.entities), np.nan)
        self.road_expected, self.road_quiet_s, self._road_usual, self._others = np.zeros((4, roads))
        self.cusum, self._calm_s, self.surge_s, self.came, self.usually = np.zeros((5, roads))
        self.is_surge = np.zeros(roads, dtype=np.bool_)
        self.is_closed = np.zeros(roads, dtype=np.bool_)
        self._upstream = _upstream(streets, groups)
        approaches, exits = streets.ways
        self._approaches, self._into = approaches, groups.road_of_lane[groups.lane_of[exits]]
        self._wanted_s = np.full(roads, np.inf)

    def watch(self, look: Look, blind: Mask, passed: Numbers, stuck: Mask) -> None:
        """Take in one second; `passed` are the vehicles that passed each detector, `stuck` the approaches whose first
        does not go under green."""
        groups = self.groups
        wants = np.bincount(self._into[self._into >= 0], stuck[self._approaches][self._into >= 0], len(groups.roads))
        self._wanted_s = np.where(wants > 0.0, 0.0, self._wanted_s + look.seconds)
        distance_m = look.table[:, 0]
        on_lane = (distance_m >= 0.0) & (distance_m <= self._streets.length_m[look.detector])
        number = np.bincount(look.detector[on_lane], weights=look.table[on_lane, 3], minlength=look.size).astype(
            np.float64
        )
        sees = groups.by_lane(np.where(look.heard & ~blind, 1.0, 0.0)) >= 1.0
        busy = groups.by_lane(number) > 0.0
        grown = np.nan_to_num(number - self._number)
        self._number = np.where(look.heard, number, np.nan)
        approach = self._streets.is_approach
        # Whoever comes into sight before a stop line is in the queue; an exit has none. Changes of lane cancel out.
        came = groups.by_road(groups.by_lane(np.where(approach, passed + grown, passed)))
        flow = groups.by_lane(passed)
        self._closed_roads(sees, busy, flow, look.seconds)
        self._surges(sees, came, look.seconds)
        self.lane_quiet_s = np.where(busy, 0.0, self.lane_quiet_s + look.seconds)
        learns = sees & (self.lane_quiet_s < LEARNS_FOR_S) & ~self._surging()
        self._watched_s = np.where(sees, self._watched_s + look.seconds, self._watched_s)
        weight = np.where(learns, look.seconds / np.clip(self._watched_s, 60.0, LEARNED_S), 0.0)
        self.rate_per_s += weight * (flow / max(look.seconds, 1.0) - self.rate_per_s)

    def _surging(self) -> Mask:
        """The lanes of roads at which the sum says that more come than usual: nothing is learned of them."""
        raised = np.append(self.is_surge | (self.cusum > ALARM / 2), False)
        found: Mask = raised[self.groups.road_of_lane]
        return found

    def _learned(self, sees: Mask) -> Mask:
        """The roads of which all lanes are seen, and were for long enough."""
        unknown = self.groups.by_road((~sees | (self._watched_s < LEARNING_S)).astype(np.float64))
        found: Mask = unknown == 0.0
        return found

    def _closed_roads(self, sees: Mask, busy: Mask, passed: Numbers, seconds: float) -> None:
        groups = self.groups
        learned = self._learned(sees)
        is_busy = groups.by_road(busy.astype(np.float64)) > 0.0
        rate = groups.by_road(self.rate_per_s)
        flow = groups.by_road(passed)
        first = is_busy & (self.road_quiet_s > 0.0) & (self.road_quiet_s <= USUAL_UP_TO_S)
        self._road_usual = np.where(
            first, np.maximum(USUAL_FADES * self._road_usual, self.road_expected), self._road_usual
        )
        self.road_quiet_s = np.where(is_busy | ~learned, 0.0, self.road_quiet_s + seconds)
        self.road_expected = np.where(is_busy | ~learned, 0.0, self.road_expected + rate * seconds)
        beside, whose = self._upstream
        others = np.bincount(whose, weights=flow[beside], minlength=len(rate))
        usual = np.bincount(whose, weights=rate[beside], minlength=len(rate)) * self.road_quiet_s
        self._others = np.where(is_busy, 0.0, self._others + others)
        goes_on = self._others >= OTHERS * usual
        enough = self.road_expected >= np.maximum(EXPECTED, USUAL * self._road_usual)
        begins = enough & goes_on & (self.road_quiet_s >= QUIET_S) & (self._wanted_s <= WANTED_S)
        self.is_closed = (self.is_closed | begins) & ~is_busy

    def _surges(self, sees: Mask, came: Numbers, seconds: float) -> None:
        groups = self.groups
        learned = self._learned(sees)
        rate, flow = groups.by_road(self.rate_per_s), came
        more = np.maximum(TIMES * rate, rate + AT_LEAST_PER_S)
        base = np.maximum(rate, AT_LEAST_PER_S / 2)
        step = (flow * np.log(more / base) - (more - base) * seconds) / SPREAD
        self.cusum = np.where(learned, np.clip(self.cusum + step, 0.0, 2 * ALARM), 0.0)
        begins = (self.cusum > 0.0) & learned
        self.came = np.where(begins, self.came + flow, 0.0)
        self.usually = np.where(begins, self.usually + rate * seconds, 0.0)
        self._calm_s = np.where(self.cusum <= 0.0, self._calm_s + seconds, 0.0)
        self.surge_s = np.where(self.is_surge, self.surge_s + seconds, 0.0)
        over = (self._calm_s >= CALM_S) | (self.surge_s >= SURGE_MAX_S)
        self.cusum = np.where(self.is_surge & over, 0.0, self.cusum)
        self.is_surge = (self.is_surge | (self.cusum >= ALARM)) & ~over


def _upstream(streets: Streets, groups: Groups) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a road and one that leaves the same junction upstream of it, as numbers: (other, road)."""
    begins: dict[object, list[int]] = {}
    for at, road in enumerate(groups.roads):
        begins.setdefault(road.attributes.get("fromJunction"), []).append(at)
    pairs = [(other, at) for same in begins.values() for at in same for other in same if other != at]
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
