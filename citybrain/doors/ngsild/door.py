# SPDX-License-Identifier: Apache-2.0
"""The NGSI-LD door as a value."""

from pathlib import Path

from citybrain.doors.ngsild.answers import refused
from citybrain.doors.ngsild.app import PREFIX, make
from citybrain.kernel.app import Door, Mount
from citybrain.kernel.asgi import Answer
from citybrain.kernel.errors import Refusal
from citybrain.kernel.i18n import load_words
from citybrain.kernel.settings import load_settings

FOLDER = Path(__file__).parent
# Notifications of other brokers come as POST too; only those of subscriptions that this one made are taken.
READS_BY_POST = frozenset({"/entityOperations/query", "/temporal/entityOperations/query", "/remote-notify"})


def is_read(method: str, path: str) -> bool:
    """Whether a request only reads: queries may come as POST (clauses 6.23, 6.24)."""
    return method in ("GET", "HEAD", "OPTIONS") or (method == "POST" and path.rstrip("/") in READS_BY_POST)


def refuse(refusal: Refusal) -> Answer:
    """What the gate refuses, as ProblemDetails. The gate's codes have sentences of this door under the same ending."""
    told = type(refusal)(f"ngsild.{refusal.code.partition('.')[2]}", refusal.facts)
    return refused(told, load_words([FOLDER]), load_settings().lang)


DOOR = Door(
    name="ngsild",
    folder=FOLDER,
    mounts=(
        Mount(prefix=PREFIX, reads="ngsild.read", writes="ngsild.write", make=make, refuse=refuse, is_read=is_read),
    ),
    permissions={"ngsild.read": ("public", "operator", "service"), "ngsild.write": ("operator", "service")},
)
