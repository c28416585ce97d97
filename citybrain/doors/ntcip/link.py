# SPDX-License-Identifier: Apache-2.0
"""Asks one device over SNMP: one question at a time, asked again when lost; late and double answers do not count."""

import asyncio
import secrets
from collections.abc import Sequence
from typing import cast

import msgspec

from citybrain.doors.ntcip import codec
from citybrain.doors.ntcip.codec import Absent, Bindings, Kind, Message, Oid, Problem, UnreadableFrame, Value, Version
from citybrain.kernel.errors import Conflict, Unavailable

TOGETHER = 14
"""Objects in one question: devices need not take messages over 484 octets (RFC 1157 section 4)."""


class Silent(Unavailable):
    """The device did not answer in time, however often it was asked."""


class DeviceRefused(Conflict):
    """The device answered that it will not."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a device is and how it wants to be asked; `timeout_s` is for each of the `tries`."""

    host: str
    port: int = 161
    read_community: str = "public"
    write_community: str = "public"
    version: Version = Version.V1
    timeout_s: float = 1.0
    tries: int = 3


class Tally(msgspec.Struct):
    """What happened on a link since it was opened."""

    asked: int = 0
    answered: int = 0
    lost: int = 0
    astray: int = 0
    unreadable: int = 0


class Link(asyncio.DatagramProtocol):
    """One socket to one device; made by `open_link`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._transport: asyncio.DatagramTransport | None = None
        self._request_id = secrets.randbits(30)
        self._waiting: tuple[int, asyncio.Future[Message]] | None = None
        self._turn = asyncio.Lock()
        self.tally = Tally()

    @property
    def host(self) -> str:
        """The network address that the name of the host led to."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("peername")[0])

    async def get(self, oids: Sequence[Oid]) -> list[Value]:
        """The values in the order of the question; `Absent` where the device has no such object. May be `Silent`."""
        found: list[Value] = []
        for at in range(0, len(oids), TOGETHER):
            found += await self._get_some(list(oids[at : at + TOGETHER]))
        return found

    async def set(self, bindings: Bindings) -> None:
        """Set all or nothing. May be `Silent`, or `DeviceRefused` with the object."""
        answer = await self._ask(Kind.SET, bindings, self._address.write_community)
        if answer.problem:
            raise _refused(answer, bindings)

    def close(self) -> None:
        """Let go of the socket."""
        if self._transport is not None:
            self._transport.close()

    async def _get_some(self, oids: list[Oid]) -> list[Value]:
        """Version 1 refuses a whole question for one missing object, so it is asked again without that."""
        missing: set[Oid] = set()
        while True:
            present = [oid for oid in oids if oid not in missing]
            if not present:
                return [Absent.NO_OBJECT] * len(oids)
            answer = await self._ask(Kind.GET, tuple((oid, None) for oid in present), self._address.read_community)
            if answer.problem == Problem.TOO_BIG and len(oids) > 1:
                half = len(oids) // 2
                return await self._get_some(oids[:half]) + await self._get_some(oids[half:])
            if answer.problem == Problem.NO_SUCH_NAME and 1 <= answer.index <= len(present):
                missing.add(present[answer.index - 1])
                continue
            if answer.problem:
                raise _refused(answer, tuple((oid, None) for oid in present))
            values = dict(answer.bindings)
            return [values.get(oid, Absent.NO_OBJECT) for oid in oids]

    async def _ask(self, kind: Kind, bindings: Bindings, community: str) -> Message:
        """One question under one number, sent up to `tries` times: the answer to any of them will do."""
        async with self._turn:
            self._request_id = (self._request_id + 1) & 0x7FFFFFFF
            asked = Message(
                kind=kind,
                request_id=self._request_id,
                bindings=bindings,
                community=community.encode(),
                version=self._address.version,
            )
            frame = codec.encode(asked)
            for _ in range(self._address.tries):
                self.tally.asked += 1
                future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
                self._waiting = (self._request_id, future)
                assert self._transport is not None
                self._transport.sendto(frame)
                try:
                    return await asyncio.wait_for(future, self._address.timeout_s)
                except TimeoutError:
                    self.tally.lost += 1
                finally:
                    self._waiting = None
            raise Silent("ntcip.silent", {"host": self._address.host, "port": self._address.port})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """An answer counts when it carries the number of the question that waits."""
        try:
            message = codec.decode(data)
        except UnreadableFrame:
            self.tally.unreadable += 1
            return
        if self._waiting is None or message.kind is not Kind.RESPONSE or message.request_id != self._waiting[0]:
            self.tally.astray += 1
            return
        self.tally.answered += 1
        future = self._waiting[1]
        self._waiting = None
        future.set_result(message)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there just now: the question waits for its time and is asked again."""


def _refused(answer: Message, bindings: Bindings) -> DeviceRefused:
    try:
        problem = Problem(answer.problem).name.lower()
    except ValueError:
        problem = str(answer.problem)
    at = answer.index - 1
    oid = ".".join(map(str, bindings[at][0])) if 0 <= at < len(bindings) else ""
    return DeviceRefused("ntcip.device_refused", {"problem": problem, "object": oid})


async def open_link(address: Address) -> Link:
    """A link to the device at this address; says nothing about whether anybody is there."""
    loop = asyncio.get_running_loop()
    _, link = await loop.create_datagram_endpoint(lambda: Link(address), remote_addr=(address.host, address.port))
    return link
