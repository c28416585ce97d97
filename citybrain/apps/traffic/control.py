# SPDX-License-Identifier: Apache-2.0
"""The signal controller: looks at every junction once per second and orders the stage that passes most."""

from collections.abc import Sequence
from typing import Any

from citybrain.apps.traffic.mind import Choice, Mind, Tracks, choose
from citybrain.apps.traffic.model import Junction, junctions
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState

SET_STAGE = "traffic.set_stage"
TRACKS = "tracks"

REFUSED_S = 10.0
"""A signal that refused an order (a person holds it on its plan) is asked again after so long."""


class SignalControl:
    """The decider of the app: one batch in, the orders for the junctions that are due out."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._minds = [Mind(junction) for junction in junctions(entities)]
        self._signal = {
            name: signal
            for mind in self._minds
            for name, signal in zip(mind.junction.signals, mind.signals, strict=True)
        }
        self._asked: dict[str, str] = {}
        self._reporting: list[tuple[str, ...]] = []
        self._in_sight: list[Mind] = []

    def __call__(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Order]:
        """Orders are repeated while they hold, so that a cabinet knows the brain is alive."""
        now_s = batch.observed_at.timestamp()
        self._mind_refusals(outcomes, now_s)
        for name, lamps in _column(batch, "signalState").items():
            if name in self._signal:
                self._signal[name].watch(lamps, now_s)
        tracks = Tracks(_column(batch, TRACKS))
        orders: list[Order] = []
        for mind in self._seeing(batch, tracks):
            choice = choose(mind, tracks, now_s)
            if choice is not None:
                orders.extend(self._orders(mind, choice, batch, now_s))
        self._asked = {order.id: order.entity_id for order in orders}
        return orders

    def _seeing(self, batch: Batch, tracks: Tracks) -> list[Mind]:
        """Junctions of which every detector reports; one that is blind is left to its shipped plan by not ordering."""
        reporting = [column.entity_ids for column in batch.columns if column.attribute == TRACKS]
        if not _same(reporting, self._reporting):
            self._reporting = reporting
            self._in_sight = [
                mind for mind in self._minds if all(lane.detector_id in tracks for lane in mind.junction.lanes)
            ]
        return self._in_sight

    def _mind_refusals(self, outcomes: Sequence[Outcome], now_s: float) -> None:
        for outcome in outcomes:
            if outcome.state is not OutcomeState.EXECUTED and outcome.order_id in self._asked:
                self._signal[self._asked[outcome.order_id]].asked_again_s = now_s + REFUSED_S

    def _orders(self, mind: Mind, choice: Choice, batch: Batch, now_s: float) -> list[Order]:
        stages = mind.junction.orders[choice.stage]
        return [
            Order(
                id=f"{batch.id}:{name}",
                means=SET_STAGE,
                entity_id=name,
                at=batch.observed_at,
                because=because(choice, mind.junction, batch.id),
                parameters={"stage": stage},
            )
            for name, stage in zip(mind.junction.signals, stages, strict=True)
            if now_s >= self._signal[name].asked_again_s
        ]


def because(choice: Choice, junction: Junction, batch_id: str) -> Because:
    """What a screen needs to say why."""
    return Because(
        code=choice.code,
        facts={
            "stage_rate": round(choice.chosen.rate, 3),
            "current_rate": round(choice.current.rate, 3),
            "vehicles": choice.chosen.vehicles,
            "longest_wait_s": round(choice.chosen.longest_wait_s),
            "full_exits": choice.current.full_exits,
        },
        batch_id=batch_id,
        entity_ids=junction.signals,
    )


def _same(these: list[tuple[str, ...]], those: list[tuple[str, ...]]) -> bool:
    """The very same tuples, as a feed passes them each time; equal ones are looked at again, which costs little."""
    return len(these) == len(those) and all(one is other for one, other in zip(these, those, strict=True))


def _column(batch: Batch, attribute: str) -> dict[str, Any]:
    """One attribute of the batch by entity; several columns may share it."""
    return {
        entity_id: value
        for column in batch.columns
        if column.attribute == attribute
        for entity_id, value in zip(column.entity_ids, column.values, strict=True)
    }
