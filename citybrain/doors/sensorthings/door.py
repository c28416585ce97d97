# SPDX-License-Identifier: Apache-2.0
"""Everything the door `sensorthings` gives the city."""

from pathlib import Path

from citybrain.doors.sensorthings.app import PREFIX, make, refused
from citybrain.doors.sensorthings.meaning import DATASTREAM, meaning
from citybrain.kernel.app import Door, Mount
from citybrain.kernel.asgi import Answer
from citybrain.kernel.errors import Refusal
from citybrain.kernel.i18n import load_words
from citybrain.kernel.settings import load_settings

FOLDER = Path(__file__).parent


def refuse(refusal: Refusal) -> Answer:
    """What the gate refuses, in the protocol's form, under this door's own words for it."""
    told = type(refusal)(f"sensorthings.{refusal.code.partition('.')[2]}", refusal.facts)
    return refused(told, load_words([FOLDER]), load_settings().lang)


DOOR = Door(
    name="sensorthings",
    folder=FOLDER,
    mounts=(Mount(prefix=PREFIX, reads="sensorthings.read", writes="sensorthings.write", make=make, refuse=refuse),),
    meanings={DATASTREAM: meaning},
    permissions={
        "sensorthings.read": ("public", "operator", "service"),
        "sensorthings.write": ("operator", "service"),
    },
)
