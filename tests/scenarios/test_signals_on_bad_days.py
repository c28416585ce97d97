# SPDX-License-Identifier: Apache-2.0
"""Bad days at signals: the brain dies in mid-cycle, orders come late, twice or never. No lamp shows what it may not."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from citybrain.doors.sumo.scenario import installed
from citybrain.kernel.app import Opening
from citybrain.kernel.records import Facts, Order
from tests.scenarios.streets import alone

SCENARIO = "cologne3"
SECONDS = 360
SEED = 4

Carry = Callable[[int, Sequence[Order], random.Random], Sequence[Order]]
"""Of the orders that the brain gave in a second, those that reach the street now."""

pytestmark = pytest.mark.skipif(
    SCENARIO not in {one.id for one in installed()}, reason="the scenarios are not installed"
)


class Line:
    """A line to the street that carries orders as it likes."""

    def __init__(self) -> None:
        self.held: list[tuple[int, Order]] = []

    def late(self, second: int, orders: Sequence[Order], chance: random.Random) -> Sequence[Order]:
        """Up to twenty seconds late, so that they overtake each other."""
        self.held += [(second + chance.randrange(20), order) for order in orders]
        due = [order for at, order in self.held if at <= second]
        self.held = [(at, order) for at, order in self.held if at > second]
        return due

    def twice(self, second: int, orders: Sequence[Order], chance: random.Random) -> Sequence[Order]:
        """At once, and again some seconds later."""
        return (*orders, *self.late(second, orders, chance))

    def lost(self, second: int, orders: Sequence[Order], chance: random.Random) -> Sequence[Order]:
        """Half of them never arrive."""
        return [order for order in orders if chance.random() < 0.5]

    def wild(self, second: int, orders: Sequence[Order], chance: random.Random) -> Sequence[Order]:
        """Somebody on the line changes the stage, to one that may not even exist."""
        changed = []
        for order in orders:
            stage = order.parameters.get("stage", 0) + chance.choice((0, 1, -1, 7))
            changed.append(_with(order, {"stage": stage} if order.parameters else {}))
        return changed


def _with(order: Order, parameters: Facts) -> Order:
    return Order(
        id=order.id,
        means=order.means,
        entity_id=order.entity_id,
        at=order.at,
        because=order.because,
        parameters=parameters,
        by=order.by,
    )


def drive(carry: str, deaths: Sequence[tuple[int, int]], modes: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """Run the street under the brain; in the seconds of `deaths` (from, to) there is none, and a new one begins after.

    `modes` are what a person sets at every signal, and when.
    """
    from citybrain.doors.sumo.field import SumoField
    from citybrain.kernel.loop import Loop
    from citybrain.kernel.records import Because
    from citybrain.serve import catalog

    scenario = next(one for one in installed() if one.id == SCENARIO)
    opening = Opening(scenario=scenario, seed=SEED, begins_at=datetime(2026, 5, 4, 7, tzinfo=UTC), obey=True)
    field = SumoField(opening)
    entities = field.entities()
    signals = [one.id for one in entities if one.type == "TrafficSignalController"]
    chance, line = random.Random(SEED), Line()
    on_its_way: Sequence[Order] = ()
    loop: Loop | None = Loop(catalog.apps(), entities, arm="brain", decide=True)
    states, executed, refused = [], 0, 0
    for second in range(SECONDS):
        frame = field.step(on_its_way)
        refused += sum(outcome.state == "refused" for outcome in frame.outcomes)
        executed += sum(outcome.state == "executed" for outcome in frame.outcomes)
        states.append({c.attribute: c.values for c in frame.batch.columns}["signalState"])
        if any(begin <= second < end for begin, end in deaths):
            loop, on_its_way = None, ()
            continue
        loop = loop or Loop(catalog.apps(), entities, arm="brain", decide=True)
        given = [
            Order(
                id=f"{mode} {signal} {at}",
                means="traffic.set_mode",
                entity_id=signal,
                at=frame.batch.observed_at,
                because=Because(code="kernel.because_person", facts={"reason": "a bad day"}),
                parameters={"mode": mode},
                by="li",
            )
            for at, mode in modes
            if at == second
            for signal in signals
        ]
        orders = loop.step(frame, given).abroad
        on_its_way = getattr(line, carry)(second, orders, chance) if carry else orders
    found: dict[str, Any] = dict(field.checked())
    found |= {"refused": refused, "executed": executed, "states": len(set(states))}
    field.close()
    return found


def run(carry: str = "", deaths: Sequence[tuple[int, int]] = (), modes: Sequence[tuple[int, str]] = ()) -> Any:
    """In a process of its own: there can be but one street in each."""
    return alone(drive, carry, deaths, modes)


def test_a_brain_that_dies_in_mid_cycle_and_comes_back_shows_nothing_wrong() -> None:
    found = run(deaths=[(100, 103), (200, 230), (300, 380), (500, 501)])
    assert found["violations"] == 0, found["first_violations"]
    assert found["executed"] > 50


@pytest.mark.parametrize("carry", ["late", "twice", "lost", "wild"])
def test_orders_that_come_late_twice_never_or_changed_show_nothing_wrong(carry: str) -> None:
    found = run(carry)
    assert found["violations"] == 0, found["first_violations"]
    assert found["executed"] > 20
    assert carry != "wild" or found["refused"] > 5


def test_junctions_that_are_promoted_and_demoted_again_and_again_show_nothing_wrong() -> None:
    words = ("shadow", "brain", "plan", "brain")
    found = run(modes=[(second, words[second // 7 % 4]) for second in range(50, 350, 7)])
    assert found["violations"] == 0, found["first_violations"]
    assert found["executed"] > 20


def test_a_city_in_shadow_is_not_touched() -> None:
    found = run(modes=[(0, "shadow")])
    assert found["violations"] == 0, found["first_violations"]
    assert found["executed"] <= 3, "what was ordered in the very first second"
