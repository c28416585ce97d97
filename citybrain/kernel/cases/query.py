# SPDX-License-Identifier: Apache-2.0
"""What can be asked about cases, and the conditions and the order that a question stands for. Pure."""

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.cases.refusals import QueryRefused

LIMIT_MOST = 1_000
CELLS_PER_DEGREE = 100  # about a kilometre; the same figure as in the column
CELLS_OF_LATITUDE = 18_001
CELLS_MOST = 2_500  # a larger box is looked through by its time or department


class Order(StrEnum):
    """What comes first: due soonest, most urgent and of these the oldest (both of what is not done), newest, oldest."""

    DUE = "due"
    PRIORITY = "priority"
    NEWEST = "newest"
    OLDEST = "oldest"


class Scope(StrEnum):
    """Whose cases: all that are seen, those that the reach's departments hold or help with, their pool's, or mine."""

    SEEN = "seen"
    HELD = "held"
    HELPED = "helped"
    POOL = "pool"
    MINE = "mine"


class CaseQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: every part that is given must fit; of several states, types … one.

    `box` is west, south, east, north in WGS-84. `words` as somebody typed them: Chinese, initials of pinyin, other
    words, a number. `identifier` is a whole phone number, id number or e-mail address. `after` is the `next` of the
    page before.
    """

    scope: Scope = Scope.SEEN
    states: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    assignee: str | None = None
    due_before: datetime | None = None
    overdue: bool = False
    created_from: datetime | None = None
    created_before: datetime | None = None
    box: tuple[float, float, float, float] | None = None
    words: str = ""
    identifier: str = ""
    order: Order = Order.DUE
    limit: int = 50
    after: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page: `next` asks for the following one, None at the end; `total` is told when the counts can say it."""

    cases: tuple[Case, ...]
    next: str | None = None
    total: int | None = None


class Conditions(msgspec.Struct, frozen=True):
    """The conditions of this module, each about a case `c`."""

    only_held: str
    only_mine: str
    only_pool: str
    only_helped: str
    not_done: str
    states: str
    phases: str
    one_type: str
    types: str
    categories: str
    departments: str
    channels: str
    assignee: str
    due_before: str
    overdue: str
    created_from: str
    created_before: str
    cells: str
    box: str
    of_identifier: str


class Sorting(msgspec.Struct, frozen=True):
    """An order in SQL: the columns it goes by, how they are compared with the last one of the page before."""

    keys: tuple[str, ...]
    casts: tuple[str, ...]
    down: bool = False
    open_only: bool = False

    @property
    def order(self) -> str:
        """The whole order; the id decides between equals."""
        return ", ".join(f"{key}{' DESC' if self.down else ''}" for key in (*self.keys, "c.id"))

    @property
    def after(self) -> str:
        """What comes after the last one of the page before."""
        given = [f"%(after_{number})s::{cast}" for number, cast in enumerate(self.casts)]
        return (
            f"({', '.join((*self.keys, 'c.id'))}) {'<' if self.down else '>'} ({', '.join((*given, '%(after_id)s'))})"
        )


CONDITIONS = sql.load(Path(__file__).with_name("queries_conditions.sql"), Conditions)
DUE = "coalesce(c.due_at, 'infinity')"
SORTINGS: Mapping[Order, Sorting] = {
    Order.DUE: Sorting((DUE,), ("timestamptz",), open_only=True),
    Order.PRIORITY: Sorting(("c.priority", "c.created_at"), ("smallint", "timestamptz"), open_only=True),
    Order.NEWEST: Sorting(("c.created_at",), ("timestamptz",), down=True),
    Order.OLDEST: Sorting(("c.created_at",), ("timestamptz",)),
}
ONE_OF = ("states", "phases", "types", "categories", "departments", "channels")
GIVEN = ("assignee", "due_before", "created_from", "created_before")


class Where(msgspec.Struct, frozen=True):
    """Conditions that must all hold, with their parameters."""

    conditions: tuple[str, ...]
    params: Mapping[str, Any]

    def without(self, condition: str) -> "Where":
        """All conditions but one that is met anyway: said twice, it would count twice with the planner."""
        return Where(tuple(each for each in self.conditions if each != condition), self.params)

    def text(self, *more: str) -> str:
        """All conditions, and more, in one."""
        return " AND ".join((*self.conditions, *more)) or "true"


