# SPDX-License-Identifier: Apache-2.0
"""Everything the door `cap` gives the city."""

from citybrain.doors.cap.answers import FOLDER, Voice, refused
from citybrain.doors.cap.api import INSIDE, QUARANTINE, RESTRICTED, ROUTES
from citybrain.doors.cap.app import ISSUE, PREFIX, VIEW, WRITE, make
from citybrain.doors.cap.ordered import MEANS, ordered
from citybrain.doors.cap.service import KIND, running
from citybrain.kernel.app import Door, Mount
from citybrain.kernel.asgi import Answer
from citybrain.kernel.errors import Refusal
from citybrain.kernel.settings import load_settings


def refuse(refusal: Refusal) -> Answer:
    """What the gate refuses, in the door's form and words."""
    told = type(refusal)(f"cap.{refusal.code.partition('.')[2]}", refusal.facts)
    return refused(told, Voice(load_settings().lang))


DOOR = Door(
    name="cap",
    folder=FOLDER,
    kinds=(KIND,),
    routes=ROUTES,
    mounts=(Mount(prefix=PREFIX, reads=VIEW, writes=WRITE, make=make, refuse=refuse),),
    services=(running,),
    executes=MEANS,
    executors=(ordered,),
    permissions={
        VIEW: ("public", "operator", "service"),
        WRITE: ("service",),
        ISSUE: ("operator",),
        RESTRICTED: ("operator",),
        INSIDE: ("operator",),
        QUARANTINE: ("operator",),
    },
)
