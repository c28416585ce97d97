# SPDX-License-Identifier: Apache-2.0
"""Better fixed plans from counted traffic: cycle, greens and offsets for signals that have no sensors to think with."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from citybrain.apps.traffic.choice.worth import START_UP_S, Served, served
from citybrain.apps.traffic.control.plans.delay import (
    Profile,
    capacity_profile,
    dispersed,
    lane_delay_s,
    serve,
)
from citybrain.apps.traffic.control.plans.network import Link
from citybrain.apps.traffic.control.plans.plan import Phase, Plan, Timing
from citybrain.apps.traffic.model import RANK, Junction, worth_trying

CYCLES_S = tuple(range(60, 121, 5))
"""Cycles that are tried. RiLSA 2015 allows 30 s and more; below 60 s queues reach from signal to signal more often
than this model, which lets them stand on top of each other, can know: at cologne3 shorter ones cost a fifth."""

YIELDING = 0.25
"""Share of the saturation flow that finds gaps: about 430 of 1800 veh/h where 1300 veh/h come against it (HCM 6,
chapter 31: critical gap 4.5 s, follow-up 2.5 s)."""

OFFSET_STEP_S = 4
ROUNDS = 4
"""Passes over the signals when offsets are sought; a fifth changed nothing on the networks tried."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with what the model expects of it: vehicle-seconds of delay per second, before and after."""

    plan: Plan
    delay_now_s: float | None
    delay_s: float
    flow_veh_per_h: float


class Site:
    """One signal prepared for the search: which lanes each stage serves, how well, and how much comes in each lane."""

    def __init__(self, junction: Junction, flows_veh_per_s: Mapping[str, float]) -> None:
        self.junction = junction
        self.name = junction.signals[0]
        self.stages = _kept(junction)
        always = {way.lamp for way in junction.ways if all(stage[way.lamp] in RANK for stage in junction.stages)}
        free = {way.approach for way in junction.ways if way.lamp in always}
        per_stage = served(junction)
        self.lanes = [
            at for at in range(len(junction.approaches)) if at not in free and _is_served(at, per_stage, self.stages)
        ]
        self.flows = {at: flows_veh_per_s.get(junction.approaches[at].lane, 0.0) for at in self.lanes}
        self.parts = _parts(junction, per_stage)

    def least_cycle_s(self) -> float:
        return sum(self.junction.min_green_s[stage] + self.junction.change_s for stage in self.stages)

    def delay_s(self, greens_s: Mapping[int, float], cycle_s: float) -> float:
        """Vehicle-seconds of delay per second (equally: vehicles standing on average)."""
        order = [(stage, greens_s[stage]) for stage in self.stages]
        return _delay_s(self.lanes, self.flows, order, self.parts, cycle_s)

    def greens_s(self, cycle_s: float) -> dict[int, float] | None:
        """Split a cycle: from the least greens, second by second to the stage that gains most; None if too short."""
        greens = {stage: self.junction.min_green_s[stage] for stage in self.stages}
        left_s = cycle_s - self.least_cycle_s()
        if left_s < 0.0:
            return None
        while left_s > 0.0:
            step_s = min(1.0, left_s)
            best = min(self.stages, key=lambda one: self.delay_s({**greens, one: greens[one] + step_s}, cycle_s))
            greens[best] += step_s
            left_s -= step_s
        return greens


def _parts(junction: Junction, per_stage: Sequence[Sequence[Served]]) -> dict[tuple[int, int], float]:
    """How well each stage serves each approach lane, by (stage, approach): a mean over the ways of the lane."""
    found = {}
    for stage, ones in enumerate(per_stage):
        for one in ones:
            letters = [junction.stages[stage][way.lamp] for way in junction.ways if way.approach == one.approach]
            worth = sum(1.0 if letter == "G" else YIELDING if letter == "g" else 0.0 for letter in letters)
            found[stage, one.approach] = worth / len(letters)
    return found


def _kept(junction: Junction) -> tuple[int, ...]:
    """The stages worth trying, in the order of the shipped plan."""
    return tuple(sorted(worth_trying(junction.stages)))


def _is_served(lane: int, per_stage: Sequence[Sequence[Served]], stages: Sequence[int]) -> bool:
    return any(one.approach == lane for stage in stages for one in per_stage[stage])


def propose(
    name: str,
    junctions: Sequence[Junction],
    flows_veh_per_s: Mapping[str, float],
    links: Sequence[Link] = (),
    now: Mapping[str, Timing] | None = None,
) -> Proposal:
    """One plan for signals that run in step: the cycle with the least delay, its splits, then the offsets.

    `flows_veh_per_s` by approach lane. Each junction is one signal. `now`: what runs today, to compare by the same
    model (its cycles may differ).
    """
    sites = [Site(one, flows_veh_per_s) for one in junctions]
    least_s = max(site.least_cycle_s() for site in sites)
    cycles = sorted({*(float(one) for one in CYCLES_S if one >= least_s), float(np.ceil(least_s / 5) * 5)})
    scored = []
    for cycle_s in cycles:
        splits = {site.name: greens for site in sites if (greens := site.greens_s(cycle_s)) is not None}
        scored.append((sum(site.delay_s(splits[site.name], cycle_s) for site in sites), cycle_s, splits))
    delay_s, cycle_s, splits = min(scored, key=lambda each: each[0])
    search = Offsets(sites, splits, links, round(cycle_s))
    offsets = search.best()
    timings = tuple(
        Timing(
            signal_id=site.name,
            offset_s=float(offsets[site.name]),
            phases=tuple(Phase(stage=stage, green_s=splits[site.name][stage]) for stage in site.stages),
        )
        for site in sites
    )
    return Proposal(
        plan=Plan(name=name, timings=timings),
        delay_now_s=_delay_now_s(sites, now) if now else None,
        delay_s=delay_s,
        flow_veh_per_h=sum(flow for site in sites for flow in site.flows.values()) * 3600.0,
    )


