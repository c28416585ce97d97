# SPDX-License-Identifier: Apache-2.0
"""Routes of the emergency desk."""

from collections.abc import Sequence
from typing import Any

from citybrain.apps.emergency.api import incidents, plans

ROUTES: Sequence[Any] = (*plans.ROUTES, *incidents.ROUTES)
