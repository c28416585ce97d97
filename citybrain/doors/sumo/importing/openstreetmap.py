# SPDX-License-Identifier: Apache-2.0
"""`citybrain import osm FILE.osm[.gz|.bz2]`: an extract of OpenStreetMap, by netconvert."""

import bz2
import gzip
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import IO

import msgspec

from citybrain.doors.sumo.importing import made_up, programs
from citybrain.doors.sumo.importing.bring import bring
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.roadnet import FileBroken, FileMissing
from citybrain.kernel.errors import Invalid
from citybrain.kernel.importing import Report, Wish

KIND = "osm"

ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0 (openstreetmap.org/copyright)"

OPTIONS = (
    *("--proj.utm", "true"),
    *("--geometry.remove", "true"),
    *("--roundabouts.guess", "true"),
    *("--junctions.join", "true"),
    *("--tls.guess-signals", "true"),
    *("--tls.discard-simple", "true"),
    *("--tls.join", "true"),
    *("--tls.default-type", "static"),
    *("--output.street-names", "true"),
    *("--keep-edges.by-vclass", "passenger,bus"),
    *("--remove-edges.isolated", "false"),
)


class PackedMap(Invalid):
    """A map in the packed form that netconvert does not read."""


class _Seen(msgspec.Struct):
    """What was read of a map so far: its points, how many of what, and ways that leave the extract."""

    points: set[str]
    counts: Counter[str]
    cut: list[str]


def run(wish: Wish) -> Report:
    """Import an extract of OpenStreetMap."""
    return bring(KIND, _write, wish)


def _write(wish: Wish, half: Path, findings: Findings) -> str:
    path = wish.files[0]
    if path.name.endswith(".pbf"):
        raise PackedMap("sumo.import_pbf", {"path": path.name, "stem": path.name.split(".")[0]})
    _examine(path, findings)
    if not findings.stopped:
        unpacked = half / "map.osm.xml"
        with _opened(path) as packed, unpacked.open("wb") as file:
            shutil.copyfileobj(packed, file)
        said = programs.run("netconvert", ["--osm-files", unpacked.name, "-o", "city.net.xml", *OPTIONS], half)
        unpacked.unlink()
        if said.warnings:
            findings.note("sumo.import_netconvert_says", said.warnings)
        findings.warn("sumo.import_plans_guessed")
    made_up.write(wish, half, findings)
    return "; ".join(filter(None, (ATTRIBUTION, wish.attribution)))


def _examine(path: Path, findings: Findings) -> None:
    """What the map has: ways that are roads, signals, and ways whose points are not in the extract."""
    seen = _Seen(points=set(), counts=Counter(), cut=[])
    try:
        with _opened(path) as file:
            for _, element in ET.iterparse(file, events=("end",)):
                if element.tag in ("node", "way", "relation"):
                    _take(element, seen)
                    element.clear()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise FileMissing("sumo.import_file_missing", {"path": str(path)}) from error
    except (ET.ParseError, OSError, EOFError) as error:
        raise FileBroken("sumo.import_osm_broken", {"path": path.name, "detail": str(error)}) from error
    counts = seen.counts
    findings.figures |= {"osm_ways": counts["ways"], "osm_signals": counts["signals"]}
    if not counts["ways"]:
        findings.error("sumo.import_no_roads")
    if seen.cut:
        findings.warn("sumo.import_ways_cut", seen.cut)
    if counts["without_limit"]:
        findings.note("sumo.import_speeds_guessed", ways=counts["without_limit"], all=counts["ways"])


def _take(element: ET.Element, seen: _Seen) -> None:
    if element.tag == "node":
        seen.points.add(element.get("id", ""))
        seen.counts["signals"] += _tag(element, "highway") == "traffic_signals"
    elif element.tag == "way" and _tag(element, "highway"):
        seen.counts["ways"] += 1
        seen.counts["without_limit"] += _tag(element, "maxspeed") == ""
        if any(ref.get("ref") not in seen.points for ref in element.iter("nd")):
            seen.cut.append(f"way {element.get('id')}")


def _tag(element: ET.Element, key: str) -> str:
    return next((tag.get("v", "") for tag in element.iter("tag") if tag.get("k") == key), "")


def _opened(path: Path) -> IO[bytes]:
    if path.suffix == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    return bz2.open(path) if path.suffix == ".bz2" else path.open("rb")
