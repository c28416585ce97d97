# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from citybrain.kernel.app import App, Decider, Detector, Frame
from citybrain.kernel.errors import Conflict
from citybrain.kernel.loop import Loop
from citybrain.kernel.merging import Merge
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState, Severity

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOLD, SET, SEND = "road.hold", "road.set", "road.send"


class Held(Conflict):
    """Somebody holds the signal."""


class Holder:
    """A decider that executes `road.hold`, and lets go of a junction that is held twice."""

    means = frozenset({HOLD})

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.heard: list[str] = []

    def __call__(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Order]:
        self.heard = [outcome.order_id for outcome in outcomes]
        return [order(f"set-{batch.id}", SET)]

    def obey(self, order: Order, at: datetime) -> Outcome:
        if order.parameters.get("twice"):
            raise Held("road.held", {"by": order.by})
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)


class Asker:
    """A decider that asks another one to hold."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        pass

    def __call__(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Order]:
        return [order(f"hold-{batch.id}", HOLD)]


def order(id: str, means: str, **parameters: object) -> Order:
    return Order(
        id=id, means=means, entity_id="signal", at=AT, because=Because(code="road.why"), parameters=parameters, by="ann"
    )


def frame(id: str, *outcomes: Outcome) -> Frame:
    return Frame(batch=Batch(id=id, source="field", observed_at=AT, received_at=AT, columns=()), outcomes=outcomes)


def loop(*deciders: type, decide: bool = True) -> Loop:
    return Loop([App(name="road", folder=Path(), deciders=deciders)], (), arm="brain", decide=decide)


def test_a_decider_obeys_orders_of_its_means_before_it_decides() -> None:
    step = loop(Holder).step(frame("1", Outcome(order_id="f", state=OutcomeState.FAILED, at=AT)), [order("o", HOLD)])
    assert [(each.order_id, each.state) for each in step.outcomes] == [("f", "failed"), ("o", "executed")]


def test_a_refusal_of_a_decider_is_an_outcome() -> None:
    found = loop(Holder).step(frame("1"), [order("o", HOLD, twice=True)]).outcomes[0]
    assert (found.state, found.code, found.facts) == ("refused", "road.held", {"by": "ann"})


def test_an_order_that_no_decider_executes_is_refused_and_not_lost() -> None:
    found = loop(Asker).step(frame("1"), [order("o", SEND)]).outcomes[0]
    assert (found.state, found.code, found.facts) == ("refused", "kernel.nobody_executes", {"means": SEND})


def test_orders_of_one_decider_to_another_are_obeyed_in_the_next_step_and_do_not_go_abroad() -> None:
    both = loop(Asker, Holder)
    first = both.step(frame("1"))
    assert [each.id for each in first.orders] == ["hold-1", "set-1"]
    assert [each.id for each in first.abroad] == ["set-1"]
    assert first.outcomes == ()
    assert [each.order_id for each in both.step(frame("2")).outcomes] == ["hold-1"]


def test_a_loop_that_only_watches_executes_nothing() -> None:
    watching = loop(Holder, decide=False)
    assert not watching.executes(HOLD)
    assert watching.step(frame("1")).orders == ()


def test_orders_are_split_by_who_executes_them() -> None:
    given = [order("a", SET), order("b", HOLD), order("c", SET)]
    at_home, abroad = loop(Holder).split(given)
    assert [each.id for each in at_home] == ["b"]
    assert [each.id for each in abroad] == ["a", "c"]


def test_deciders_and_the_journal_see_events_after_they_are_merged() -> None:
    seen: list[str] = []

    def detector(entities: Sequence[Entity]) -> Detector:
        def detect(batch: Batch) -> list[Event]:
            because = Because(code="x")
            return [
                Event(id=kind, kind=kind, severity=Severity.III, at=AT, entity_id="road", because=because)
                for kind in ("road.crash", "road.jam")
            ]

        return detect

    def decider(entities: Sequence[Entity]) -> Decider:
        def decide(batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Order]:
            seen.extend(event.id for event in events if event.ended_at is None)
            return []

        return decide

    rule = Merge(cause="road.crash", signs=("road.jam",), within=timedelta(minutes=1))
    app = App(name="road", folder=Path(), detectors=(detector,), deciders=(decider,), merges=(rule,))
    step = Loop([app], (), arm="brain", decide=True).step(frame("1"))
    assert seen == ["road.crash"]
    assert {event.id: event.evidence.get("merged_into") for event in step.events} == {
        "road.crash": None,
        "road.jam": "road.crash",
    }
