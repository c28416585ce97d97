# SPDX-License-Identifier: Apache-2.0
"""Bursts: far more calls about one thing near one place than at that hour of other days. Pure.

The space-time permutation idea of Kulldorff et al. (PLoS Medicine 2(3), 2005) without its simulation: the count of a
cell, with its neighbours, in the last hours is held against the mean of the same hours before, by the tail of a Poisson
distribution. The cells are fixed so that the same burst keeps its name.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.hotline.model import Ticket
from citybrain.kernel.records import Because, Event, Severity

CELL_DEG = 0.01  # about a kilometre; with its eight neighbours a burst is seen within some three
Cell = tuple[str, int, int]


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """When calls are a burst. `recurrence` as in syndromic surveillance: so rare that chance alone makes one in a year
    of looking every hour (Kleinman et al., Am J Epidemiol 159(3), 2004, recurrence interval)."""

    window: timedelta = timedelta(hours=2)
    before: timedelta = timedelta(days=28)
    fewest: int = 5
    most_chance: float = 1 / (365 * 24)
    severe: int = 20
    least_expected: float = 0.05  # what was never told before is taken to be told so often


USUAL = Thresholds()


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """A burst: how many tickets and how many were to be expected, where, and which."""

    category: str
    longitude: float
    latitude: float
    count: int
    expected: float
    chance: float
    case_ids: tuple[int, ...]
    since: datetime


def bursts(tickets: Iterable[Ticket], now: datetime, thresholds: Thresholds = USUAL) -> list[Burst]:
    """The bursts of the last hours, the least likely first; one for each place and top category."""
    recent: dict[Cell, list[Ticket]] = defaultdict(list)
    earlier: Counter[Cell] = Counter()
    start, first = now - thresholds.window, now - thresholds.before
    for ticket in tickets:
        cell = _cell(ticket)
        if cell is None or not first <= ticket.created_at <= now:
            continue
        if ticket.created_at > start:
            recent[cell].append(ticket)
        elif ticket.created_at.hour in _hours(now, thresholds.window):
            earlier[cell] += 1
    found = [burst for cell in recent for burst in _burst(cell, recent, earlier, thresholds)]
    return _apart(sorted(found, key=lambda each: (each.chance, -each.count)))


def events(found: Sequence[Burst], thresholds: Thresholds = USUAL) -> list[Event]:
    """Bursts as the loop knows them. One that goes on in the same cell keeps its id, also over midnight."""
    return [
        Event(
            id=_name(burst),
            kind="hotline.burst",
            severity=Severity.II if burst.count >= thresholds.severe else Severity.III,
            at=burst.since,
            entity_id=f"urn:ngsi-ld:HotlineCategory:{burst.category}",
            because=Because(
                code="hotline.because_burst",
                facts={
                    "category": burst.category,
                    "count": burst.count,
                    "expected": round(burst.expected, 2),
                    "hours": thresholds.window.total_seconds() / 3600,
                },
            ),
            geometry={"type": "Point", "coordinates": [burst.longitude, burst.latitude]},
            evidence={"case_ids": list(burst.case_ids), "chance": burst.chance},
        )
        for burst in found
    ]


def tail(count: int, expected: float) -> float:
    """The chance of at least so many when so many are to be expected (Poisson)."""
    if count <= 0:
        return 1.0
    term = math.exp(-expected)
    below = 0.0
    for k in range(count):
        below += term
        term *= expected / (k + 1)
    if below < 1 - 1e-9:
        return 1 - below
    upper, k = term, count  # what is far out is added up itself, since 1 - below has no digits left
    total = 0.0
    while upper > total * 1e-12 and k < count + 1000:
        total += upper
        k += 1
        upper *= expected / k
    return total


def _burst(
    cell: Cell, recent: Mapping[Cell, list[Ticket]], earlier: Mapping[Cell, int], thresholds: Thresholds
) -> list[Burst]:
    around = [(cell[0], cell[1] + x, cell[2] + y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    tickets = [ticket for each in around for ticket in recent.get(each, ())]
    days = thresholds.before.total_seconds() / 86_400
    expected = max(sum(earlier.get(each, 0) for each in around) / days, thresholds.least_expected)
    chance = tail(len(tickets), expected)
    if len(tickets) < thresholds.fewest or chance > thresholds.most_chance:
        return []
    return [
        Burst(
            category=cell[0],
            longitude=sum(each.longitude or 0 for each in tickets) / len(tickets),
            latitude=sum(each.latitude or 0 for each in tickets) / len(tickets),
            count=len(tickets),
            expected=expected,
            chance=chance,
            case_ids=tuple(sorted(each.case_id for each in tickets)),
            since=min(each.created_at for each in tickets),
        )
    ]


def _apart(found: Sequence[Burst]) -> list[Burst]:
    """Without bursts that share a ticket with a less likely one."""
    kept: list[Burst] = []
    seen: set[int] = set()
    for burst in found:
        if seen.isdisjoint(burst.case_ids):
            kept.append(burst)
            seen.update(burst.case_ids)
    return kept


def _cell(ticket: Ticket) -> Cell | None:
    if ticket.longitude is None or ticket.latitude is None:
        return None
    top = ticket.category.partition(".")[0]
    return (top, math.floor(ticket.longitude / CELL_DEG), math.floor(ticket.latitude / CELL_DEG))


def _hours(now: datetime, window: timedelta) -> frozenset[int]:
    hours = int(window.total_seconds() // 3600)
    return frozenset((now - timedelta(hours=each)).hour for each in range(max(1, hours)))


def _name(burst: Burst) -> str:
    x, y = math.floor(burst.longitude / (3 * CELL_DEG)), math.floor(burst.latitude / (3 * CELL_DEG))
    return f"hotline-burst-{burst.category}-{x}-{y}-{burst.since:%Y%m%d}"
