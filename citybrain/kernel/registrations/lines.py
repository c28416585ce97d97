# SPDX-License-Identifier: Apache-2.0
"""Plain HTTP/1.1 to many hosts at little cost: kept connections, one request at a time on each (RFC 9112).

A query may concern dozens of sources, each of which answers a few hundred bytes; a general client spends more time on
one of them than all the rest of the query takes. This knows no TLS, no redirects, no proxies: others do.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import msgspec

KEPT = 256
HEAD_LIMIT = 64 * 1024
AGAIN = frozenset({"GET", "PUT", "DELETE"})
_BODILESS = frozenset({204, 304})


class Broken(Exception):
    """The connection could not be made, broke, or did not speak HTTP."""


class Response(msgspec.Struct, frozen=True):
    """What came back: headers by lower-case name; no body when it was larger than allowed."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


class _Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent on it."""
        return not self.writer.is_closing() and not self.reader.at_eof()


class Lines:
    """Connections to all hosts. Those not in use are kept, the newest of them."""

    def __init__(self) -> None:
        self._idle: OrderedDict[_Line, tuple[str, int]] = OrderedDict()

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, *, limit: int
    ) -> Response:
        """Send a request and read the answer, at most `limit` bytes of body. Raises `Broken`; never waits alone for a
        kept connection that turns out to be closed, where the request may be repeated."""
        parts = urlsplit(url)
        host = (parts.hostname or "", parts.port or 80)
        head = _head(method, url, headers, content)
        line = self._kept(host)
        if line is not None:
            try:
                return await self._over(line, host, head, limit)
            except Broken:
                if method not in AGAIN:
                    raise
        try:
            reader, writer = await asyncio.open_connection(*host, limit=HEAD_LIMIT)
        except OSError as error:
            raise Broken(str(error)) from error
        return await self._over(_Line(reader, writer), host, head, limit)

    async def close(self) -> None:
        """Give all kept connections up."""
        while self._idle:
            line, _ = self._idle.popitem()
            line.writer.close()

    def _kept(self, host: tuple[str, int]) -> _Line | None:
        for line in reversed(self._idle):
            if self._idle[line] == host:
                del self._idle[line]
                if line.is_open:
                    return line
                line.writer.close()
                return None
        return None

    async def _over(self, line: _Line, host: tuple[str, int], request: bytes, limit: int) -> Response:
        is_kept = False
        try:
            line.writer.write(request)
            response, is_kept = await _answer(line.reader, limit)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise Broken(str(error)) from error
        finally:
            if is_kept:
                self._keep(line, host)
            else:
                line.writer.close()
        return response

    def _keep(self, line: _Line, host: tuple[str, int]) -> None:
        self._idle[line] = host
        if len(self._idle) > KEPT:
            oldest, _ = self._idle.popitem(last=False)
            oldest.writer.close()


def _head(method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> bytes:
    parts = urlsplit(url)
    target = quote(parts.path or "/", safe="/:%@!$&'()*+,;=~") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
    for name, value in headers.items():
        if "\r" in value or "\n" in value or "\r" in name or "\n" in name:
            raise Broken("a header of several lines")
        lines.append(f"{name}: {value}")
    if content is not None:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1", "replace") + (content or b"")


async def _answer(reader: asyncio.StreamReader, limit: int) -> tuple[Response, bool]:
    """The answer, and whether the connection may be used again."""
    version, status, headers = await _told(reader)
    stays = version != "HTTP/1.0" and headers.get("connection", "").lower() != "close"
    if status in _BODILESS:
        return Response(status, headers, b""), stays
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = await _chunks(reader, limit)
    elif "content-length" in headers:
        length = int(headers["content-length"])
        body = await reader.readexactly(length) if 0 <= length <= limit else None
    else:
        body, stays = await _rest(reader, limit), False
    return Response(status, headers, body), stays and body is not None


async def _told(reader: asyncio.StreamReader) -> tuple[str, int, dict[str, str]]:
    """Version, status and headers; what comes before the answer itself (1xx) is passed over."""
    status = 100
    while status < 200:
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, _, told = first.partition(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError(version)
        status = int(told[:3])
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if colon:
            key, value = name.strip().lower(), value.strip()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return version, status, headers


async def _chunks(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        size += length
        if size > limit:
            return None
        pieces.append((await reader.readexactly(length + 2))[:-2])
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return b"".join(pieces)


async def _rest(reader: asyncio.StreamReader, limit: int) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    while piece := await reader.read(65_536):
        size += len(piece)
        if size > limit:
            return None
        pieces.append(piece)
    return b"".join(pieces)
