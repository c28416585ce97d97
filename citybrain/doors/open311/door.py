# SPDX-License-Identifier: Apache-2.0
"""Everything the door `open311` gives the city."""

from citybrain.doors.open311.answers import FOLDER, Voice, refused
from citybrain.doors.open311.app import PREFIX, make
from citybrain.doors.open311.codec import Format, form_of
from citybrain.kernel.app import Door, Mount
from citybrain.kernel.asgi import Answer
from citybrain.kernel.errors import Refusal
from citybrain.kernel.settings import load_settings

SAFE = ("GET", "HEAD", "OPTIONS")
VIEW, REPORT = "open311.view", "open311.report"


def is_read(method: str, path: str) -> bool:
    """Whether the gate asks for the right to look. Reports too: the door itself asks for the right to report, since
    the standard has the key in the form."""
    stem, _ = form_of(path.rstrip("/"))
    return method in SAFE or (method == "POST" and stem.endswith("/v2/requests"))


def refuse(refusal: Refusal) -> Answer:
    """What the gate refuses, in the format that every client of the standard knows, in this door's words."""
    told = type(refusal)(f"open311.{refusal.code.partition('.')[2]}", refusal.facts)
    lang = load_settings().lang
    return refused(told, Voice(lang), Format.XML, lang)


DOOR = Door(
    name="open311",
    folder=FOLDER,
    mounts=(Mount(prefix=PREFIX, reads=VIEW, writes=REPORT, make=make, refuse=refuse, is_read=is_read),),
    permissions={VIEW: ("public", "operator", "service"), REPORT: ("public", "operator", "service")},
)
