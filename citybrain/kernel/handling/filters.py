# SPDX-License-Identifier: Apache-2.0
"""Filters of the list of alarms kept under a name: for their owner alone, or shared with a department of theirs."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.audit.recording import record
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound

NAME_LENGTH = 60
PART_LENGTH = 2_000
AT_MOST = 100  # of one owner
PARTS = frozenset({"state", "sort", "severity", "handling", "kind", "mine", "entity", "group", "q", "span", "flat"})
"""What the address of a list of alarms says; times are spans back from now, so a filter means the same tomorrow."""


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    filter_add: str
    filters: str
    filter_of: str
    filters_counted: str
    filter_put: str
    filter_drop: str


SQL = sql.load(Path(__file__).with_name("queries_filters.sql"), Sql)


class NoSuchFilter(NotFound):
    """There is no such kept filter, or it is somebody else's."""


class FilterChanged(Conflict):
    """The filter was changed in another window; the facts hold the newer version."""


class FilterNotKept(Invalid):
    """A filter without a name, with too long a one, with parts that no list has, or one too many."""


class NotYourDepartment(Forbidden):
    """A filter is shared only with a department that its owner belongs to."""


class KeptFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A kept filter. `department`: all who belong to it have it too, and only the owner changes it."""

    id: int = 0
    owner: str = ""
    department: str | None = None
    name: str
    query: Mapping[str, str]
    version: int = 0
    may_change: bool = False


class KeptFilters:
    """The kept filters of one city; each write is audited with it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of(self, actor: Actor) -> list[KeptFilter]:
        """The filters that somebody kept, and those shared with their departments, by name."""
        params = {"owner": actor.account, "departments": sorted(_departments(actor))}
        found = await self._db.read(SQL.filters, params, as_=KeptFilter)
        return [replace(each, may_change=each.owner == actor.account) for each in found]

    async def keep(self, actor: Actor, given: KeptFilter) -> KeptFilter:
        """Keep a filter under a name. Refuses `FilterNotKept`, `NotYourDepartment`."""
        _check(actor, given)
        async with self._db.transaction() as transaction:
            if (await transaction.read(SQL.filters_counted, {"owner": actor.account}, as_=int))[0] >= AT_MOST:
                raise FilterNotKept("kernel.alarm_filters_too_many", {"limit": AT_MOST})
            params = {"owner": actor.account, **_params(given)}
            id = (await transaction.read(SQL.filter_add, params, as_=int))[0]
            await _audit(transaction, actor, "keep", replace(given, id=id))
        return replace(given, id=id, owner=actor.account, version=1, may_change=True)

    async def change(self, actor: Actor, given: KeptFilter) -> KeptFilter:
        """Change a filter of one's own by its id. Refuses `FilterChanged`."""
        async with self._db.transaction() as transaction:
            before = await _own(transaction, actor, given.id)
            _check(actor, given)
            if before.version != given.version:
                raise FilterChanged("kernel.alarm_filter_changed", {"id": given.id, "version": before.version})
            await transaction.write(SQL.filter_put, {"id": given.id, "by": actor.account, **_params(given)})
            await _audit(transaction, actor, "change", given)
        return replace(given, owner=before.owner, version=before.version + 1, may_change=True)

    async def forget(self, actor: Actor, id: int) -> None:
        """Forget a filter of one's own."""
        async with self._db.transaction() as transaction:
            before = await _own(transaction, actor, id)
            await transaction.write(SQL.filter_drop, {"id": id})
            await _audit(transaction, actor, "forget", before)


async def _own(transaction: Transaction, actor: Actor, id: int) -> KeptFilter:
    found = await transaction.read(SQL.filter_of, {"id": id}, as_=KeptFilter)
    if not found or found[0].owner != actor.account:
        raise NoSuchFilter("kernel.no_such_alarm_filter", {"id": id})
    return found[0]


async def _audit(transaction: Transaction, actor: Actor, act: str, kept: KeptFilter) -> None:
    object = f"alarm_filter:{kept.id}"
    await record(transaction, actor=actor, act=f"alarm_filter.{act}", object=object, department=kept.department)


def _departments(actor: Actor) -> set[str]:
    return {grant.department for grant in actor.departments}


def _check(actor: Actor, given: KeptFilter) -> None:
    if given.department is not None and given.department not in _departments(actor):
        raise NotYourDepartment("kernel.alarm_filter_department", {"department": given.department[:100]})
    if not 0 < len(given.name.strip()) <= NAME_LENGTH:
        raise FilterNotKept("kernel.alarm_filter_name", {"limit": NAME_LENGTH})
    unknown = sorted(part for part, words in given.query.items() if part not in PARTS or len(words) > PART_LENGTH)
    if unknown:
        raise FilterNotKept("kernel.alarm_filter_part", {"part": unknown[0][:60]})


def _params(given: KeptFilter) -> dict[str, object]:
    return {"department": given.department, "name": given.name.strip(), "query": dict(given.query)}
