# SPDX-License-Identifier: Apache-2.0
"""Green ahead of a mission: which stage lets it through, how early it must begin, and who yields where two cross."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from citybrain.apps.traffic.choice.worth import HEADWAY_S, SPACE_M, START_UP_S
from citybrain.apps.traffic.model import DETECTOR, RANK, SIGNAL
from citybrain.kernel.records import Entity
from citybrain.kernel.routing import LANE, roads_of_lanes

AHEAD_S = 6.0
"""So long before the vehicle the last one of the queue has passed: the crew must see green before it brakes (m)."""

SHORT_M = 80.0
"""A road before a signal that holds no more than ten cars in each lane."""

RECOVERY_S = 15.0
"""Longest time that who waited at a corridor is served before the usual control goes on (m)."""

HELD_S = 10.0
"""A corridor that held a signal for less has made nobody wait who would not have."""


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """The way over one signal from a road into another.

    `stages` let it through equally well, and better than all others; `otherwise` are those that empty its road where
    these do not; `detectors` watch its lanes before the stop line.
    """

    signal_id: str
    stages: tuple[int, ...]
    otherwise: tuple[int, ...]
    detectors: tuple[str, ...]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What a corridor must know of a signal: its stages, and the approach detectors that each stage serves."""

    id: str
    stages: tuple[str, ...]
    change_s: float
    min_green_s: tuple[float, ...]
    serves: tuple[frozenset[str], ...]


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """A mission wants a stage of a signal now; any of `stages` will do."""

    mission_id: str
    signal_id: str
    stages: tuple[int, ...]
    priority: int
    eta_s: float
    queue: int = 0


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal shows for missions: for whom, and who must wait for it."""

    want: Want
    stage: int
    yields: tuple[str, ...]


class Crossings:
    """All signals, and the movements over them by the roads they come from and lead to."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        road_of = roads_of_lanes(entities)
        watched = {
            (one.attributes["controller"], one.attributes["lane"]): one.id
            for one in entities
            if one.type == DETECTOR and one.attributes["role"] == "approach"
        }
        self._short = {
            one.attributes["lane"]
            for one in entities
            if one.type == LANE and "lane" in one.attributes and one.attributes["length"] < SHORT_M
        }
        self.signals: dict[str, Signal] = {}
        self._movements: dict[tuple[str, str], list[Movement]] = defaultdict(list)
        for one in entities:
            if one.type == SIGNAL and one.attributes.get("links"):
                self._add(one, road_of, watched)

    def between(self, road: str, after: str) -> Sequence[Movement]:
        """The signals that are passed from one road into the next; mostly one, or none."""
        return self._movements.get((road, after), ())

    def _add(self, entity: Entity, road_of: Mapping[str, str], watched: Mapping[tuple[str, str], str]) -> None:
        facts = entity.attributes
        stages: tuple[str, ...] = tuple(facts["stages"])
        links = [link for link in facts["links"] if link["approach"] in road_of and link["exit"] in road_of]
        detector = {link["approach"]: watched.get((entity.id, link["approach"]), "") for link in links}
        self.signals[entity.id] = Signal(
            id=entity.id,
            stages=stages,
            change_s=facts["yellow_s"] + facts["all_red_s"],
            min_green_s=tuple(facts["min_green_s"]),
            serves=tuple(
                frozenset(detector[link["approach"]] for link in links if stage[link["index"]] in RANK)
                for stage in stages
            ),
        )
        ways = dict.fromkeys((road_of[link["approach"]], road_of[link["exit"]]) for link in links)
        for road, after in ways:
            on_road = [link for link in links if road_of[link["approach"]] == road]
            mine = [link for link in on_road if road_of[link["exit"]] == after]
            lanes = dict.fromkeys(link["approach"] for link in mine)
            lamps = [link["index"] for link in mine]
            everybody = [link["index"] for link in on_road]
            # On a short road the queue of one lane reaches back to where the road begins, and stands before all lanes.
            shared = [link["index"] for link in on_road if link["approach"] in lanes or link["approach"] in self._short]
            best = best_stages(stages, lamps, shared, everybody)
            if best:
                movement = Movement(
                    signal_id=entity.id,
                    stages=best,
                    otherwise=emptying(stages, everybody, best[0]),
                    detectors=tuple(detector[lane] for lane in lanes if detector[lane]),
                )
                self._movements[road, after].append(movement)


