# SPDX-License-Identifier: Apache-2.0
"""What a playbook would have done about events that were: which match, what would be ordered, who would be asked."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from citybrain.apps.operations.decide.matching import Version, choose, fits
from citybrain.apps.operations.decide.planning import Context, Planned, plan_by
from citybrain.kernel.records import Because, Event, Facts, Severity

ROWS_AT_MOST = 500


class TrialLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a line would have ordered; `waits` for another line, a time or a value, `code` says why it could not."""

    number: int
    part: int
    means: str
    entity_id: str
    approval: str
    waits: bool
    code: str
    facts: Facts


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """An event that fits. `wins`: no playbook in force is more specific; else `because` names the one that is."""

    event_id: str
    kind: str
    severity: Severity
    at: datetime
    entity_id: str
    wins: bool
    because: Because
    lines: tuple[TrialLine, ...]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `matched` fit, of which `won` would be handled by this playbook; orders count those.

    `orders_by_means` are orders that its first lines would give, `later` those of lines that wait for something and may
    not be needed; `would_wait` is how many of both wait for a person. `rows` are the newest.
    """

    events: int
    matched: int
    won: int
    orders: int
    later: int
    would_wait: int
    orders_by_means: dict[str, int]
    later_by_means: dict[str, int]
    unusable: int
    rows: tuple[TrialRow, ...]


def tried_on(tried: Version, others: Sequence[Version], event: Event, context: Context) -> TrialRow | None:
    """Hold a playbook against one event; None where it does not fit."""
    types = context.types(event.entity_id)
    if not fits(tried.playbook, event, types, context.zone):
        return None
    return _row(tried, others, event, context, types)


def added_up(looked: int, rows: Sequence[TrialRow]) -> Trial:
    """What came of so many events, of which these fitted."""
    won = [row for row in rows if row.wins]
    lines = [line for row in won for line in row.lines]
    unusable = sum(1 for line in lines if line.code)
    usable = [line for line in lines if not line.code]
    would_wait = sum(1 for line in usable if line.approval != "none")
    first = Counter(line.means for line in usable if not line.waits)
    later = Counter(line.means for line in usable if line.waits)
    return Trial(
        events=looked,
        matched=len(rows),
        won=len(won),
        orders=sum(first.values()),
        later=sum(later.values()),
        would_wait=would_wait,
        orders_by_means=dict(first.most_common()),
        later_by_means=dict(later.most_common()),
        unusable=unusable,
        rows=tuple(rows[:ROWS_AT_MOST]),
    )


def _row(tried: Version, others: Sequence[Version], event: Event, context: Context, types: Sequence[str]) -> TrialRow:
    choice = choose([tried, *others], event, types, context.zone)
    assert choice is not None
    wins = choice.chosen is tried
    alone = choose([tried], event, types, context.zone)
    assert alone is not None
    lines = plan_by(alone, event, context).lines
    return TrialRow(
        event_id=event.id,
        kind=event.kind,
        severity=event.severity,
        at=event.at,
        entity_id=event.entity_id,
        wins=wins,
        because=choice.because,
        lines=tuple(_line(each) for each in lines),
    )


def _line(planned: Planned) -> TrialLine:
    line = planned.line
    return TrialLine(
        number=line.number,
        part=planned.part,
        means=line.means,
        entity_id=planned.entity_id,
        approval=line.approval,
        waits=line.after is not None or line.only_if is not None,
        code=planned.code,
        facts=planned.facts,
    )
