# SPDX-License-Identifier: Apache-2.0
"""How many vehicles come in each approach lane, from counts and speeds that detectors report."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.model import DETECTOR
from citybrain.kernel.records import Batch, Entity
from citybrain.kernel.routing import KMH_PER_MPS

Numbers = NDArray[np.float64]


def flow_veh_per_s(counts: Numbers, speeds_kmh: Numbers, covered_m: float) -> float:
    """Vehicles per second through a watched stretch: distance driven over length and time (Edie 1963).

    `counts` and `speeds_kmh` are samples at even times; a sample without vehicles has no speed (NaN) and counts 0.
    Exact for whole trips through the stretch, however long they stand in it.
    """
    if len(counts) == 0 or covered_m <= 0.0:
        return 0.0
    driven_mps = np.nan_to_num(counts * speeds_kmh / KMH_PER_MPS)
    return float(driven_mps.mean()) / covered_m


def covered_m(detector: Entity) -> float:
    """The length of road that the detector's count stands for."""
    facts = detector.attributes
    given = facts.get("coverage_m")
    return float(given) if given is not None else min(float(facts["range_m"]), float(facts["length_m"]))


def approach_detectors(entities: Iterable[Entity]) -> dict[str, Entity]:
    """The detectors of approaches by their id."""
    return {one.id: one for one in entities if one.type == DETECTOR and one.attributes.get("role") == "approach"}


def by_lane(
    entities: Iterable[Entity], samples: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> dict[str, float]:
    """Flows (veh/s) by approach lane from (counts, speeds in km/h) by detector id."""
    found = {}
    for id, detector in approach_detectors(entities).items():
        if id in samples:
            counts, speeds = (np.asarray(one, dtype=np.float64) for one in samples[id])
            found[str(detector.attributes["lane"])] = flow_veh_per_s(counts, speeds, covered_m(detector))
    return found


class Flows:
    """Adds up flows while batches pass: the same figure as `by_lane`, second by second."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._detectors = approach_detectors(entities)
        self._driven_m = dict.fromkeys(self._detectors, 0.0)
        self._seconds = 0

    def watch(self, batch: Batch) -> None:
        """Take in one second."""
        counts, speeds = batch.by_entity("vehicleCount"), batch.by_entity("averageVehicleSpeed")
        for id in self._driven_m.keys() & counts.keys() & speeds.keys():
            driven = counts[id] * speeds[id] / KMH_PER_MPS
            if not isnan(driven):
                self._driven_m[id] += driven
        self._seconds += 1

    def by_lane(self) -> dict[str, float]:
        """Flows (veh/s) by approach lane since the beginning."""
        seconds = max(self._seconds, 1)
        return {
            str(one.attributes["lane"]): self._driven_m[id] / covered_m(one) / seconds
            for id, one in self._detectors.items()
        }
