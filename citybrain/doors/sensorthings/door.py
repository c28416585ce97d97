# SPDX-License-Identifier: Apache-2.0
"""Everything the door `sensorthings` gives the city."""

from pathlib import Path

from citybrain.kernel.app import Door

FOLDER = Path(__file__).parent

DOOR = Door(name="sensorthings", folder=FOLDER)
