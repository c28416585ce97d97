# SPDX-License-Identifier: Apache-2.0
"""Where those are whom orders sent, as one text that the history keeps: screens that go back in time show them."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from citybrain.kernel.records import Json

SENT = "sentVehicles"
KEPT_EVERY = timedelta(seconds=3)
"""A vehicle with rights goes some 50 m in that time, the width of a mark on the map of a city."""


class Told:
    """What is told of each vehicle that an order sent: its reports, what its crew says, and where it was seen last."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, Json]] = {}

    def of(self, reports: Iterable[Any], crews: Iterable[Any], order_of: Mapping[str, str]) -> str | None:
        """A JSON list with one object for each, or None while nobody is out. `order_of` are the vehicles that orders
        sent, with the order where it sent a crew; of others, buses say, nothing is told."""
        said = {crew["vehicle"]: crew["state"] for crew in crews}
        out = {report["vehicle"]: report for report in reports if report["vehicle"] in order_of}
        # A crew works on after its vehicle has come to the end of its way, where nobody sees it any more.
        there = [*out, *(vehicle for vehicle in said if vehicle not in out and vehicle in self._last)]
        self._last = {vehicle: self._one(vehicle, out.get(vehicle), order_of) for vehicle in there}
        found = [{**self._last[vehicle], **({"state": said[vehicle]} if vehicle in said else {})} for vehicle in there]
        return msgspec.json.encode(found).decode() if found else None

    def _one(self, vehicle: str, report: Mapping[str, Any] | None, order_of: Mapping[str, str]) -> dict[str, Json]:
        """As it reports itself; who does so no more, or not where, stands where it was seen last."""
        last = self._last.get(vehicle, {})
        if report is None:
            return {**last, "kmh": 0}
        facts = {name: report.get(name, "") for name in ("kind", "mission", "destination", "state")}
        place = {name: report[name] for name in ("road", "lon", "lat")} if "lon" in report else {}
        kmh = round(report.get("speed_mps", 0.0) * 3.6)
        return {**last, "vehicle": vehicle, "order": order_of[vehicle], **facts, **place, "kmh": kmh}
