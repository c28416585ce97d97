# SPDX-License-Identifier: Apache-2.0
"""Where on the network a thing is: the road it names, or the nearest one."""

from collections.abc import Sequence

import numpy as np

from citybrain.kernel.geo import EARTH_RADIUS_M, centre
from citybrain.kernel.records import Entity, Facts
from citybrain.kernel.routing import ROAD, roads_said

NEAR_M = 50.0
"""Further away a thing is not said to be at a road. Our convention: half the width of a wide road with its sides."""


class Places:
    """The roads that were there when the city opened."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        pieces = [
            (road.id, *begin[:2], *end[:2])
            for road in entities
            if road.type == ROAD and road.geometry and road.geometry["type"] == "LineString"
            for begin, end in zip(road.geometry["coordinates"], road.geometry["coordinates"][1:], strict=False)
        ]
        self._ids = [piece[0] for piece in pieces]
        self._lines = np.array([piece[1:] for piece in pieces], np.float64).reshape(-1, 4)
        self._known: dict[str, Facts] = {}

    def of(self, entity: Entity) -> Facts:
        """The road that a thing is at; empty when that is not known."""
        named = next(roads_said(entity.attributes), None)
        if named is not None:
            return {"road": named}
        if entity.id not in self._known:
            self._known[entity.id] = self._nearest(entity)
        return self._known[entity.id]

    def _nearest(self, entity: Entity) -> Facts:
        middle = centre(entity.geometry)
        if middle is None or not self._ids:
            return {}
        x, y = middle
        metres = np.radians(1) * EARTH_RADIUS_M
        scale = np.array([metres * np.cos(np.radians(y)), metres] * 2)
        ax, ay, bx, by = ((self._lines - [x, y, x, y]) * scale).T
        length = np.maximum((bx - ax) ** 2 + (by - ay) ** 2, 1e-9)
        share = np.clip(-(ax * (bx - ax) + ay * (by - ay)) / length, 0, 1)
        distance = np.hypot(ax + share * (bx - ax), ay + share * (by - ay))
        nearest = int(distance.argmin())
        return {"road": self._ids[nearest]} if distance[nearest] <= NEAR_M else {}
