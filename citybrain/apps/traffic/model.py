# SPDX-License-Identifier: Apache-2.0
"""What the signal controller thinks in: junctions of one or more signals, their lanes, ways and stages."""

from collections.abc import Mapping, Sequence
from itertools import product

import msgspec

from citybrain.kernel.records import Entity

SIGNAL = "TrafficSignalController"
DETECTOR = "TrafficDetector"

SHORT_LINK_M = 30.0
"""A lane shorter than four cars between two signals cannot store what one least green lets in: they act as one."""

STAGES_MAX = 64
"""More joint stages than this are not weighed every few seconds; such a chain stays separate."""

Track = Sequence[float]
"""distance m (to the stop line, or past the exit's start; below 0 in the box), speed m/s, waiting s, share."""

RANK = {"G": 2, "g": 1}
"""A protected green is better than a permissive one; all else (red, stop-and-go on red) is none."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """An approach or exit lane as one detector watches it."""

    detector_id: str
    lane: str
    length_m: float
    speed_limit_mps: float


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """From approach number to exit number under one lamp; `crosses` are the numbers of ways it crosses or meets."""

    lamp: int
    approach: int
    exit: int
    crosses: frozenset[int] = frozenset()


class Junction(msgspec.Struct, frozen=True, kw_only=True):
    """One signal, or several that act as one. A stage is one state over all their lamps in a row.

    `stages_of` are the stages of the single signals, `orders[stage]` the numbers they have in each joint stage;
    `inner` are the short lanes between them, as (approach number, exit number); `min_green_s` belongs to the stages,
    and so does `only_empty`: the inner exits that must be empty while the stage is shown.
    """

    signals: tuple[str, ...]
    approaches: tuple[Lane, ...]
    exits: tuple[Lane, ...]
    ways: tuple[Way, ...]
    stages: tuple[str, ...]
    orders: tuple[tuple[int, ...], ...]
    min_green_s: tuple[float, ...]
    change_s: float
    stages_of: tuple[tuple[str, ...], ...]
    inner: tuple[tuple[int, int], ...] = ()
    only_empty: tuple[frozenset[int], ...] = ()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """All lanes that are watched."""
        return self.approaches + self.exits


def junctions(entities: Sequence[Entity]) -> tuple[Junction, ...]:
    """The signals among the entities; those joined by short lanes as one junction where that leaves a choice."""
    found: list[Junction] = []
    for group in _groups(singles(entities)):
        joint = _join(group)
        found.extend([joint] if joint else group)
    return tuple(found)


def singles(entities: Sequence[Entity]) -> tuple[Junction, ...]:
    """Every signal among the entities as a junction of its own."""
    watched = {
        (one.attributes["controller"], one.attributes["role"], one.attributes["lane"]): one
        for one in entities
        if one.type == DETECTOR
    }
    return tuple(_single(one, watched) for one in entities if one.type == SIGNAL)


def _single(entity: Entity, watched: Mapping[tuple[str, str, str], Entity]) -> Junction:
    facts = entity.attributes
    links, stages = facts["links"], tuple(facts["stages"])
    approaches = list(dict.fromkeys(link["approach"] for link in links))
    exits = list(dict.fromkeys(link["exit"] for link in links))
    ways = [
        Way(
            lamp=link["index"],
            approach=approaches.index(link["approach"]),
            exit=exits.index(link["exit"]),
            crosses=frozenset(link["crosses"]),
        )
        for link in links
    ]
    return Junction(
        signals=(entity.id,),
        approaches=tuple(_lane(watched[entity.id, "approach", lane]) for lane in approaches),
        exits=tuple(_lane(watched[entity.id, "exit", lane]) for lane in exits),
        ways=tuple(ways),
        stages=stages,
        orders=tuple((number,) for number in range(len(stages))),
        min_green_s=tuple(facts["min_green_s"]),
        change_s=facts["yellow_s"] + facts["all_red_s"],
        stages_of=(stages,),
    )


def _lane(entity: Entity) -> Lane:
    facts = entity.attributes
    return Lane(
        detector_id=entity.id,
        lane=facts["lane"],
        length_m=facts["length_m"],
        speed_limit_mps=facts["speed_limit_mps"],
    )


def _groups(single: Sequence[Junction]) -> list[list[Junction]]:
    """Connected parts of the graph of junctions and lanes, straight from one to the next, that hold next to nothing."""
    at_line: dict[str, list[int]] = {}
    for number, one in enumerate(single):
        for lane in one.approaches:
            at_line.setdefault(lane.lane, []).append(number)
    group_of = [[one] for one in single]
    for number, one in enumerate(single):
        short = {lane.lane for lane in one.exits if lane.length_m < SHORT_LINK_M}
        for other in sorted({each for lane in short for each in at_line.get(lane, ())}):
            mine, theirs = group_of[number], group_of[other]
            if mine is not theirs:
                mine.extend(theirs)
                group_of = [mine if group is theirs else group for group in group_of]
    return list({id(group): group for group in group_of}.values())


def _join(group: Sequence[Junction]) -> Junction | None:
    """One junction out of several; None for a single one, or when too many or no joint stages remain."""
    choices = list(product(*(range(len(one.stages)) for one in group)))
    if len(group) == 1 or len(choices) > STAGES_MAX:
        return None
    approaches = [lane for one in group for lane in one.approaches]
    exits = [lane for one in group for lane in one.exits]
    ways = _joint_ways(group)
    names = [lane.lane for lane in exits]
    inner = tuple((at, names.index(lane.lane)) for at, lane in enumerate(approaches) if lane.lane in names)
    stages = {choice: "".join(one.stages[at] for one, at in zip(group, choice, strict=True)) for choice in choices}
    passable = {choice: stage for choice, stage in stages.items() if not _must_jam(stage, ways, inner)}
    if len(set(passable.values())) < 2:
        return None
    return Junction(
        signals=tuple(one.signals[0] for one in group),
        approaches=tuple(approaches),
        exits=tuple(exits),
        ways=tuple(ways),
        stages=tuple(passable.values()),
        orders=tuple(passable),
        min_green_s=tuple(
            max(one.min_green_s[at] for one, at in zip(group, choice, strict=True)) for choice in passable
        ),
        change_s=max(one.change_s for one in group),
        stages_of=tuple(one.stages for one in group),
        inner=inner,
        only_empty=tuple(frozenset(_at_risk(stage, ways, inner)) for stage in passable.values()),
    )


def _joint_ways(group: Sequence[Junction]) -> list[Way]:
    """The ways of all junctions, numbered through."""
    ways: list[Way] = []
    lamps = ins = outs = 0
    for one in group:
        before = len(ways)
        ways.extend(
            Way(
                lamp=way.lamp + lamps,
                approach=way.approach + ins,
                exit=way.exit + outs,
                crosses=frozenset(other + before for other in way.crosses),
            )
            for way in one.ways
        )
        lamps, ins, outs = lamps + len(one.stages[0]), ins + len(one.approaches), outs + len(one.exits)
    return ways


def _must_jam(stage: str, ways: Sequence[Way], inner: Sequence[tuple[int, int]]) -> bool:
    """An approach that leads nowhere else fills a short lane that can lock and is not let out under protected green.

    With permissive green out it is enough that no other lane is fed that it could lock itself with.
    """
    green = [way for way in ways if stage[way.lamp] in RANK]
    fed = [lane for lane in inner if lane[1] in {way.exit for way in green}]
    filled = {way.exit for way in green if all(way.exit == one.exit for one in ways if one.approach == way.approach)}
    for lane in fed:
        out = min(RANK.get(stage[way.lamp], 0) for way in ways if way.approach == lane[0])
        others = fed if out else inner
        if lane[1] in filled and out < RANK["G"] and any(_can_lock(lane, one, ways) for one in others if one != lane):
            return True
    return False


def _at_risk(stage: str, ways: Sequence[Way], inner: Sequence[tuple[int, int]]) -> set[int]:
    """Exits into short lanes that have green in but not out, and those each could lock itself with."""
    fed = {way.exit for way in ways if stage[way.lamp] in RANK}
    stuck = [lane for lane in inner if lane[1] in fed and lane[1] not in _green_out(stage, ways, inner)]
    pairs = [(lane, other) for lane in stuck for other in inner if other != lane and _can_lock(lane, other, ways)]
    return {exit_ for pair in pairs for _, exit_ in pair}


def _green_out(stage: str, ways: Sequence[Way], inner: Sequence[tuple[int, int]]) -> set[int]:
    """Exits into short lanes that are green at their other end."""
    served = {way.approach for way in ways if stage[way.lamp] in RANK}
    return {exit_ for approach, exit_ in inner if approach in served}


def _can_lock(lane: tuple[int, int], other: tuple[int, int], ways: Sequence[Way]) -> bool:
    """Full, each lane's tail stands in the way of what the other one lets out: neither would ever empty."""
    return _tail_blocks(lane, other, ways) and _tail_blocks(other, lane, ways)


def _tail_blocks(lane: tuple[int, int], other: tuple[int, int], ways: Sequence[Way]) -> bool:
    tails = {number for number, way in enumerate(ways) if way.exit == lane[1]}
    return any(way.crosses & tails for way in ways if way.approach == other[0])


def worth_trying(stages: Sequence[str]) -> tuple[int, ...]:
    """The stages that are not in every lamp equalled or bettered by another one."""
    ranks = [tuple(RANK.get(letter, 0) for letter in stage) for stage in stages]
    return tuple(
        number
        for number, rank in enumerate(ranks)
        if not any(other != rank and all(a >= b for a, b in zip(other, rank, strict=True)) for other in ranks)
    )
