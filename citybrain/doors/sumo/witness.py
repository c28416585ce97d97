# SPDX-License-Identifier: Apache-2.0
"""What happens on some roads at this second, of all vehicles: the judge's view, for comparing branches of one city."""

from collections.abc import Iterable, Mapping

import libsumo

from citybrain.kernel.branches import RoadTraffic


def traffic(limits_mps: Mapping[str, float], edges: Iterable[str]) -> RoadTraffic:
    """Vehicles on these edges, how many stand, the vehicle-seconds that this second cost against driving at the limit,
    and the metres driven in it."""
    edge = libsumo.edge
    vehicles, halted, lost_s, driven_m = 0, 0, 0.0, 0.0
    for one in edges:
        count = edge.getLastStepVehicleNumber(one)
        if not count:
            continue
        speed_mps = max(edge.getLastStepMeanSpeed(one), 0.0)
        vehicles += count
        halted += edge.getLastStepHaltingNumber(one)
        lost_s += count * (1.0 - min(speed_mps / limits_mps[one], 1.0))
        driven_m += count * speed_mps
    return RoadTraffic(vehicles=vehicles, halted=halted, lost_s=lost_s, driven_m=driven_m)
