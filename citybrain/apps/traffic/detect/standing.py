# SPDX-License-Identifier: Apache-2.0
"""Vehicles that stand for no reason: the road before them is free, their light is green, or the box should be empty.

Looks for, at every detector that shows places: whoever stands although nobody stands closer before it than `ROOM_M`
(away from the stop line), under a green that crosses nobody (at the stop line), in an exit whose other end is free, or
in the junction box. A queue has no such vehicle: its first one stands at the line under red.
Thresholds are ours, chosen on injected breakdowns (docs/reference/incident-detection.md) with these bounds: bus stops
of 20 to 30 s, start-up lost time of 2 s and 4 s headways of permissive green (HCM 6, chapter 19), reds below 90 s.
"""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.detect.streets import CREEPING_MPS, Streets
from citybrain.apps.traffic.detect.symptoms import Look, Mask
from citybrain.apps.traffic.index import Numbers

ROOM_M = 12.0
"""Free road before a standing vehicle: one more would fit in, so it does not stand in a queue (7.5 m each)."""

LINE_M = 12.0
"""So near to the stop line the light decides whether one stands."""

FROM_S = 12.0
"""Waiting time from which one is looked at, and its end remembered as what is usual there."""

LASTS_S = 5.0
"""Seconds for which it must hold: whoever starts up opens a gap before the next one moves."""

GONE_S = 12.0
"""Seconds without it, after which it is over."""

SAME_M = 6.0
"""Within so many metres it is the same one: the noise of a radar."""

USUAL_UP_TO_S = 150.0
"""Whoever stood for longer than this had no usual reason."""

USUAL = 1.4
"""One must stand so many times longer than others do at this very place: at some one waits to change the lane."""

USUAL_FADES = 0.8
"""What is usual fades by this with each one who stood there for a shorter time."""

BUCKET_M = 10.0


class Where(StrEnum):
    """Which of the rules it is."""

    OPEN_ROAD = "open_road"
    YIELD = "yield"
    STOP_LINE = "stop_line"
    EXIT_END = "exit_end"
    BOX = "box"


# How long one must stand by each rule. Seconds are of standing; at the stop line those of green that crosses nobody.
# 35 s: longer than a bus stops. 150 s: where there is no signal one waits for a gap, 50 s in the mean where it has
# failed (HCM 6, chapter 20). 15 s of green: start-up takes 2 s. 45 s: the lane beyond shows no queue. 75 s in the box:
# until the stage ends and the exit is clear.
NEEDED_S = {
    Where.OPEN_ROAD: 35.0,
    Where.YIELD: 150.0,
    Where.STOP_LINE: 15.0,
    Where.EXIT_END: 45.0,
    Where.BOX: 75.0,
}

GIVING_WAY = (Where.OPEN_ROAD, Where.EXIT_END)

STUCK_S = 8.0
"""Of green: start-up takes 2 s, and the slow ones 5 s."""

PERMISSIVE = 1 / 6
"""A second of green that must give way counts as this part of one that need not."""

UNSEEN = 0.45
"""A second at the far end of an exit where nothing shows what is beyond: 100 s, longer than a red."""

WHERES = tuple(Where)
NOWHERE = -1
_AT = {where: number for number, where in enumerate(WHERES)}


