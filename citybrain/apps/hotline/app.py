# SPDX-License-Identifier: Apache-2.0
"""Everything the hotline gives the city."""

from pathlib import Path

from citybrain.apps.hotline.api import ROUTES
from citybrain.apps.hotline.commands import commands
from citybrain.apps.hotline.jobs.watching import running
from citybrain.kernel.app import App

STAFF = ("operator", "clerk", "head")

APP = App(
    name="hotline",
    folder=Path(__file__).parent,
    kinds=("hotline.burst", "hotline.drift", "hotline.department_gone"),
    permissions={
        "hotline.desk": STAFF,
        "hotline.callers": STAFF,
        "hotline.figures": STAFF,
        "hotline.knowledge": STAFF,
        "hotline.supervise": ("operator", "head"),
        "hotline.edit": ("operator",),
        "hotline.report": ("public", *STAFF),
        "hotline.public": ("public", *STAFF),
    },
    routes=ROUTES,
    opens=running,
    commands=commands,
)
