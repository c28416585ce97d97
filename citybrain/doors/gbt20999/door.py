# SPDX-License-Identifier: Apache-2.0
"""Everything the door `gbt20999` gives the city."""

from pathlib import Path

from citybrain.doors.gbt20999.emulating import emulate
from citybrain.doors.gbt20999.mapping import DOOR as NAME
from citybrain.doors.gbt20999.service import running
from citybrain.kernel.app import Door
from citybrain.kernel.controllers.watch import flashes, silent

DOOR = Door(
    name=NAME,
    folder=Path(__file__).parent,
    kinds=(silent(NAME), flashes(NAME)),
    executors=(running,),
    emulate=emulate,
)
