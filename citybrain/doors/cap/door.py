# SPDX-License-Identifier: Apache-2.0
"""Everything the door `cap` gives the city."""

from pathlib import Path

from citybrain.kernel.app import Door

DOOR = Door(name="cap", folder=Path(__file__).parent)
