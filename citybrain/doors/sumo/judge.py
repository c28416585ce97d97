# SPDX-License-Identifier: Apache-2.0
"""The judge of a simulated city: what traffic lost, by RESCO's rule, while it runs and from the trips at the end."""

import xml.etree.ElementTree as ET
from collections.abc import Collection
from pathlib import Path

import libsumo
import msgspec

from citybrain.kernel.app import Score
from citybrain.kernel.records import Facts

SCORE_EVERY_S = 10

LOCKED_S = 300.0
"""Who stands for so long without a break, and not at a stop of its own, is locked in."""

TRIPS = "device.tripinfo.vehicleTripStatistics."


class Trips(msgspec.Struct, kw_only=True):
    """Sums over trips, in seconds. `due` counts each vehicle that was to depart, `departed` each that did."""

    due: int = 0
    departed: int = 0
    arrived: int = 0
    time_loss_s: float = 0.0
    depart_delay_s: float = 0.0
    duration_s: float = 0.0

    def add(self, other: "Trips") -> "Trips":
        """The sums of both."""
        names = self.__struct_fields__
        return Trips(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def figures(self) -> Facts:
        """The run's figures.

        `delay_s`: mean of timeLoss + departDelay over due trips, unfinished ones as far as they came and those that
        never entered with the time they waited (RESCO, Ault & Sharon, NeurIPS 2021; its own script counts only the
        latter that follow the last one to enter). `travel_time_s`: mean time since departure, unfinished included.
        `delay_index`: time spent over time at free flow.
        """
        free_s = self.duration_s - self.time_loss_s
        return {
            "delay_s": (self.time_loss_s + self.depart_delay_s) / self.due if self.due else 0.0,
            "travel_time_s": self.duration_s / self.departed if self.departed else 0.0,
            "delay_index": self.duration_s / free_s if free_s > 0 else 1.0,
            "due": self.due,
            "departed": self.departed,
            "arrived": self.arrived,
        }


def read_trips(path: Path) -> Trips:
    """Add up a tripinfo file that was written with unfinished and undeparted trips."""
    trips = Trips()
    for _, element in ET.iterparse(path):
        if element.tag == "tripinfo":
            trips.due += 1
            trips.departed += float(element.get("depart", "-1")) >= 0
            trips.arrived += float(element.get("arrival", "-1")) >= 0
            trips.time_loss_s += float(element.get("timeLoss", "0"))
            trips.depart_delay_s += max(float(element.get("departDelay", "0")), 0.0)
            trips.duration_s += float(element.get("duration", "0"))
        element.clear()
    return trips


def arrived_trips() -> Trips:
    """Sums over the trips that arrived since SUMO started; a resumed SUMO starts from nothing."""
    count = int(_statistic("count"))
    return Trips(
        due=count,
        departed=count,
        arrived=count,
        time_loss_s=_statistic("timeLoss") * count,
        depart_delay_s=_statistic("totalDepartDelay"),
        duration_s=_statistic("totalTravelTime"),
    )


def score(running: Collection[str], earlier: Trips) -> Score:
    """What is lost so far; `earlier` are trips that arrived before the state this run was resumed from."""
    arrived = earlier.add(arrived_trips())
    vehicle = libsumo.vehicle
    waiting = libsumo.simulation.getPendingVehicles()
    return Score(
        due=arrived.arrived + len(running) + len(waiting),
        arrived=arrived.arrived,
        running=len(running),
        waiting=len(waiting),
        delay_arrived_s=arrived.time_loss_s + arrived.depart_delay_s,
        delay_running_s=sum(vehicle.getTimeLoss(one) + vehicle.getDepartDelay(one) for one in running),
        delay_waiting_s=sum(vehicle.getDepartDelay(one) for one in waiting),
        travel_time_arrived_s=arrived.duration_s,
    )


def locked_in(running: Collection[str]) -> int:
    """How many vehicles have not moved for `LOCKED_S` though they want to."""
    vehicle = libsumo.vehicle
    return sum(vehicle.getWaitingTime(one) >= LOCKED_S and not vehicle.isStopped(one) for one in running)


def _statistic(name: str) -> float:
    return float(libsumo.simulation.getParameter("", TRIPS + name))
