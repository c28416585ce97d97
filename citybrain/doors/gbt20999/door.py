# SPDX-License-Identifier: Apache-2.0
"""Everything the door `gbt20999` gives the city."""

from pathlib import Path

from citybrain.doors.gbt20999.service import running
from citybrain.doors.gbt20999.watch import FLASHES, SILENT
from citybrain.kernel.app import Door

DOOR = Door(name="gbt20999", folder=Path(__file__).parent, kinds=(SILENT, FLASHES), services=(running,))
