# SPDX-License-Identifier: Apache-2.0
"""What detectors of incidents know of the streets: which road a place is on, what it leads to, and what is green."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.detect.lamps import Lamps
from citybrain.apps.traffic.detect.persistence import Mask
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.index import Numbers, Places
from citybrain.apps.traffic.model import DETECTOR, RANK, SIGNAL
from citybrain.kernel.records import Batch, Entity
from citybrain.kernel.routing import LANE, ROAD, Whereabouts

NOT_FREE_M = 30.0
"""An exit is not free to drive into where somebody creeps within so many metres, or in the box before it."""

CREEPING_MPS = 5.0 / 3.6
END_M = 25.0
"""So far from the far end of its range a detector tells whether a queue goes on beyond it."""

UNKNOWN = -1.0

YIELD_M = 15.0
"""So near to the end of a lane without a signal, or behind a junction without one, one may stand to give way or until
others let him in."""

SORTING_M = 20.0
"""On a lane that is so short one may stand at the line until those beside it let him change."""

BOX_M = 30.0
"""Taken as the length of a way through a junction, which is no lane of ours."""

SLACK_M = 1.0


class Spotted(msgspec.Struct, frozen=True, kw_only=True):
    """A place on the network: the entity (a road, or the signal where the box is), lane and metres from its begin."""

    entity_id: str
    road: str | None
    lane: str
    offset_m: float
    lanes: int
    kerb: bool


class FreeGreens(Lamps):
    """Which approach lanes have a green that crosses nobody (`is_free`) or one that must give way."""

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        super().__init__(entities, places)
        self.is_free, self.is_permissive = np.zeros((2, len(places.entities)), dtype=np.bool_)

    def watch(self, states: Mapping[str, str]) -> None:
        """Note what each signal shows."""
        for place, ranks in self.changed(states):
            self.is_free[place] = min(ranks) == RANK["G"]
            self.is_permissive[place] = min(ranks) >= RANK["g"] and not self.is_free[place]


class Watched:
    """The stretches of one detector: lane, metres, sign and share, as `distance = metres + sign * offset`."""

    def __init__(self, detector: Entity, lanes: Mapping[str, Entity]) -> None:
        facts = detector.attributes
        sign = -1.0 if facts.get("role") == "approach" else 1.0
        own = [str(facts.get("lane")), float(facts.get("length_m", 0.0)) if sign < 0 else 0.0, sign, 1.0]
        self._cells: list[tuple[str, float, float, float, float]] = [
            (lane, metres, sign, share, float(lanes[lane].attributes["length"]) if lane in lanes else BOX_M)
            for lane, metres, sign, share in facts.get("watches") or [own]
        ]

    def at(self, distance_m: float, share: float) -> tuple[str, float]:
        """The lane, by the share where several are as far, and the metres from its begin."""
        found = [
            (abs(part - share), min(max(-offset_m, offset_m - length_m), 0.0) * -1.0, lane, offset_m)
            for lane, metres, sign, part, length_m in self._cells
            if -SLACK_M <= (offset_m := (distance_m - metres) * sign) <= length_m + SLACK_M
        ]
        if not found:
            return self._cells[0][0], 0.0
        _, _, lane, offset_m = min(found, key=lambda one: (one[0] > 0.05, one[1] > SLACK_M, one[2].startswith(":")))
        return lane, max(offset_m, 0.0)


class Streets:
    """The places of all detectors with the roads they are on. Made once."""

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        self.places = places
        self.lamps = FreeGreens(entities, places)
        facts = [one.attributes for one in places.entities]
        self.is_approach = np.array([one.get("role") == "approach" for one in facts], dtype=np.bool_)
        self.length_m = np.nan_to_num(places.facts("length_m"), nan=np.inf)
        self.is_short: Mask = self.length_m < SORTING_M
        self.coverage_m = np.nan_to_num(places.facts("coverage_m"), nan=np.inf)
        self._lane_of = {str(one.attributes.get("lane")): one for one in entities if one.type == LANE}
        self.roads = {one.id: one for one in entities if one.type == ROAD}
        self._whereabouts = Whereabouts(entities)
        self._watched = [Watched(one, self._lane_of) for one in places.entities]
        self._signalled = {str(one.get("lane")) for one in facts if one.get("role") == "approach"}
        self._beyond, self.ways = self._pairs(entities)

    def road_of(self, place: int) -> Entity | None:
        """The road on which a detector's lane lies."""
        return self._road_of_lane(str(self.places.entities[place].attributes.get("lane")))

    def _road_of_lane(self, lane: str) -> Entity | None:
        return self.roads.get(self._whereabouts.of_lane(lane) or "")

    def states(self, batch: Batch) -> None:
        """Take in what the signals show."""
        for column in batch.columns:
            if column.attribute == "signalState":
                self.lamps.watch(dict(zip(column.entity_ids, column.values, strict=True)))

    def blocked(self, look: Look) -> Mask:
        """The approaches one of whose exits is full, or not seen to be free."""
        distance_m, speed_mps = look.table[:, 0], look.table[:, 1]
        slow = ~self.is_approach[look.detector] & (distance_m <= NOT_FREE_M) & (speed_mps < CREEPING_MPS)
        full = np.bincount(look.detector[slow], minlength=look.size) > 0
        found = np.zeros(look.size, dtype=np.bool_)
        approaches, exits = self.ways
        found[approaches[full[exits]]] = True
        return found

    def beyond(self, look: Look) -> Numbers:
        """Per exit: 1 where a queue stands at the far end of the approach detector of the same lane, 0 where that end
        is free, `UNKNOWN` where there is no such detector."""
        distance_m = look.table[:, 0]
        ends = (distance_m > self.coverage_m[look.detector] - END_M) & (look.table[:, 1] < CREEPING_MPS)
        stands = np.bincount(look.detector[ends], minlength=look.size) > 0
        exits, approaches = self._beyond
        found = np.full(look.size, UNKNOWN)
        found[exits] = np.where(look.heard[approaches], stands[approaches], UNKNOWN)
        return found

    def spotted(self, place: int, distance_m: float, share: float = 1.0) -> Spotted:
        """Where on the network a distance of a detector is: on one of the lanes that it watches, or in a junction."""
        one = self.places.entities[place]
        controller = str(one.attributes.get("controller", one.id))
        name, offset_m = self._watched[place].at(distance_m, share)
        lane = self._lane_of.get(name)
        road = self._road_of_lane(name)
        if lane is None or road is None:
            return Spotted(entity_id=controller, road=None, lane=name, offset_m=round(offset_m, 1), lanes=0, kerb=False)
        lanes = int(road.attributes.get("totalLaneNumber", 1))
        return Spotted(
            entity_id=road.id,
            road=road.id,
            lane=name,
            offset_m=round(offset_m, 1),
            lanes=lanes,
            kerb=lanes > 1 and int(lane.attributes.get("number", 0)) == 0,
        )

    def yields(self, place: int, distance_m: float, share: float = 1.0) -> bool:
        """Whether one who stands there may have to give way: near the end of a lane that has no signal, or between."""
        name, offset_m = self._watched[place].at(distance_m, share)
        lane = self._lane_of.get(name)
        if lane is None:
            return True
        if offset_m < YIELD_M and name != self.places.entities[place].attributes.get("lane"):
            return True
        return name not in self._signalled and offset_m > float(lane.attributes["length"]) - YIELD_M

    def _pairs(
        self, entities: Sequence[Entity]
    ) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Exits with the approach detector of the same lane; and approaches with each of their exits."""
        by_lane: dict[tuple[str, str], int] = {}
        place_of: dict[tuple[str, str, str], int] = {}
        for place, one in enumerate(self.places.entities):
            role, lane = str(one.attributes.get("role")), str(one.attributes.get("lane"))
            by_lane.setdefault((role, lane), place)
            place_of[str(one.attributes.get("controller")), role, lane] = place
        same = [
            (place, by_lane["approach", lane])
            for place, one in enumerate(self.places.entities)
            if not self.is_approach[place] and ("approach", lane := str(one.attributes.get("lane"))) in by_lane
        ]
        ways = [
            (place_of[one.id, "approach", link["approach"]], place_of[one.id, "exit", link["exit"]])
            for one in entities
            if one.type == SIGNAL
            for link in one.attributes.get("links") or ()
            if (one.id, "approach", link["approach"]) in place_of and (one.id, "exit", link["exit"]) in place_of
        ]
        return _columns(same), _columns(ways)


def _columns(pairs: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def places_of(entities: Sequence[Entity]) -> Places:
    """All detectors."""
    return Places(entities, DETECTOR)
