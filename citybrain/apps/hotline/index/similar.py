# SPDX-License-Identifier: Apache-2.0
"""Tickets in memory, found by what they tell, by place and by time: duplicates and answers that were given before."""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.hotline.model import Ticket
from citybrain.kernel.geo import METRES_PER_DEGREE

# Two reports of one matter: the nearest park is seldom further, and what lies longer is another matter. A city may
# change them; no source gives figures.
NEAR_M = 300.0
NEAR_TIME = timedelta(days=3)
ALIKE = 0.25  # share of weighted pairs of letters that two texts have in common (cosine)
ALIKE_NEAR = 0.12  # enough when it is also near and of one category
MOST = 5
POSTINGS_READ = 400_000
LONGEST_TEXT = 400
_BLANK = re.compile(r"[\W_]+")

Floats = NDArray[np.float64]


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket like the one that is being told; `distance_m` where both say where they are."""

    case_id: int
    number: str
    category: str
    text: str
    answer: str
    state: str
    created_at: datetime
    alike: float
    distance_m: float | None = None


class Alike(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: open ones that may be the same matter, and closed ones with their answers."""

    duplicates: tuple[Near, ...]
    answered: tuple[Near, ...]


class Tickets:
    """The index. A ticket that is put again replaces what was known of it; its text never changes much."""

    def __init__(self, tickets: Iterable[Ticket] = ()) -> None:
        self._tickets: list[Ticket] = []
        self._row_of: dict[int, int] = {}
        self._postings: dict[str, array[int]] = {}
        self._place = np.full((1024, 2), np.nan)
        self._at = np.zeros(1024)
        self._open = np.zeros(1024, dtype=bool)
        self._length = np.ones(1024)
        for ticket in tickets:
            self.put(ticket)

    def __len__(self) -> int:
        """How many tickets it knows."""
        return len(self._tickets)

    def put(self, ticket: Ticket) -> None:
        """Learn of a ticket, or of what became of it."""
        row = self._row_of.get(ticket.case_id)
        if row is None:
            row = self._new_row(ticket)
        self._tickets[row] = ticket
        self._place[row] = (ticket.longitude, ticket.latitude) if ticket.longitude is not None else (np.nan, np.nan)
        self._at[row] = ticket.created_at.timestamp()
        self._open[row] = ticket.phase != "closed"

    def _new_row(self, ticket: Ticket) -> int:
        row = len(self._tickets)
        self._tickets.append(ticket)
        self._row_of[ticket.case_id] = row
        if row == len(self._at):
            self._grow()
        pairs = pairs_of(ticket.text)
        for pair in pairs:
            self._postings.setdefault(pair, array("I")).append(row)
        self._length[row] = max(1.0, len(pairs)) ** 0.5
        return row

    def _grow(self) -> None:
        size = len(self._at)
        self._place = np.concatenate([self._place, np.full((size, 2), np.nan)])
        self._at = np.concatenate([self._at, np.zeros(size)])
        self._open = np.concatenate([self._open, np.zeros(size, dtype=bool)])
        self._length = np.concatenate([self._length, np.ones(size)])

    def find(self, text: str, *, now: datetime, category: str = "", place: tuple[float, float] | None = None) -> Alike:
        """Tickets like a text, told now at a place."""
        count = len(self._tickets)
        if not count:
            return Alike(duplicates=(), answered=())
        alike = self._alike(text)
        distance = self._distance(place)
        recent = self._at[:count] >= (now - NEAR_TIME).timestamp()
        near = distance <= NEAR_M
        likely = (alike >= ALIKE) & (near | np.isnan(distance)) | (near & (alike >= ALIKE_NEAR))
        duplicates = np.flatnonzero(self._open[:count] & recent & likely)
        if category:
            head = category.partition(".")[0]
            keep = [row for row in duplicates if self._tickets[row].category.startswith(head) or alike[row] >= ALIKE]
            duplicates = np.array(keep, dtype=np.int64)
        closed = np.flatnonzero(~self._open[:count] & (alike >= ALIKE))
        return Alike(
            duplicates=self._best(duplicates, alike, distance),
            answered=self._best(closed, alike, distance, answered=True),
        )

    def _alike(self, text: str) -> Floats:
        """How alike every ticket is, 0 … 1. Rare pairs are read first, and common ones only while there is time."""
        count = len(self._tickets)
        found = [(pair, self._postings[pair]) for pair in pairs_of(text) if pair in self._postings]
        found.sort(key=lambda each: len(each[1]))
        scores = np.zeros(count)
        total = 0.0
        read = 0
        for _, rows in found:
            weight = float(np.log1p(count / len(rows)))
            total += weight
            if read < POSTINGS_READ:
                scores[np.frombuffer(rows, dtype=np.uint32)] += weight
                read += len(rows)
        unknown = len(pairs_of(text)) - len(found)
        total += unknown * float(np.log1p(count))
        mean = total / max(1, len(found) + unknown)
        own = self._length[:count] ** 2 * (mean or 1.0)
        similar: Floats = scores / np.sqrt(np.maximum(total, 1e-9) * np.maximum(own, 1e-9))
        return np.minimum(similar, 1.0)

    def _distance(self, place: tuple[float, float] | None) -> Floats:
        count = len(self._tickets)
        if place is None:
            return np.full(count, np.nan)
        east = (self._place[:count, 0] - place[0]) * np.cos(np.radians(place[1]))
        distance: Floats = np.hypot(east, self._place[:count, 1] - place[1]) * METRES_PER_DEGREE
        return distance

    def _best(
        self, rows: NDArray[np.int64], alike: Floats, distance: Floats, *, answered: bool = False
    ) -> tuple[Near, ...]:
        order = sorted(rows.tolist(), key=lambda row: (-alike[row], -self._at[row]))
        chosen = [row for row in order[: MOST * 10] if not answered or self._tickets[row].answer][:MOST]
        return tuple(_near(self._tickets[row], float(alike[row]), float(distance[row])) for row in chosen)


def pairs_of(text: str) -> Sequence[str]:
    """The different pairs of letters of a text, punctuation aside."""
    plain = _BLANK.sub("", text[:LONGEST_TEXT].lower())
    return list(Counter(plain[i : i + 2] for i in range(len(plain) - 1)))


def _near(ticket: Ticket, alike: float, distance: float) -> Near:
    return Near(
        case_id=ticket.case_id,
        number=ticket.number,
        category=ticket.category,
        text=ticket.text[:200],
        answer=ticket.answer,
        state=ticket.state,
        created_at=ticket.created_at,
        alike=round(alike, 3),
        distance_m=None if np.isnan(distance) else round(distance, 1),
    )
