# SPDX-License-Identifier: Apache-2.0
"""Lanes as they are used at present: closed, opened to more, or slower than built; and as built again, exactly."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import libsumo
import msgspec

from citybrain.doors.sumo.network import CAR
from citybrain.doors.sumo.ways import Turn

LET_IN = ("emergency", "authority")
"""Who may still use a closed lane."""


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for some lanes: that they be closed, opened to cars, or no faster than `limit_mps`."""

    lanes: tuple[str, ...]
    closed: bool = False
    opened: bool = False
    limit_mps: float | None = None


class Lanes:
    """The lanes of one net, and what was asked for each, by who asked: the strictest counts, until he takes it back."""

    def __init__(self, edges: Sequence[Any], memory: Mapping[str, Use]) -> None:
        self._of_road = {edge.getID(): [lane.getID() for lane in edge.getLanes()] for edge in edges}
        self._for_cars = {edge.getID(): [one.getID() for one in edge.getLanes() if one.allows(CAR)] for edge in edges}
        self._before: dict[str, dict[str, set[str]]] = {}
        self._built: dict[str, tuple[tuple[str, ...], float]] = {}
        self._asked: dict[str, Use] = {}
        for key, use in memory.items():
            self.ask(key, use)

    def memory(self) -> dict[str, Use]:
        """What was asked: SUMO's own state forgets it."""
        return self._asked

    def of(self, road: str) -> Sequence[str]:
        """All lanes of a road, from the right."""
        return self._of_road.get(road, [])

    def for_cars(self, road: str) -> Sequence[str]:
        """Those that cars may use as built, from the right."""
        return self._for_cars.get(road, [])

    def first_at(self, signal: str) -> str:
        """The lane for cars that a signal names first; empty where it has none."""
        found = (
            lane for lane in libsumo.trafficlight.getControlledLanes(signal) if lane in self.for_cars(road_of(lane))
        )
        return next(found, "")

    def kept(self, road: str, vclass: str) -> list[str]:
        """Lanes that lead on and were built for this class and not for cars: of buses, or to be opened when needed."""
        return [
            lane
            for lane in self.of(road)
            if lane not in self.for_cars(road)
            and vclass in libsumo.lane.getAllowed(lane)
            and libsumo.lane.getLinks(lane)
        ]

    def asked(self, key: str) -> Use | None:
        """What this key asks for at present."""
        return self._asked.get(key)

    def closed(self, road: str) -> set[str]:
        """The lanes of a road that are closed at present."""
        return {lane for use in self._asked.values() if use.closed for lane in use.lanes} & set(self.of(road))

    def lost_turns(self, road: str, lanes: Sequence[str]) -> list[Turn]:
        """The turns out of a road and into it that nobody could make if these lanes were closed too."""
        shut = self.closed(road) | set(lanes)
        left = [lane for lane in self.for_cars(road) if lane not in shut]
        out = {road_of(to) for lane in lanes for to in _onward(lane)} - {
            road_of(to) for one in left for to in _onward(one)
        }
        ways_in = self._ways_in().get(road, {})
        into = {before for before, reached in ways_in.items() if reached & shut and not reached & set(left)}
        return [*((road, after) for after in sorted(out)), *((before, road) for before in sorted(into))]

    def can_close(self, road: str, lanes: Sequence[str], made: Collection[Turn]) -> bool:
        """Whether these lanes may be closed: others are left, and no turn is lost that anybody makes.

        A vehicle whose route has a turn that no lane leads to ends the whole run in SUMO.
        """
        left = set(self.for_cars(road)) - self.closed(road) - set(lanes)
        return bool(left) and bool(lanes) and not set(self.lost_turns(road, lanes)) & set(made)

    def ask(self, key: str, use: Use) -> None:
        """Ask for something; what the same key asked for before is over."""
        before = self._asked.get(key)
        if before == use:
            return
        self._asked[key] = use
        self._show({*use.lanes, *(before.lanes if before else ())})

    def end(self, key: str) -> None:
        """Take back what was asked by this key."""
        use = self._asked.pop(key, None)
        if use is not None:
            self._show(use.lanes)

    def _show(self, lanes: Sequence[str] | set[str]) -> None:
        for lane in sorted(lanes):
            allowed, built_mps = self._as_built(lane)
            uses = [use for use in self._asked.values() if lane in use.lanes]
            if any(use.closed for use in uses):
                libsumo.lane.setAllowed(lane, LET_IN)
            elif any(use.opened for use in uses):
                libsumo.lane.setAllowed(lane, tuple(sorted({*allowed, CAR, "delivery", "truck", *LET_IN})))
            else:
                libsumo.lane.setAllowed(lane, allowed)
            limits = [use.limit_mps for use in uses if use.limit_mps is not None]
            libsumo.lane.setMaxSpeed(lane, min([built_mps, *limits]))

    def _ways_in(self) -> Mapping[str, Mapping[str, set[str]]]:
        """For each road, the lanes of it that each road before leads to. Read when first needed."""
        if not self._before:
            for road, lanes in self._for_cars.items():
                for to in (to for lane in lanes for to in _onward(lane)):
                    self._before.setdefault(road_of(to), {}).setdefault(road, set()).add(to)
        return self._before

    def _as_built(self, lane: str) -> tuple[tuple[str, ...], float]:
        if lane not in self._built:
            self._built[lane] = (tuple(libsumo.lane.getAllowed(lane)), float(libsumo.lane.getMaxSpeed(lane)))
        return self._built[lane]


def road_of(lane: str) -> str:
    """The road of a lane."""
    return lane.rpartition("_")[0]


def _onward(lane: str) -> list[str]:
    return [link[0] for link in libsumo.lane.getLinks(lane)]
