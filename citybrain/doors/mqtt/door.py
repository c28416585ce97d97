# SPDX-License-Identifier: Apache-2.0
"""Everything the door `mqtt` gives the city."""

from pathlib import Path

from citybrain.doors.mqtt.api import ROUTES
from citybrain.doors.mqtt.intake import KIND
from citybrain.doors.mqtt.service import running
from citybrain.kernel.app import Door

DOOR = Door(
    name="mqtt",
    folder=Path(__file__).parent,
    kinds=(KIND,),
    routes=ROUTES,
    services=(running,),
    permissions={"mqtt.view": ("operator",), "mqtt.replay": ("operator",)},
)
