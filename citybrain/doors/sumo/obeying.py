# SPDX-License-Identifier: Apache-2.0
"""Who carries out which order in the simulated street: cabinets, the fleet, those who close roads, and buses."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from citybrain.doors.sumo import fleet, streets, transit
from citybrain.doors.sumo.crews import Crews, Work
from citybrain.doors.sumo.fleet import Fleet
from citybrain.doors.sumo.incidents import Incidents
from citybrain.doors.sumo.signals import MEANS as OF_SIGNALS
from citybrain.doors.sumo.signals import Cabinets
from citybrain.doors.sumo.streets import StreetOrders
from citybrain.doors.sumo.transit import Transit
from citybrain.doors.sumo.use import StreetUse
from citybrain.kernel.records import Json, Order, Outcome

MEANS = (*OF_SIGNALS, *fleet.MEANS, *streets.MEANS, *transit.MEANS)


class Obeying:
    """All who carry out orders in one street, and the crews that are at work."""

    def __init__(
        self, cabinets: Cabinets, sent: Fleet, use: StreetUse, incidents: Incidents, crews: Mapping[str, Work]
    ) -> None:
        self._cabinets = cabinets
        self._fleet = sent
        self._streets = StreetOrders(use, sent)
        self._transit = Transit(use, sent)
        self._crews = Crews(sent, incidents, use.ways, crews)

    def obey(
        self, orders: Sequence[Order], now_s: float, at: datetime, on_road: Collection[str]
    ) -> tuple[Outcome, ...]:
        """What came of each order. `on_road`: all vehicles there."""
        return tuple(self._one(order, now_s, at, on_road) for order in orders)

    def step(self, now_s: float) -> None:
        """Let the crews go on."""
        self._crews.step(now_s)

    def reports(self, now_s: float) -> tuple[Json, ...]:
        """What crews say of the orders that sent them."""
        return self._crews.reports(now_s)

    def memory(self) -> dict[str, Work]:
        """Who is at work."""
        return self._crews.memory()

    def _one(self, order: Order, now_s: float, at: datetime, on_road: Collection[str]) -> Outcome:
        if order.means in fleet.MEANS:
            return self._fleet.obey(order, at)
        if order.means in streets.MEANS or order.means in streets.PLAYED:
            return self._streets.obey(order, at, on_road)
        if order.means in transit.MEANS:
            return self._transit.obey(order, at)
        return self._cabinets.obey(order, now_s, at)
