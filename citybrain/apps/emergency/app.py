# SPDX-License-Identifier: Apache-2.0
"""Everything the emergency desk gives the city."""

from pathlib import Path

from citybrain.apps.emergency.api import ROUTES
from citybrain.apps.emergency.api.plans import COMMAND, EDIT, VIEW, WORK
from citybrain.apps.emergency.choice import TYPES
from citybrain.apps.emergency.service.opening import opened
from citybrain.kernel.app import App, EntityType

STAFF = ("operator", "clerk", "head")

APP = App(
    name="emergency",
    folder=Path(__file__).parent,
    entity_types=tuple(EntityType(name=name) for name in TYPES),
    permissions={
        VIEW: STAFF,
        WORK: STAFF,
        COMMAND: ("operator", "head"),
        EDIT: ("operator",),
    },
    routes=tuple(ROUTES),
    opens=opened,
)
