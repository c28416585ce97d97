# SPDX-License-Identifier: Apache-2.0
"""A saved run in one file: SUMO's state, and what SUMO forgets when it loads it."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import msgspec

from citybrain.doors.sumo import fleet as vehicles
from citybrain.doors.sumo import incidents as happening
from citybrain.doors.sumo import signals
from citybrain.doors.sumo.crews import Work
from citybrain.doors.sumo.detours import Avoidance
from citybrain.doors.sumo.gates import Gate
from citybrain.doors.sumo.judge import Trips
from citybrain.doors.sumo.lanes import Use
from citybrain.doors.sumo.simulation import Simulation
from citybrain.kernel.errors import Unavailable

STATE = "state.xml"

QUICK = 1
"""Compression level: SUMO's own packing takes as long as writing the state itself."""

MEMORY = "memory.msgpack"

RANDOM = "rngState"


class StateBroken(Unavailable):
    """A saved state cannot be read; the run has to begin again."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Trips that arrived before, what cabinets were doing, what floating cars said, what stood how long, the fleet,
    what goes wrong and how the street is used meanwhile."""

    trips: Trips = msgspec.field(default_factory=Trips)
    cabinets: signals.Memory = signals.Memory()
    floating: bytes = b""
    waiting_s: dict[str, float] = {}
    fleet: vehicles.Memory = vehicles.Memory()
    incidents: happening.Memory = happening.Memory()
    crews: dict[str, Work] = {}
    lanes: dict[str, Use] = {}
    detours: dict[str, Avoidance] = {}
    gates: dict[str, Gate] = {}


def write(path: Path, simulation: Simulation, memory: Memory) -> None:
    """Write the state of a running simulation."""
    part = path.with_name(f"{path.name}.{STATE}")
    simulation.save(part)
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=QUICK) as file:
        file.write(part, STATE)
        file.writestr(MEMORY, msgspec.msgpack.encode(memory))
    part.unlink()


def read(path: Path, folder: Path, *, dice: int = 0) -> tuple[Memory, Path]:
    """The memory, and SUMO's state unpacked into a folder; with `dice` without what chance was about to bring."""
    try:
        with ZipFile(path) as file:
            memory = msgspec.msgpack.decode(file.read(MEMORY), type=Memory)
            file.extract(STATE, folder)
    except (OSError, BadZipFile, KeyError, msgspec.DecodeError) as error:
        raise StateBroken("sumo.state_broken", {"path": str(path), "detail": str(error)}) from error
    if dice:
        _forget_chance(folder / STATE)
    return memory, folder / STATE


def _forget_chance(state: Path) -> None:
    """Leave the state of SUMO's random numbers out, so that they begin anew by the seed."""
    whole = state.with_suffix(".whole")
    state.rename(whole)
    with whole.open(encoding="utf-8") as old, state.open("w", encoding="utf-8") as new:
        inside = False
        for line in old:
            inside = inside or line.lstrip().startswith(f"<{RANDOM}")
            if not inside:
                new.write(line)
            inside = inside and f"</{RANDOM}>" not in line
    whole.unlink()
