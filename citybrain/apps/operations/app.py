# SPDX-License-Identifier: Apache-2.0
"""Everything operations gives the city."""

from pathlib import Path

from citybrain.apps.operations.api.playbooks import ROUTES as PLAYBOOK_ROUTES
from citybrain.apps.operations.api.runs import ROUTES as RUN_ROUTES
from citybrain.apps.operations.detect.all import DETECTORS, KINDS, SENSES
from citybrain.apps.operations.service.opened import opened
from citybrain.kernel.app import App

STAFF = ("operator", "clerk", "head")

APP = App(
    name="operations",
    folder=Path(__file__).parent,
    detectors=DETECTORS,
    senses=SENSES,
    kinds=KINDS,
    permissions={
        "operations.view": STAFF,
        "operations.edit": ("operator",),
        "operations.confirm": ("operator", "head"),
    },
    routes=(*PLAYBOOK_ROUTES, *RUN_ROUTES),
    opens=opened,
)
