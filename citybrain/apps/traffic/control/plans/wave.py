# SPDX-License-Identifier: Apache-2.0
"""A green wave on request: signals along a road turn green one after the other, as fast as one drives."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Annotated

import msgspec

from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.control.plans.network import Link, links, through
from citybrain.apps.traffic.control.plans.plan import LONGEST_CYCLE_S, PlanBroken
from citybrain.apps.traffic.model import RANK, Junction, singles
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState
from citybrain.kernel.routing import KMH_PER_MPS

GREEN_WAVE = "traffic.green_wave"
END_GREEN_WAVE = "traffic.end_green_wave"

USUAL_CYCLE_S = 80.0
BAND_SHARE = 0.4
"""Of the cycle belongs to the wave where nothing else is asked; the rest is for the cross streets."""


class RunGreenWave(msgspec.Struct, frozen=True, kw_only=True):
    """Signals in the order in which one drives past them, and how fast. `both_ways` opens the way back as well."""

    signals: Annotated[tuple[str, ...], msgspec.Meta(min_length=2, max_length=40)]
    speed_kmh: Annotated[float, msgspec.Meta(ge=10.0, le=80.0)] = 45.0
    cycle_s: Annotated[float, msgspec.Meta(ge=30.0, le=LONGEST_CYCLE_S)] = USUAL_CYCLE_S
    both_ways: bool = False


class EndGreenWave(msgspec.Struct, frozen=True, kw_only=True):
    """End the wave that begins at the signal."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """In each cycle a stage of a signal is green from `begins_s` for `lasts_s`."""

    signal_id: str
    stage: int
    begins_s: float
    lasts_s: float
    change_s: float

    def holds(self, now_s: float, cycle_s: float) -> bool:
        """Whether to wish for the stage now: from a change before the window until its end."""
        return (now_s - self.begins_s + self.change_s) % cycle_s < self.change_s + self.lasts_s


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    """A wave as it runs."""

    windows: tuple[Window, ...]
    cycle_s: float
    order: Order


class GreenWaves:
    """The claimant for waves. Outside its windows a signal is left to the brain."""

    means = frozenset({GREEN_WAVE, END_GREEN_WAVE})

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._entities = entities
        self._junctions = {one.signals[0]: one for one in singles(entities)}
        self._waves: dict[str, Wave] = {}

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Take a wave in, or end one; refuses signals that no road joins and cycles that leave no time to others."""
        if order.means == END_GREEN_WAVE:
            self._waves.pop(order.entity_id, None)
        else:
            asked = msgspec.convert(order.parameters, RunGreenWave)
            windows = self.windows(asked)
            self._waves[order.entity_id] = Wave(windows=windows, cycle_s=asked.cycle_s, order=order)
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """A wave runs by the clock."""

    def claims(self, now_s: float) -> Sequence[Claim]:
        """The stages whose windows are open now."""
        return tuple(
            Claim(
                signal_id=window.signal_id,
                stage=window.stage,
                rank=Rank.WAVE,
                because=Because(
                    code="traffic.claim_green_wave",
                    facts={"by": wave.order.by, "cycle_s": wave.cycle_s, "lasts_s": round(window.lasts_s)},
                ),
            )
            for wave in self._waves.values()
            for window in wave.windows
            if window.holds(now_s, wave.cycle_s)
        )

    def orders(self) -> Sequence[Order]:
        """It orders nothing but stages."""
        return ()

    def windows(self, asked: RunGreenWave) -> tuple[Window, ...]:
        """The windows of a wave there, and of one back that shares as much of them as can be."""
        for name in asked.signals:
            if name not in self._junctions:
                raise PlanBroken("traffic.plan_signal_unknown", {"signal": name})
        there = self._one_way(asked.signals, asked)
        if not asked.both_ways:
            return there
        back = self._one_way(asked.signals[::-1], asked)
        shift_s = max(range(round(asked.cycle_s)), key=lambda one: _shared(there, back, one, asked.cycle_s))
        return there + tuple(msgspec.structs.replace(one, begins_s=one.begins_s + shift_s) for one in back)

    def _one_way(self, signals: Sequence[str], asked: RunGreenWave) -> tuple[Window, ...]:
        found: list[Window] = []
        at_s = 0.0
        hops = [self._joining(one, after) for one, after in pairwise(signals)]
        for number, name in enumerate(signals):
            arriving = hops[number - 1] if number else ()
            leaving = hops[number] if number < len(hops) else ()
            if arriving:
                at_s += min(link.length_m for link in arriving) / (asked.speed_kmh / KMH_PER_MPS)
            junction = self._junctions[name]
            stage = _serving(junction, arriving, leaving)
            lasts_s = max(BAND_SHARE * asked.cycle_s, junction.min_green_s[stage])
            _check_rest(junction, name, lasts_s, asked.cycle_s)
            found.append(
                Window(signal_id=name, stage=stage, begins_s=at_s, lasts_s=lasts_s, change_s=junction.change_s)
            )
        return tuple(found)

    @cached_property
    def _links(self) -> tuple[Link, ...]:
        """Found when the first wave is asked for: most cities never ask."""
        return links(tuple(self._junctions.values()), self._entities)

    def _joining(self, one: str, after: str) -> tuple[Link, ...]:
        found = tuple(link for link in self._links if link.signal == one and link.next_signal == after)
        if not found:
            raise PlanBroken("traffic.wave_has_a_gap", {"signal": one, "next": after})
        return found


def _serving(junction: Junction, arriving: Sequence[Link], leaving: Sequence[Link]) -> int:
    """The stage that lets most lanes of the movement go, protected ones counting double."""
    ways = through(junction, arriving, leaving)
    if not ways:
        raise PlanBroken("traffic.wave_cannot_pass", {"signal": junction.signals[0]})
    marks = [sum(RANK.get(stage[way.lamp], 0) for way in ways) for stage in junction.stages]
    if max(marks) == 0:
        raise PlanBroken("traffic.wave_cannot_pass", {"signal": junction.signals[0]})
    return marks.index(max(marks))


def _check_rest(junction: Junction, name: str, lasts_s: float, cycle_s: float) -> None:
    """At least one other stage must fit into what the wave leaves of a cycle."""
    rest_s = cycle_s - lasts_s - 2 * junction.change_s
    least_s = min(junction.min_green_s)
    if rest_s < least_s:
        facts = {"signal": name, "cycle_s": cycle_s, "rest_s": round(rest_s), "least_s": least_s}
        raise PlanBroken("traffic.wave_leaves_no_time", facts)


def _shared(there: Sequence[Window], back: Sequence[Window], shift_s: float, cycle_s: float) -> float:
    """Seconds per cycle in which both ways want the same stage, less those in which they want different ones."""
    total = 0.0
    by_signal = {window.signal_id: window for window in there}
    for window in back:
        other = by_signal[window.signal_id]
        apart_s = (window.begins_s + shift_s - other.begins_s) % cycle_s
        apart_s = min(apart_s, cycle_s - apart_s)
        overlap_s = max(0.0, min(window.lasts_s, other.lasts_s) - apart_s)
        total += overlap_s if window.stage == other.stage else -overlap_s
    return total
