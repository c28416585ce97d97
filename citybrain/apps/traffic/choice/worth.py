# SPDX-License-Identifier: Apache-2.0
"""Which stage passes most: vehicles per second from here on, of those that can really leave."""

from collections.abc import Sequence
from math import inf

import msgspec

from citybrain.apps.traffic.model import RANK, Junction, Lane, Track

# Figures marked (m) were chosen by measuring on the RESCO networks: docs/reference/signal-control.md.
REACH_M = 100.0
"""Vehicles farther away do not count yet (m)."""

HORIZON_S = 40.0
"""How far a stage is looked ahead (m)."""

LEAST_SPAN_S = 5.0
"""No rate over less than the shortest green."""

HEADWAY_S = 2.0
"""Seconds between two cars from a queue: 1800 veh/h saturation flow (HBS 2015, HCM 6 chapter 19: 1900)."""

START_UP_S = 2.0
"""Lost time when a queue starts (HCM 6, chapter 19: 2 s)."""

SPACE_M = 7.5
"""Road one standing car takes, gap included (HBS 2015: 6 to 7.5 m)."""

CAR_M = 5.0

STANDING_MPS = 0.1

PERMISSIVE = 0.5
"""What a green that must give way is worth against a protected one (m)."""

IMPATIENCE_PER_S = 0.01
"""A vehicle that waited 100 s counts double (m)."""

IMPATIENCE_UNTIL_S = 200.0

CROWDED = 2.0
"""A vehicle of a queue that stands back to the end of the reach counts by so much more: such a lane gets too little
green, which the wait of its first vehicle does not show, for that begins anew whenever the queue moves up (m)."""

CROWDED_FROM_M = 50.0
"""A queue that ends nearer than this counts as it is; from here on it counts more and more (m)."""

CRAWL_MPS = 2.0
"""Slower than this a vehicle is part of a queue, though it moves up."""

STARVING_S = 120.0
"""A lane whose first vehicle waits longer gets an extra, growing without limit (RiLSA 2015: cycles end at 120 s)."""

GAP_M = 30.0
"""A vehicle that stands so far behind the one ahead stands for another cause than a red light (m)."""

START_WAVE_MPS = 5.0
"""Speed at which a queue starts moving, backwards (18 km/h; Daganzo 1997)."""

PATIENCE_S = 12.0
"""A vehicle under protected green that the start wave passed so long ago is blocked (m)."""

