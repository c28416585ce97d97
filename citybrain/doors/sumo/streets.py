# SPDX-License-Identifier: Apache-2.0
"""What may be ordered of a road: closing, limiting, banning, opening, metering, driving around; and taking it back."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import libsumo

from citybrain.doors.sumo.detours import Avoidance
from citybrain.doors.sumo.fleet import Fleet
from citybrain.doors.sumo.lanes import Use, road_of
from citybrain.doors.sumo.network import KMH_PER_MPS, entity_id
from citybrain.doors.sumo.use import StreetUse
from citybrain.kernel.records import Facts, Order, Outcome, OutcomeState

CLOSE_LANE = "street.close_lane"
CLOSE_ROAD = "street.close_road"
REOPEN = "street.reopen"
SPEED_LIMIT = "street.speed_limit"
TURN_BAN = "street.turn_ban"
REVERSE_LANE = "street.reverse_lane"
OPEN_BUS_LANE = "street.open_bus_lane"
DIVERT = "street.divert"
GATE = "street.gate"
CLEAR_OBSTACLE = "street.clear_obstacle"
PARKING_GUIDE = "parking.guide"

FOLLOW: Mapping[str, float] = {DIVERT: 0.3, PARKING_GUIDE: 0.5}
"""Share of the drivers concerned who do as they are told where an order does not say: assumptions of the simulation."""

SLOWEST_KMH, FASTEST_KMH = 5.0, 130.0

SATURATION_PER_S = 0.5
"""What a lane can let through: 1,800 vehicles per hour."""

LEAST_GATE = 0.05

CREWS = ("tow", "police", "maintenance", "signal_repair")

PLAYED: Mapping[str, str] = {
    "people.send_tow": "tow",
    "people.send_police": "police",
    "people.send_traffic_police": "police",
    "people.send_road_maintenance": "maintenance",
    "people.send_signal_repair": "signal_repair",
}
"""Whom people send, and the crew that drives there in the simulated street."""

MEANS = (
    CLOSE_LANE,
    CLOSE_ROAD,
    REOPEN,
    SPEED_LIMIT,
    TURN_BAN,
    REVERSE_LANE,
    OPEN_BUS_LANE,
    DIVERT,
    GATE,
    CLEAR_OBSTACLE,
    PARKING_GUIDE,
)

Refused = tuple[str, Facts] | None


class StreetOrders:
    """Carries out orders for roads. What one means asks for a road stands until it is taken back, or asked anew."""

    def __init__(self, use: StreetUse, fleet: Fleet) -> None:
        self._use = use
        self._fleet = fleet
        self._road_of = {entity_id("RoadSegment", road): road for road in use.ways.onward}
        self._road_at = {entity_id("TrafficSignalController", signal): road for signal, road in _approaches(use)}
        self._means: dict[str, Callable[[Order, str, Collection[str]], Refused]] = {
            CLOSE_LANE: self._close_lane,
            CLOSE_ROAD: self._close_road,
            REOPEN: self._reopen,
            SPEED_LIMIT: self._limit,
            TURN_BAN: self._ban_turn,
            REVERSE_LANE: self._reverse,
            OPEN_BUS_LANE: self._open_bus_lane,
            DIVERT: self._divert,
            GATE: self._gate,
            CLEAR_OBSTACLE: self._clear,
            PARKING_GUIDE: self._guide,
            **dict.fromkeys(PLAYED, self._clear),
        }

    def obey(self, order: Order, at: datetime, vehicles: Collection[str]) -> Outcome:
        """Carry out one order; `vehicles` are all on the road."""
        road = self._road_of.get(order.entity_id)
        if road is None and order.means in PLAYED:
            road = self._road_at.get(order.entity_id)
        if road is None:
            refused: Refused = ("sumo.no_such_road", {"road": order.entity_id})
        else:
            refused = self._means[order.means](order, road, vehicles)
        if refused is None:
            return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)
        code, facts = refused
        return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code=code, facts=facts)

    def _close_lane(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        lanes = self._use.lanes.for_cars(road)
        first, number = _whole(order, "lane_index", 0), _whole(order, "lanes", 1)
        # Counted as the entities of lanes are (`RoadLane.number`), those for buses too.
        counted = self._use.lanes.of(road)[first : first + number] if first >= 0 else ()
        chosen = tuple(lane for lane in counted if lane in lanes)
        if not chosen or number < 1:
            return "sumo.no_such_lane", {"lane": str(order.parameters.get("lane_index")), "lanes": len(lanes)}
        wanted = Use(lanes=chosen, closed=True)
        if self._use.lanes.asked(_key(order)) == wanted:
            return None
        self._use.end(_key(order))
        if not set(lanes) - self._use.lanes.closed(road) - set(chosen):
            return "sumo.all_lanes", {}
        lost = self._use.lanes.lost_turns(road, chosen)
        needed = [turn for turn in lost if turn in self._use.turns()]
        if needed:
            return "sumo.lane_is_needed", {"to": entity_id("RoadSegment", needed[0][1])}
        self._use.lanes.ask(_key(order), wanted)
        self._avoid(order, Avoidance(turns=tuple(lost)), vehicles)
        return None

    def _close_road(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        self._avoid(order, Avoidance(roads=(road,)), vehicles)
        return None

    def _reopen(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        what = str(order.parameters.get("what", "") or "")
        if what and what not in self._means:
            return "sumo.no_such_means_of_road", {"means": what}
        for means in [what] if what else self._means:
            self._use.end(f"{means}:{order.entity_id}")
        return None

    def _limit(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        kmh = _number(order, "kmh", 0.0)
        if not SLOWEST_KMH <= kmh <= FASTEST_KMH:
            return "sumo.speed_unfit", {"kmh": kmh, "least": SLOWEST_KMH, "most": FASTEST_KMH}
        self._ask(order, Use(lanes=tuple(self._use.lanes.of(road)), limit_mps=kmh / KMH_PER_MPS))
        return None

    def _ban_turn(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        after = self._road_of.get(str(order.parameters.get("to", "")), "")
        if after not in self._use.ways.onward.get(road, ()):
            return "sumo.no_such_turn", {"to": str(order.parameters.get("to", ""))}
        if not any(self._use.ways.fastest(road, one, turns={(road, after)}) for one in self._onward(after)):
            return "sumo.no_other_way", {"to": entity_id("RoadSegment", after)}
        self._avoid(order, Avoidance(turns=((road, after),)), vehicles)
        return None

    def _reverse(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        """Open the lane that is kept for this direction, and close the innermost one of the other."""
        kept = self._use.lanes.kept(road, "authority")
        other = self._use.ways.opposite(road)
        theirs = self._use.lanes.for_cars(other)[-1:] if other else ()
        if not kept or not theirs:
            return "sumo.no_reversible_lane", {}
        if self._use.lanes.asked(_key(order)) is None:
            if not self._use.lanes.can_close(other, theirs, self._use.turns()):
                return "sumo.lane_is_needed", {"to": entity_id("RoadSegment", other)}
            lost = tuple(self._use.lanes.lost_turns(other, theirs))
            self._use.lanes.ask(f"{_key(order)}:other", Use(lanes=tuple(theirs), closed=True))
            self._ask(order, Use(lanes=tuple(kept), opened=True))
            self._avoid(order, Avoidance(turns=lost), vehicles)
        return None

    def _open_bus_lane(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        kept = self._use.lanes.kept(road, "bus")
        if not kept:
            return "sumo.no_bus_lane", {}
        self._ask(order, Use(lanes=tuple(kept), opened=True))
        return None

    def _divert(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        share = _number(order, "share", FOLLOW[order.means])
        if not 0.0 <= share <= 1.0:
            return "sumo.share_unfit", {"share": share}
        self._avoid(order, Avoidance(roads=(road,), share=share), vehicles)
        return None

    def _guide(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        share = _number(order, "share", FOLLOW[order.means])
        goal = self._road_of.get(str(order.parameters.get("to_road", "")))
        if not 0.0 <= share <= 1.0:
            return "sumo.share_unfit", {"share": share}
        if goal is None:
            return "sumo.no_such_road", {"road": str(order.parameters.get("to_road", ""))}
        self._avoid(order, Avoidance(instead=(road, goal), share=share), vehicles)
        return None

    def _gate(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        share = _number(order, "share", 1.0)
        if not LEAST_GATE <= share <= 1.0:
            return "sumo.share_unfit", {"share": share}
        self._use.gates.begin(_key(order), tuple(self._use.lanes.for_cars(road)), 1.0 / (share * SATURATION_PER_S))
        return None

    def _clear(self, order: Order, road: str, vehicles: Collection[str]) -> Refused:
        """Send a crew. Whether there is anything to clear it will see there; the centre is told nothing more."""
        crew = PLAYED.get(order.means) or str(order.parameters.get("crew", "") or "tow")
        if crew not in CREWS:
            return "sumo.no_such_kind", {"kind": crew}
        begin = str(order.parameters.get("from_road", "") or "")
        facts = {
            "kind": crew,
            "from_road": begin or entity_id("RoadSegment", self._use.ways.edge_nearest_to(road)),
            "to_road": entity_id("RoadSegment", road),
            "urgency": 2,
            "order": order.id,
        }
        return self._fleet.send(str(order.parameters.get("vehicle", "") or f"{crew}-{order.id}"), facts)

    def _onward(self, road: str) -> list[str]:
        """A road and those after it: where somebody who may not turn into it wants to go."""
        return [road, *self._use.ways.onward.get(road, ())]

    def _ask(self, order: Order, use: Use) -> None:
        self._use.lanes.ask(_key(order), use)

    def _avoid(self, order: Order, avoidance: Avoidance, vehicles: Collection[str]) -> None:
        if avoidance.roads or avoidance.turns or avoidance.instead:
            self._use.detours.begin(_key(order), avoidance, vehicles)


def _approaches(use: StreetUse) -> Iterator[tuple[str, str]]:
    """A road that leads to each signal: there whoever is sent to the signal drives."""
    for signal in libsumo.trafficlight.getIDList():
        lane = use.lanes.first_at(signal)
        if lane:
            yield signal, road_of(lane)


def _key(order: Order) -> str:
    return f"{order.means}:{order.entity_id}"


def _number(order: Order, name: str, default: float) -> float:
    given: Any = order.parameters.get(name, default)
    return float(given) if isinstance(given, int | float) else default


def _whole(order: Order, name: str, default: int) -> int:
    given: Any = order.parameters.get(name, default)
    return int(given) if isinstance(given, int | float) else default
