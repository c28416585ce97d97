# SPDX-License-Identifier: Apache-2.0
"""What an import finds, gathered on the way."""

from collections.abc import Iterable

from citybrain.kernel.importing import Finding, Level
from citybrain.kernel.records import Json

SHOWN = 8
"""Places that are named; the rest is counted."""


class Findings:
    """Gathers findings; `figures` are the facts of the city that is brought."""

    def __init__(self) -> None:
        self.all: list[Finding] = []
        self.figures: dict[str, Json] = {}

    def error(self, code: str, places: Iterable[str] = (), **facts: Json) -> None:
        """What stops the import."""
        self._add(Level.ERROR, code, places, facts)

    def warn(self, code: str, places: Iterable[str] = (), **facts: Json) -> None:
        """What will be wrong in the city."""
        self._add(Level.WARNING, code, places, facts)

    def note(self, code: str, places: Iterable[str] = (), **facts: Json) -> None:
        """What was taken, and how."""
        self._add(Level.NOTE, code, places, facts)

    @property
    def stopped(self) -> bool:
        """Whether an error was found."""
        return any(each.level is Level.ERROR for each in self.all)

    def _add(self, level: Level, code: str, places: Iterable[str], facts: dict[str, Json]) -> None:
        found = list(places)
        counted = {"count": len(found), **facts} if found else facts
        self.all.append(Finding(level=level, code=code, facts=counted, places=tuple(found[:SHOWN])))
