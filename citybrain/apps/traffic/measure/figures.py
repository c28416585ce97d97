# SPDX-License-Identifier: Apache-2.0
"""Readings of the traffic indicators, each city minute, for any arm by the same code."""

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from citybrain.apps.traffic.index import Network, Numbers, Places, network, speed_shares
from citybrain.kernel.app import Frame, Score
from citybrain.kernel.records import Entity, Facts, Reading

# How many roads an index names as those that cost most.
NAMED_ROADS = 5


class TrafficMeasure:
    """What the judge counted and what the floating cars saw, as readings at each full city minute and at the end."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._roads = Places(entities, "RoadSegment")
        self._length_m = self._roads.facts("length")
        self._free_kmh = self._roads.facts("maximumAllowedSpeed")
        self._told: dict[str, datetime] = {}

    def __call__(self, frame: Frame, arm: str) -> list[Reading]:
        """The readings of this minute; none in between, and none for what nobody has seen yet.

        The judge counts less often than the sensors look: its figures are those of its first count in the minute.
        """
        figures: dict[str, tuple[float, Facts]] = {}
        if frame.score and self._is_due(f"{arm} judged", frame):
            figures.update(judged(frame.score))
        if self._is_due(f"{arm} seen", frame):
            figures.update(self._seen(frame))
        return [
            Reading(indicator=name, arm=arm, at=frame.batch.observed_at, value=value, parts=parts)
            for name, (value, parts) in figures.items()
            if math.isfinite(value)
        ]

    def _is_due(self, what: str, frame: Frame) -> bool:
        """Whether a minute has passed since the first frame or the last reading, or the run ends."""
        minute = frame.batch.observed_at.replace(second=0, microsecond=0)
        due = self._told.setdefault(what, minute) != minute or frame.finished
        self._told[what] = minute
        return due

    def _seen(self, frame: Frame) -> dict[str, tuple[float, Facts]]:
        speed_kmh = self._roads.observed(frame.batch, "averageVehicleSpeed")
        vehicles = self._roads.observed(frame.batch, "vehicleCount")
        now = network(length_m=self._length_m, free_kmh=self._free_kmh, speed_kmh=speed_kmh, vehicles=vehicles)
        if not now.roads:
            return {}
        seen: Facts = {"roads": now.roads, "covered": round(now.covered, 4)}
        times: Facts = {"travel_s": round(now.travel_s, 3), "free_s": round(now.free_s, 3), **seen}
        return {
            "traffic.delay_index": (now.delay_index, {**times, "costliest": self._costliest(speed_kmh, vehicles)}),
            "traffic.tpi": (now.tpi, {**times, "dtp": round(now.dtp, 4)}),
            "traffic.congested_share": (100.0 * now.congested_share, {**_by_level(now), **seen}),
        }

    def _costliest(self, speed_kmh: Numbers, vehicles: Numbers) -> list[str]:
        """The roads whose vehicles lose most time, the worst first."""
        lost = np.nan_to_num(vehicles * (1.0 - np.minimum(speed_shares(speed_kmh, self._free_kmh), 1.0)))
        worst = np.argsort(-lost, kind="stable")[:NAMED_ROADS].tolist()
        return [self._roads.entities[place].id for place in worst if lost[place] > 0]


def _by_level(now: Network) -> Facts:
    return {f"level_{level}": round(share, 4) for level, share in enumerate(now.level_share, start=1)}


def judged(score: Score) -> dict[str, tuple[float, Facts]]:
    """What the judge of a simulated city counted since the start of the run; a real city has no judge."""
    if not score.due:
        return {}
    delay_s = score.delay_arrived_s + score.delay_running_s + score.delay_waiting_s
    figures: dict[str, tuple[float, Facts]] = {
        "traffic.delay": (
            delay_s / score.due,
            {
                "due": score.due,
                "arrived": score.arrived,
                "running": score.running,
                "waiting": score.waiting,
                "delay_arrived_s": round(score.delay_arrived_s, 1),
                "delay_running_s": round(score.delay_running_s, 1),
                "delay_waiting_s": round(score.delay_waiting_s, 1),
            },
        ),
        "traffic.arrived": (float(score.arrived), {"arrived": score.arrived, "due": score.due}),
    }
    if score.arrived:
        figures["traffic.travel_time"] = (
            score.travel_time_arrived_s / score.arrived,
            {"travel_time_arrived_s": round(score.travel_time_arrived_s, 1), "arrived": score.arrived},
        )
    return figures
