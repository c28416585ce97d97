# SPDX-License-Identifier: Apache-2.0
"""Requests to other machines: connections kept by host, small bodies, and one way to fail."""

import asyncio
import errno
import socket
from collections.abc import Mapping

import aiohttp
import msgspec
from aiohttp import AddrInfoType

from citybrain.kernel.outbound import LOOPBACK, PUBLIC, Outbound

AT_ONCE_PER_HOST = 64
# How long a connection is kept that nobody uses.
KEPT_S = 5.0
LARGEST_BODY = 2**20
_NOT_BY_ITSELF = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class NoAnswer(Exception):
    """The connection could not be made, broke, or did not speak HTTP."""


class OutboundRefused(OSError):
    """The city's setting does not let requests go to this address."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `largest`: bytes of body that are read at most. `may_repeat`: it may arrive twice, also as a POST,
    when a kept connection turns out to be closed. Without `wants_body` the status alone matters."""

    method: str = "GET"
    url: str
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    largest: int = LARGEST_BODY
    may_repeat: bool = False
    wants_body: bool = True
    redirects: int = 0


class Answer(msgspec.Struct, frozen=True):
    """What came back: headers by lower-case name; no body when it is larger than allowed, or not wanted."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def taken(self) -> bool:
        """Whether it says that all is well."""
        return 200 <= self.status < 300


class _InForce:
    """Where requests may go that say nothing else: this machine and what is public, until a city is opened."""

    outbound = Outbound(words=frozenset({PUBLIC, LOOPBACK}))


def keep_to(outbound: Outbound) -> None:
    """From now on requests go nowhere else."""
    _InForce.outbound = outbound


async def reachable(host: str, port: int) -> str:
    """An address of a host to which the city may go, for other protocols. Raises `OutboundRefused`, or `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    for address in addresses:
        if _InForce.outbound.allows(address):
            return address
    raise OutboundRefused(errno.EACCES, f"{', '.join(addresses)} may not be reached (CITYBRAIN_OUTBOUND)")


class Http:
    """The way to all hosts. Nothing is opened before it is needed; how long to wait is the caller's to say.

    A connection is made only to what `outbound` allows, by default what the city's setting does.
    """

    def __init__(self, *, at_once_per_host: int = AT_ONCE_PER_HOST, outbound: Outbound | None = None) -> None:
        self._at_once = at_once_per_host
        self._outbound = outbound
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, call: Call) -> Answer:
        """Send a request and read the answer. Raises `NoAnswer`."""
        try:
            return await self._exchange(call)
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as error:
            raise _no_answer(error) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if not call.may_repeat:
                raise _no_answer(error) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _no_answer(error) from error
        try:
            return await self._exchange(call)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _no_answer(error) from error

    async def _exchange(self, call: Call) -> Answer:
        session = self._session or self._open()
        async with session.request(
            call.method,
            call.url,
            headers=call.headers,
            data=call.content,
            allow_redirects=call.redirects > 0,
            max_redirects=call.redirects,
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, await _body(response, call))

    def _socket(self, info: AddrInfoType) -> socket.socket:
        """The socket of a connection that is about to be made to a resolved address; redirects come by here too."""
        family, kind, protocol, _, address = info
        if not (self._outbound or _InForce.outbound).allows(str(address[0])):
            raise OutboundRefused(errno.EACCES, f"{address[0]} may not be reached (CITYBRAIN_OUTBOUND)")
        return socket.socket(family, kind, protocol)

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, limit_per_host=self._at_once, keepalive_timeout=KEPT_S, socket_factory=self._socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"User-Agent": "citybrain"},
            skip_auto_headers=_NOT_BY_ITSELF,
            # What is small when it comes must not be large when it is unpacked.
            auto_decompress=False,
        )
        return self._session


async def ask_once(call: Call, *, within_s: float, outbound: Outbound | None = None) -> Answer:
    """One request over a connection of its own, for what is asked seldom. Raises `NoAnswer`, also after too long."""
    http = Http(outbound=outbound)
    try:
        async with asyncio.timeout(within_s):
            return await http.send(call)
    except TimeoutError as error:
        raise _no_answer(error) from error
    finally:
        await http.close()


async def _body(response: aiohttp.ClientResponse, call: Call) -> bytes | None:
    """The body; a connection of which not all was read is not used again."""
    length = response.content_length
    if length is not None:
        return await response.read() if length <= call.largest else None
    if not call.wants_body:
        return None
    pieces: list[bytes] = []
    size = 0
    while piece := await response.content.readany():
        size += len(piece)
        if size > call.largest:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _no_answer(error: Exception) -> NoAnswer:
    return NoAnswer(str(error) or type(error).__name__)
