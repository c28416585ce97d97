# SPDX-License-Identifier: Apache-2.0
"""Everything the pool explorer gives the city."""

from pathlib import Path

from citybrain.apps.pool.api import ROUTES
from citybrain.kernel.app import App

APP = App(
    name="pool",
    folder=Path(__file__).parent,
    routes=ROUTES,
    permissions={"pool.view": ("public", "operator"), "pool.steward": ("operator",)},
)