def best_stages(
    stages: Sequence[str], lamps: Sequence[int], shared: Sequence[int], on_road: Sequence[int]
) -> tuple[int, ...]:
    """The stages that let a movement through best.

    One of its lamps is green; whoever may stand ahead on its lanes can go too, wherever bound (`shared`), since one
    that cannot holds up all behind it; then protected green before permissive, then as much as possible of the road.
    None where none is ever green, or all always are.
    """

    def mark(stage: str) -> tuple[float, ...]:
        ranks = [RANK.get(stage[lamp], 0) for lamp in lamps]
        return (
            any(ranks),
            sum(stage[lamp] in RANK for lamp in shared),
            min(ranks),
            sum(ranks),
            sum(RANK.get(stage[lamp], 0) for lamp in on_road),
        )

    marks = [mark(stage) for stage in stages]
    best = max(marks)
    served = tuple(number for number, one in enumerate(marks) if one == best)
    return served if best[0] and len(served) < len(stages) else ()


def emptying(stages: Sequence[str], shared: Sequence[int], best: int) -> tuple[int, ...]:
    """The stages that let go who is bound elsewhere and has red in the stage `best`, each for others than the last."""
    held = {lamp for lamp in shared if stages[best][lamp] not in RANK}
    found = []
    while held:
        served = [{lamp for lamp in held if stage[lamp] in RANK} for stage in stages]
        number = max(range(len(stages)), key=lambda one: len(served[one]))
        if not served[number]:
            break
        found.append(number)
        held -= served[number]
    return tuple(found)


def discharge_s(queue_m: float) -> float:
    """How long a queue takes to pass the stop line from the first second of green."""
    return START_UP_S + HEADWAY_S * vehicles(queue_m) if queue_m > 0 else 0.0


def vehicles(queue_m: float) -> int:
    """How many stand in a queue of this length."""
    return round(queue_m / SPACE_M)


def needed_s(queue_m: float, *, change_s: float, least_green_left_s: float) -> float:
    """How long before a vehicle arrives its stage must be asked for, so that nobody stands in front of it then."""
    return least_green_left_s + change_s + discharge_s(queue_m) + AHEAD_S


def settle(wants: Iterable[Want]) -> dict[str, Settled]:
    """Per signal one stage: that of the highest priority, among equals of whoever is there first. Where more than one
    stage suits it, the one that suits the others too."""
    at: dict[str, list[Want]] = defaultdict(list)
    for want in wants:
        at[want.signal_id].append(want)
    found = {}
    for signal_id, rivals in at.items():
        rivals.sort(key=lambda want: (-want.priority, want.eta_s, want.mission_id))
        first = rivals[0]
        stage = max(first.stages, key=lambda one: sum(one in other.stages for other in rivals))
        yields = tuple(other.mission_id for other in rivals[1:] if stage not in other.stages)
        found[signal_id] = Settled(want=first, stage=stage, yields=yields)
    return found


def recovery(signal: Signal, shown: int, queue_m: Mapping[str, float]) -> tuple[int, float] | None:
    """The stage that serves most of those who stand and were not served by the stage `shown`, and the seconds of green
    they need, but not more than `RECOVERY_S`; None when nobody stands."""
    waited = {
        number: sum(queue_m.get(detector, 0.0) for detector in served - signal.serves[shown])
        for number, served in enumerate(signal.serves)
    }
    best = max(waited, key=lambda number: waited[number])
    longest_m = max((queue_m.get(detector, 0.0) for detector in signal.serves[best]), default=0.0)
    return (best, min(discharge_s(longest_m), RECOVERY_S)) if waited[best] > SPACE_M else None
