# SPDX-License-Identifier: Apache-2.0
"""Metering: vehicles are let over the end of a road one by one, as a signal at the edge of a full area does it."""

import math
from collections.abc import Mapping

import libsumo
import msgspec

BRAKES_MPS2 = 3.0
"""Who is held brakes gently; the last metre before the line it stands on."""

LINE_M = 1.0

FREE = -1.0
"""SUMO's word for a vehicle that chooses its own speed again."""


class Gate(msgspec.Struct, kw_only=True):
    """The lanes of a road, how many seconds lie between two vehicles on each, and who was let through last."""

    lanes: tuple[str, ...]
    gap_s: float
    open_at_s: dict[str, float] = {}
    let_in: dict[str, list[str]] = {}
    held: dict[str, str] = {}


class Gates:
    """All gates of one street, by who asked. Who is held waits as at a red lamp: it counts as delay."""

    def __init__(self, memory: Mapping[str, Gate]) -> None:
        self._gates = dict(memory)

    def memory(self) -> dict[str, Gate]:
        """The gates as they stand."""
        return self._gates

    def begin(self, key: str, lanes: tuple[str, ...], gap_s: float) -> None:
        """Let a vehicle through on each lane every so many seconds, from now on."""
        known = self._gates.get(key)
        if known is None or (known.lanes, known.gap_s) != (lanes, gap_s):
            self.end(key)
            self._gates[key] = Gate(lanes=lanes, gap_s=gap_s)

    def end(self, key: str) -> None:
        """The gate is gone, and whoever waits there drives on."""
        gate = self._gates.pop(key, None)
        for vehicle in gate.held.values() if gate else ():
            _let_go(vehicle)

    def step(self, now_s: float) -> None:
        """Once per second: hold the first vehicle of each lane, or let it through when it is time."""
        for gate in self._gates.values():
            for lane in gate.lanes:
                self._lane(gate, lane, now_s)

    def _lane(self, gate: Gate, lane: str, now_s: float) -> None:
        vehicles = libsumo.lane.getLastStepVehicleIDs(lane)
        let_in = gate.let_in[lane] = [one for one in gate.let_in.get(lane, ()) if one in vehicles]
        waiting = [(libsumo.vehicle.getLanePosition(one), one) for one in vehicles if one not in let_in]
        first = max(waiting)[1] if waiting else None
        held = gate.held.get(lane)
        if held is not None and held != first:
            _let_go(held)
            del gate.held[lane]
        if first is None:
            return
        left_m = libsumo.lane.getLength(lane) - libsumo.vehicle.getLanePosition(first) - LINE_M
        if now_s >= gate.open_at_s.get(lane, 0.0) and left_m < LINE_M + libsumo.vehicle.getSpeed(first) * 2.0:
            gate.open_at_s[lane] = now_s + gate.gap_s
            let_in.append(first)
            gate.held.pop(lane, None)
            _let_go(first)
            return
        libsumo.vehicle.setSpeed(first, _approach_mps(first, left_m))
        gate.held[lane] = first


def _approach_mps(vehicle: str, left_m: float) -> float:
    """As fast as it may go for the coming second and still stand at the line; far from it, as it likes."""
    may_mps = math.sqrt(BRAKES_MPS2**2 + 2.0 * BRAKES_MPS2 * max(left_m, 0.0)) - BRAKES_MPS2
    return FREE if may_mps >= libsumo.vehicle.getAllowedSpeed(vehicle) else may_mps


def _let_go(vehicle: str) -> None:
    try:
        libsumo.vehicle.setSpeed(vehicle, FREE)
    except libsumo.TraCIException:
        # It has left the street.
        return
