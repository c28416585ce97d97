# SPDX-License-Identifier: Apache-2.0
"""Files into the history: in portions, each committed; what is refused is told, what was interrupted goes on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import Instance
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.pool.table_rows import Refused, Taken, rows_of
from citybrain.kernel.pool.temporal_reading import Given

PORTION = 10_000
"""Rows that are committed together."""


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    progress_of: str
    progress_write: str
    progress_end: str


SQL = sql.load(Path(__file__).with_name("queries_imports.sql"), Sql)

Take = Callable[[Sequence[Given]], Awaitable[object]]
"""Takes the evolutions of a portion in, each of another entity; on return they are committed."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an import is: the last line that is done, rows taken, and the newest refusals."""

    line: int
    taken: int
    refused: int
    refusals: Sequence[Refused] = ()


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """Where an interrupted import of a file goes on."""

    line: int
    taken: int
    refused: int


async def read_in(
    path: Path, take: Take | None, *, at: datetime, start: Bookmark | None = None
) -> AsyncIterator[Progress]:
    """Import a file behind `start`, portion by portion; without `take` it is only checked.

    The same file twice changes nothing: an observation of the same time replaces the one that is there.
    """
    taken, refused, line = (start.taken, start.refused, start.line) if start else (0, 0, 0)
    rows = rows_of(path, text_of(at), after=line)
    while portion := list(islice(rows, PORTION)):
        good = [each for each in portion if isinstance(each, Taken)]
        bad = [each for each in portion if isinstance(each, Refused)]
        if take is not None and good:
            await take(by_entity(each.given for each in good))
        taken, refused, line = taken + len(good), refused + len(bad), portion[-1].line
        yield Progress(line=line, taken=taken, refused=refused, refusals=bad)


def by_entity(given: Iterable[Given]) -> list[Given]:
    """What rows say of one entity, together."""
    types: dict[str, dict[str, None]] = {}
    instances: dict[str, list[tuple[str, Instance]]] = {}
    for each in given:
        types.setdefault(each.id, {}).update(dict.fromkeys(each.types))
        instances.setdefault(each.id, []).extend(each.instances)
    return [Given(id=id, types=tuple(types[id]), instances=tuple(held)) for id, held in instances.items()]


class Bookmarks:
    """Remembers in the database how far the import of a file came."""

    def __init__(self, db: Database, path: Path, tenant: str) -> None:
        self._db = db
        about = path.stat()
        # Another content under the same name is another file.
        self._key = f"{tenant}|{path.absolute()}|{about.st_size}|{about.st_mtime_ns}"

    async def found(self) -> Bookmark | None:
        """Where to go on; None at the beginning."""
        return await self._db.read_one(SQL.progress_of, {"key": self._key}, as_=Bookmark)

    async def lay(self, progress: Progress, at: datetime) -> None:
        """Remember what is committed."""
        params = {
            "key": self._key,
            "line": progress.line,
            "taken": progress.taken,
            "refused": progress.refused,
            "at": at,
        }
        await self._db.write(SQL.progress_write, params)

    async def end(self) -> None:
        """The file is through."""
        await self._db.write(SQL.progress_end, {"key": self._key})
