# SPDX-License-Identifier: Apache-2.0
"""A SUMO configuration file as its user wrote it: read, checked, and turned into options for our run."""

import gzip
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from citybrain.kernel.errors import Invalid, NotFound

SUFFIXES = (".sumocfg", ".sumo.cfg")

DEFAULT_LENGTH_S = 3600.0
"""A configuration that names no end runs for one hour."""

SAME = {"n": "net-file", "net": "net-file", "r": "route-files", "a": "additional-files", "b": "begin", "e": "end"}
"""SUMO's other names for the options we read."""

OURS = {"output", "report", "gui_only", "traci_server", "random_number"}
"""Sections that are the run's own business, not the city's."""

OUR_OPTIONS = {"time-to-teleport", "load-state", "seed", "random", "step-log", "no-step-log"}

MISSING = {
    "net-file": "sumo.net_missing",
    "route-files": "sumo.routes_missing",
    "additional-files": "sumo.additional_missing",
}


class ConfigurationMissing(NotFound):
    """There is no configuration at this path."""


class ConfigurationBroken(Invalid):
    """The configuration, or a file it names, cannot be read."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration says. `options` are SUMO's, with absolute paths; `net` is their net file."""

    path: Path
    net: Path
    options: Mapping[str, str]
    begin_s: float
    end_s: float

    def arguments(self) -> list[str]:
        """The options as SUMO's command line takes them."""
        return [word for name, value in self.options.items() for word in (f"--{name}", value)]

    def scaled(self, demand: float) -> "Configuration":
        """The same with `demand` times its traffic, on top of a scale that its user asked for."""
        if demand == 1.0:
            return self
        scale = demand * float(self.options.get("scale", "1"))
        return msgspec.structs.replace(self, options={**self.options, "scale": str(scale)})


def locate(text: str) -> Path:
    """The configuration a person means by a path: the file itself, or the only one in a folder."""
    path = Path(text).expanduser()
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))
        if len(found) != 1:
            code = "sumo.folder_has_several" if found else "sumo.folder_has_none"
            raise ConfigurationMissing(code, {"path": str(path), "found": ", ".join(file.name for file in found)})
        path = found[0]
    if not path.is_file():
        raise ConfigurationMissing("sumo.scenario_not_found", {"path": text})
    return path.resolve()


def read(path: Path) -> Configuration:
    """Read a configuration and check that its files are there."""
    options: dict[str, str] = {}
    for section in _root(path):
        if section.tag not in OURS:
            options.update(_options(section, path.parent))
    options = {name: value for name, value in options.items() if name not in OUR_OPTIONS}
    if "net-file" not in options:
        raise ConfigurationBroken("sumo.no_net", {"path": str(path)})
    begin_s = seconds(options.get("begin", "0"))
    end_s = seconds(options.get("end", "-1"))
    return Configuration(
        path=path,
        net=Path(options["net-file"]),
        options=options,
        begin_s=begin_s,
        end_s=end_s if end_s > begin_s else begin_s + DEFAULT_LENGTH_S,
    )


def signals_of(net: Path) -> int:
    """How many signal controllers a net has, by a quick look that skips the rest."""
    controllers: set[str] = set()
    try:
        with opened(net) as file:
            for _, element in ET.iterparse(file, events=("end",)):
                if element.tag == "tlLogic":
                    controllers.add(element.get("id", ""))
                element.clear()
    except (ET.ParseError, OSError) as error:
        raise ConfigurationBroken("sumo.net_broken", {"path": str(net), "detail": str(error)}) from error
    return len(controllers)


def opened(path: Path) -> IO[bytes]:
    """An XML file for reading, packed or not."""
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def seconds(text: str) -> float:
    """SUMO's time: seconds, or [days:]hours:minutes:seconds."""
    try:
        parts = [float(part) for part in text.strip().split(":")]
    except ValueError as error:
        raise ConfigurationBroken("sumo.time_unreadable", {"text": text}) from error
    weights = (1.0, 60.0, 3600.0, 86_400.0)
    if len(parts) > len(weights) or not all(math.isfinite(part) for part in parts):
        raise ConfigurationBroken("sumo.time_unreadable", {"text": text})
    return sum(part * weight for part, weight in zip(reversed(parts), weights, strict=False))


def _root(path: Path) -> ET.Element:
    try:
        with opened(path) as file:
            root = ET.parse(file).getroot()
    except ET.ParseError as error:
        raise ConfigurationBroken("sumo.not_xml", {"path": str(path), "detail": str(error)}) from error
    if not root.tag.lower().endswith("configuration"):
        raise ConfigurationBroken("sumo.not_a_configuration", {"path": str(path), "found": root.tag})
    return root


def _options(section: ET.Element, folder: Path) -> Iterator[tuple[str, str]]:
    """The options of one section, or the section itself where a file has none around its options."""
    for element in [section, *section] if section.get("value") else section:
        name = SAME.get(element.tag, element.tag)
        value = element.get("value", element.get("v", ""))
        yield name, _absolute(name, value, folder) if section.tag == "input" or name in MISSING else value


def _absolute(name: str, value: str, folder: Path) -> str:
    """Input files with their full paths, each of which must be there."""
    paths = [folder / part.strip() for part in value.split(",") if part.strip()]
    for path in paths:
        if name in MISSING and not path.is_file():
            raise ConfigurationMissing(MISSING[name], {"path": str(path)})
    return ",".join(str(path) for path in paths)
