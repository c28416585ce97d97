# SPDX-License-Identifier: Apache-2.0
"""The traffic that will come, as the city's files say: how many drive over each road, and the turns they make."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import libsumo
import msgspec

from citybrain.doors.sumo.configuration import Configuration, opened, seconds
from citybrain.doors.sumo.ways import Turn

Route = tuple[str, ...]

RATES = ("vehsPerHour", "perHour")


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Vehicles per hour of each road over the whole scenario: all, and those that neither start nor end there.

    `turns` are those that anybody makes.
    """

    total: dict[str, float]
    through: dict[str, float]
    turns: frozenset[Turn]


def traffic(configuration: Configuration) -> Traffic:
    """Count the routes of all vehicles; those of trips are the fastest way through an empty net."""
    total: dict[str, float] = {}
    through: dict[str, float] = {}
    turns: set[Turn] = set()
    per_hour = float(configuration.options.get("scale", "1")) * 3600.0
    per_hour /= max(configuration.end_s - configuration.begin_s, 1.0)
    found: dict[Route, Route] = {}
    for route, number in _all(configuration):
        if route not in found:
            found[route] = _way(route)
            turns.update(pairwise(found[route]))
        for at, road in enumerate(found[route]):
            total[road] = total.get(road, 0.0) + number * per_hour
            if 0 < at < len(found[route]) - 1:
                through[road] = through.get(road, 0.0) + number * per_hour
    return Traffic(total=total, through=through, turns=frozenset(turns))


def _all(configuration: Configuration) -> Iterator[tuple[Route, float]]:
    for name in configuration.options.get("route-files", "").split(","):
        if name:
            yield from _of_file(Path(name), configuration)


def _of_file(path: Path, configuration: Configuration) -> Iterator[tuple[Route, float]]:
    """Vehicles, trips and flows of a route file. Of a distribution of routes the last one stands for all."""
    routes: dict[str, Route] = {}
    own: Route = ()
    with opened(path) as file:
        for _, element in ET.iterparse(file):
            if element.tag == "route":
                own = tuple(element.get("edges", "").split())
                routes[element.get("id", "")] = own
            elif element.tag in ("vehicle", "trip", "flow"):
                route = routes.get(element.get("route", ""), own) or _ends(element)
                number = _number(element, configuration) if element.tag == "flow" else _once(element, configuration)
                if route and number:
                    yield route, number
                own = ()
                element.clear()


def _ends(element: ET.Element) -> Route:
    ends = (element.get("from", ""), *element.get("via", "").split(), element.get("to", ""))
    return ends if all(ends) else ()


def _once(element: ET.Element, configuration: Configuration) -> float:
    try:
        return float(configuration.begin_s <= seconds(element.get("depart", "0")) < configuration.end_s)
    except ValueError:
        return 1.0


def _number(element: ET.Element, configuration: Configuration) -> float:
    """How many vehicles a flow has within the scenario."""
    begin_s = max(seconds(element.get("begin", "0")), configuration.begin_s)
    end_s = min(seconds(element.get("end", str(configuration.end_s))), configuration.end_s)
    length_s = max(end_s - begin_s, 0.0)
    if element.get("number"):
        return float(element.get("number", "0"))
    rates = [float(element.get(name, "0")) * length_s / 3600.0 for name in RATES if element.get(name)]
    if element.get("probability"):
        rates.append(float(element.get("probability", "0")) * length_s)
    period = element.get("period", "")
    if period.startswith("exp("):
        rates.append(float(period[4:-1]) * length_s)
    elif period:
        rates.append(length_s / float(period))
    return sum(rates)


def _way(route: Route) -> Route:
    """The whole way of a trip; a route that is whole already stays as it is."""
    if all(_joined(before, after) for before, after in pairwise(route)) and len(route) != 2:
        return route
    whole: list[str] = [route[0]]
    for before, after in pairwise(route):
        try:
            whole += libsumo.simulation.findRoute(before, after).edges[1:]
        except libsumo.TraCIException:
            return route
    return tuple(whole)


def _joined(before: str, after: str) -> bool:
    return any(
        link[0].rpartition("_")[0] == after
        for number in range(libsumo.edge.getLaneNumber(before))
        for link in libsumo.lane.getLinks(f"{before}_{number}")
    )
