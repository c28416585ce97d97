# SPDX-License-Identifier: Apache-2.0
"""Cities brought from other programs' files: what a door that can do so declares, and what it says of the files."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.kernel.records import Facts


class Level(StrEnum):
    """An error stops the import; a warning says what will be wrong in the city; a note says what was taken how."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found in the files: `code` and `facts` make its sentence, `places` say where, some of all."""

    level: Level
    code: str
    facts: Facts = {}
    places: tuple[str, ...] = ()


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be imported: the files in the importer's order, the city's name, and what the files do not say.

    `at` is now, `place` is the longitude and latitude of the files' origin; `demand` so many made-up vehicles per hour.
    A `dry_run` writes nothing; `replace` puts the city in the place of one of the same name.
    """

    files: tuple[Path, ...]
    at: datetime
    name: str = ""
    attribution: str = ""
    timezone: str = "UTC"
    place: tuple[float, float] | None = None
    demand: float = 0.0
    dry_run: bool = False
    replace: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an import. `folder` is where the city lies now, None when nothing was written."""

    name: str
    kind: str
    findings: tuple[Finding, ...]
    figures: Facts
    folder: str | None = None

    def of(self, level: Level) -> list[Finding]:
        """The findings of one level."""
        return [each for each in self.findings if each.level is level]

    @property
    def stopped(self) -> bool:
        """Whether an error stands in the way."""
        return bool(self.of(Level.ERROR))


class Importer(msgspec.Struct, frozen=True, kw_only=True):
    """One format of cities: `citybrain import <name> <files…>`. `files` are the names of what it takes, in order.

    `run` examines the files and, unless it is a dry run or an error stands in the way, writes the city whole or not at
    all. It refuses what cannot be read with the place in it.
    """

    name: str
    files: tuple[str, ...]
    help: str
    run: Callable[[Wish], Report]
