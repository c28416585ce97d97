# SPDX-License-Identifier: Apache-2.0
"""Who did better: a junction at which the brain lost more than its plan would have goes back to it for a while."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.control.modes import Mode
from citybrain.apps.traffic.measure.shadow import Window
from citybrain.kernel.records import Batch, Because, Event, Facts, Order, Outcome, OutcomeState, Severity

BRAIN_WORSE = "traffic.brain_worse"

WORSE = 1.2
"""So many times the plan's modelled delay is worse: in shadow the model was off by 8 % at most, so that is no error of
it. What was measured and what the model makes of it must both be: the model errs more on the brain than on plans."""

TWICE = 2
"""Windows in a row: one quarter of an hour may be an accident."""

LEAST_CAME = 30.0
"""Vehicles in a window below which a delay is chance."""

REST_S = 3600.0
"""So long the plan runs; then the brain tries again."""


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """A junction that is left to its plan: until when, and what was found."""

    signals: tuple[str, ...]
    since_s: float
    until_s: float
    facts: Facts

    @property
    def because(self) -> Because:
        """Why the plan runs."""
        return Because(code="traffic.claim_plan_did_better", facts=self.facts, entity_ids=self.signals)


class Judge:
    """A claimant that looks at finished comparisons. It ranks with the fall-backs: people and missions go first."""

    means: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._bad: dict[tuple[str, ...], int] = {}
        self._resting: dict[tuple[str, ...], Rest] = {}
        self._told: list[Event] = []

    def hear(self, windows: Sequence[Window], now_s: float) -> None:
        """Take in windows that ended; those in which the brain did not act say nothing of it."""
        for window in windows:
            if window.acting != Mode.BRAIN or window.came < LEAST_CAME:
                continue
            bad = self._bad.get(window.signals, 0) + 1 if is_worse(window) else 0
            self._bad[window.signals] = bad
            if bad >= TWICE and window.signals not in self._resting:
                self._begin(window, now_s)

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Nothing is ordered of a judge."""
        return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code="traffic.nothing_to_order")

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Who has rested for long enough goes on."""
        now_s = batch.observed_at.timestamp()
        for signals in [signals for signals, rest in self._resting.items() if now_s >= rest.until_s]:
            self._told.append(_event(self._resting.pop(signals), ended_at=batch.observed_at))
            self._bad[signals] = 0

    def claims(self, now_s: float) -> Sequence[Claim]:
        """The shipped plan for every signal that rests."""
        return [
            Claim(signal_id=name, stage=None, rank=Rank.FALLBACK, because=rest.because)
            for rest in self._resting.values()
            for name in rest.signals
        ]

    def orders(self) -> Sequence[Order]:
        """It orders nothing else."""
        return ()

    def tells(self) -> Sequence[Event]:
        """One event per junction that goes back to its plan, ended when the brain tries again."""
        told, self._told = self._told, []
        return told

    def _begin(self, window: Window, now_s: float) -> None:
        facts: Mapping[str, float] = {
            "brain_s": round(window.measured_s / window.came, 1),
            "plan_s": round(window.plan_s / window.came, 1),
            "vehicles": round(window.came),
            "minutes": round(REST_S / 60),
        }
        rest = Rest(signals=window.signals, since_s=now_s, until_s=now_s + REST_S, facts=facts)
        self._resting[window.signals] = rest
        self._told.append(_event(rest))


def is_worse(window: Window) -> bool:
    """Whether the brain lost clearly more than the plan would have, by the model and by what was measured."""
    limit_s = WORSE * window.plan_s
    return window.brain_s > limit_s and window.measured_s > limit_s


def _event(rest: Rest, ended_at: datetime | None = None) -> Event:
    return Event(
        id=f"{BRAIN_WORSE}:{rest.signals[0]}:{round(rest.since_s)}",
        kind=BRAIN_WORSE,
        severity=Severity.IV,
        at=datetime.fromtimestamp(rest.since_s, UTC),
        entity_id=rest.signals[0],
        because=rest.because,
        evidence=rest.facts,
        ended_at=ended_at,
    )
