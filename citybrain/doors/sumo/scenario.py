# SPDX-License-Identifier: Apache-2.0
"""The simulated cities one can open: RESCO networks of the sumo-rl wheel, imported ones, any SUMO configuration."""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import msgspec

from citybrain.doors.sumo import configuration
from citybrain.doors.sumo.importing.folder import CONFIGURATION, cards
from citybrain.kernel.app import Scenario
from citybrain.kernel.errors import NotFound
from citybrain.kernel.records import Text

PACKAGE = "sumo-rl"
INSTALL = "pip install --no-deps sumo-rl==1.4.5"

GERMANY = "Europe/Berlin"
NOWHERE = "UTC"

# Licences: licence files in Pi-Star-Lab/RESCO, resco_benchmark/environments/*; the wheel's MIT is not for the nets.
COLOGNE = "RESCO (Ault & Sharon, NeurIPS 2021); TAPAS Cologne, DLR; CC BY-NC-SA 3.0"
INGOLSTADT = "RESCO (Ault & Sharon, NeurIPS 2021); InTAS, Lobo et al.; GPL-3.0"
SYNTHETIC = "RESCO (Ault & Sharon, NeurIPS 2021); CC BY-NC-SA 4.0"


class ScenarioMissing(NotFound):
    """A scenario of the wheel, which is not installed."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of a RESCO network do not say."""

    name: Text
    timezone: str
    attribution: str


def _known(zh: str, en: str, attribution: str) -> Known:
    timezone = NOWHERE if attribution is SYNTHETIC else GERMANY
    return Known(name={"zh": zh, "en": en}, timezone=timezone, attribution=attribution)


# fmt: off
RESCO = {
    "ingolstadt21":  _known("英戈尔施塔特 21 个信号", "Ingolstadt, 21 signals", INGOLSTADT),
    "ingolstadt7":   _known("英戈尔施塔特 7 个信号", "Ingolstadt, 7 signals", INGOLSTADT),
    "ingolstadt1":   _known("英戈尔施塔特 1 个信号", "Ingolstadt, 1 signal", INGOLSTADT),
    "cologne8":      _known("科隆 8 个信号", "Cologne, 8 signals", COLOGNE),
    "cologne3":      _known("科隆 3 个信号", "Cologne, 3 signals", COLOGNE),
    "cologne1":      _known("科隆 1 个信号", "Cologne, 1 signal", COLOGNE),
    "grid4x4":       _known("方格路网 16 个信号", "Grid, 16 signals", SYNTHETIC),
    "arterial4x4":   _known("干道路网 16 个信号", "Arterial grid, 16 signals", SYNTHETIC),
}
# fmt: on


def installed() -> Sequence[Scenario]:
    """The RESCO networks of the installed sumo-rl wheel, the largest city first, and the cities that were imported."""
    return (*resco(), *imported())


@cache
def resco() -> Sequence[Scenario]:
    """The RESCO networks; none without the wheel. They are demonstrations: the brain may act in them from the start."""
    found = {path.parent.name: path for path in _configurations() if path.parent.name in RESCO}
    known = {name: _scenario(found[name], RESCO[name], name) for name in RESCO if name in found}
    return tuple(msgspec.structs.replace(one, trusted=True) for one in known.values())


def imported() -> Sequence[Scenario]:
    """The imported cities by name, as their cards tell of them: nets are not read for a list."""
    return tuple(
        Scenario(
            id=card.name,
            name={"zh": card.name, "en": card.name},
            path=str(folder / CONFIGURATION),
            begin_s=card.begin_s,
            end_s=card.end_s,
            timezone=card.timezone,
            signals=card.signals,
            attribution=card.attribution,
        )
        for folder, card in cards()
    )


def find(text: str) -> Scenario:
    """The installed scenario of this name, or the one at this path."""
    for scenario in installed():
        if scenario.id == text:
            return scenario
    if text in RESCO:
        raise ScenarioMissing("sumo.scenarios_not_installed", {"scenario": text, "install": INSTALL})
    return _own(configuration.locate(text))


def _own(path: Path) -> Scenario:
    """Named after its folder, or after its file where the folder has several."""
    beside = [file for file in path.parent.iterdir() if file.name.endswith(configuration.SUFFIXES)]
    name = path.parent.name if len(beside) == 1 else path.name.split(".")[0]
    known = Known(name={"zh": name, "en": name}, timezone=NOWHERE, attribution="")
    return _scenario(path, known, str(path))


def _scenario(path: Path, known: Known, name: str) -> Scenario:
    read = configuration.read(path)
    return Scenario(
        id=name,
        name=known.name,
        path=str(path),
        begin_s=read.begin_s,
        end_s=read.end_s,
        timezone=known.timezone,
        signals=configuration.signals_of(read.net),
        attribution=known.attribution,
    )


def _configurations() -> list[Path]:
    """Where the wheel's configurations lie, found without importing the wheel: its imports are not installed."""
    try:
        listed = files(PACKAGE) or []
    except PackageNotFoundError:
        return []
    return [Path(str(file.locate())) for file in listed if file.name.endswith(configuration.SUFFIXES)]
