# SPDX-License-Identifier: Apache-2.0
"""Lists of cases and search, only over what the actor sees, in the way that reads least for the actor's reach."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.counting import Counting
from citybrain.kernel.cases.query import (
    CONDITIONS,
    SORTINGS,
    CaseQuery,
    Order,
    Page,
    Scope,
    Sorting,
    Where,
    place_of,
    where,
)
from citybrain.kernel.cases.rights import Seen, seen
from citybrain.kernel.cases.words import Asked, asked, department_word, month_word, tsquery
from citybrain.kernel.cases.work import SQL as WORK
from citybrain.kernel.db import Database

# So many departments are read one by one, each in order; of more the whole order is read and others' rows left out.
APART_MOST = 60
# Search for the newest looks through so many months first, and only goes on when they hold too little.
MONTHS_FIRST = (2, 14)


class Sql(msgspec.Struct, frozen=True):
    """The pieces of this module."""

    everywhere: str
    searched: str
    apart: str
    part_held: str
    part_mine: str
    part_opened: str
    part_helped: str
    part_searched: str
    has_words: str
    live: str


SQL = sql.load(Path(__file__).with_name("queries_find.sql"), Sql)


class Ask(msgspec.Struct, frozen=True):
    """A question made ready: what it asks of each case, the words, and the months in which they must stand."""

    query: CaseQuery
    where: Where
    sight: Seen
    words: tuple[Asked, ...] = ()
    months: tuple[str, ...] = ()

    @property
    def sorting(self) -> Sorting:
        """The order of the question."""
        return SORTINGS[self.query.order]

    @property
    def departments(self) -> list[str]:
        """The departments to look in: those of the reach, of them those that are asked for."""
        reached, wanted = self.sight.reach.departments, frozenset(self.query.departments)
        if self.sight.reach.all:
            return sorted(wanted)
        return sorted(reached & wanted if wanted else reached)


class Finding:
    """Finds cases. `clock` says what is overdue."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock
        self.counting = Counting(db)

    async def find(self, actor: Actor, query: CaseQuery) -> Page:
        """One page of what the actor sees. Words that hold nothing to search by find nothing."""
        now = self._clock()
        ask = Ask(query, where(query, now), seen(actor), tuple(asked(query.words)))
        if not ask.sight.reach or (query.words.strip() and not ask.words):
            return Page(cases=())
        cases: list[Case] = []
        for narrowed in _narrowed(ask, now):
            text, params = question(narrowed)
            cases = await self._db.read(text, params, as_=Case)
            if len(cases) > query.limit:
                break
        page = tuple(cases[: query.limit])
        following = place_of(page[-1], query.order) if len(cases) > query.limit else None
        return Page(cases=page, next=following, total=await self.counting.total(query, ask.sight))


def _narrowed(ask: Ask, now: datetime) -> Iterator[Ask]:
    """The question about the newest months alone, then about more, then whole. Only for words in the newest first."""
    if ask.words and ask.query.order is Order.NEWEST:
        until = _place_time(ask) or now
        for count in MONTHS_FIRST:
            yield msgspec.structs.replace(ask, months=months_before(until, count))
    yield ask


def _place_time(ask: Ask) -> datetime | None:
    given = ask.where.params.get("after_0")
    return None if given is None else msgspec.convert(given, datetime)


def months_before(at: datetime, count: int) -> tuple[str, ...]:
    """The words of the month of a time and of those before it, `count` in all."""
    number = at.year * 12 + at.month - 1
    return tuple(
        month_word(at.replace(year=each // 12, month=each % 12 + 1, day=1))
        for each in range(number, number - count, -1)
    )


def question(ask: Ask) -> tuple[str, Mapping[str, Any]]:
    """The SQL for a question and its parameters."""
    params = {**ask.where.params, **ask.sight.params}
    if ask.words:
        params["words_query"] = tsquery(ask.words, any_of=_groups(ask))
    reach, scope = ask.sight.reach, ask.query.scope
    if scope is Scope.MINE:
        return _whole(ask, params, CONDITIONS.only_mine)
    if reach.own_only:
        return _apart(ask, params, [SQL.part_mine, SQL.part_opened])
    if (reach.all and not ask.query.departments) or len(ask.departments) > APART_MOST:
        return _whole(ask, params, *_scope(ask), ask.sight.condition)
    return _apart_by_scope(ask, params)


def _groups(ask: Ask) -> list[tuple[str, ...]]:
    return [ask.months] if ask.months else []


def _scope(ask: Ask) -> list[str]:
    """The scope as a condition, for whoever sees the whole city or too many departments."""
    everywhere = ask.sight.reach.all
    held = [] if everywhere else [CONDITIONS.only_held]
    return {
        Scope.HELD: held,
        Scope.POOL: [*held, CONDITIONS.only_pool],
        Scope.HELPED: [CONDITIONS.only_helped],
    }.get(ask.query.scope, [])


def _whole(ask: Ask, params: dict[str, Any], *conditions: str) -> tuple[str, Mapping[str, Any]]:
    text = SQL.searched if ask.words else SQL.everywhere
    if ask.words:
        params["tsquery"] = params["words_query"]
    filled = text.format(columns=WORK.columns, where=ask.where.text(*conditions), order=ask.sorting.order)
    return filled, params


def _apart_by_scope(ask: Ask, params: dict[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What few departments hold, what they help with and what is the actor's: each by its own index."""
    scope = ask.query.scope
    departments = ask.departments
    params["seen_departments"] = departments if scope is not Scope.HELPED else params["seen_departments"]
    parts = []
    if scope in (Scope.SEEN, Scope.HELD, Scope.POOL):
        parts.append(SQL.part_searched if ask.words else SQL.part_held)
    if ask.words:
        group = tuple(department_word(each) for each in departments)
        params["tsquery"] = tsquery(ask.words, any_of=[*_groups(ask), group]) if group else "'-'"
    if scope is Scope.HELPED or (scope is Scope.SEEN and not ask.sight.reach.all):
        parts.append(SQL.part_helped)
    if scope is Scope.SEEN and not ask.sight.reach.all:
        parts.append(SQL.part_mine)
    return _apart(ask, params, parts, CONDITIONS.only_pool if scope is Scope.POOL else "true")


def _apart(ask: Ask, params: dict[str, Any], parts: list[str], *more: str) -> tuple[str, Mapping[str, Any]]:
    sorting = ask.sorting
    texts = []
    for part in parts:
        if part is SQL.part_searched:
            conditions = ask.where.text(CONDITIONS.only_held, *more)
        else:
            conditions = ask.where.text(*more, *([SQL.has_words] if ask.words else []))
        live = SQL.live if sorting.open_only else "true"
        texts.append(part.format(keys=sorting.named_keys, where=conditions, order=sorting.order, live=live))
    filled = SQL.apart.format(
        parts="\nUNION\n".join(texts), part_order=sorting.part_order, columns=WORK.columns, order=sorting.order
    )
    return filled, params