def where(query: CaseQuery, now: datetime) -> Where:
    """What a question asks of each case, its scope and words aside. Refuses `QueryRefused` for what makes no sense."""
    check_query(query)
    sorting = SORTINGS[query.order]
    conditions = [CONDITIONS.not_done] if sorting.open_only else []
    params: dict[str, Any] = {"limit": query.limit + 1, "now": now}
    conditions += _given(query, params)
    if query.overdue:
        conditions.append(CONDITIONS.overdue)
    if query.box:
        conditions += _box(query.box, params)
    if query.identifier:
        conditions.append(CONDITIONS.of_identifier)
    if query.after is not None:
        conditions.append(sorting.after)
        *keys, params["after_id"] = read_place(query.after, sorting)
        params.update({f"after_{number}": key for number, key in enumerate(keys)})
    return Where(tuple(conditions), params)


def _given(query: CaseQuery, params: dict[str, Any]) -> list[str]:
    """The conditions of all that is simply one of some values, or before or after one."""
    conditions = []
    for name in ONE_OF:
        if getattr(query, name):
            conditions.append(getattr(CONDITIONS, name))
            params[name] = [str(each) for each in getattr(query, name)]
    if len(query.types) == 1:
        conditions[conditions.index(CONDITIONS.types)] = CONDITIONS.one_type
        params["types"] = query.types[0]
    for name in GIVEN:
        if getattr(query, name) is not None:
            conditions.append(getattr(CONDITIONS, name))
            params[name] = getattr(query, name)
    return conditions


def check_query(query: CaseQuery) -> None:
    """Refuse `QueryRefused` for what makes no sense."""
    if not 0 < query.limit <= LIMIT_MOST:
        raise QueryRefused("kernel.case_query_limit", {"most": LIMIT_MOST})
    if SORTINGS[query.order].open_only and Phase.CLOSED in query.phases:
        raise QueryRefused("kernel.case_query_closed", {"order": query.order})


def _box(box: tuple[float, float, float, float], params: dict[str, Any]) -> list[str]:
    params.update(zip(("west", "south", "east", "north"), box, strict=True))
    cells = cells_of(box)
    if not cells:
        return [CONDITIONS.box]
    params["cells"] = cells
    return [CONDITIONS.cells, CONDITIONS.box]


def cells_of(box: tuple[float, float, float, float]) -> list[int]:
    """The cells that a box touches; none when they are too many to name. Refuses a box that is none."""
    west, south, east, north = box
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise QueryRefused("kernel.case_query_box", {"box": list(box)})
    columns = range(_cell(west + 180), _cell(east + 180) + 1)
    rows = range(_cell(south + 90), _cell(north + 90) + 1)
    if len(columns) * len(rows) > CELLS_MOST:
        return []
    return [column * CELLS_OF_LATITUDE + row for column in columns for row in rows]


def _cell(degrees: float) -> int:
    return math.floor(degrees * CELLS_PER_DEGREE)


def place_of(case: Case, order: Order) -> str:
    """Where a case stands in an order, as text that `after` takes."""
    due = case.due_at.isoformat() if case.due_at else "infinity"
    created = case.created_at.isoformat()
    keys: Mapping[Order, list[str | int]] = {
        Order.DUE: [due],
        Order.PRIORITY: [case.priority, created],
        Order.NEWEST: [created],
        Order.OLDEST: [created],
    }
    return base64.urlsafe_b64encode(msgspec.json.encode([*keys[order], case.id])).decode()


def read_place(after: str, sorting: Sorting) -> list[Any]:
    """The keys and the id of a place; refuses text that is none."""
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(after), type=list[str | int])
        typed = zip(values, (*sorting.casts, "bigint"), strict=True)
        return [_key(value, cast) for value, cast in typed]
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise QueryRefused("kernel.case_query_after", {"after": after}) from None


def _key(value: str | int, cast: str) -> str | int:
    if cast == "timestamptz":
        if value != "infinity":
            msgspec.convert(value, datetime)
        return value
    return msgspec.convert(value, int)
