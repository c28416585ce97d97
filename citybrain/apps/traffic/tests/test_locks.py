# SPDX-License-Identifier: Apache-2.0
"""What people hold by hand goes first, ends by itself, and no two fight for one signal."""

from datetime import timedelta
from typing import Any

import pytest

from citybrain.apps.traffic.control.locks import END_HOLD, HOLD, LOCK, UNLOCK, HeldBySomebody, Locks, NotShown
from citybrain.apps.traffic.control.modes import NoReason, NoSuchSignal
from citybrain.apps.traffic.tests.test_control import CROSS, NOON, batch
from citybrain.kernel.records import Because, Order, OutcomeState


def order(means: str, *, by: str = "li", entity_id: str = "cross", reason: str = "works", **parameters: Any) -> Order:
    return Order(
        id=f"{means} {by} {parameters}",
        means=means,
        entity_id=entity_id,
        at=NOON,
        because=Because(code="kernel.because_person", facts={"reason": reason}),
        parameters=parameters if means in (UNLOCK, END_HOLD) else {"show": 1, "minutes": 5, **parameters},
        by=by,
    )


def held(locks: Locks, *, minute: float = 0.0) -> list[tuple[str, int | None]]:
    locks.watch(batch([CROSS], {}, {}, second=60 * minute), (), ())
    return [(claim.because.facts["by"], claim.stage) for claim in locks.claims(0.0)]


def test_what_a_person_holds_is_claimed_until_its_time_is_over() -> None:
    locks = Locks([CROSS])
    locks.obey(order(HOLD), NOON)
    assert held(locks, minute=4.9) == [("li", 1)]
    assert held(locks, minute=5) == []


def test_the_time_runs_from_when_it_was_given_however_late_or_often_it_arrives() -> None:
    locks = Locks([CROSS])
    for minute in (3, 4):
        locks.obey(order(LOCK), NOON + timedelta(minutes=minute))
    assert held(locks, minute=4.9) == [("li", 1)]
    assert held(locks, minute=5) == []
    locks.obey(order(LOCK), NOON + timedelta(minutes=6))
    assert held(locks, minute=6) == [], "what is over does not begin again"
    earlier = Locks([CROSS])
    earlier.obey(order(HOLD), NOON - timedelta(minutes=2))
    assert held(earlier, minute=4.9) == [("li", 1)], "a city that goes on from an earlier state knows the same end"


def test_two_persons_do_not_fight_by_holds() -> None:
    locks = Locks([CROSS])
    locks.obey(order(HOLD), NOON)
    with pytest.raises(HeldBySomebody) as refused:
        locks.obey(order(HOLD, by="wang", show=0), NOON)
    assert refused.value.facts["by"] == "li"
    locks.obey(order(HOLD, show=0), NOON)
    assert held(locks) == [("li", 0)], "but one may change one's own"


def test_a_lock_goes_before_a_hold_and_no_hold_is_taken_while_it_lasts() -> None:
    locks = Locks([CROSS])
    locks.obey(order(HOLD), NOON)
    locks.obey(order(LOCK, by="wang", show="plan"), NOON)
    assert held(locks)[0] == ("wang", None)
    with pytest.raises(HeldBySomebody):
        locks.obey(order(HOLD, show=0), NOON)


def test_ending_frees_the_signal() -> None:
    locks = Locks([CROSS])
    locks.obey(order(LOCK), NOON)
    locks.obey(order(UNLOCK), NOON)
    assert held(locks) == []
    assert locks.obey(order(UNLOCK), NOON).state is OutcomeState.EXECUTED, "nothing remains to be done"
    locks.obey(order(HOLD), NOON)
    locks.obey(order(UNLOCK), NOON)
    assert held(locks) == [("li", 1)], "what one person holds is no lock"
    locks.obey(order(END_HOLD, by="wang"), NOON)
    assert held(locks) == []


def test_what_ran_out_ends_only_itself() -> None:
    locks = Locks([CROSS])
    for means, end in ((HOLD, END_HOLD), (LOCK, UNLOCK)):
        taken = order(means, by="wang")
        locks.obey(taken, NOON)
        locks.obey(order(end, only="an older one"), NOON)
        assert held(locks) == [("wang", 1)], "somebody took it in the very second in which another one's time was over"
        locks.obey(order(end, only=taken.id), NOON)
        assert held(locks) == []


# fmt: off
REFUSED: list[tuple[Order, type[Exception]]] = [
    (order(LOCK, entity_id="nowhere"),  NoSuchSignal),
    (order(LOCK, show=2),               NotShown),
    (order(LOCK, show="all_red"),       NotShown),
    (order(LOCK, minutes=121),          NotShown),
    (order(HOLD, minutes=11),           NotShown),
    (order(HOLD, reason=" "),           NoReason),
]
# fmt: on


@pytest.mark.parametrize(("bad", "refusal"), REFUSED)
def test_what_cannot_be_held_is_refused(bad: Order, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        Locks([CROSS]).obey(bad, NOON)
