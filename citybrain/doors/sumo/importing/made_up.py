# SPDX-License-Identifier: Apache-2.0
"""Demand for a net that came without: vehicles per hour between roads drawn by their size, and said to be made up."""

import xml.etree.ElementTree as ET
from pathlib import Path
from random import Random
from typing import Any

import sumolib

from citybrain.doors.sumo.importing import folder, programs
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.network import CAR
from citybrain.kernel.importing import Wish

ROUTES = "city.rou.xml"
SEED = 1
HOUR_S = 3600.0


def write(wish: Wish, half: Path, findings: Findings) -> None:
    """Write the configuration, with `wish.demand` vehicles per hour where it asks for some; else the city is empty."""
    if not wish.demand or findings.stopped:
        findings.warn("sumo.import_no_demand")
        folder.configuration(half, routes="", end_s=HOUR_S)
        return
    count = _draw(half, int(wish.demand))
    findings.figures |= {"vehicles": count, "vehicles_per_hour": {"0": count}}
    findings.warn("sumo.import_demand_made_up", vehicles=count, asked=int(wish.demand))
    folder.configuration(half, routes=ROUTES, end_s=HOUR_S)


def _draw(half: Path, count: int) -> int:
    """Trips at even distances in time, their ways found by duarouter; those without a way are left out."""
    random = Random(SEED)
    roads = [e for e in sumolib.net.readNet(str(half / "city.net.xml")).getEdges() if e.allows(CAR)]
    starts = random.choices(roads, [_weight(road) for road in roads], k=count)
    ends = random.choices(roads, [_weight(road) for road in roads], k=count)
    root = ET.Element("routes")
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        trip = ET.SubElement(root, "trip", id=f"trip{number}", depart=f"{number * HOUR_S / count:.2f}")
        trip.attrib |= {"from": start.getID(), "to": end.getID(), "departLane": "best", "departSpeed": "max"}
    trips = half / "city.trips.xml"
    ET.ElementTree(root).write(trips, encoding="utf-8", xml_declaration=True)
    arguments = ["-n", "city.net.xml", "--route-files", trips.name, "-o", ROUTES, "--ignore-errors", "true"]
    programs.run("duarouter", [*arguments, "--no-warnings", "true", "--no-step-log", "true"], half)
    trips.unlink()
    (half / "city.rou.alt.xml").unlink(missing_ok=True)
    return sum(1 for _, one in ET.iterparse(half / ROUTES) if one.tag == "vehicle")


def _weight(road: Any) -> float:
    return float(road.getLength() * road.getLaneNumber())
