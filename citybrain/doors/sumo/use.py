# SPDX-License-Identifier: Apache-2.0
"""How the street is used at present: which lanes are open, what is driven around, and what may be closed at all."""

from collections.abc import Mapping, Sequence
from typing import Any

from citybrain.doors.sumo.configuration import Configuration
from citybrain.doors.sumo.demand import Traffic, traffic
from citybrain.doors.sumo.detours import Avoidance, Detours
from citybrain.doors.sumo.gates import Gate, Gates
from citybrain.doors.sumo.lanes import Lanes, Use
from citybrain.doors.sumo.ways import Turn, Ways


class StreetUse:
    """The lanes, ways and detours of one net, shared by what goes wrong and by what is ordered."""

    def __init__(
        self,
        roads: Sequence[Any],
        configuration: Configuration,
        lanes: Mapping[str, Use],
        detours: Mapping[str, Avoidance],
        gates: Mapping[str, Gate],
    ) -> None:
        self.ways = Ways(roads)
        self.lanes = Lanes(roads, lanes)
        self.detours = Detours(self.ways, detours)
        self.gates = Gates(gates)
        self._configuration = configuration
        self._traffic: Traffic | None = None

    def step(self, now_s: float) -> None:
        """Once per second, after the orders: those who set out hear of what is to be avoided, gates open and shut."""
        self.detours.listen()
        self.gates.step(now_s)

    def traffic(self) -> Traffic:
        """How many drive where, from the files of the city: they are read when somebody first asks."""
        if self._traffic is None:
            self._traffic = traffic(self._configuration)
        return self._traffic

    def turns(self) -> frozenset[Turn]:
        """The turns that anybody makes."""
        return self.traffic().turns

    def end(self, key: str) -> None:
        """Take back all that a key asked for."""
        self.lanes.end(key)
        self.lanes.end(f"{key}:other")
        self.detours.end(key)
        self.gates.end(key)
