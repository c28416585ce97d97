# SPDX-License-Identifier: Apache-2.0
"""The types of cases of a city, in versions: published as data, never changed afterwards."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import require
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.definition import faults
from citybrain.kernel.cases.refusals import CaseTypeChanged, NoSuchCaseType, UnusableCaseType
from citybrain.kernel.cases.rights import TYPES
from citybrain.kernel.db import Database, Transaction, to_json
from citybrain.kernel.records import Facts, Text

KNOWN = 1_000  # versions kept in memory; they never change


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    type_lock: str
    type_last: str
    type_end: str
    type_insert: str
    type_current: str
    type_version: str
    type_versions: str
    types_at: str
    type_heads: str
    states_of_version: str


SQL = sql.load(Path(__file__).with_name("queries_types.sql"), Sql)


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    version: int
    valid_from: datetime
    valid_to: datetime | None
    definition: Facts
    published_by: str
    published_at: datetime


class TypeHead(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a type in a list."""

    id: str
    name: Text
    version: int
    valid_from: datetime
    valid_to: datetime | None
    published_by: str
    published_at: datetime
    has_process: bool


class CaseTypes:
    """Reads and publishes types. `permissions` and `roles`, when known, are those that a move may name."""

    def __init__(
        self, db: Database, *, permissions: Collection[str] | None = None, roles: Collection[str] | None = None
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._roles = roles
        self._known: dict[tuple[str, int], CaseType] = {}

    def check(self, definition: CaseType) -> None:
        """Refuse a definition that cannot work: `UnusableCaseType`, with each fault as a code with facts."""
        found = faults(definition, permissions=self._permissions, roles=self._roles)
        if found:
            told = [{"code": each.code, "facts": each.facts} for each in found]
            facts = {"type": definition.id, "count": len(found), "faults": told}
            raise UnusableCaseType("kernel.case_type_unusable", facts)

    async def publish(self, actor: Actor, definition: CaseType, *, now: datetime) -> CaseType:
        """Put a new version in force from `valid_from` (now if unset or past) to `valid_to`; the last one ends there.

        Cases that are under way keep the version they began with. `version` says which one it was made from, 0 none:
        refuses `CaseTypeChanged` when there is a newer one.
        """
        require(actor, TYPES)
        valid_from = max(definition.valid_from or now, now)
        if definition.valid_to and definition.valid_to <= valid_from:
            facts = {"type": definition.id, "valid_to": definition.valid_to}
            raise UnusableCaseType("kernel.case_type_never_valid", facts)
        definition = msgspec.structs.replace(definition, valid_from=valid_from)
        return await self.put(definition, by=actor.account, now=now, made_from=definition.version)

    async def put(self, definition: CaseType, *, by: str, now: datetime, made_from: int | None = None) -> CaseType:
        """Publish without asking who: for types that come with the city. One that is as published is left alone."""
        self.check(definition)
        valid_from = definition.valid_from or now
        async with self._db.transaction() as transaction:
            await transaction.rows(SQL.type_lock, {"id": definition.id})
            last = await transaction.read(SQL.type_last, {"id": definition.id}, as_=_Row)
            if made_from is not None:
                _check_newest(definition.id, made_from, last)
            version = last[0].version + 1 if last else 1
            if last and last[0].valid_to is None and _same(definition, _type(last[0])):
                return _type(last[0])
            published = msgspec.structs.replace(definition, version=version, valid_from=valid_from)
            await transaction.write(SQL.type_end, {"id": definition.id, "at": valid_from})
            params = {"id": published.id, "version": version, "valid_from": valid_from, "valid_to": published.valid_to}
            written = to_json(published).decode()
            await transaction.write(SQL.type_insert, {**params, "definition": written, "by": by, "at": now})
        return published

    async def current(self, id: str, at: datetime) -> CaseType:
        """The version in which a case that begins at a time begins; refuses `NoSuchCaseType` when none is valid."""
        version = (await self._db.read(SQL.type_current, {"id": id, "at": at}, as_=object))[0]
        if not isinstance(version, int):
            raise NoSuchCaseType("kernel.no_such_case_type", {"type": id})
        return await self.get(id, version)

    async def get(self, id: str, version: int, *, within: Transaction | None = None) -> CaseType:
        """One version; refuses `NoSuchCaseType`. Who is in a transaction reads in it, and waits for no connection."""
        known = self._known.get((id, version))
        if known is None:
            rows = await (within or self._db).read(SQL.type_version, {"id": id, "version": version}, as_=_Row)
            if not rows:
                raise NoSuchCaseType("kernel.no_such_case_type", {"type": id})
            if len(self._known) >= KNOWN:
                self._known.clear()
            known = self._known[id, version] = _type(rows[0])
        return known

    async def versions(self, id: str) -> list[CaseType]:
        """Every version of a type, the oldest first."""
        return [_type(row) for row in await self._db.read(SQL.type_versions, {"id": id}, as_=_Row)]

    async def heads(self) -> list[TypeHead]:
        """Every version of every type, by id and version."""
        return await self._db.read(SQL.type_heads, as_=TypeHead)

    async def valid(self, at: datetime) -> list[CaseType]:
        """The types that are valid at a time, each in its newest version, by id."""
        return [_type(row) for row in await self._db.read(SQL.types_at, {"at": at}, as_=_Row)]

    async def states_without_place(self, id: str, *, version: int, to: int) -> list[str]:
        """States in which cases of a version stand now and which another version does not know in the same phase."""
        target = await self.get(id, to)
        rows = await self._db.rows(SQL.states_of_version, {"id": id, "version": version})
        return [state for state, phase in rows if state not in target.states or target.phase_of(state) != phase]


def _check_newest(id: str, made_from: int, last: Sequence[_Row]) -> None:
    newest = last[0].version if last else 0
    if made_from != newest:
        by = last[0].published_by if last else ""
        raise CaseTypeChanged("kernel.case_type_changed", {"type": id, "version": newest, "by": by})


def _type(row: _Row) -> CaseType:
    definition = msgspec.convert(row.definition, CaseType)
    return msgspec.structs.replace(definition, version=row.version, valid_from=row.valid_from, valid_to=row.valid_to)


def _same(definition: CaseType, published: CaseType) -> bool:
    """Whether a definition says what the published one says, its dates aside."""
    dated = {"version": 0, "valid_from": None, "valid_to": definition.valid_to}
    return to_json(msgspec.structs.replace(definition, **dated)) == to_json(msgspec.structs.replace(published, **dated))
