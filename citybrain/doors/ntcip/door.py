# SPDX-License-Identifier: Apache-2.0
"""Everything the door `ntcip` gives the city."""

from pathlib import Path

from citybrain.doors.ntcip.service import running
from citybrain.doors.ntcip.watch import FLASHES, SILENT
from citybrain.kernel.app import Door

DOOR = Door(
    name="ntcip",
    folder=Path(__file__).parent,
    kinds=(SILENT, FLASHES),
    services=(running,),
)
