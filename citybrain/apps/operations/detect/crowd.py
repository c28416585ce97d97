# SPDX-License-Identifier: Apache-2.0
"""Crowds that are too dense for their place, or more than it may hold."""

from collections.abc import Sequence
from datetime import datetime
from math import cos, radians

import numpy as np

from citybrain.apps.operations.detect.roster import Lanes, Roster, grown, number, union
from citybrain.apps.operations.detect.watching import Look, Said, levels, short
from citybrain.kernel.geo import EARTH_RADIUS_M
from citybrain.kernel.records import Batch, Entity, Json

CROWD = "operations.crowd"

# People a square metre, levels IV … I. 2.17: walkways lose their flow (level of service F, Fruin, Pedestrian Planning
# and Design, 1971); 4.0: most that still moves safely (Still, Introduction to Crowd Science, 2014); 4.7: most that may
# stand (Guide to Safety at Sports Grounds, 6th edition 2018, 47 in 10 m²); 7.0: the crowd moves as a fluid mass
# (Fruin, The Causes and Prevention of Crowd Disasters, 1993).
DENSITY_M2 = (2.17, 4.0, 4.7, 7.0)
# Share of the capacity that the place names. 0.8 and 1.0: scenic areas begin to steer at four fifths and close at the
# whole (LB/T 034-2014); 1.2 and 1.5 are our convention.
FULL = (0.8, 1.0, 1.2, 1.5)
CLEAR = 0.9  # over when below this share of the lowest limit
ENDS_AFTER_S = 300.0


class Crowd:
    """CrowdFlowObserved (`peopleCount`) where its area is known: `measuredArea` in m², or that of its polygon; or where
    it has a `capacity`."""

    kind = CROWD
    ends_after_s = ENDS_AFTER_S
    lasts_silent = False

    def __init__(self) -> None:
        self._areas = Roster(("CrowdFlowObserved",), ("peopleCount",))
        self._area_m2, self._capacity = np.zeros((2, 0))

    @property
    def entities(self) -> Sequence[Entity]:
        """The areas by lane."""
        return self._areas.entities

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> Lanes:
        """Take areas in."""
        met, lost = self._areas.meet(entities, gone)
        size = len(self.entities)
        self._area_m2, self._capacity = grown(self._area_m2, size, np.nan), grown(self._capacity, size, np.nan)
        for lane in met.tolist():
            entity = self.entities[lane]
            named = number(entity, "measuredArea")
            self._area_m2[lane] = named if np.isfinite(named) else area_m2(entity.geometry)
            self._capacity[lane] = number(entity, "capacity")
        return lost

    def take(self, batch: Batch) -> Lanes:
        """Areas that were counted."""
        return union(self._areas.take(batch).values())

    def look(self, lanes: Lanes, at: datetime) -> Look:
        """The worse of density and share."""
        people = self._areas.values["peopleCount"][lanes]
        density, share = people / self._area_m2[lanes], people / self._capacity[lanes]
        level = np.maximum(levels(density, DENSITY_M2), levels(share, FULL))
        still = (np.nan_to_num(density) > CLEAR * DENSITY_M2[0]) | (np.nan_to_num(share) > CLEAR * FULL[0])
        return Look(level, still)

    def said(self, lane: int, level: int) -> Said:
        """How many, how dense, how full."""
        people = float(self._areas.values["peopleCount"][lane])
        density, share = people / float(self._area_m2[lane]), people / float(self._capacity[lane])
        is_dense = np.isfinite(density) and density >= DENSITY_M2[level - 1]
        facts: dict[str, Json] = {"people": round(people)}
        if is_dense:
            facts |= {"density_m2": short(density), "limit_m2": DENSITY_M2[level - 1]}
        else:
            facts |= {"percent": round(100 * share), "capacity": round(float(self._capacity[lane]))}
        evidence = {
            "people": round(people),
            "area_m2": short(self._area_m2[lane]) if np.isfinite(density) else None,
            "capacity": round(float(self._capacity[lane])) if np.isfinite(share) else None,
        }
        return Said(
            code="operations.crowd_dense" if is_dense else "operations.crowd_full", facts=facts, evidence=evidence
        )


def area_m2(geometry: Json) -> float:
    """The area of a polygon without its holes, on a plane that touches the earth there; NaN of anything else."""
    if not geometry or geometry["type"] != "Polygon":
        return float("nan")
    outer, *holes = (np.array([position[:2] for position in ring], np.float64) for ring in geometry["coordinates"])
    metres = radians(1) * EARTH_RADIUS_M
    scale = np.array([metres * cos(radians(float(outer[0, 1]))), metres])
    origin = outer[0]
    return _ring_m2((outer - origin) * scale) - sum(_ring_m2((hole - origin) * scale) for hole in holes)


def _ring_m2(ring: np.ndarray) -> float:
    x, y = ring.T
    return abs(float(x[:-1] @ y[1:] - x[1:] @ y[:-1])) / 2
