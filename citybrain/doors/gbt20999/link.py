# SPDX-License-Identifier: Apache-2.0
"""The wire to one controller: TCP that comes back by itself, TCP that the controller opens, or UDP."""

import asyncio
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from citybrain.doors.gbt20999.codec import Dialect, Frame, Splitter, Unreadable, datagram, decode, encode
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.errors import Invalid, Unavailable

SCHEMES = ("tcp", "tcp-listen", "udp")
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


class UnusableAddress(Invalid):
    """Not an address of a controller; the facts have it."""


class Silent(Unavailable):
    """The controller does not answer, or cannot be reached."""


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """Where a controller is. `local_port` is where UDP answers and reports come to; 0 is any."""

    scheme: str
    host: str
    port: int
    local_port: int = 0

    @classmethod
    def of(cls, address: str, *, local_port: int = 0) -> "Peer":
        """Read `tcp://10.0.0.5:5000`, `udp://…`, or `tcp-listen://0.0.0.0:5000` where the controller calls us."""
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme not in SCHEMES or not parts.hostname or not port:
            raise UnusableAddress("gbt20999.address_unusable", {"address": address})
        return cls(scheme=parts.scheme, host=parts.hostname, port=port, local_port=local_port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


Take = Callable[[Frame], None]


class Wire(Protocol):
    """Sends frames, and gives those that come to whoever opened it. `unreadable` counts what was no frame."""

    unreadable: int

    async def send(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


def open_wire(peer: Peer, dialect: Dialect, take: Take) -> Wire:
    """A wire of the scheme of the peer; nothing is opened before the first frame is sent."""
    if peer.scheme == "udp":
        return Datagrams(peer, dialect, take)
    return Stream(peer, dialect, take)


class Stream:
    """TCP, escaped. Broken connections are opened again when something is to be sent, ever more seldom at first."""

    def __init__(self, peer: Peer, dialect: Dialect, take: Take) -> None:
        self.unreadable = 0
        self._peer = peer
        self._dialect = dialect
        self._take = take
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._wait_s = FIRST_WAIT_S
        self._not_before_s = 0.0

    async def send(self, frame: Frame) -> None:
        """Refuses `Silent` when there is no connection and none can be had."""
        writer = await self._connected()
        try:
            writer.write(encode(frame, escaped=True, dialect=self._dialect))
            await writer.drain()
        except OSError as error:
            self._hang_up()
            raise Silent("gbt20999.silent", {"address": str(self._peer)}) from error

    def close(self) -> None:
        """Hang up for good."""
        if self._server is not None:
            self._server.close()
        self._hang_up()

    async def _connected(self) -> asyncio.StreamWriter:
        if self._writer is not None and not self._writer.is_closing():
            return self._writer
        if self._peer.scheme == "tcp-listen":
            await self._listen()
            raise Silent("gbt20999.silent", {"address": str(self._peer)})
        now_s = monotonic_s()
        if now_s < self._not_before_s:
            raise Silent("gbt20999.silent", {"address": str(self._peer)})
        try:
            async with asyncio.timeout(LONGEST_WAIT_S / 10):
                reader, writer = await asyncio.open_connection(self._peer.host, self._peer.port)
        except OSError as error:  # a TimeoutError is one
            self._not_before_s = monotonic_s() + self._wait_s
            self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
            raise Silent("gbt20999.silent", {"address": str(self._peer)}) from error
        self._wait_s = FIRST_WAIT_S
        self._answer_to(reader, writer)
        return writer

    async def _listen(self) -> None:
        if self._server is not None:
            return
        try:
            self._server = await asyncio.start_server(self._called, self._peer.host, self._peer.port)
        except OSError as error:
            raise Silent("gbt20999.silent", {"address": str(self._peer)}) from error

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The newest call counts: a controller that lost its line calls again before we notice."""
        self._hang_up()
        self._answer_to(reader, writer)

    def _answer_to(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader, writer))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter = Splitter()
        try:
            while data := await reader.read(4096):
                for inside in splitter.feed(data):
                    try:
                        frame = decode(inside)
                    except Unreadable:
                        self.unreadable += 1
                        continue
                    self._take(frame)
        except OSError:
            pass  # the line broke: the next frame to be sent opens another one
        finally:
            writer.close()

    def _hang_up(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        if self._writer is not None:
            self._writer.close()
        self._reading = self._writer = None


class Datagrams(asyncio.DatagramProtocol):
    """UDP, not escaped; each datagram is one frame."""

    def __init__(self, peer: Peer, dialect: Dialect, take: Take) -> None:
        self.unreadable = 0
        self._peer = peer
        self._dialect = dialect
        self._take = take
        self._transport: asyncio.DatagramTransport | None = None

    async def send(self, frame: Frame) -> None:
        """Refuses `Silent` when the socket cannot be had; that nobody listens shows in the missing answer."""
        if self._transport is None:
            local = ("0.0.0.0", self._peer.local_port) if self._peer.local_port else None
            try:
                self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: self, local_addr=local, remote_addr=(self._peer.host, self._peer.port)
                )
            except OSError as error:
                raise Silent("gbt20999.silent", {"address": str(self._peer)}) from error
        self._transport.sendto(encode(frame, escaped=False, dialect=self._dialect))

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """One frame came."""
        try:
            frame = datagram(data)
        except Unreadable:
            self.unreadable += 1
            return
        self._take(frame)

    def error_received(self, _exc: Exception) -> None:
        """Nobody is there (ICMP): the missing answer says so too."""

    def close(self) -> None:
        """Give the socket back."""
        if self._transport is not None:
            self._transport.close()
        self._transport = None
