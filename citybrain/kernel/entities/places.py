# SPDX-License-Identifier: Apache-2.0
"""Conditions of place and scope asked of many entities at once (CIM 009 clauses 4.10, 4.19)."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from citybrain.kernel.entities.columns import Columns, Rows, State
from citybrain.kernel.entities.geometry import WGS84, GeoQuery, Relation, asked_shape
from citybrain.kernel.entities.masks import Answer, Bools
from citybrain.kernel.entities.selection import Scopes
from citybrain.kernel.geo import EARTH_RADIUS_M, Bounds

Degrees = NDArray[np.float64]

_DEGREE_M = 110_000.0  # a degree of latitude is never shorter than 110.5 km
_NEXT_TO_A_POLE = 89.0
_SPHERE_ERRS = 0.007  # of a distance; the greatest error against the ellipsoid is 0.56 %


class InScope:
    """The entity is within the scopes asked for: one answer for each list of scopes that occurs."""

    def __init__(self, columns: Columns, tenant: str, scopes: Scopes) -> None:
        self.columns, self.tenant, self.scopes = columns, tenant, scopes
        self.column = columns.of_scopes(tenant)
        self.known: list[bool] = []

    async def prepare(self, rows: Rows) -> None:
        """Fill the column."""
        await self.columns.fill(self.tenant, self.column, rows)

    def answer(self, rows: Rows) -> Answer:
        """Certain where the row is filled."""
        self.column.grow(len(self.columns.documents.shelf(self.tenant).ids))
        for scopes in self.column.words[len(self.known) :]:
            self.known.append(isinstance(scopes, tuple) and self.scopes.select(scopes))
        states = self.column.states[rows]
        filled = states == State.SCOPES
        table = np.array(self.known or [False], np.bool_)
        return Answer(table[self.column.codes[rows]] & filled, ~filled)


class IsThere:
    """Boxes that cannot count are left out first; of what is left points are decided here, others ask themselves."""

    def __init__(self, columns: Columns, tenant: str, geo: GeoQuery) -> None:
        self.columns, self.tenant, self.geo = columns, tenant, geo
        self.column = columns.of_place(tenant, geo.name)
        self.asked = asked_shape(geo.geometry)
        self.is_far = geo.relation is Relation.DISJOINT or geo.at_least_m is not None
        self.box = _reach(self.asked.bounds, geo.at_most_m or geo.at_least_m or 0.0)

    async def prepare(self, rows: Rows) -> None:
        """Fill the column."""
        await self.columns.fill(self.tenant, self.column, rows)

    def answer(self, rows: Rows) -> Answer:
        """What is outside of the box is certain either way; inside points are."""
        column, (west, south, east, north) = self.column, self.box
        column.grow(len(self.columns.documents.shelf(self.tenant).ids))
        states, lons, lats = column.states[rows], column.west[rows], column.south[rows]
        near = (lons <= east) & (lats <= north)
        near &= (column.east[rows] >= west) & (column.north[rows] >= south)
        unknown = states == State.EMPTY
        there = (states != State.ABSENT) & ~unknown
        certain = there & ~near if self.is_far else np.zeros(len(states), np.bool_)
        perhaps = (near & there) | unknown
        here = np.flatnonzero(near & (states == State.NUMBER))
        known = self._points(lons[here], lats[here]) if len(here) else None
        if known is not None:
            certain[here], perhaps[here] = known, False
        return Answer(certain, perhaps)

    def _points(self, lons: Degrees, lats: Degrees) -> Bools | None:
        """Exact answers for points, or None where there is no vector form: then each is asked itself."""
        geo, asked = self.geo, self.asked
        if geo.relation is Relation.NEAR:
            if asked.geom_type != "Point":
                return None
            near = _nearer(lons, lats, asked, geo.at_most_m or geo.at_least_m or 0.0)
            return near if geo.at_most_m is not None else ~near
        if geo.relation is Relation.WITHIN:
            return np.asarray(shapely.contains_xy(asked, lons, lats), np.bool_)
        if geo.relation not in (Relation.DISJOINT, Relation.INTERSECTS):
            return None
        touching = np.asarray(shapely.intersects_xy(asked, lons, lats), np.bool_)
        return ~touching if geo.relation is Relation.DISJOINT else touching


def _nearer(lons: Degrees, lats: Degrees, point: Any, reach_m: float) -> Bools:
    """At most so far from a point. The ellipsoid is asked only of those for whom a sphere does not decide it."""
    here, there = np.radians(lats), float(np.radians(point.y))
    half = np.sin((here - there) / 2) ** 2
    half += np.cos(here) * np.cos(there) * np.sin(np.radians(lons - point.x) / 2) ** 2
    on_sphere = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    near: Bools = on_sphere <= reach_m
    close = np.flatnonzero(np.abs(on_sphere - reach_m) <= reach_m * _SPHERE_ERRS)
    if len(close):
        places = np.full(len(close), point.x), np.full(len(close), point.y)
        near[close] = np.asarray(WGS84.inv(lons[close], lats[close], *places)[2]) <= reach_m
    return near


def _reach(bounds: Bounds, reach_m: float) -> Bounds:
    """The box that whatever lies nearer than `reach_m` touches; all longitudes near a pole or the 180th meridian."""
    west, south, east, north = bounds
    tall = reach_m / _DEGREE_M
    south, north = south - tall, north + tall
    widest = max(abs(south), abs(north))
    wide = tall / float(np.cos(np.radians(widest))) if widest < _NEXT_TO_A_POLE else 360.0
    west, east = west - wide, east + wide
    return (-180.0, south, 180.0, north) if west < -180.0 or east > 180.0 else (west, south, east, north)