class Spot(msgspec.Struct, kw_only=True):
    """Where one stands: the detector, the distance as it sees it, since when it is looked at, and how it is.

    `counts_s` are the seconds that its rule counts.
    """

    place: int
    distance_m: float
    share: float
    where: Where
    seen_s: float
    waiting_s: float = 0.0
    counts_s: float = 0.0
    held_s: float = 0.0
    behind: int = 0
    is_told: bool = False

    @property
    def bucket(self) -> tuple[int, Where, int]:
        """What it shares with others who stand there."""
        return self.place, self.where, int(self.distance_m // BUCKET_M)


class Standing:
    """Remembers who stands without a reason. `spots` are those of now, by detector; `is_told` once it lasted."""

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        size = len(streets.places.entities)
        self._green_s, self._head_s = np.zeros((2, size))
        self._usual_s: dict[tuple[int, Where, int], float] = {}
        self.spots: dict[int, list[Spot]] = {}

    @property
    def stuck(self) -> Mask:
        """The approaches whose first does not go under green."""
        found: Mask = self._green_s >= STUCK_S
        return found

    def watch(self, look: Look, blind: Mask, now_s: float) -> None:
        """Take in one second."""
        rows = Rows(look, self._streets)
        self._at_line(look, rows)
        where, counts_s = self._where(look, rows, blind)
        for row in (where >= 0).nonzero()[0].tolist():
            spot = self._meet(look, row, WHERES[int(where[row])], now_s)
            spot.counts_s = float(counts_s[row])
            spot.behind = max(spot.behind, rows.behind(row))
            needed_s = max(NEEDED_S[spot.where], USUAL * self._usual_s.get(spot.bucket, 0.0))
            spot.is_told = spot.is_told or (spot.counts_s >= needed_s and spot.held_s >= LASTS_S)
        self._forget(now_s)

    def _at_line(self, look: Look, rows: "Rows") -> None:
        """Green seconds that the first of each lane has stood through."""
        waits_s = np.zeros(look.size)
        waits_s[look.detector[rows.is_head]] = look.table[rows.is_head, 2]
        same = (waits_s > 0.0) & (waits_s >= self._head_s)
        self._head_s = waits_s
        lamps = self._streets.lamps
        counts = (lamps.is_free + PERMISSIVE * lamps.is_permissive) * ~self._streets.blocked(look)
        self._green_s = np.where(same, self._green_s + counts * look.seconds, 0.0)

    def _where(self, look: Look, rows: "Rows", blind: Mask) -> tuple[NDArray[np.int64], Numbers]:
        """Per track the number of the rule that it breaks (`NOWHERE` for most), and the seconds that count."""
        distance_m, waiting_s, detector = look.table[:, 0], look.table[:, 2], look.detector
        where = np.full(len(distance_m), NOWHERE, dtype=np.int64)
        looked = (waiting_s >= FROM_S) & ~blind[detector]
        if not looked.any():
            return where, waiting_s
        streets = self._streets
        approach = streets.is_approach[detector]
        on_road = looked & (distance_m >= 0.0)
        room = on_road & (rows.room_m >= ROOM_M) & (~approach | (distance_m > LINE_M))
        where[room] = _AT[Where.OPEN_ROAD]
        green_s = self._green_s[detector]
        at_line = on_road & approach & rows.is_head & (green_s > 2.0)
        where[at_line] = _AT[Where.STOP_LINE]
        beyond = streets.beyond(look)[detector]
        at_end = on_road & ~approach & rows.is_last & (rows.room_m < ROOM_M) & (beyond <= 0.0)
        where[at_end] = _AT[Where.EXIT_END]
        where[looked & approach & (distance_m < 0.0)] = _AT[Where.BOX]
        counts_s = np.where(at_line, green_s, np.where(at_end & (beyond < 0.0), UNSEEN * waiting_s, waiting_s))
        return where, counts_s

    def _meet(self, look: Look, row: int, where: Where, now_s: float) -> Spot:
        """The spot of a track, one second older, or a new one."""
        place = int(look.detector[row])
        distance_m, _, waiting_s, share = look.table[row].tolist()
        spots = self.spots.setdefault(place, [])
        spot = min(spots, key=lambda one: abs(one.distance_m - distance_m), default=None)
        if spot is None or abs(spot.distance_m - distance_m) > SAME_M or waiting_s < spot.waiting_s:
            if self._may_wait(where, place, distance_m, share):
                where = Where.YIELD
            spot = Spot(place=place, distance_m=distance_m, share=share, where=where, seen_s=now_s)
            spots.append(spot)
        elif now_s > spot.seen_s:
            spot.held_s += look.seconds
        spot.seen_s, spot.waiting_s = now_s, waiting_s
        return spot

    def _may_wait(self, where: Where, place: int, distance_m: float, share: float) -> bool:
        """Whether one may stand there until others let him go on."""
        if where is Where.STOP_LINE:
            return bool(self._streets.is_short[place])
        return where in GIVING_WAY and self._streets.yields(place, distance_m, share)

    def _forget(self, now_s: float) -> None:
        """Those who have gone; how long they stood is usual there."""
        for place, spots in list(self.spots.items()):
            kept = [spot for spot in spots if now_s - spot.seen_s <= GONE_S]
            if len(kept) == len(spots):
                continue
            for spot in spots:
                if now_s - spot.seen_s > GONE_S and spot.waiting_s <= USUAL_UP_TO_S:
                    usual_s = USUAL_FADES * self._usual_s.get(spot.bucket, 0.0)
                    self._usual_s[spot.bucket] = max(usual_s, spot.counts_s)
            if kept:
                self.spots[place] = kept
            else:
                del self.spots[place]


class Rows:
    """Of each track: the room before it, and whether it is the first at the line or the last in an exit."""

    def __init__(self, look: Look, streets: Streets) -> None:
        distance_m, detector = look.table[:, 0], look.detector
        self._distance_m, self._detector, self._waiting_s = distance_m, detector, look.table[:, 2]
        approach = streets.is_approach[detector]
        self._approach = approach
        first = np.ones(len(distance_m), dtype=np.bool_)
        first[1:] = detector[1:] != detector[:-1]
        last = np.ones(len(distance_m), dtype=np.bool_)
        last[:-1] = first[1:]
        step_m = np.diff(distance_m, prepend=0.0)
        to_line_m = np.where(first, distance_m, step_m)
        onward_m = np.append(step_m[1:], 0.0)
        to_end_m = np.where(last, streets.coverage_m[detector] - distance_m, onward_m)
        self.room_m: Numbers = np.where(approach, to_line_m, to_end_m)
        # The first at the line is the nearest that is not in the box, where nobody creeps in the box before it.
        speed_mps = look.table[:, 1]
        in_box = np.append(False, (distance_m < 0.0)[:-1]) & ~first
        crept = np.append(False, (speed_mps < CREEPING_MPS)[:-1])
        nearest = first | (in_box & ~crept)
        self.is_head: Mask = approach & (distance_m >= 0.0) & (distance_m <= LINE_M) & nearest
        self.is_last: Mask = ~approach & last

    def behind(self, row: int) -> int:
        """How many stand close behind it."""
        step = 1 if self._approach[row] else -1
        count, at = 0, row
        while True:
            after = at + step
            if not 0 <= after < len(self._detector) or self._detector[after] != self._detector[row]:
                return count
            if abs(self._distance_m[after] - self._distance_m[at]) > 2 * ROOM_M or self._waiting_s[after] <= 0.0:
                return count
            count, at = count + 1, after
