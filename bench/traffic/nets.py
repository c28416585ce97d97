# SPDX-License-Identifier: Apache-2.0
"""The nets of the figures: RESCO's from the wheel, others from a folder that is named on the command line."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from citybrain.doors.sumo import scenario
from citybrain.kernel.app import Scenario
from citybrain.kernel.errors import Refusal

RESCO = ("cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21", "grid4x4", "arterial4x4")
BOLOGNA = "bologna"
BOLOGNA_LENGTH_S = 4200.0
"""The peak of the scenario: its configuration names no end, its last departures are at 3,600 s."""

NETS = (*RESCO, BOLOGNA)
QUICK = ("cologne1", "ingolstadt1")


class Net(msgspec.Struct, frozen=True, kw_only=True):
    """A net that is there. `yellow`: RESCO's published runs have 3 s everywhere; others keep their plan's own."""

    name: str
    scenario: Scenario
    yellow: str


def find(names: Sequence[str], data: Path | None, tell: Callable[[str], None]) -> list[Net]:
    """The nets that are there; what is not is told, not passed over."""
    found = []
    for name in names:
        try:
            found.append(_net(name, data))
        except (Refusal, FileNotFoundError) as missing:
            tell(f"{name}: not measured, {missing}")
    return found


def _net(name: str, data: Path | None) -> Net:
    if name in RESCO:
        return Net(name=name, scenario=scenario.find(name), yellow="resco")
    if data is None:
        raise FileNotFoundError("it lies in no wheel; name the folder it is in with --data")
    own = msgspec.structs.replace(scenario.find(str(data / name)), id=name)
    if name == BOLOGNA:
        own = msgspec.structs.replace(own, end_s=own.begin_s + BOLOGNA_LENGTH_S)
    return Net(name=name, scenario=own, yellow="shipped")