def _delay_now_s(sites: Sequence[Site], now: Mapping[str, Timing]) -> float:
    total = 0.0
    for site in sites:
        order = [(phase.stage, phase.green_s) for phase in now[site.name].phases]
        cycle = sum(green_s + site.junction.change_s for _, green_s in order)
        total += _delay_s(site.lanes, site.flows, order, site.parts, cycle)
    return total


def _delay_s(
    lanes: Sequence[int],
    flows: Mapping[int, float],
    order: Sequence[tuple[int, float]],
    parts: Mapping[tuple[int, int], float],
    cycle_s: float,
) -> float:
    """Vehicle-seconds of delay per second over lanes; each start of a lane's green loses `START_UP_S`."""
    total = 0.0
    for lane in lanes:
        served_by = [parts.get((stage, lane), 0.0) for stage, _ in order]
        starts = [
            part for part, before in zip(served_by, [served_by[-1], *served_by], strict=False) if part and not before
        ]
        green_s = sum(part * green_s for part, (_, green_s) in zip(served_by, order, strict=True))
        total += flows[lane] * lane_delay_s(flows[lane], green_s - START_UP_S * sum(starts), cycle_s)
    return total


class Offsets:
    """Offsets by cyclic flow (TRANSYT, TRRL LR 253): what leaves one signal arrives in platoons at the next."""

    def __init__(
        self, sites: Sequence[Site], splits: Mapping[str, Mapping[int, float]], links: Sequence[Link], cycle: int
    ) -> None:
        self._sites = {site.name: site for site in sites}
        self._splits = splits
        self._cycle = cycle
        self._links = [one for one in links if one.signal in self._sites and one.next_signal in self._sites]

    def best(self) -> dict[str, int]:
        """Signal after signal takes the offset with the least waiting of all, a few times round."""
        offsets = dict.fromkeys(self._sites, 0)
        if not self._links:
            return offsets
        for _ in range(ROUNDS):
            before = dict(offsets)
            for name in self._sites:
                tries = [(self.waiting({**offsets, name: one}), one) for one in range(0, self._cycle, OFFSET_STEP_S)]
                offsets[name] = min(tries)[1]
            if offsets == before:
                break
        return offsets

    def waiting(self, offsets: Mapping[str, int]) -> float:
        """Vehicle-seconds waited in one cycle at all lanes that a link feeds."""
        leaving = {name: self._leaving(site, offsets[name]) for name, site in self._sites.items()}
        arriving: dict[tuple[str, str], Profile] = {}
        for link in self._links:
            profile = dispersed(leaving[link.signal].get(link.exit, np.zeros(self._cycle)), link.travel_s)
            for lane in link.approaches:
                before = arriving.get((link.next_signal, lane), np.zeros(self._cycle))
                arriving[link.next_signal, lane] = before + profile / len(link.approaches)
        total = 0.0
        for (name, lane), profile in arriving.items():
            site = self._sites[name]
            numbers = [at for at in site.lanes if site.junction.approaches[at].lane == lane]
            for at in numbers:
                scaled = _scaled(profile, site.flows[at] * self._cycle)
                total += serve(scaled, self._capacity(site, at, offsets[name]))[1]
        return total

    def _leaving(self, site: Site, offset: int) -> dict[str, Profile]:
        """Departures per exit lane when arrivals are even; a lane's vehicles take its exits in equal parts."""
        found: dict[str, Profile] = {}
        for lane in site.lanes:
            even = np.full(self._cycle, site.flows[lane])
            out, _ = serve(even, self._capacity(site, lane, offset))
            exits = list(dict.fromkeys(way.exit for way in site.junction.ways if way.approach == lane))
            for exit_ in exits:
                name = site.junction.exits[exit_].lane
                found[name] = found.get(name, np.zeros(self._cycle)) + out / len(exits)
        return found

    def _capacity(self, site: Site, lane: int, offset: int) -> Profile:
        splits = self._splits[site.name]
        greens, at_s, before = [], float(offset), site.parts.get((site.stages[-1], lane), 0.0)
        for stage in site.stages:
            part = site.parts.get((stage, lane), 0.0)
            lost_s = START_UP_S if part and not before else 0.0
            if part:
                greens.append((at_s + lost_s, splits[stage] - lost_s, part))
            before = part
            at_s += splits[stage] + site.junction.change_s
        return capacity_profile(greens, self._cycle)


def _scaled(profile: Profile, vehicles: float) -> Profile:
    """The shape of a profile with the number of vehicles that the lane really has."""
    total = float(profile.sum())
    return profile * (vehicles / total) if total > 0.0 else np.full(len(profile), vehicles / len(profile))


def shipped_timing(signal_id: str, junction: Junction, plan: Sequence[Mapping[str, Any]]) -> Timing:
    """The shipped plan of a signal as a timing: its stages with their greens, in its order."""
    found: list[tuple[int, float]] = []
    for phase in plan:
        state = phase["state"]
        if state in junction.stages:
            stage = junction.stages.index(state)
            lasts_s = float(phase["duration_s"])
            if found and found[-1][0] == stage:
                found[-1] = (stage, found[-1][1] + lasts_s)
            else:
                found.append((stage, lasts_s))
    if len(found) > 1 and found[0][0] == found[-1][0]:
        found[0] = (found[0][0], found[0][1] + found.pop()[1])
    return Timing(signal_id=signal_id, phases=tuple(Phase(stage=stage, green_s=green_s) for stage, green_s in found))
