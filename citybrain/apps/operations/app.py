# SPDX-License-Identifier: Apache-2.0
"""Everything operations gives the city."""

from pathlib import Path

from citybrain.apps.operations.api.contacts import PERMISSION as MAY_EDIT_CONTACTS
from citybrain.apps.operations.api.contacts import ROUTES as CONTACT_ROUTES
from citybrain.apps.operations.api.dispatch import ROUTES as DISPATCH_ROUTES
from citybrain.apps.operations.api.field import ROUTES as FIELD_ROUTES
from citybrain.apps.operations.api.figures import ROUTES as FIGURE_ROUTES
from citybrain.apps.operations.api.figures import WALL
from citybrain.apps.operations.api.playbooks import ROUTES as PLAYBOOK_ROUTES
from citybrain.apps.operations.api.runs import ROUTES as RUN_ROUTES
from citybrain.apps.operations.choice.crews import Crews
from citybrain.apps.operations.control.means import CARRIED, MEANS, SUBJECTS
from citybrain.apps.operations.control.means.acts import ACT, INFORM, ISOLATE
from citybrain.apps.operations.control.means.streets import STREET
from citybrain.apps.operations.detect.all import DETECTORS, KINDS, MERGES, SENSES
from citybrain.apps.operations.service.carrying.desk import carrying
from citybrain.apps.operations.service.opened import opened
from citybrain.kernel.app import App

STAFF = ("operator", "clerk", "head")

APP = App(
    name="operations",
    folder=Path(__file__).parent,
    detectors=DETECTORS,
    senses=SENSES,
    merges=MERGES,
    kinds=KINDS,
    shows=(Crews,),
    permissions={
        "operations.view": STAFF,
        WALL: (*STAFF, "wall"),
        "operations.edit": ("operator",),
        "operations.confirm": ("operator", "head"),
        ACT: ("operator",),
        INFORM: ("operator",),
        ISOLATE: ("operator",),
        STREET: ("operator",),
        MAY_EDIT_CONTACTS: ("operator",),
    },
    routes=(*PLAYBOOK_ROUTES, *RUN_ROUTES, *CONTACT_ROUTES, *DISPATCH_ROUTES, *FIELD_ROUTES, *FIGURE_ROUTES),
    opens=opened,
    means=MEANS,
    subjects=SUBJECTS,
    executes=CARRIED,
    executors=(carrying,),
)
