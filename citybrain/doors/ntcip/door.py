# SPDX-License-Identifier: Apache-2.0
"""Everything the door `ntcip` gives the city."""

from pathlib import Path

from citybrain.doors.ntcip.emulating import emulate
from citybrain.doors.ntcip.mapping import DOOR as NAME
from citybrain.doors.ntcip.service import running
from citybrain.kernel.app import Door
from citybrain.kernel.controllers.watch import flashes, silent

DOOR = Door(
    name=NAME,
    folder=Path(__file__).parent,
    kinds=(silent(NAME), flashes(NAME)),
    executors=(running,),
    emulate=emulate,
)
