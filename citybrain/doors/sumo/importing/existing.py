# SPDX-License-Identifier: Apache-2.0
"""`citybrain import sumo PATH`: a SUMO configuration with its files, or a net alone."""

import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

import msgspec
import sumolib

from citybrain.doors.sumo import configuration
from citybrain.doors.sumo.importing import folder, made_up
from citybrain.doors.sumo.importing.bring import bring
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.roadnet import FileBroken
from citybrain.kernel.importing import Report, Wish

KIND = "sumo"

NETS = (".net.xml", ".net.xml.gz")

FILES = ("net-file", "route-files", "additional-files")

SECTIONS = {"begin": "time", "end": "time", "step-length": "time", **dict.fromkeys(FILES, "input")}

HOUR_S = 3600


def run(wish: Wish) -> Report:
    """Import a city of SUMO."""
    return bring(KIND, _write, wish)


def _write(wish: Wish, half: Path, findings: Findings) -> str:
    path = wish.files[0]
    if path.name.endswith(NETS) and path.is_file():
        _unpack(path, half / "city.net.xml")
        made_up.write(wish, half, findings)
        return wish.attribution
    read = configuration.read(configuration.locate(str(path)))
    _unpack(read.net, half / "city.net.xml")
    options = {**read.options, "net-file": "city.net.xml"}
    for name in FILES[1:]:
        if name in options:
            options[name] = ",".join(_copied(options[name], half))
    options |= {"begin": f"{read.begin_s:g}", "end": f"{read.end_s:g}"}
    _configure(options, half / folder.CONFIGURATION)
    _demand(half, options.get("route-files", ""), findings)
    return wish.attribution


def _unpack(net: Path, target: Path) -> None:
    try:
        with configuration.opened(net) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (OSError, EOFError) as error:
        raise FileBroken("sumo.net_broken", {"path": str(net), "detail": str(error)}) from error


def _copied(paths: str, half: Path) -> Iterator[str]:
    """The files of an option, copied beside the net; two of one name get a number."""
    for text in filter(None, paths.split(",")):
        path, number = Path(text), 2
        name = path.name
        while (half / name).exists():
            name, number = f"{number}-{path.name}", number + 1
        shutil.copyfile(path, half / name)
        yield name


def _configure(options: Mapping[str, str], path: Path) -> None:
    sections: dict[str, list[str]] = {"input": [], "time": [], "processing": []}
    for name, value in options.items():
        sections[SECTIONS.get(name, "processing")].append(f"<{name} value={quoteattr(value)}/>")
    body = "".join(f"  <{name}>{''.join(lines)}</{name}>\n" for name, lines in sections.items() if lines)
    path.write_text(f"<configuration>\n{body}</configuration>\n", encoding="utf-8")


class _Seen(msgspec.Struct):
    """What the route files say."""

    hours: Counter[int]
    lost: list[str]
    broken: list[str]


def _demand(half: Path, routes: str, findings: Findings) -> None:
    """Count the vehicles per hour; routes over roads that are not there, or that do not join, are errors."""
    net = sumolib.net.readNet(str(half / "city.net.xml"))
    joined = {edge.getID(): {out.getID() for out in edge.getOutgoing()} for edge in net.getEdges()}
    seen = _Seen(hours=Counter(), lost=[], broken=[])
    for name in filter(None, routes.split(",")):
        try:
            with configuration.opened(half / name) as file:
                for _, element in ET.iterparse(file, events=("end",)):
                    _take(element, joined, seen)
        except (ET.ParseError, OSError, EOFError) as error:
            findings.error("sumo.import_xml_broken", path=name, detail=str(error))
    if seen.lost:
        findings.warn("sumo.import_without_route", seen.lost)
    if seen.broken:
        findings.error("sumo.import_route_broken", seen.broken)
    findings.figures["vehicles"] = sum(seen.hours.values())
    findings.figures["vehicles_per_hour"] = {str(hour): seen.hours[hour] for hour in sorted(seen.hours)}
    if not seen.hours and not findings.stopped:
        findings.warn("sumo.import_no_demand")


def _take(element: ET.Element, joined: Mapping[str, set[str]], seen: _Seen) -> None:
    name = element.get("id", "")
    if element.tag == "route" and element.get("edges"):
        edges = element.get("edges", "").split()
        missing = next((edge for edge in edges if edge not in joined), None)
        apart = next(((a, b) for a, b in pairwise(edges) if a in joined and b not in joined[a]), None)
        if missing is not None:
            seen.broken.append(f"{name}: {missing}")
        elif apart is not None:
            seen.broken.append(f"{name}: {apart[0]} → {apart[1]}")
    elif element.tag in ("vehicle", "trip", "flow"):
        _count(element, seen)
        if not any(element.get(key) for key in ("route", "from", "fromTaz", "fromJunction", "via")) and not len(
            element
        ):
            seen.lost.append(name)
        element.clear()


def _count(element: ET.Element, seen: _Seen) -> None:
    """A flow counts with its number; one that states a rate, with the rate times its time."""
    begin_s = _time(element.get("depart", element.get("begin", "0")))
    end_s = _time(element.get("end", str(begin_s + HOUR_S)))
    number = 1.0
    if element.tag == "flow":
        per_hour = float(element.get("vehsPerHour", "0") or 0)
        period = element.get("period", "")
        each_s = float(period) if period.replace(".", "", 1).isdigit() else 0.0
        rate = per_hour / HOUR_S or (1 / each_s if each_s else 0.0) or float(element.get("probability", "0"))
        number = float(element.get("number", "0")) or rate * max(end_s - begin_s, 0.0)
    seen.hours[int(begin_s // HOUR_S)] += round(number)


def _time(text: str) -> float:
    try:
        return configuration.seconds(text)
    except configuration.ConfigurationBroken:
        return 0.0  # `triggered` and `begin` are times too
