# SPDX-License-Identifier: Apache-2.0
"""An order of a person as the city keeps and shows it, and why one may be refused."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from citybrain.kernel.app import APPROVE_WITHIN
from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from citybrain.kernel.records import Because, Facts, Order, OutcomeState

UNDO = ":end"
"""What is added to the id of an order in the id of the order that undoes it."""


class OrderState(StrEnum):
    """Where an order stands: waits for a second person, is in force or on its way, was in force, never was."""

    PROPOSED = "proposed"
    STANDING = "standing"
    ENDED = "ended"
    REFUSED = "refused"


class Why(StrEnum):
    """Why an order is not in force any more, or never was."""

    DONE = "done"
    FAILED = "failed"
    ENDED = "ended"
    EXPIRED = "expired"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    LATE = "late"
    REFUSED = "refused"


class Undo(StrEnum):
    """What became of undoing an order that ended: nothing to undo, on its way, told."""

    NONE = "none"
    DUE = "due"
    DONE = "done"


class Act(StrEnum):
    """What can be done with an order, as its history and the audit log call it."""

    GIVE = "give"
    PROPOSE = "propose"
    APPROVE = "approve"
    END = "end"
    PROPOSE_END = "propose_end"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    LATE = "late"
    REPLACE = "replace"
    OUTCOME = "outcome"
    UNDO = "undo"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to be done. `expires_at` is city time; two orders of one person with one `key` are one.

    `because` is the cause, where it is more than that a person wants it: a line of a playbook, say.
    """

    means: str
    entity_id: str
    parameters: Facts = {}
    expires_at: datetime | None = None
    reason: str = ""
    key: str | None = None
    because: Because | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of carrying an order out: executed, refused or failed, and why."""

    state: OutcomeState
    code: str
    facts: Facts
    at: datetime


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Why, by whom and when an order ended; nobody's name where the city itself ended it."""

    why: Why
    by: str
    at: datetime
    reason: str = ""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants to end what two persons ordered; another one must agree until `until`."""

    by: str
    at: datetime
    until: datetime


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """The newer order that took an order's place, whose it is, and since when it has it."""

    id: str
    by: str
    at: datetime


class Undoing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the executor was told that an order is over, and what it said."""

    state: Undo
    outcome: Outcome | None = None


class OrderAct(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done with an order."""

    act: Act
    by: str
    at: datetime
    facts: Facts = {}


class StandingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as people see it. `given_at`, `expires_at` and times of outcomes are city time, others the clock's."""

    id: str
    means: str
    entity_id: str
    parameters: Facts
    reason: str
    state: OrderState
    lasts: bool
    two_person: bool
    proposed_by: str
    proposed_at: datetime
    approve_until: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    given_at: datetime | None
    expires_at: datetime | None
    outcome: Outcome | None
    ending: Pair | None
    ended: Ended | None
    replaced_by: Replacement | None
    undo: Undoing
    because: Because | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the database has it."""

    id: str
    means: str
    entity_id: str
    parameters: dict[str, Any]
    reason: str
    state: OrderState
    lasts: bool
    two_person: bool
    settled: bool
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    expires_at: datetime | None
    ending_by: str | None
    ending_at: datetime | None
    ended_why: Why | None
    ended_by: str | None
    ended_at: datetime | None
    ended_reason: str
    replaced_by: str | None
    replacer: str | None
    given_at: datetime | None
    undo: Undo
    outcome: Outcome | None
    undo_outcome: Outcome | None
    because: Because | None = None

    def view(self) -> StandingOrder:
        """As people see it."""
        waits = self.two_person and self.state is OrderState.PROPOSED
        return StandingOrder(
            id=self.id,
            means=self.means,
            entity_id=self.entity_id,
            parameters=self.parameters,
            reason=self.reason,
            state=self.state,
            lasts=self.lasts,
            two_person=self.two_person,
            proposed_by=self.proposed_by,
            proposed_at=self.proposed_at,
            approve_until=self.proposed_at + APPROVE_WITHIN if waits else None,
            approved_by=self.approved_by,
            approved_at=self.approved_at,
            given_at=self.given_at,
            expires_at=self.expires_at,
            outcome=self.outcome,
            ending=self._ending(),
            ended=self._ended(),
            replaced_by=self._replacement(),
            undo=Undoing(state=self.undo, outcome=self.undo_outcome),
            because=self.because,
        )

    def stood(self, at: datetime) -> StandingOrder:
        """As it stood at a city time at which it was in force: its end was not known yet."""
        return msgspec.structs.replace(
            self.view(),
            state=OrderState.STANDING,
            outcome=self.outcome if self.outcome and self.outcome.at <= at else None,
            ending=None,
            ended=None,
            replaced_by=None,
            undo=Undoing(state=Undo.NONE),
        )

    def is_ending(self, now: datetime) -> bool:
        """Whether somebody wants to end it, and another one can still agree."""
        return self.ending_at is not None and now - self.ending_at <= APPROVE_WITHIN

    def order(self, at: datetime) -> Order:
        """As it is carried out. Given again it is the same order: of the same id, and of when it was given first."""
        return Order(
            id=self.id,
            means=self.means,
            entity_id=self.entity_id,
            at=self.given_at or at,
            because=self._because(),
            parameters=self.parameters,
            by=self.proposed_by,
        )

    def _because(self) -> Because:
        facts = {"name": self.proposed_by, "other": self.approved_by or "", "reason": self.reason}
        if self.because is not None:
            return msgspec.structs.replace(self.because, facts={**facts, **self.because.facts})
        if self.approved_by is None:
            code = "kernel.because_person_said" if self.reason else "kernel.because_person"
        else:
            code = "kernel.because_two_persons_said" if self.reason else "kernel.because_two_persons"
        return Because(code=code, facts=facts)

    def _ending(self) -> Pair | None:
        if self.ending_by is None or self.ending_at is None:
            return None
        return Pair(by=self.ending_by, at=self.ending_at, until=self.ending_at + APPROVE_WITHIN)

    def _ended(self) -> Ended | None:
        if self.ended_why is None or self.ended_at is None:
            return None
        return Ended(why=self.ended_why, by=self.ended_by or "", at=self.ended_at, reason=self.ended_reason)

    def _replacement(self) -> Replacement | None:
        if self.replaced_by is None or self.ended_at is None:
            return None
        return Replacement(id=self.replaced_by, by=self.replacer or "", at=self.ended_at)


def undoing(row: Row, means: str, parameters: Facts, at: datetime) -> Order:
    """The order that undoes one which ended, for the same reason unless another one was said."""
    if row.ended_why is Why.EXPIRED:
        code = "kernel.because_expired"
    else:
        code = "kernel.because_ended_said" if row.ended_reason else "kernel.because_ended"
    facts = {"name": row.ended_by or row.proposed_by, "reason": row.ended_reason or row.reason}
    return Order(
        id=f"{row.id}{UNDO}",
        means=means,
        entity_id=row.entity_id,
        at=at,
        because=Because(code=code, facts=facts),
        parameters=parameters,
        by=row.ended_by or row.proposed_by,
    )


class NoSuchMeans(NotFound):
    """Nobody in this city declares or carries out such a means."""


class NoSuchOrder(NotFound):
    """There is no such order, or none that whoever asks may see."""


class NotOnThis(Invalid):
    """The means cannot be used on this entity."""


class ParametersInvalid(Invalid):
    """The parameters are not those of the means."""


class ExpiresInThePast(Invalid):
    """The order would be over before it is carried out."""


class KeyUsed(Conflict):
    """The same person gave another order under this key."""


class OrderOver(Conflict):
    """The order is not in force any more."""


class NotProposed(Conflict):
    """The order waits for nobody's approval."""


class ApprovedLate(Conflict):
    """The second person came after the time was over."""


class OtherPersonNeeded(Forbidden):
    """Two persons must agree, and this is the same one again, or no person."""


class NotYours(Forbidden):
    """Only whoever proposed an order withdraws it."""
