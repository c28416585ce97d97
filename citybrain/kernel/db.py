# SPDX-License-Identifier: Apache-2.0
"""The database: the only place that speaks to the driver."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self, TypeVar, cast

import msgspec
import numpy as np
import psycopg
from psycopg import sql as driver_sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import dict_row, tuple_row
from psycopg.types.json import JsonbDumper, set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from citybrain.kernel import embedded
from citybrain.kernel.errors import Invalid, Unavailable
from citybrain.kernel.records import Json
from citybrain.kernel.settings import Settings

T = TypeVar("T")
Params = Mapping[str, Any]

OLDEST_SERVER = 15
CONNECT_WITHIN_S = 10
POOL_SIZE = 8
# Numbers beyond their column, and the one character that texts in JSON cannot have.
UNHOLDABLE = (psycopg.errors.NumericValueOutOfRange, psycopg.errors.UntranslatableCharacter)


def _plain(value: Any) -> Any:
    """What numpy hands us, as JSON can hold it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, frozenset):
        return sorted(value)
    raise NotImplementedError(type(value))


_encoder = msgspec.json.Encoder(enc_hook=_plain)


def to_json(value: Json) -> bytes:
    """JSON of records and of what numpy hands us; NaN becomes null."""
    return _encoder.encode(value)


class ValueUnusable(Invalid):
    """A text holds the character NUL, or a number is larger than the database can keep."""


class Transaction:
    """One connection, for as long as one transaction takes."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def read(self, query: str, params: Params | None = None, *, as_: type[T]) -> list[T]:
        """The rows of a query: structs by column name, any other type by its one column."""
        structs = isinstance(as_, type) and issubclass(as_, msgspec.Struct)
        async with self._connection.cursor(row_factory=dict_row if structs else tuple_row) as cursor:
            await cursor.execute(_text(query), params)
            rows: list[Any] = await cursor.fetchall()
        if structs:
            return [msgspec.convert(row, as_, strict=False) for row in rows]
        return [cast(T, row[0]) if as_ is object else msgspec.convert(row[0], as_) for row in rows]

    async def rows(self, query: str, params: Params | None = None, *, binary: bool = False) -> list[tuple[Any, ...]]:
        """The rows of a query as they are, for those who make columns of them; large values are faster in binary."""
        async with self._connection.cursor(row_factory=tuple_row, binary=binary) as cursor:
            await cursor.execute(_text(query), params)
            return await cursor.fetchall()

    async def write(self, query: str, params: Params | None = None) -> int:
        """Carry out a statement; answers with the number of rows it touched."""
        async with self._connection.cursor() as cursor:
            await cursor.execute(_text(query), params)
            return cursor.rowcount

    async def write_many(self, query: str, rows: Sequence[Params]) -> None:
        """Carry out one statement for many rows, in one round trip."""
        if rows:
            async with self._connection.cursor() as cursor:
                await cursor.executemany(_text(query), rows)

    async def script(self, text: str) -> None:
        """Carry out a file of statements without parameters, as it stands."""
        await self._connection.execute(_text(text))

    @asynccontextmanager
    async def pipelined(self) -> AsyncIterator[None]:
        """What is written inside is sent without waiting for answers; a failure shows at the end. Copies are not."""
        async with self._connection.pipeline():
            yield

    async def copy(self, query: str, data: bytes) -> None:
        """Load rows already in the wire form the COPY statement names."""
        async with self._connection.cursor() as cursor, cursor.copy(_text(query)) as copy:
            await copy.write(data)


class Session:
    """One connection kept for one writer: it may hold locks that last as long as it does."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """One transaction: committed at the end, rolled back on any exception."""
        with _spoken():
            async with self._connection.transaction():
                yield Transaction(self._connection)

    async def close(self) -> None:
        """Give the connection up, whatever state it is in."""
        await self._connection.close()


class Database:
    """Connections to one database. What is lost or out of reach is `Unavailable`, never the driver's own error."""

    def __init__(self, url: str, pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]]) -> None:
        self._url = url
        self._pool = pool
        self._claim: embedded.Claim | None = None
        self._server: embedded.Postgres | None = None
        self._reviving = asyncio.Lock()

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Claim the data folder, start PostgreSQL in it unless a server is given by URL, and connect."""
        claim = embedded.Claim(settings.data)
        server: embedded.Postgres | None = None
        try:
            if settings.database_url is None:
                server = await asyncio.to_thread(embedded.start, settings.data)
            database = await cls.connect(settings.database_url or cast(embedded.Postgres, server).url)
        except BaseException:
            if server:
                await asyncio.to_thread(server.stop)
            claim.release()
            raise
        database._claim, database._server = claim, server
        return database

    @classmethod
    async def connect(cls, url: str) -> Self:
        """Connect to a server that runs; refuses one that is not reachable or older than PostgreSQL 15."""
        await _check_server(url)
        pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=POOL_SIZE,
            open=False,
            timeout=CONNECT_WITHIN_S,
            configure=_configure,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True, "application_name": "citybrain"},
        )
        await pool.open()
        return cls(url, pool)

    async def close(self) -> None:
        """Close the connections, stop PostgreSQL if it is ours, and let others have the folder."""
        await self._pool.close()
        if self._server:
            await asyncio.to_thread(self._server.stop)
        if self._claim:
            self._claim.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction: committed at the end, rolled back on any exception."""
        with _spoken():
            async with self._pool.connection() as connection, connection.transaction():
                yield Transaction(connection)

    async def session(self) -> Session:
        """A connection of its own, for a writer that holds a lock. A server of ours that died is started again."""
        async with self._reviving:
            if self._claim and self._server and not self._server.runs():
                self._server = await asyncio.to_thread(embedded.start, self._claim.folder)
        return Session(await self._own_connection())

    async def read(self, query: str, params: Params | None = None, *, as_: type[T]) -> list[T]:
        """The rows of a query: structs by column name, any other type by its one column."""
        with _spoken():
            async with self._pool.connection() as connection:
                return await Transaction(connection).read(query, params, as_=as_)

    async def read_one(self, query: str, params: Params | None = None, *, as_: type[T]) -> T | None:
        """The first row of a query, None when there is none."""
        rows = await self.read(query, params, as_=as_)
        return rows[0] if rows else None

    async def rows(self, query: str, params: Params | None = None, *, binary: bool = False) -> list[tuple[Any, ...]]:
        """The rows of a query as they are, for those who make columns of them; large values are faster in binary."""
        with _spoken():
            async with self._pool.connection() as connection:
                return await Transaction(connection).rows(query, params, binary=binary)

    async def stream(
        self, query: str, params: Params | None = None, *, at_once: int = 10_000
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """The rows of a query in portions, so that no more than one is in memory."""
        with _spoken():
            async with (
                self._pool.connection() as connection,
                connection.transaction(),
                connection.cursor("stream", row_factory=tuple_row) as cursor,
            ):
                await cursor.execute(_text(query), params)
                while rows := await cursor.fetchmany(at_once):
                    yield rows

    async def copy_out(self, query: str, params: Params | None = None, *, at_once: int = 2**23) -> AsyncIterator[bytes]:
        """What a COPY … TO STDOUT says, in portions of whole rows."""
        with _spoken():
            async with self._pool.connection() as connection, connection.cursor() as cursor:
                pieces: list[bytes] = []
                size = 0
                async with cursor.copy(_text(query), params) as copy:
                    async for piece in copy:
                        pieces.append(bytes(piece))
                        size += len(piece)
                        if size >= at_once:
                            yield b"".join(pieces)
                            pieces, size = [], 0
                if pieces:
                    yield b"".join(pieces)

    async def write(self, query: str, params: Params | None = None) -> int:
        """Carry out one statement in a transaction of its own; answers with the number of rows it touched."""
        with _spoken():
            async with self._pool.connection() as connection:
                return await Transaction(connection).write(query, params)

    async def listen(self, channel: str) -> AsyncIterator[str]:
        """The payloads notified on a channel, until the caller stops listening."""
        connection = await self._own_connection()
        try:
            with _spoken():
                await connection.execute(driver_sql.SQL("LISTEN {}").format(driver_sql.Identifier(channel)))
                async for notice in connection.notifies():
                    yield notice.payload
        finally:
            await connection.close()

    async def _own_connection(self) -> psycopg.AsyncConnection[Any]:
        with _spoken():
            connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, application_name="citybrain", connect_timeout=CONNECT_WITHIN_S
            )
            try:
                await _configure(connection)
            except BaseException:
                await connection.close()
                raise
            return connection

    @property
    def pool(self) -> Any:
        """The driver's own pool, for the job queue, which speaks to the driver itself."""
        return self._pool


