# SPDX-License-Identifier: Apache-2.0
"""Where a city lies when nothing says so but its entities."""

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.entities.columns import State, columns_of
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.geo import Bounds

LOCATION = "location"
MANY = 50
"""From so many points on the outermost ones do not count: one that was entered wrongly must not show half the earth."""
OUTERMOST_PERCENT = 1.0
MARGIN = 0.05
LEAST_DEG = 0.002
"""A single place is shown with about 200 m around it."""

Degrees = NDArray[np.float64]


async def extent_of(documents: Documents, tenant: str = DEFAULT_TENANT) -> Bounds | None:
    """West, south, east, north of the entities that say where they are; None while there are none.

    A few vector steps over one column, which is kept up like those that questions use.
    """
    columns = columns_of(documents)
    column = columns.of_place(tenant, LOCATION)
    many = len(documents.shelf(tenant).ids)
    await columns.fill(tenant, column, slice(0, many))
    states, west, south = column.states[:many], column.west[:many], column.south[:many]
    there = np.flatnonzero((states == State.NUMBER) | ((states == State.OTHER) & (west > -180.0)))
    if not len(there):
        return None
    outer = OUTERMOST_PERCENT if len(there) >= MANY else 0.0
    low, high = _spread(west[there], column.east[there], outer)
    bottom, top = _spread(south[there], column.north[there], outer)
    return (max(low, -180.0), max(bottom, -90.0), min(high, 180.0), min(top, 90.0))


def _spread(lows: Degrees, highs: Degrees, outer_percent: float) -> tuple[float, float]:
    """From the lowest to the highest without the outermost, and a little more on both sides."""
    low, high = float(np.percentile(lows, outer_percent)), float(np.percentile(highs, 100 - outer_percent))
    more = max(LEAST_DEG, (high - low) * MARGIN)
    return low - more, high + more
