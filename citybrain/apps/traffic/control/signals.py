# SPDX-License-Identifier: Apache-2.0
"""The signal controller: once per second it looks at every junction, hears who else wants a say, and gives orders."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from citybrain.apps.traffic.choice.explaining import because
from citybrain.apps.traffic.choice.mind import Choice, Mind, choose
from citybrain.apps.traffic.choice.naming import Names
from citybrain.apps.traffic.control.actuated import Fallback
from citybrain.apps.traffic.control.claims import Claim, Claimant, foremost
from citybrain.apps.traffic.control.judge import Judge
from citybrain.apps.traffic.control.locks import Locks
from citybrain.apps.traffic.control.missions.missions import Missions
from citybrain.apps.traffic.control.modes import HEARD, Mode, Modes
from citybrain.apps.traffic.control.plans.buses import Buses
from citybrain.apps.traffic.control.plans.requested import RequestedPlans
from citybrain.apps.traffic.control.plans.wave import GreenWaves
from citybrain.apps.traffic.detect.sight import Sight
from citybrain.apps.traffic.measure.loops import Loops
from citybrain.apps.traffic.measure.shadow import Shadow
from citybrain.apps.traffic.model import SIGNAL, Junction, junctions, singles
from citybrain.kernel.app import Telling
from citybrain.kernel.records import Batch, Because, Entity, Event, Facts, Order, Outcome, OutcomeState

SET_STAGE = "traffic.set_stage"
RELEASE = "traffic.release"

REFUSED_S = 10.0
"""A signal that refused an order (a person holds it on its plan) is asked again after so long."""

REPEAT_S = 5.0
"""A claim that holds is ordered again so often, so that a cabinet knows somebody is there."""

CLAIMANTS: tuple[Callable[[Sequence[Entity]], Claimant], ...] = (Locks, Missions, RequestedPlans, GreenWaves, Buses)
"""Who may want a say beside the brain. The rank of a claim decides, not the place in this list."""


class SignalControl:
    """The decider of the app: one batch in, the orders for the junctions that are due out.

    By rank: what people hold, an emergency corridor, a fall-back where sensors fail, plans and waves on request, and
    then the brain's own choice, where the mode of the junction lets it act.
    """

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.modes = Modes(entities)
        self.minds = [Mind(junction) for junction in junctions(entities)]
        joints = [mind.junction for mind in self.minds]
        self.sight = Sight(entities, joints)
        self.claimants: list[Claimant] = [begin(entities) for begin in CLAIMANTS]
        self._judge = Judge()
        self.claimants += [Fallback(entities, joints, self.sight), self._judge]
        self._entities = {one.id: one for one in entities if one.type == SIGNAL}
        self._singles = {one.signals[0]: one for one in singles(entities)}
        self.means = self.modes.means.union(*(one.means for one in self.claimants))
        self._mind_of = {name: mind for mind in self.minds for name in mind.junction.signals}
        self._signal = {
            name: signal
            for mind in self.minds
            for name, signal in zip(mind.junction.signals, mind.signals, strict=True)
        }
        self.names = Names(entities)
        self.shadow = Shadow(self.minds, entities, self.modes)
        self.loops = Loops(joints, [one.id for one in self.sight.trust.places.entities])
        self.at: datetime | None = None
        self.wanted: list[Claim] = []
        self.claimed: dict[str, Claim] = {}
        self.refused: dict[str, Outcome] = {}
        self.said: dict[str, Because] = {}
        self._asked: dict[str, str] = {}
        self._acting: set[str] = set()
        self._repeated: dict[str, tuple[int, float]] = {}
        self._looked = -1
        self._in_sight: list[Mind] = []
        self._brains: list[Mind] = []

    def obey(self, order: Order, at: datetime) -> Outcome:
        """An order of one of `means`: to the one who executes it."""
        if order.means in self.modes.means:
            return self.modes.obey(order, at)
        return next(one for one in self.claimants if order.means in one.means).obey(order, at)

    def tells(self) -> Sequence[Event]:
        """Events of what claimants do and people may watch: missions."""
        return [event for one in self.claimants if isinstance(one, Telling) for event in one.tells()]

    def __call__(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Order]:
        """Orders are repeated while they hold, so that a cabinet knows the brain is alive."""
        self.at = batch.observed_at
        now_s = self.at.timestamp()
        self._mind_refusals(outcomes, now_s)
        states = batch.by_entity("signalState")
        self.sight.watch(batch, states, now_s)
        for name, lamps in states.items():
            if name in self._signal:
                self._signal[name].watch(lamps, now_s)
        self._hear(batch, events, outcomes, now_s)
        self._compare(batch, now_s)
        self._see()
        orders = self._orders_of_claims(batch, now_s)
        for mind in self._brains:
            if self.claimed and any(name in self.claimed for name in mind.junction.signals):
                continue
            choice = choose(mind, self.sight.tracks, now_s)
            if choice is not None:
                orders.extend(self._orders(mind, choice, batch, now_s))
        orders.extend(order for one in self.claimants for order in one.orders())
        self._asked = {order.id: order.entity_id for order in orders if order.entity_id in self._signal}
        return orders

    def knows(self, name: str) -> bool:
        """Whether there is such a signal."""
        return name in self._mind_of

    def mind_of(self, name: str) -> Mind:
        """The mind of the junction that a signal is at."""
        return self._mind_of[name]

    def entity_of(self, name: str) -> Entity:
        """A signal as its source describes it."""
        return self._entities[name]

    def single_of(self, name: str) -> Junction:
        """A signal by itself, also where it acts as one with others: people lock single signals."""
        return self._singles[name]

    def _hear(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome], now_s: float) -> None:
        """Who has a say at which signal now, as far as the mode of the signal lets them."""
        for one in self.claimants:
            one.watch(batch, events, outcomes)
        self.wanted = [
            claim for one in self.claimants for claim in one.claims(now_s) if claim.signal_id in self._signal
        ]
        self.claimed = foremost(claim for claim in self.wanted if claim.rank in HEARD[self.modes.of(claim.signal_id)])

    def _compare(self, batch: Batch, now_s: float) -> None:
        """What the other one would do at every junction; and who of them did better lately."""
        apart = self.claimed.keys() | self.sight.doubted
        self.shadow.step(batch, self.sight.tracks, apart, now_s)
        self._judge.hear(self.shadow.ended, now_s)
        self.loops.step(self.sight.trust.look, self.sight.tracks, now_s)

    def _see(self) -> None:
        """Junctions where the brain acts: of mode brain, with enough detectors that are believed."""
        if self._looked == self.sight.version and not self.modes.changed:
            return
        self._looked = self.sight.version
        self.modes.changed.clear()
        self._in_sight = [mind for mind in self.minds if self.sight.thinks(mind.junction)]
        self._brains = [mind for mind in self._in_sight if self.modes.joint(mind.junction.signals) is Mode.BRAIN]

    def _mind_refusals(self, outcomes: Sequence[Outcome], now_s: float) -> None:
        for outcome in outcomes:
            name = self._asked.get(outcome.order_id)
            if name is None:
                continue
            if outcome.state is OutcomeState.EXECUTED:
                self.refused.pop(name, None)
            else:
                self.refused[name] = outcome
                self._signal[name].asked_again_s = now_s + REFUSED_S

    def _orders_of_claims(self, batch: Batch, now_s: float) -> list[Order]:
        """What is claimed is shown, and a signal that nobody steers any more goes back to its plan at once."""
        orders: list[Order] = []
        for name, (stage, why) in self._claimed_stages().items():
            last, at_s = self._repeated.get(name, (-1, now_s))
            if (stage != last or now_s - at_s >= REPEAT_S) and now_s >= self._signal[name].asked_again_s:
                self._repeated[name] = (stage, now_s)
                orders.append(self._order(name, why, batch, {"stage": stage}))
        if self._repeated and len(self._repeated) > len(self.claimed):
            self._repeated = {name: one for name, one in self._repeated.items() if self._is_claimed(name)}
        for name in [name for name in self._acting if not self._is_steered(name)]:
            self._acting.discard(name)
            claim = self.claimed.get(name)
            why = claim.because if claim else Because(code="traffic.given_back", facts=self._mode_facts(name))
            orders.append(self._order(name, why, batch, None))
        return orders

    def _claimed_stages(self) -> dict[str, tuple[int, Because]]:
        """Stage and reason per signal that is claimed, and per signal that acts as one with such a one."""
        found = {name: (claim.stage, claim.because) for name, claim in self.claimed.items() if claim.stage is not None}
        for name in list(found):
            mind = self._mind_of[name]
            if len(mind.signals) > 1:
                for other, stage in self._beside(mind, found).items():
                    found.setdefault(other, (stage, found[name][1]))
        return found

    def _beside(self, mind: Mind, found: Mapping[str, tuple[int, Because]]) -> dict[str, int]:
        """Stages for the signals that nobody claims so that the joint stage is one that locks nothing; the one
        nearest to what is shown. None where the claims leave no such stage, or where the brain may not act."""
        names = mind.junction.signals
        if self.modes.joint(names) is not Mode.BRAIN:
            return {}
        fits = [
            stages
            for stages in mind.junction.orders
            if all(name not in found or found[name][0] == stage for name, stage in zip(names, stages, strict=True))
        ]
        shown = [signal.stage for signal in mind.signals]
        if not fits:
            return {}
        best = max(fits, key=lambda stages: sum(one == other for one, other in zip(stages, shown, strict=True)))
        return {name: stage for name, stage in zip(names, best, strict=True) if name not in self.claimed}

    def _is_claimed(self, name: str) -> bool:
        return any(one in self.claimed for one in self._mind_of[name].junction.signals)

    def _is_steered(self, name: str) -> bool:
        claim = self.claimed.get(name)
        if claim is not None:
            return claim.stage is not None
        return self.modes.joint(self._mind_of[name].junction.signals) is Mode.BRAIN

    def _mode_facts(self, name: str) -> Facts:
        return {"mode": self.modes.of(name)}

    def _orders(self, mind: Mind, choice: Choice, batch: Batch, now_s: float) -> list[Order]:
        why = because(choice, mind, self.names, self.sight.tracks, batch.id)
        self.said.update(dict.fromkeys(mind.junction.signals, why))
        return [
            self._order(name, why, batch, {"stage": stage})
            for name, stage in zip(mind.junction.signals, mind.junction.orders[choice.stage], strict=True)
            if now_s >= self._signal[name].asked_again_s
        ]

    def _order(self, name: str, why: Because, batch: Batch, parameters: Facts | None) -> Order:
        """Show a stage, or (no parameters) go back to the plan."""
        if parameters is not None:
            self._acting.add(name)
        return Order(
            id=f"{batch.id}:{name}",
            means=RELEASE if parameters is None else SET_STAGE,
            entity_id=name,
            at=batch.observed_at,
            because=why,
            parameters=parameters or {},
        )
