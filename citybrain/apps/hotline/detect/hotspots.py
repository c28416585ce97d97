# SPDX-License-Identifier: Apache-2.0
"""Hot spots: where many tickets lie close together, as a density of which the tops are named. Pure.

A quartic (biweight) kernel, as is usual for maps of incidents (Silverman, Density Estimation, 1986, chapter 4.2).
"""

from collections.abc import Sequence
from math import floor

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.hotline.model import Ticket
from citybrain.kernel.geo import METRES_PER_DEGREE

BANDWIDTH_M = 500.0
GRID = 64
MOST = 20
FEWEST = 3


# A misplaced ticket far away shall not make the map of a city one of a country: so many per cent of each side are left.
OUTSIDE_PERCENT = 2.0
MARGIN_DEG = 0.01
Box = tuple[float, float, float, float]


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A hot spot: its middle, tickets for each square kilometre there, and the tickets within the bandwidth."""

    longitude: float
    latitude: float
    per_km2: float
    case_ids: tuple[int, ...]


class Density(msgspec.Struct, frozen=True, kw_only=True):
    """A grid of tickets for each square kilometre, from the south-west, row by row, and its tops."""

    west: float
    south: float
    east: float
    north: float
    columns: int
    rows: int
    per_km2: tuple[float, ...]
    spots: tuple[Spot, ...]


def box_of(tickets: Sequence[Ticket]) -> Box | None:
    """A box (west, south, east, north) that holds most tickets; None where none says where it is."""
    at = np.array([(each.longitude, each.latitude) for each in tickets if each.longitude is not None], dtype=np.float64)
    if not len(at):
        return None
    west, south = (float(each) - MARGIN_DEG for each in np.percentile(at, OUTSIDE_PERCENT, axis=0))
    east, north = (float(each) + MARGIN_DEG for each in np.percentile(at, 100 - OUTSIDE_PERCENT, axis=0))
    return west, south, east, north


def density(
    tickets: Sequence[Ticket], box: tuple[float, float, float, float], *, bandwidth_m: float = BANDWIDTH_M
) -> Density:
    """How dense tickets lie in a box (west, south, east, north)."""
    west, south, east, north = box
    placed = [each for each in tickets if each.longitude is not None and each.latitude is not None]
    at = np.array([(each.longitude, each.latitude) for each in placed], dtype=np.float64).reshape(-1, 2)
    xs = west + (np.arange(GRID) + 0.5) * (east - west) / GRID
    ys = south + (np.arange(GRID) + 0.5) * (north - south) / GRID
    values = np.zeros((GRID, GRID))
    scale = np.array([np.cos(np.radians((south + north) / 2)) * METRES_PER_DEGREE, METRES_PER_DEGREE])
    for longitude, latitude in at:
        dx = ((xs - longitude) * scale[0]) ** 2
        dy = ((ys - latitude) * scale[1]) ** 2
        columns, rows = np.flatnonzero(dx < bandwidth_m**2), np.flatnonzero(dy < bandwidth_m**2)
        if len(columns) and len(rows):
            share = 1 - (dx[columns][None, :] + dy[rows][:, None]) / bandwidth_m**2
            values[np.ix_(rows, columns)] += np.where(share > 0, share, 0) ** 2
    values *= 3 / (np.pi * (bandwidth_m / 1000) ** 2)
    return Density(
        west=west,
        south=south,
        east=east,
        north=north,
        columns=GRID,
        rows=GRID,
        per_km2=tuple(round(float(each), 3) for each in values.ravel()),
        spots=_spots(placed, at * scale, (xs, ys), values, (scale, bandwidth_m)),
    )


def _spots(
    placed: Sequence[Ticket],
    metres: NDArray[np.float64],
    axes: tuple[NDArray[np.float64], NDArray[np.float64]],
    values: NDArray[np.float64],
    how: tuple[NDArray[np.float64], float],
) -> tuple[Spot, ...]:
    xs, ys = axes
    scale, bandwidth_m = how
    taken: set[int] = set()
    spots: list[Spot] = []
    for flat in np.argsort(-values, axis=None, kind="stable"):
        row, column = divmod(int(flat), GRID)
        if values[row, column] <= 0 or len(spots) == MOST:
            break
        middle = np.array([xs[column], ys[row]]) * scale
        near = np.flatnonzero(((metres - middle) ** 2).sum(axis=1) < bandwidth_m**2)
        ids = tuple(placed[int(each)].case_id for each in near)
        if len(ids) < FEWEST or not taken.isdisjoint(ids):
            continue
        taken.update(ids)
        spots.append(
            Spot(
                longitude=float(xs[column]),
                latitude=float(ys[row]),
                per_km2=round(float(values[row, column]), 3),
                case_ids=ids,
            )
        )
    return tuple(spots)


def blurred(longitude: float, latitude: float, *, step: float = 0.001) -> tuple[float, float]:
    """A place to within about a hundred metres: enough for a map, and no door of a home."""
    return tuple(round((floor(each / step) + 0.5) * step, 6) for each in (longitude, latitude))  # type: ignore[return-value]