async def _check_server(url: str) -> None:
    """Reach the server once, so that start-up fails with a clear code and without the password."""
    try:
        place = conninfo_to_dict(url)
        facts = {
            "host": place.get("host") or "",
            "port": place.get("port") or "5432",
            "name": place.get("dbname") or "",
        }
    except psycopg.ProgrammingError:
        raise Unavailable("kernel.database_url_unusable", {}) from None
    try:
        conninfo = make_conninfo(url, connect_timeout=CONNECT_WITHIN_S)
        async with await psycopg.AsyncConnection.connect(conninfo) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.OperationalError as problem:
        why = "password" if _is_password(problem) else str(problem).strip().rsplit("\n", 1)[-1]
        code = "kernel.database_refused_us" if why == "password" else "kernel.database_unreachable"
        raise Unavailable(code, {**facts, "why": why}) from None
    if version < OLDEST_SERVER:
        raise Unavailable("kernel.database_too_old", {**facts, "found": version, "wanted": OLDEST_SERVER})


def _is_password(problem: psycopg.OperationalError) -> bool:
    return "password" in str(problem) or "authentication" in str(problem)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    """Teach a connection our JSON: dicts and structs go in as jsonb, jsonb comes back as plain values."""
    set_json_dumps(to_json, connection)
    set_json_loads(msgspec.json.decode, connection)
    connection.adapters.register_dumper(dict, _Jsonb)
    connection.adapters.register_dumper(msgspec.Struct, _Jsonb)
    await connection.execute("SET timezone = 'UTC'")
    if not connection.autocommit:
        await connection.commit()


class _Jsonb(JsonbDumper):
    """JSONB of a plain value, without the driver's own box around it."""

    def dump(self, obj: Any) -> bytes:
        return to_json(obj)


def _text(query: str) -> Any:
    """A query from our own files; the driver's type asks for a literal."""
    return query


@contextmanager
def _spoken() -> Iterator[None]:
    """The one place where errors of the driver become ours.

    A lost or unreachable server is `Unavailable`, a value that no database of this kind can hold is `Invalid`.
    """
    try:
        yield
    except (psycopg.OperationalError, PoolTimeout) as problem:
        raise Unavailable("kernel.database_lost", {"why": str(problem).strip().split("\n", 1)[0]}) from problem
    except psycopg.DataError as problem:
        if not isinstance(problem, UNHOLDABLE) and "NUL" not in str(problem):
            raise
        raise ValueUnusable("kernel.value_unusable", {}) from problem
