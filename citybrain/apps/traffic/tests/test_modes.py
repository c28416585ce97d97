# SPDX-License-Identifier: Apache-2.0
"""A junction acts only where a person let it; claims go by rank; what nobody steers goes back to its plan."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from citybrain.apps.traffic.control import signals as controlling
from citybrain.apps.traffic.control.claims import Claim, Rank, foremost
from citybrain.apps.traffic.control.locks import END_HOLD, HOLD, LOCK
from citybrain.apps.traffic.control.modes import SET_MODE, Mode, Modes, NoSuchMode, NoSuchSignal
from citybrain.apps.traffic.control.signals import RELEASE, REPEAT_S, SET_STAGE, SignalControl
from citybrain.apps.traffic.tests.test_control import (
    EAST,
    EASTERN,
    NOON,
    PAIR,
    WEST,
    batch,
    detectors,
    signal,
    standing,
)
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState

NEW = signal("cross", [("n", "s"), ("e", "w")], ["Gr", "rG"], mode="shadow")
TRUSTED = signal("cross", [("n", "s"), ("e", "w")], ["Gr", "rG"])


def ordered(means: str, entity_id: str = "cross", **parameters: Any) -> Order:
    return Order(
        id=f"by hand {means} {parameters}",
        means=means,
        entity_id=entity_id,
        at=NOON,
        because=Because(code="kernel.because_person", facts={"reason": "works"}),
        parameters=parameters,
        by="li",
    )


def run(control: SignalControl, one: Entity, lamps: str, seconds: range) -> list[Order]:
    entities = [one, *detectors(one)]
    seen = {EASTERN: standing(4)}
    return [
        order for second in seconds for order in control(batch(entities, {"cross": lamps}, seen, second=second), (), ())
    ]


def told(orders: Sequence[Order]) -> list[tuple[str, Any]]:
    return [(order.means.removeprefix("traffic."), order.parameters.get("stage")) for order in orders]


def test_a_new_junction_begins_in_shadow_and_orders_nothing() -> None:
    unknown = Entity(id="real", type=NEW.type, source="test", observed_at=NOON, attributes={})
    assert Modes([unknown]).of("real") is Mode.SHADOW
    assert run(SignalControl([NEW, *detectors(NEW)]), NEW, "Gr", range(30)) == []


def test_promotion_lets_the_brain_act_and_demotion_gives_the_signal_back_at_once() -> None:
    control = SignalControl([NEW, *detectors(NEW)])
    assert control.obey(ordered(SET_MODE, mode="brain"), NOON).state is OutcomeState.EXECUTED
    assert ("set_stage", 1) in told(run(control, NEW, "Gr", range(20)))
    control.obey(ordered(SET_MODE, mode="shadow"), NOON)
    assert told(run(control, NEW, "Gr", range(20, 40))) == [("release", None)]


def test_the_default_is_what_a_junction_began_with() -> None:
    modes = Modes([NEW])
    modes.obey(ordered(SET_MODE, mode="brain"), NOON)
    modes.obey(ordered(SET_MODE, mode="default"), NOON)
    assert modes.of("cross") is Mode.SHADOW


@pytest.mark.parametrize(
    ("order", "refusal"),
    [(ordered(SET_MODE, mode="off"), NoSuchMode), (ordered(SET_MODE, "nowhere", mode="plan"), NoSuchSignal)],
)
def test_what_is_no_mode_or_no_signal_is_refused(order: Order, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        SignalControl([NEW, *detectors(NEW)]).obey(order, NOON)


def test_signals_that_act_as_one_are_driven_only_when_all_of_them_may_be() -> None:
    control = SignalControl(PAIR)
    control.obey(ordered(SET_MODE, "east", mode="shadow"), NOON)
    assert control.modes.joint(("west", "east")) is Mode.SHADOW
    lamps = {"west": "GrrG", "east": "GrrG"}
    assert not [order for second in range(20) for order in control(batch(PAIR, lamps, {}, second=second), (), ())]


def test_a_lock_holds_in_every_mode_and_the_signal_goes_back_when_it_ends() -> None:
    for mode in ("shadow", "plan", "brain"):
        control = SignalControl([NEW, *detectors(NEW)])
        control.obey(ordered(SET_MODE, mode=mode), NOON)
        control.obey(ordered(LOCK, show=0, minutes=1), NOON)
        locked = told(run(control, NEW, "Gr", range(60)))
        assert set(locked) == {("set_stage", 0)}
        assert len(locked) == 60 / REPEAT_S
        after = told(run(control, NEW, "Gr", range(60, 70)))
        assert after[0] == (("set_stage", 1) if mode == "brain" else ("release", None))


def test_a_lock_on_the_plan_silences_the_brain() -> None:
    control = SignalControl([TRUSTED, *detectors(TRUSTED)])
    assert told(run(control, TRUSTED, "Gr", range(6)))
    control.obey(ordered(HOLD, show="plan", minutes=1), NOON)
    orders = run(control, TRUSTED, "Gr", range(6, 50))
    assert told(orders) == [("release", None)]
    assert orders[0].because.code == "traffic.held"
    control.obey(ordered(END_HOLD), NOON)
    assert ("set_stage", 1) in told(run(control, TRUSTED, "Gr", range(50, 56)))


class Wanting:
    """A claimant that always wants one stage of one signal."""

    means = frozenset({"traffic.wanted"})

    def __init__(self, signal_id: str, stage: int, rank: Rank) -> None:
        self.claim = Claim(signal_id=signal_id, stage=stage, rank=rank, because=Because(code="test"))

    def obey(self, order: Order, at: datetime) -> Outcome:
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        return None

    def claims(self, now_s: float) -> Sequence[Claim]:
        return (self.claim,)

    def orders(self) -> Sequence[Order]:
        return ()


# fmt: off
HEARD = [
    ("brain",  {Rank.LOCK, Rank.MISSION, Rank.FALLBACK, Rank.PLAN, Rank.WAVE}),
    ("plan",   {Rank.LOCK, Rank.MISSION, Rank.PLAN, Rank.WAVE}),
    ("shadow", {Rank.LOCK}),
]
# fmt: on


@pytest.mark.parametrize(("mode", "ranks"), HEARD)
def test_who_is_heard_depends_on_the_mode(mode: str, ranks: set[Rank], monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in Rank:
        monkeypatch.setattr(controlling, "CLAIMANTS", (lambda _, rank=rank: Wanting("cross", 0, rank),))
        control = SignalControl([NEW, *detectors(NEW)])
        control.obey(ordered(SET_MODE, mode=mode), NOON)
        orders = run(control, NEW, "rG", range(1))
        assert bool(orders) == (rank in ranks)
        assert control.obey(ordered("traffic.wanted"), NOON).state is OutcomeState.EXECUTED


def test_the_claim_of_highest_rank_counts_and_among_equals_the_first() -> None:
    claims = [
        Wanting("a", 1, Rank.WAVE).claim,
        Wanting("a", 2, Rank.MISSION).claim,
        Wanting("a", 3, Rank.MISSION).claim,
        Wanting("b", 4, Rank.PLAN).claim,
    ]
    assert {name: claim.stage for name, claim in foremost(claims).items()} == {"a": 2, "b": 4}


def test_the_neighbour_of_a_claimed_signal_shows_what_locks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controlling, "CLAIMANTS", (lambda _: Wanting("west", 0, Rank.MISSION),))
    control = SignalControl(PAIR)
    lamps = {"west": WEST.attributes["stages"][2], "east": EAST.attributes["stages"][2]}
    orders = control(batch(PAIR, lamps, {}, second=0), (), ())
    shown = {order.entity_id: order.parameters["stage"] for order in orders if order.means == SET_STAGE}
    (mind,) = control.minds
    assert shown["west"] == 0
    assert (shown["west"], shown["east"]) in mind.junction.orders
    assert not [order for order in orders if order.means == RELEASE]
