# SPDX-License-Identifier: Apache-2.0
"""What every door to signal controllers says in the same words: tables, what is shown, answers to wishes. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from citybrain.kernel.records import Facts, Json


class Mode(StrEnum):
    """Who decides about the lamps."""

    CENTRE = "centre"
    LOCAL = "local"
    FLASH = "flash"
    ALL_RED = "all_red"
    OFF = "off"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish: accepted, or refused under a code."""

    accepted: bool
    code: str = ""
    facts: Facts = {}


ACCEPTED = Answer(accepted=True)


def refused(code: str, **facts: Json) -> Answer:
    """A refusal with its facts."""
    return Answer(accepted=False, code=code, facts=facts)


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller says of itself in the terms of its signal, one letter or number per lamp.

    `stages` have G, g (green that gives way), r, and - where no lamp is; `min_green_s` belongs to them. `conflicts` are
    pairs of lamps that are never green together, the smaller number first. Equal tables: nothing has changed.
    """

    stages: tuple[str, ...]
    min_green_s: tuple[float, ...]
    yellow_s: float
    all_red_s: float
    conflicts: tuple[tuple[int, int], ...]

    def as_attributes(self) -> dict[str, Json]:
        """The form that travels in the Entity of the signal."""
        return {
            "stages": list(self.stages),
            "min_green_s": list(self.min_green_s),
            "yellow_s": self.yellow_s,
            "all_red_s": self.all_red_s,
            "conflicts": [list(pair) for pair in self.conflicts],
        }


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller showed at one time, one letter per lamp; `stage` None during a change. `is_stopped`: that it is
    all red or flashes, or is on its way there or back, is what somebody ordered of it."""

    at: datetime
    lamps: str
    mode: Mode
    stage: int | None
    pattern: int
    alarms: tuple[str, ...]
    is_stopped: bool = False


class Outstation(Protocol):
    """One controller behind one line. Every verb may refuse: silent, or what the protocol's own words say."""

    async def discover(self) -> Tables:
        """Read what it can from its own tables."""
        ...

    async def look(self) -> Looked:
        """What it shows; nothing is commanded."""
        ...

    async def beat(self) -> Looked:
        """The same, and what is wished is renewed; what has expired is taken back."""
        ...

    async def wish(self, stage: int, *, for_s: float, now: datetime) -> Answer:
        """Wish for a stage for so many seconds."""
        ...

    async def stop(self, mode: Mode, *, for_s: float, now: datetime) -> Answer:
        """Wish that all lamps be red, or flash, for so many seconds, once everybody is cleared."""
        ...

    async def release(self) -> None:
        """Give it back to its own plan."""
        ...

    def figures(self) -> Mapping[str, float]:
        """What went over the line since it was opened, by the name of an attribute of the device."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...
