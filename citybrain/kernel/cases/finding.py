# SPDX-License-Identifier: Apache-2.0
"""Lists of cases and search, only over what the actor sees, in the way that reads least for the actor's reach."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import Phase
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
from citybrain.kernel.cases.refusals import NoSuchCase
from citybrain.kernel.cases.rights import Seen, seen, seen_to_review
from citybrain.kernel.cases.words import OPEN_WORD, Asked, asked, department_word, month_word, tsquery
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
    in_held: str
    elsewhere: str
    not_mine: str
    of_number: str
    of_ids: str


SQL = sql.load(Path(__file__).with_name("queries_find.sql"), Sql)


Part = tuple[str, tuple[str, ...]]  # a piece of SQL and the conditions that are its own


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

    async def find(self, actor: Actor, query: CaseQuery, marks: Sequence[bytes] = ()) -> Page:
        """One page of what the actor sees. Words that hold nothing to search by find nothing.

        `marks` are what the question's identifier may be kept under.
        """
        now = self._clock()
        asks = where(query, now)
        if query.identifier:
            asks = msgspec.structs.replace(asks, params={**asks.params, "identifier_marks": list(marks)})
        ask = Ask(query, asks, seen(actor), tuple(asked(query.words)))
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

    async def by_number(self, actor: Actor, number: str) -> Case:
        """The case of a number, if the actor sees it; refuses `NoSuchCase`."""
        sight = seen(actor)
        found = await self._db.read_one(
            those_cases(SQL.of_number, sight.condition), {"number": number, **sight.params}, as_=Case
        )
        if found is None:
            raise NoSuchCase("kernel.no_such_case", {"id": number[:60]})
        return found

    async def those(self, actor: Actor, ids: Collection[int], *, to_review: bool = False) -> dict[int, Case]:
        """Of some cases those that the actor sees, or has `to_review`."""
        if not ids:
            return {}
        sight = seen_to_review(actor) if to_review else seen(actor)
        found = await self._db.read(
            those_cases(SQL.of_ids, sight.condition), {"ids": list(ids), **sight.params}, as_=Case
        )
        return {case.id: case for case in found}


def those_cases(which: str, condition: str) -> str:
    """The query for some cases that a condition lets be seen."""
    return f"SELECT {WORK.columns} FROM city_case c WHERE {which} AND {condition}"  # noqa: S608 our own pieces


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
        params["words_query"] = params["tsquery"] = tsquery(ask.words, any_of=_groups(ask))
    reach = ask.sight.reach
    if ask.query.scope is Scope.MINE:
        return _whole(ask, CONDITIONS.only_mine), params
    if reach.own_only:
        return _apart(ask, [(SQL.part_mine, ()), (SQL.part_opened, ())]), params
    if (reach.all and not ask.query.departments) or len(ask.departments) > APART_MOST:
        return _whole(ask, *_scope(ask), ask.sight.condition), params
    params.update(_held(ask))
    return _apart(ask, _parts(ask)), params


def _groups(ask: Ask) -> list[tuple[str, ...]]:
    return [(OPEN_WORD,)] * ask.sorting.open_only + [ask.months] * bool(ask.months)


def _scope(ask: Ask) -> list[str]:
    """The scope as a condition, for whoever sees the whole city or too many departments."""
    held = [] if ask.sight.reach.all else [CONDITIONS.only_held]
    return {
        Scope.HELD: held,
        Scope.POOL: [*held, CONDITIONS.only_pool],
        Scope.HELPED: [CONDITIONS.only_helped],
    }.get(ask.query.scope, [])


def _whole(ask: Ask, *conditions: str) -> str:
    text = SQL.searched if ask.words else SQL.everywhere
    return text.format(columns=WORK.columns, where=ask.where.text(*conditions), order=ask.sorting.order)


def _held(ask: Ask) -> dict[str, Any]:
    """What the part of held cases is asked by; its words say the departments too, so the index leaves out others."""
    departments = ask.departments
    held: dict[str, Any] = {"held": departments}
    if ask.words and departments:
        group = tuple(department_word(each) for each in departments)
        held["tsquery"] = tsquery(ask.words, any_of=[*_groups(ask), group])
    return held


def _parts(ask: Ask) -> list[Part]:
    """What few departments hold, what they help with and what is the actor's: each with what keeps it apart."""
    scope = ask.query.scope
    parts: list[Part] = []
    if scope in (Scope.SEEN, Scope.HELD, Scope.POOL):
        only = (CONDITIONS.only_pool,) if scope is Scope.POOL else ()
        parts.append((SQL.part_searched, (SQL.in_held, *only)) if ask.words else (SQL.part_held, only))
    if scope is Scope.HELPED:
        parts.append((SQL.part_helped, ()))
    if scope is Scope.SEEN and not ask.sight.reach.all:
        parts.append((SQL.part_helped, (SQL.elsewhere, SQL.not_mine)))
        if set(ask.query.phases) != {Phase.CLOSED}:
            parts.append((SQL.part_mine, (SQL.elsewhere, CONDITIONS.not_done)))
    return parts


def _apart(ask: Ask, parts: list[Part]) -> str:
    sorting = ask.sorting
    live = SQL.live if sorting.open_only else "true"
    texts = []
    for part, own in parts:
        words = (SQL.has_words,) if ask.words and part is not SQL.part_searched else ()
        asked_of_all = ask.where.without(CONDITIONS.departments) if part is SQL.part_held else ask.where
        where = asked_of_all.text(*own, *words)
        texts.append(part.format(columns=WORK.columns, where=where, order=sorting.order, live=live))
    return SQL.apart.format(parts="\nUNION ALL\n".join(texts), columns=WORK.columns, order=sorting.order)
