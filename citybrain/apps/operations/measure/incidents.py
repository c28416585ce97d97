# SPDX-License-Identifier: Apache-2.0
"""An event as the figures count it: who found it, what was done about it when, and by whom. Pure."""

from datetime import datetime

import msgspec

from citybrain.kernel.records import OutcomeState

MACHINE = "brain"
"""In whose name the city itself gives orders."""

NOT_INCIDENTS = ("traffic.mission", "traffic.brain_worse", "cap.")
"""Kinds of events that are no incidents: what somebody ordered, what the brain says of itself, warnings of others."""

TOLD_BY_PEOPLE = ("operations.reports_cluster", "hotline.")
"""Kinds of events that people told before a machine did. What nobody told at all is in no live figure."""

FALSE_MARKS = ("误报", "虚警", "false alarm")
"""An alarm was false when an officer cleared it with words that begin so."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was given because of an event, and what became of it if that is known. Times are the city's."""

    order_id: str
    means: str
    by: str
    at: datetime
    state: OutcomeState | None
    settled_at: datetime | None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One event that is no sign of another one; a storm is its first event. Times are the city's."""

    id: str
    kind: str
    entity_id: str
    at: datetime
    since: datetime | None
    ended_at: datetime | None
    told_by_people: bool
    false: bool
    people: frozenset[str]
    answers: tuple[Answer, ...] = ()

    @property
    def first(self) -> Answer | None:
        """The order that was carried out first."""
        done = [each for each in self.answers if each.state == OutcomeState.EXECUTED and each.settled_at is not None]
        return min(done, key=_settled, default=None)

    @property
    def first_order(self) -> Answer | None:
        """The order that was given first, whatever became of it."""
        return min(self.answers, key=lambda each: each.at, default=None)

    def act_s(self) -> float | None:
        """From finding to the first order that was carried out; one that came before the event was told is at once."""
        first = self.first
        return None if first is None else max((_settled(first) - self.at).total_seconds(), 0.0)

    def order_s(self) -> float | None:
        """From finding to the first order."""
        first = self.first_order
        return None if first is None else max((first.at - self.at).total_seconds(), 0.0)

    def at_once(self, within_s: float) -> bool:
        """An order was carried out in time, and the machine gave it."""
        return any(
            each.state == OutcomeState.EXECUTED
            and each.by == MACHINE
            and each.settled_at is not None
            and (each.settled_at - self.at).total_seconds() <= within_s
            for each in self.answers
        )


def _settled(answer: Answer) -> datetime:
    return answer.settled_at or answer.at
