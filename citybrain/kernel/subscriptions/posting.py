# SPDX-License-Identifier: Apache-2.0
"""Posts small bodies over HTTP/1.1 (RFC 9112), as lean as notifications need it.

A general client costs 0.7 ms of a core for each request, and three times that with 200 open connections, since its
pool looks through all of them (httpx 0.28, measured 2026-11); here it is a look-up.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

KEPT_OPEN = 64  # idle connections to one receiver
KEPT_OPEN_IN_ALL = 256
LONGEST_HEAD = 64 * 2**10
LONGEST_ANSWER = 2**20
_END = b"\r\n\r\n"


class NoHttp(Exception):
    """What came back is no answer of HTTP/1."""


class _Target(NamedTuple):
    """A URL, taken apart once."""

    host: str
    port: int
    is_secure: bool
    path: str
    head: str


class _Open(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Posting:
    """Connections to all receivers, kept open between posts."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, int, bool], list[_Open]] = {}
        self._count = 0
        self._tls: ssl.SSLContext | None = None

    async def close(self) -> None:
        """Close what is open."""
        for several in self._idle.values():
            for each in several:
                each.writer.close()
        self._idle.clear()
        self._count = 0

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, whose body is not looked at.

        Raises `OSError` when there is nobody, `NoHttp` when what answers is something else. A body may arrive twice:
        when a kept connection turns out to be closed, it is sent again over a new one.
        """
        target = _target(url)
        message = _written(target, body, headers)
        kept = self._take(target)
        if kept is not None:
            try:
                return await self._exchange(target, kept, message)
            except (OSError, asyncio.IncompleteReadError):
                kept.writer.close()
        try:
            return await self._exchange(target, await self._open(target), message)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("closed without an answer") from error

    async def _exchange(self, target: _Target, connection: _Open, message: bytes) -> int:
        stays = False
        try:
            connection.writer.write(message)
            status, stays = await _answer(connection.reader)
        except asyncio.LimitOverrunError as error:
            raise NoHttp("head") from error
        finally:
            if stays:
                self._give_back(target, connection)
            else:
                connection.writer.close()
        return status

    async def _open(self, target: _Target) -> _Open:
        if target.is_secure and self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        tls = self._tls if target.is_secure else None
        return _Open(*await asyncio.open_connection(target.host, target.port, ssl=tls, limit=LONGEST_HEAD))

    def _take(self, target: _Target) -> _Open | None:
        several = self._idle.get(target[:3])
        while several:
            connection = several.pop()
            self._count -= 1
            if not several:
                del self._idle[target[:3]]
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.writer.close()
        return None

    def _give_back(self, target: _Target, connection: _Open) -> None:
        several = self._idle.setdefault(target[:3], [])
        if len(several) >= KEPT_OPEN or self._count >= KEPT_OPEN_IN_ALL:
            connection.writer.close()
            if not several:
                del self._idle[target[:3]]
            return
        several.append(connection)
        self._count += 1


@lru_cache(maxsize=16_384)
def _target(url: str) -> _Target:
    """Raises `ValueError` for a URL without a host, or with a host that is no name."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError(url)
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    is_secure = parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path = "".join(sign if "!" <= sign <= "~" else "".join(f"%{byte:02X}" for byte in sign.encode()) for sign in path)
    named = f"[{host}]" if ":" in host else host
    head = f"POST {path} HTTP/1.1\r\nHost: {named}{f':{parts.port}' if parts.port else ''}\r\n"
    if parts.username is not None:
        given = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        head += f"Authorization: Basic {base64.b64encode(given.encode()).decode()}\r\n"
    return _Target(host, port, is_secure, path, head)


def _written(target: _Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"{target.head}{said}Content-Length: {len(body)}\r\nUser-Agent: citybrain\r\n\r\n"
    return head.encode("latin-1", "replace") + body


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the connection is fit for the next request. Interim answers are passed over."""
    while True:
        head = (await reader.readuntil(_END)).decode("latin-1")
        line, *said = head[: -len(_END)].split("\r\n")
        version, _, rest = line.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdecimal():
            raise NoHttp(line[:100])
        status = int(rest[:3])
        if status >= 200:
            break
    headers = {name.strip().lower(): value.strip().lower() for name, _, value in (each.partition(":") for each in said)}
    is_open = version != "HTTP/1.0" and "close" not in headers.get("connection", "")
    return status, is_open and await _pass_over(reader, status, headers)


async def _pass_over(reader: asyncio.StreamReader, status: int, headers: Mapping[str, str]) -> bool:
    """Read the body and forget it; false when where it ends cannot be told or is too far."""
    if status in (204, 304):
        return True
    if "chunked" in headers.get("transfer-encoding", ""):
        return await _pass_over_chunks(reader)
    length = headers.get("content-length", "")
    if not length.isdecimal() or int(length) > LONGEST_ANSWER:
        return False
    await reader.readexactly(int(length))
    return True


async def _pass_over_chunks(reader: asyncio.StreamReader) -> bool:
    read = 0
    while read <= LONGEST_ANSWER:
        try:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        except ValueError:
            return False
        await reader.readexactly(min(size, LONGEST_ANSWER) + 2)
        read += size
        if size == 0:
            return True
    return False
