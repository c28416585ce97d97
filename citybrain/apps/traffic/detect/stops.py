# SPDX-License-Identifier: Apache-2.0
"""Blocked lanes, illegal parking and stopped vehicles as events: one for each road, or for each junction box.

Looks for vehicles that `standing.Standing` finds to stand without a reason. Evidence: the detectors, the place on the
network, which rule told, how long it stands, how many stand behind it, and how many lanes are blocked.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

import msgspec

from citybrain.apps.traffic.detect.ledger import Ledger, Said
from citybrain.apps.traffic.detect.standing import Spot, Where
from citybrain.apps.traffic.detect.streets import Spotted, Streets
from citybrain.kernel.records import Batch, Event, Json, Severity

BLOCKED_LANE = "traffic.blocked_lane"
ILLEGAL_PARKING = "traffic.illegal_parking"
STOPPED_VEHICLE = "traffic.stopped_vehicle"
OVER = "traffic.stop_over"

CODES = {
    Where.OPEN_ROAD: "traffic.stands_open_road",
    Where.YIELD: "traffic.stands_yield",
    Where.STOP_LINE: "traffic.stands_stop_line",
    Where.EXIT_END: "traffic.stands_exit_end",
    Where.BOX: "traffic.stands_box",
}

TOGETHER_M = 12.0
"""Two that stand so close, with nobody before them, may have hit each other."""

# The first row whose three limits are all reached: share of the road's lanes, vehicles behind, time. Our convention.
# fmt: off
SEVERITIES = (
    (Severity.II,  1.0,  10, timedelta(minutes=10)),
    (Severity.III, 1.0,   0, timedelta(0)),
    (Severity.III, 0.5,   5, timedelta(0)),
    (Severity.III, 0.0,   0, timedelta(minutes=10)),
    (Severity.IV,  0.0,   0, timedelta(0)),
)
# fmt: on


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """The stops on one road (or in one box) now."""

    at: Spotted
    spots: tuple[Spot, ...]
    lanes: tuple[str, ...]

    @property
    def behind(self) -> int:
        return max(spot.behind for spot in self.spots)

    @property
    def share(self) -> float:
        """Of the road's lanes, how many are blocked; 0 where it is not known."""
        return len(self.lanes) / self.at.lanes if self.at.lanes else 0.0


def severity(share: float, behind: int, lasted: timedelta) -> Severity:
    """By the share of lanes that are blocked, the queue behind, and time."""
    rows = (row[0] for row in SEVERITIES if share >= row[1] and behind >= row[2] and lasted >= row[3])
    return next(rows, Severity.IV)


def kind_of(stop: Stop) -> str:
    """Parking: at the kerb of a road with several lanes, away from the line, nobody behind. In a box it is
    a stopped vehicle; all else blocks its lane."""
    spot = stop.spots[0]
    if spot.where is Where.BOX or stop.at.road is None:
        return STOPPED_VEHICLE
    if stop.at.kerb and not stop.behind and spot.where is Where.OPEN_ROAD and len(stop.spots) == 1:
        return ILLEGAL_PARKING
    return BLOCKED_LANE


class Stops:
    """Makes the events of stops, one for each road or box."""

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        self._ledger = Ledger()

    def events(self, spots: Mapping[int, Sequence[Spot]], batch: Batch) -> list[Event]:
        """Stops that ended, changed or are new, from all spots that are told."""
        found = self._found([spot for each in spots.values() for spot in each if spot.is_told])
        return self._ledger.tell({road: self._said(road, stop, batch) for road, stop in found.items()}, batch)

    def _found(self, spots: Sequence[Spot]) -> dict[str, Stop]:
        """By road; the spot that stands for longest is the first."""
        by_road: dict[str, list[tuple[Spotted, Spot]]] = {}
        for spot in sorted(spots, key=lambda one: (-one.waiting_s, one.place)):
            at = self._streets.spotted(spot.place, spot.distance_m, spot.share)
            by_road.setdefault(at.entity_id, []).append((at, spot))
        return {
            road: Stop(
                at=pairs[0][0],
                spots=tuple(spot for _, spot in pairs),
                lanes=tuple(sorted({at.lane for at, _ in pairs})),
            )
            for road, pairs in by_road.items()
        }

    def _said(self, road: str, stop: Stop, batch: Batch) -> Said:
        since = self._ledger.since(road)
        since = since or batch.observed_at - timedelta(seconds=max(spot.waiting_s for spot in stop.spots))
        ids = tuple(dict.fromkeys(self._streets.places.entities[spot.place].id for spot in stop.spots))
        return Said(
            kind=kind_of(stop),
            entity_id=road,
            code=CODES[stop.spots[0].where],
            over=OVER,
            severity=severity(stop.share, stop.behind, batch.observed_at - since),
            since=since,
            facts={
                "behind": stop.behind,
                "lanes": len(stop.lanes),
                "seconds": round((batch.observed_at - since).total_seconds()),
            },
            entity_ids=tuple(dict.fromkeys((road, *ids))),
            state=stop.lanes,
            geometry=self._geometry(stop),
            evidence={
                "place": {"road": stop.at.road, "lane": stop.at.lane, "offset_m": stop.at.offset_m},
                "cause": "crash" if _together(stop.spots) else "unknown",
                "rule": str(stop.spots[0].where),
                "behind": stop.behind,
                "lanes": list(stop.lanes),
                "detectors": list(ids),
            },
        )

    def _geometry(self, stop: Stop) -> Json:
        """The place on the line of the road, by its share of the length; the detector's line where that is unknown."""
        road = self._streets.roads.get(stop.at.entity_id)
        return point_on(road.geometry, stop.at.offset_m / max(float(road.attributes["length"]), 1.0)) if road else None


def _together(spots: Sequence[Spot]) -> bool:
    return any(
        one is not other and one.place == other.place and abs(one.distance_m - other.distance_m) <= TOGETHER_M
        for one in spots
        for other in spots
    )


def point_on(line: Json, share: float) -> Json:
    """The point of a GeoJSON line at a share of it, by degrees: roads are short."""
    if not line or line.get("type") != "LineString" or len(line["coordinates"]) < 2:
        return line
    points = line["coordinates"]
    steps = [((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 for (x0, y0), (x1, y1) in pairwise(points)]
    left = min(max(share, 0.0), 1.0) * sum(steps)
    for step, (begin, end) in zip(steps, pairwise(points), strict=True):
        if left <= step and step > 0.0:
            part = left / step
            return {"type": "Point", "coordinates": [b + part * (e - b) for b, e in zip(begin, end, strict=True)]}
        left -= step
    return {"type": "Point", "coordinates": list(points[-1])}
