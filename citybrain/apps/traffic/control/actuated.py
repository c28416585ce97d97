# SPDX-License-Identifier: Apache-2.0
"""Fall-back where sensors fail: the shipped stages in their order, each as long as somebody comes, by what still sees.

Gap-out and max-out as in any actuated controller (NEMA TS 2; HCM 6, chapter 31); a stage with a blind approach is
recalled every time and has the green of the shipped plan. With no approach that sees, the shipped plan itself runs.
"""

from collections.abc import Sequence
from datetime import datetime
from math import inf

from citybrain.apps.traffic.choice.mind import Tracks
from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.detect.sight import Doubt, Sight, Steered
from citybrain.apps.traffic.model import RANK, SIGNAL, Junction
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState

CALL_M = 50.0
"""A vehicle this near calls for green and extends it: where an advance loop would lie."""

GAP_S = 3.0
"""Green ends when nobody came for so long (HCM 6, chapter 31: passage time 2 to 4 s)."""

STRETCH = 1.5
"""A stage lasts at most this many times its shipped green while others wait,"""

MAX_GREEN_LEAST_S = 30.0
"""or so long, where the plan is shorter."""


class Actuated:
    """One signal under actuated control."""

    def __init__(self, junction: Junction, signal: Entity) -> None:
        facts = signal.attributes
        self.signal_id = signal.id
        at = junction.signals.index(signal.id)
        self._stages = junction.stages_of[at]
        self._min_green_s = tuple(facts["min_green_s"])
        self._shipped_s = _shipped_s(self._stages, facts.get("plan") or ())
        detector_of = {lane.lane: lane.detector_id for lane in junction.approaches}
        links = [(link["index"], detector_of[link["approach"]]) for link in facts["links"]]
        always = {lamp for lamp, _ in links if all(stage[lamp] in RANK for stage in self._stages)}
        self._served = [
            frozenset(lane for lamp, lane in links if stage[lamp] in RANK and lamp not in always)
            for stage in self._stages
        ]
        self._stage: int | None = None
        self._since_s = -inf
        self._came_s = -inf
        self._wanted: int | None = None

    def stage(self, lamps: str, now_s: float, tracks: Tracks, blind: frozenset[str]) -> int | None:
        """What to show now; None while the signal changes and nothing was wanted before."""
        shown = self._stages.index(lamps) if lamps in self._stages else None
        if shown is None:
            return self._wanted
        if shown != self._stage:
            self._stage, self._since_s, self._came_s = shown, now_s, now_s
        calling = {lane for lanes in self._served for lane in lanes if lane in blind or _near(tracks, lane)}
        if any(lane in calling and lane not in blind for lane in self._served[shown]):
            self._came_s = now_s
        self._wanted = self._next(shown, calling) if self._is_over(shown, now_s, blind) else shown
        return self._wanted

    def _is_over(self, shown: int, now_s: float, blind: frozenset[str]) -> bool:
        age_s = now_s - self._since_s
        least_s = self._min_green_s[shown]
        if self._served[shown] & blind:
            least_s = max(least_s, self._shipped_s[shown])
        most_s = max(least_s, STRETCH * self._shipped_s[shown], MAX_GREEN_LEAST_S)
        return age_s >= least_s and (now_s - self._came_s >= GAP_S or age_s >= most_s)

    def _next(self, shown: int, calling: set[str]) -> int:
        """The next stage in the shipped order for somebody whom this one does not serve; else this one stays."""
        waiting = calling - self._served[shown]
        count = len(self._stages)
        turn = [(shown + step) % count for step in range(1, count)]
        return next((stage for stage in turn if self._served[stage] & waiting), shown)


class Fallback:
    """The claimant for signals whose sensors fail; what it claims says which and why."""

    means: frozenset[str] = frozenset()

    def __init__(self, entities: Sequence[Entity], junctions: Sequence[Junction], sight: Sight) -> None:
        signals = {one.id: one for one in entities if one.type == SIGNAL}
        self._sight = sight
        self._junction_of = {name: junction for junction in junctions for name in junction.signals}
        self._signals = signals
        self._actuated: dict[str, Actuated] = {}

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Nothing is ordered of a fall-back."""
        return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code="traffic.nothing_to_order")

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """What is seen comes by the sight, which watches once for all."""

    def claims(self, now_s: float) -> list[Claim]:
        """A stage where something still sees, the shipped plan where nothing does."""
        found = [self._claim(name, None, doubt) for name, doubt in self._sight.steered(Steered.PLAN)]
        for name, doubt in self._sight.steered(Steered.ACTUATED):
            if name not in self._actuated:
                self._actuated[name] = Actuated(self._junction_of[name], self._signals[name])
            lamps = self._sight.estimate.lamps.states.get(name, "")
            stage = self._actuated[name].stage(lamps, now_s, self._sight.tracks, frozenset(doubt.blind))
            if stage is not None:
                found.append(self._claim(name, stage, doubt))
        return found

    def orders(self) -> Sequence[Order]:
        return ()

    def _claim(self, name: str, stage: int | None, doubt: Doubt) -> Claim:
        because = Because(code=doubt.code, facts=doubt.facts, entity_ids=(name, *doubt.blind))
        return Claim(signal_id=name, stage=stage, rank=Rank.FALLBACK, because=because)


def _near(tracks: Tracks, lane: str) -> bool:
    return any(0.0 <= track[0] <= CALL_M for track in tracks[lane])


def _shipped_s(stages: Sequence[str], plan: Sequence[dict[str, object]]) -> list[float]:
    """The longest green each stage has in the shipped plan."""
    return [
        max((float(str(phase["duration_s"])) for phase in plan if phase["state"] == stage), default=0.0)
        for stage in stages
    ]
