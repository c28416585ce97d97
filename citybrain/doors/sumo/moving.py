# SPDX-License-Identifier: Apache-2.0
"""What drives, as the map draws it: sixteen bytes for each vehicle."""

from collections.abc import Collection, Sequence
from datetime import datetime
from zlib import crc32

import libsumo
import numpy as np
from numpy.typing import NDArray

from citybrain.doors.sumo.against import SPEED_MPS, Driver
from citybrain.doors.sumo.place import Place
from citybrain.kernel.app import Vehicles

ROW = np.dtype([("id", "<u4"), ("dlon", "<f4"), ("dlat", "<f4"), ("heading", "<u2"), ("speed", "<u2")])

KMH_PER_MPS = 3.6
HUNDREDTHS = 100.0
FULL_TURN = 360.0


class Moving:
    """Draws the vehicles of one net relative to an origin in its middle, so that single precision is centimetres."""

    def __init__(self, place: Place, middle: tuple[float, float]) -> None:
        self._place = place
        self._turn_deg = place.turn_deg(middle)
        lon, lat = place.lonlat(np.array([middle]))[0]
        self._origin = (float(lon), float(lat))

    def draw(self, ids: Collection[str], at: datetime, others: Sequence[Driver] = ()) -> Vehicles:
        """The vehicles that are on the road now, and drivers that SUMO does not have."""
        rows = np.concatenate((self._of_sumo(ids), self._of_others(others)))
        return Vehicles(at=at, origin=self._origin, count=len(rows), rows=rows.tobytes())

    def _of_others(self, others: Sequence[Driver]) -> NDArray[np.void]:
        rows = np.zeros(len(others), dtype=ROW)
        if others:
            rows["id"] = [crc32(one.name.encode()) for one in others]
            rows["dlon"], rows["dlat"] = (self._place.lonlat(np.array([one.at for one in others])) - self._origin).T
            rows["heading"] = (np.array([one.heading_deg for one in others]) + self._turn_deg) % FULL_TURN * HUNDREDTHS
            rows["speed"] = SPEED_MPS * KMH_PER_MPS * HUNDREDTHS
        return rows

    def _of_sumo(self, ids: Collection[str]) -> NDArray[np.void]:
        vehicle = libsumo.vehicle
        rows = np.zeros(len(ids), dtype=ROW)
        if ids:
            lonlat = self._place.lonlat(np.array([vehicle.getPosition(one) for one in ids]))
            rows["id"] = [crc32(one.encode()) for one in ids]
            rows["dlon"], rows["dlat"] = (lonlat - self._origin).T
            heading = np.array([vehicle.getAngle(one) for one in ids]) + self._turn_deg
            rows["heading"] = heading % FULL_TURN * HUNDREDTHS
            rows["speed"] = np.array([vehicle.getSpeed(one) for one in ids]).clip(min=0.0) * KMH_PER_MPS * HUNDREDTHS
        return rows
