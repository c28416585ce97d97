# SPDX-License-Identifier: Apache-2.0
"""How what became of an order is told."""

from datetime import datetime

from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.records import Facts, Order, Outcome, OutcomeState


class NoDevice(NotFound):
    """There is no such device, or it cannot be told what to be."""


class NothingToTakeBack(NotFound):
    """The order that is meant opened no case, or told nobody."""


class Over(Conflict):
    """The work is over, one way or the other."""


class NoDepartment(Invalid):
    """No department has the role."""


def executed(order: Order, at: datetime, code: str, facts: Facts) -> Outcome:
    """It is done, and what that was."""
    return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at, code=code, facts=facts)


def failed(order: Order, at: datetime, code: str, facts: Facts) -> Outcome:
    """It could not be done, though it might be another time."""
    return Outcome(order_id=order.id, state=OutcomeState.FAILED, at=at, code=code, facts=facts)


def refused(order: Order, at: datetime, code: str, facts: Facts) -> Outcome:
    """It will not be done."""
    return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code=code, facts=facts)
