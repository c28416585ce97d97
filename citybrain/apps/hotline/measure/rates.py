# SPDX-License-Identifier: Apache-2.0
"""三率: response, resolution and satisfaction, by department; every figure is a share of rows that can be opened. Pure.

Response: answered within the limit, of those answered or past it. Resolution: the caller says it is resolved, of those
who were asked. Satisfaction: one of the three good levels (国办发〔2019〕51号), of those who rated.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from citybrain.apps.hotline.model import Ticket
from citybrain.kernel.cases.satisfaction import GOOD


class Rate(StrEnum):
    """What is measured."""

    RESPONSE = "response"
    RESOLUTION = "resolution"
    SATISFACTION = "satisfaction"
    FIRST_RECEIVER = "first_receiver"


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """So many of so many; `value` None where nothing counts yet."""

    good: int
    of: int
    value: float | None


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a department: tickets it holds, what is late, came back, is supervised, and its shares."""

    department: str
    tickets: int
    open: int
    late: int
    due_soon: int = 0
    sent_back: int
    reopened: int
    supervised: int
    shares: Mapping[str, Share]


# A working day's last hours: long enough to send somebody. A mark of ours, without a source.
SOON = timedelta(hours=4)
Verdict = Callable[[Ticket, datetime], bool | None]
"""Whether a ticket counts as good; None when it does not count at all."""


def _responded(ticket: Ticket, now: datetime) -> bool | None:
    if ticket.answered_at is not None:
        return None if ticket.due_at is None else ticket.answered_at <= ticket.due_at
    return False if ticket.due_at is not None and ticket.due_at < now else None


def _satisfied(ticket: Ticket, _now: datetime) -> bool | None:
    return ticket.satisfaction in GOOD if ticket.satisfaction else None


def _stayed(ticket: Ticket, _now: datetime) -> bool | None:
    """首接负责: whoever accepted it first still has it or finished it."""
    return None if ticket.first_department is None else ticket.department == ticket.first_department


VERDICTS: Mapping[Rate, Verdict] = {
    Rate.RESPONSE: _responded,
    Rate.RESOLUTION: lambda ticket, _now: ticket.resolved,
    Rate.SATISFACTION: _satisfied,
    Rate.FIRST_RECEIVER: _stayed,
}


def rates(tickets: Iterable[Ticket], now: datetime, shown: Collection[Rate] = tuple(Rate)) -> list[Department]:
    """Figures of each department, the one with most tickets first; all together under an empty name at the end.

    `shown`: the rates that count in this city.
    """
    of: dict[str, list[Ticket]] = defaultdict(list)
    everything: list[Ticket] = []
    for ticket in tickets:
        of[ticket.department].append(ticket)
        everything.append(ticket)
    found = [_department(name, some, now, shown) for name, some in of.items()]
    return [*sorted(found, key=lambda each: (-each.tickets, each.department)), _department("", everything, now, shown)]


def rows_behind(tickets: Iterable[Ticket], rate: Rate, *, good: bool | None, now: datetime) -> list[Ticket]:
    """The tickets that a share counts: the good ones, the others, or with None both."""
    verdict = VERDICTS[rate]
    judged = [(each, verdict(each, now)) for each in tickets]
    return [each for each, is_good in judged if is_good is not None and good in (None, is_good)]


def is_late(ticket: Ticket, now: datetime) -> bool:
    """Open past its limit; exactly at the limit is in time."""
    unanswered = ticket.answered_at is None and ticket.phase == "open"
    return unanswered and ticket.due_at is not None and now > ticket.due_at


def is_due_soon(ticket: Ticket, now: datetime) -> bool:
    """Open, and its limit comes within the next hours."""
    unanswered = ticket.answered_at is None and ticket.phase == "open"
    return unanswered and ticket.due_at is not None and now <= ticket.due_at <= now + SOON


def _department(name: str, some: Sequence[Ticket], now: datetime, shown: Collection[Rate]) -> Department:
    return Department(
        department=name,
        tickets=len(some),
        open=sum(each.phase != "closed" for each in some),
        late=sum(is_late(each, now) for each in some),
        due_soon=sum(is_due_soon(each, now) for each in some),
        sent_back=sum(each.sent_back > 0 for each in some),
        reopened=sum(each.reopened > 0 for each in some),
        supervised=sum(each.supervised for each in some),
        shares={rate: _share(some, verdict, now) for rate, verdict in VERDICTS.items() if rate in shown},
    )


def _share(some: Sequence[Ticket], verdict: Verdict, now: datetime) -> Share:
    judged = [is_good for each in some if (is_good := verdict(each, now)) is not None]
    return Share(good=sum(judged), of=len(judged), value=sum(judged) / len(judged) if judged else None)
