# SPDX-License-Identifier: Apache-2.0
"""Where a net lies on the earth: net metres to WGS-84 longitude and latitude."""

import math

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import CRSError

from citybrain.kernel.errors import Invalid

NO_PROJECTION = "!"

EARTH_M = 6_378_137.0
"""WGS-84, semi-major axis."""

NOWHERE = (0.0, 0.0)
"""A net without projection is laid out from 0° E 0° N, in the Gulf of Guinea, where no city can be taken for it."""

Points = NDArray[np.float64]


class ProjectionUnknown(Invalid):
    """The net names a projection that PROJ does not know."""


class Place:
    """One net's place. `lonlat` turns rows of x, y (net metres) into rows of longitude, latitude."""

    def __init__(self, projection: str, offset: tuple[float, float]) -> None:
        self._offset = np.array(offset)
        self._transformer: pyproj.Transformer | None = None
        if projection not in ("", NO_PROJECTION):
            try:
                self._transformer = pyproj.Transformer.from_crs(projection, "EPSG:4326", always_xy=True)
            except CRSError as error:
                raise ProjectionUnknown(
                    "sumo.projection_unknown", {"projection": projection, "detail": str(error)}
                ) from error

    def lonlat(self, points: Points) -> Points:
        """Longitude and latitude of points."""
        if self._transformer is None:
            return np.degrees(points / EARTH_M) + NOWHERE
        projected = points - self._offset
        return np.column_stack(self._transformer.transform(projected[:, 0], projected[:, 1]))

    def turn_deg(self, point: tuple[float, float]) -> float:
        """How far the net's own north lies clockwise of true north at a point."""
        x, y = point
        foot, head = self.lonlat(np.array([(x, y), (x, y + 100.0)]))
        east = (head[0] - foot[0]) * math.cos(math.radians(foot[1]))
        return math.degrees(math.atan2(east, head[1] - foot[1]))
