# SPDX-License-Identifier: Apache-2.0
"""How many cases there are, read from counts that every act keeps."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.cases.query import SORTINGS, CaseQuery, Scope
from citybrain.kernel.cases.refusals import QueryRefused
from citybrain.kernel.cases.rights import Seen, seen
from citybrain.kernel.db import Database

COUNTED_MOST = 1_000  # what is counted row by row is told as "a thousand or more" from there on
BY = ("type", "department", "state", "assignee", "phase")


class Sql(msgspec.Struct, frozen=True):
    """The queries and pieces of this module."""

    counts: str
    total: str
    all: str
    held: str
    mine: str
    pool: str
    nothing: str
    not_done: str
    states: str
    phases: str
    types: str
    departments: str
    assignee: str
    helped: str
    late: str
    late_everywhere: str


SQL = sql.load(Path(__file__).with_name("queries_counts.sql"), Sql)
COUNTED = ("states", "phases", "types", "departments")
# What counts do not tell apart.
UNCOUNTED = (
    *("categories", "channels", "due_before", "overdue", "created_from", "created_before", "box", "words"),
    "identifier",
)


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many cases; what was not asked for is empty. Of closed cases the assignee is not counted."""

    n: int
    type: str = ""
    department: str = ""
    state: str = ""
    assignee: str = ""
    phase: str = ""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What lies before somebody: `late` is past its limit, `helped` joint work; both no further than a thousand."""

    held: int
    pool: int
    mine: int
    helped: int
    late: int


class Counting:
    """Reads the counts."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def total(self, query: CaseQuery, sight: Seen) -> int | None:
        """How many cases a question finds, when the counts can say it; None when they cannot.

        They cannot where helping departments come in, and do not know times, places, words, categories, channels.
        """
        scope = _scope(query.scope, sight)
        closed = not (SORTINGS[query.order].open_only or (query.phases and Phase.CLOSED not in query.phases))
        if scope is None or any(getattr(query, name) for name in UNCOUNTED):
            return None
        if closed and (query.assignee is not None or query.scope in (Scope.MINE, Scope.POOL)):
            return None
        where, params = _where(query, sight, scope)
        return (await self._db.read(SQL.total.format(where=where), params, as_=int))[0]

    async def counts(self, actor: Actor, query: CaseQuery, by: Sequence[str] = ("type", "state")) -> list[Count]:
        """How many cases there are by some of type, department, state, assignee and phase.

        Of the question count scope (seen means held by departments of the reach), types, departments, states, phases
        and assignee; refuses one that asks for more.
        """
        sight = seen(actor)
        scope = _scope(Scope.HELD if query.scope is Scope.SEEN else query.scope, sight)
        wrong = [name for name in UNCOUNTED if getattr(query, name)] + [name for name in by if name not in BY]
        if wrong or scope is None or not by:
            raise QueryRefused("kernel.case_query_uncounted", {"names": wrong or [query.scope]})
        where, params = _where(query, sight, scope)
        return await self._db.read(SQL.counts.format(by=", ".join(by), where=where), params, as_=Count)

    async def summary(self, actor: Actor, now: datetime) -> Summary:
        """What lies before somebody, not done."""
        sight = seen(actor)
        params = {**sight.params, "before": now, "most": COUNTED_MOST}
        held, pool, mine = [
            await self.total(CaseQuery(scope=scope), sight) for scope in (Scope.HELD, Scope.POOL, Scope.MINE)
        ]
        late = SQL.late_everywhere if sight.reach.all else SQL.late
        return Summary(
            held=held or 0,
            pool=pool or 0,
            mine=mine or 0,
            helped=(await self._db.read(SQL.helped, params, as_=int))[0],
            late=(await self._db.read(late, params, as_=int))[0],
        )


def _scope(scope: Scope, sight: Seen) -> tuple[str, ...] | None:
    """Whose counts; None when counts do not tell."""
    reach = sight.reach
    held = SQL.all if reach.all else SQL.held if reach.departments else SQL.nothing
    return {
        Scope.SEEN: (held,) if reach.all else None,
        Scope.HELD: (held,),
        Scope.POOL: (held, SQL.pool),
        Scope.MINE: (SQL.mine,) if reach else (SQL.nothing,),
        Scope.HELPED: None,
    }[scope]


def _where(query: CaseQuery, sight: Seen, scope: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    conditions = [*scope, *([SQL.not_done] if SORTINGS[query.order].open_only else [])]
    params: dict[str, Any] = dict(sight.params)
    for name in COUNTED:
        if getattr(query, name):
            conditions.append(getattr(SQL, name))
            params[name] = [str(each) for each in getattr(query, name)]
    if query.assignee is not None:
        conditions.append(SQL.assignee)
        params["assignee"] = query.assignee
    return " AND ".join(conditions), params