PATIENCE_PERMISSIVE_S = 15.0
"""The same where it must find a gap first (m)."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One approach in one stage: how well it is served, by which lamps, into which exits.

    `holds`: vehicles that each exit can take; without end, but for a short inner lane that is red at its other end.
    """

    approach: int
    part: float
    exits: tuple[int, ...]
    holds: tuple[float, ...]
    lamps: tuple[int, ...]
    protected: bool


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen at one moment: tracks per approach, vehicles that fit per exit, green per lamp (0: red)."""

    approaches: Sequence[Sequence[Track]]
    room: Sequence[float]
    green_s: Sequence[float]


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """A stage weighed: vehicles it passes, their rate, an extra for starving lanes, and what holds it back."""

    rate: float = 0.0
    extra: float = 0.0
    vehicles: int = 0
    longest_wait_s: float = 0.0
    full_exits: int = 0


def served(junction: Junction) -> tuple[tuple[Served, ...], ...]:
    """Per stage, the approaches it serves; lamps that are green in every stage decide nothing and are left out."""
    always = {way.lamp for way in junction.ways if all(stage[way.lamp] in RANK for stage in junction.stages)}
    return tuple(_served(junction, stage, always) for stage in junction.stages)


def _served(junction: Junction, stage: str, always: set[int]) -> tuple[Served, ...]:
    found = []
    for approach in range(len(junction.approaches)):
        ways = [way for way in junction.ways if way.approach == approach]
        green = [way for way in ways if stage[way.lamp] in RANK and way.lamp not in always]
        if green:
            worth = sum(1.0 if stage[way.lamp] == "G" else PERMISSIVE for way in green)
            found.append(
                Served(
                    approach=approach,
                    part=worth / len(ways),
                    exits=tuple(way.exit for way in green),
                    holds=tuple(_holds(junction, stage, way.exit) for way in green),
                    lamps=tuple(way.lamp for way in green),
                    protected=any(stage[way.lamp] == "G" for way in green),
                )
            )
    return tuple(found)


def _holds(junction: Junction, stage: str, exit_: int) -> float:
    """Vehicles that fit into a short lane between two signals when the stage lets nobody out of it."""
    inner = [approach for approach, number in junction.inner if number == exit_]
    if not inner or any(stage[way.lamp] in RANK for way in junction.ways if way.approach in inner):
        return inf
    return junction.exits[exit_].length_m / SPACE_M


def room(tracks: Sequence[Track]) -> float:
    """Vehicles that fit before the first that stands in the exit, less those on their way; no end when none stands."""
    for coming, (distance_m, speed_mps, _, _) in enumerate(tracks):
        if distance_m >= 0 and speed_mps < STANDING_MPS:
            return max(0.0, distance_m - CAR_M - SPACE_M * coming) / SPACE_M
    return inf


def queue(tracks: Sequence[Track], green_s: float, patience_s: float) -> list[Track]:
    """The tracks up to the first that stands for another cause than a red light.

    Such a one has a gap before it, or has had green for long enough and still did not start.
    """
    found: list[Track] = []
    ahead_m = 0.0
    for track in tracks:
        at_m = max(track[0], 0.0)
        if track[0] > REACH_M:
            break
        if track[1] < STANDING_MPS:
            had_green_s = min(green_s - at_m / START_WAVE_MPS, track[2])
            if at_m - ahead_m > GAP_M or had_green_s > patience_s:
                break
        ahead_m = at_m
        found.append(track)
    return found


def crowded(tracks: Sequence[Track]) -> float:
    """What each vehicle of these counts: 1, and up to `CROWDED` more the farther back they stand."""
    end_m = max((track[0] for track in tracks if track[1] < CRAWL_MPS), default=0.0)
    over = (end_m - CROWDED_FROM_M) / (REACH_M - CROWDED_FROM_M)
    return 1.0 + CROWDED * min(over, 1.0) if over > 0.0 else 1.0


def pass_times_s(tracks: Sequence[Track], lane: Lane, start_s: float) -> list[tuple[float, Track]]:
    """When each vehicle passes the stop line if green begins after `start_s` (0: it is green now)."""
    found: list[tuple[float, Track]] = []
    last_s = 0.0
    limit_mps = lane.speed_limit_mps
    for track in tracks:
        distance_m, speed_mps, _, share = track
        if speed_mps < STANDING_MPS:
            at_m = max(distance_m, 0.0)
            arrival_s = at_m / (CAR_M if at_m < 10.0 else limit_mps) + (start_s + START_UP_S if start_s else 0.0)
        elif distance_m < 0:
            continue
        else:
            arrival_s = max(distance_m / max(speed_mps, limit_mps / 2), start_s)
        last_s = max(arrival_s, last_s + HEADWAY_S * share)
        found.append((last_s, track))
    return found


def worth(junction: Junction, stage: Sequence[Served], view: View) -> Worth:
    """Weigh one stage."""
    passing: list[tuple[float, float]] = []
    extra = longest_s = 0.0
    full = 0
    for one in stage:
        space = _space(one, view.room)
        if space < 1.0:
            full += 1
            continue
        if not view.approaches[one.approach]:
            continue
        green_s = min(view.green_s[lamp] for lamp in one.lamps)
        tracks = queue(view.approaches[one.approach], green_s, PATIENCE_S if one.protected else PATIENCE_PERMISSIVE_S)
        start_s = 0.0 if green_s else junction.change_s
        times = pass_times_s(tracks, junction.approaches[one.approach], start_s)[: int(space)]
        part = one.part * crowded(tracks)
        if times and times[0][1][2] > STARVING_S:
            extra += one.part * times[0][1][2] / STARVING_S
        for at_s, track in times:
            if at_s <= HORIZON_S:
                longest_s = max(longest_s, track[2])
                patience = 1.0 + IMPATIENCE_PER_S * min(track[2], IMPATIENCE_UNTIL_S)
                passing.append((at_s, part * track[3] * patience))
    rate, vehicles = _best_rate(sorted(passing))
    return Worth(rate=rate, extra=extra, vehicles=vehicles, longest_wait_s=longest_s, full_exits=full)


def _space(one: Served, rooms: Sequence[float]) -> float:
    """Vehicles that fit into the exits of an approach, as their mean; written out, for it is asked most often."""
    total = 0.0
    for exit_, free in zip(one.exits, one.holds, strict=True):
        if rooms[exit_] < free:
            free = rooms[exit_]
        total += free if free < 99.0 else 99.0
    return total / len(one.exits)


def _best_rate(passing: Sequence[tuple[float, float]]) -> tuple[float, int]:
    """The highest worth per second over any time from now, and how many vehicles have passed by then."""
    best, count, total = 0.0, 0, 0.0
    for number, (at_s, value) in enumerate(passing, 1):
        total += value
        if total / max(at_s, LEAST_SPAN_S) > best:
            best, count = total / max(at_s, LEAST_SPAN_S), number
    return best, count
