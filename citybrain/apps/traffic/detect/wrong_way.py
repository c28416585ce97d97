# SPDX-License-Identifier: Apache-2.0
"""Vehicles that drive against the direction of their road, by the places that floating cars report.

Looks at how far a floating car came between reports: two moves in a row, each longer than the errors of both places
together could feign (30 m at least), against a road that is near both ends, while no road near either end goes
anything like that way. So where both directions of a street lie closer than places are sure, nothing is told: that
vehicle may be on the other side. Ambulances, police and whoever else reports as a fleet are not looked at. Evidence:
the place on the road, how far and for how long it has driven so, how many reports, and how sure they are.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from math import cos, hypot, radians

import msgspec

from citybrain.apps.traffic.detect.carriageways import ALONG, SURE, Carriageways, Point
from citybrain.apps.traffic.detect.ledger import Ledger, Said
from citybrain.apps.traffic.detect.stops import point_on
from citybrain.kernel.merging import Merge, Near
from citybrain.kernel.records import Batch, Entity, Event, Severity
from citybrain.kernel.routing import ROAD

WRONG_WAY = "traffic.wrong_way"
FLOATING_CARS = "floatingCars"
"""Tables of number, longitude, latitude and accuracy in m (standard deviation) of each car that reported."""
VEHICLE = "Vehicle"
"""What doors bring in as one thing each, with its place; the Smart Data Model of that name."""

SENSES = {VEHICLE: ("speed", "heading")}
"""Numbers that vehicles say beside their place: a change of those alone is no news here."""

LEAST_M = 30.0
"""At least; and more than both places together can be wrong."""

MOVES = 2
"""One move may be a short cut that no map has."""

MOST_GAP_S = 15.0
"""In a longer gap somebody can have driven round a block and come up behind himself."""

REST_S = 60.0
"""A car that has not come on by then begins anew: it stood, and what it does now is another thing."""

FORGOTTEN_S = 60.0
"""Of whom nothing is known for so long is not known to drive so any more."""

AGAINST = cos(radians(148.0))
"""Against a road is within 32 degrees of its opposite."""

FAST_KMH = 80.0
FAR_M = 300.0
"""Whoever comes towards others at such speeds, or has come so far, is the worst there is. Our convention."""

ACCURACY_M = 5.0
"""Of places that do not say: open sky, GPS Standard Positioning Service Performance Standard 2020 (95 % in 8 m)."""

SAME = Merge(cause=WRONG_WAY, signs=(WRONG_WAY,), within=timedelta(minutes=2), near=Near.ROAD)
"""Who follows somebody the wrong way was misled by the same thing."""


class Report(msgspec.Struct, frozen=True):
    """Where a car was, in metres, how sure that is, and when."""

    at: Point
    accuracy_m: float
    time_s: float


class Way(StrEnum):
    """What is known of a move that is not against a road."""

    RIGHT = "right"
    OPEN = "open"


class Against(msgspec.Struct, frozen=True):
    """A move against roads: where it ended on which road, and how far it went."""

    road: int
    offset_m: float
    metres: float


class Car(msgspec.Struct):
    """What is remembered of a floating car. `anchor` is where its move began; `moves` are those against roads in a run,
    the last of which was over at `sure_s`."""

    anchor: Report
    last: Report
    reports: int = 1
    moves: int = 0
    metres: float = 0.0
    began_s: float = 0.0
    sure_s: float = 0.0
    road: int = -1
    offset_m: float = 0.0


class WrongWay:
    """One event for each floating car that drives against its road, told again on each road that it comes to."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._map = Carriageways([one for one in entities if one.type == ROAD])
        self._cars: dict[str, Car] = {}
        self._met: list[Entity] = []
        self._ledger = Ledger()

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> None:
        """Vehicles that say where they are, each as a thing of its own."""
        self._met += [one for one in entities if one.type == VEHICLE]

    def __call__(self, batch: Batch) -> list[Event]:
        """What ended, changed or is new."""
        now_s = batch.observed_at.timestamp()
        for car, report in self._reports(batch, now_s):
            self._take(car, report)
        self._cars = {name: car for name, car in self._cars.items() if now_s - car.last.time_s <= FORGOTTEN_S}
        driving = {name: car for name, car in self._cars.items() if car.moves >= MOVES}
        return self._ledger.tell({name: self._said(car, batch) for name, car in driving.items()}, batch)

    def _reports(self, batch: Batch, now_s: float) -> Iterator[tuple[str, Report]]:
        for column in batch.columns:
            if column.attribute == FLOATING_CARS:
                for table in column.values:
                    for number, lon, lat, accuracy_m in table.tolist() if table is not None else ():
                        yield str(int(number)), Report(self._map.plane(lon, lat), accuracy_m, now_s)
        met, self._met = self._met, []
        for one in met:
            if (one.geometry or {}).get("type") == "Point":
                lon, lat = one.geometry["coordinates"][:2]
                accuracy_m = float(one.attributes.get("accuracy") or ACCURACY_M)
                yield one.id, Report(self._map.plane(lon, lat), accuracy_m, now_s)

    def _take(self, name: str, report: Report) -> None:
        car = self._cars.get(name)
        if car is None or report.time_s - car.last.time_s > MOST_GAP_S:
            self._cars[name] = Car(anchor=report, last=report)
            return
        car.last = report
        car.reports += 1
        if _metres(car.anchor, report) <= max(LEAST_M, SURE * (car.anchor.accuracy_m + report.accuracy_m)):
            if report.time_s - car.anchor.time_s > REST_S:
                car.anchor = report
            return
        judged = self.judged(car.anchor, report)
        if isinstance(judged, Against):
            car.began_s = car.anchor.time_s if car.moves == 0 else car.began_s
            car.moves += 1
            car.metres += judged.metres
            car.road, car.offset_m, car.sure_s = judged.road, judged.offset_m, report.time_s
        elif judged is Way.RIGHT or report.time_s - car.sure_s > FORGOTTEN_S:
            car.moves, car.metres, car.reports = 0, 0.0, 1
        car.anchor = report

    def judged(self, before: Report, after: Report) -> Against | Way:
        """Whether a move can only be one against a road. It is right where roads at both ends explain it, and open
        where one does, as at a junction, or none is near."""
        metres = _metres(before, after)
        move = ((after.at[0] - before.at[0]) / metres, (after.at[1] - before.at[1]) / metres)
        ends = [self._map.near(each.at, each.accuracy_m) for each in (before, after)]
        explained = [any(piece.along(move) > ALONG for piece, _ in end) for end in ends]
        if any(explained):
            return Way.RIGHT if all(explained) else Way.OPEN
        began, ended = ([each for each in end if each[0].along(move) <= AGAINST] for end in ends)
        for piece, offset_m in ended:
            for earlier, earlier_m in began:
                backwards = earlier_m - offset_m
                same = piece.road == earlier.road and backwards > 0.0
                if same or (piece.road != earlier.road and self._map.leads(piece.road, earlier.road)):
                    return Against(piece.road, offset_m, metres)
        return Way.OPEN

    def _said(self, car: Car, batch: Batch) -> Said:
        road = self._map.roads[car.road]
        limit_kmh = float(road.attributes.get("maximumAllowedSpeed") or 0.0)
        is_worst = limit_kmh >= FAST_KMH or car.metres >= FAR_M
        since = datetime.fromtimestamp(car.began_s, batch.observed_at.tzinfo)
        seconds = round((batch.observed_at - since).total_seconds())
        return Said(
            kind=WRONG_WAY,
            entity_id=road.id,
            code="traffic.drives_wrong_way",
            over="traffic.wrong_way_over",
            severity=Severity.I if is_worst else Severity.II,
            since=since,
            facts={"metres": round(car.metres), "seconds": seconds},
            entity_ids=(road.id,),
            state=(road.id,),
            geometry=point_on(road.geometry, self._map.share(car.road, car.offset_m)),
            evidence={
                "place": {"road": road.id, "lane": "", "offset_m": round(car.offset_m, 1)},
                "metres": round(car.metres),
                "reports": car.reports,
                "accuracy_m": round(car.last.accuracy_m, 1),
            },
        )


def _metres(one: Report, other: Report) -> float:
    return hypot(other.at[0] - one.at[0], other.at[1] - one.at[1])
