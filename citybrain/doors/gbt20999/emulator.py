# SPDX-License-Identifier: Apache-2.0
"""A controller of GB/T 20999-2017 as a process of its own: `python -m citybrain.doors.gbt20999.emulator --help`.

It answers over TCP and UDP at one port, runs its plan, obeys the centre within its guard, and goes back to its plan
when the centre falls silent. Each change of its lamps, and each second, is told as a line of JSON: to standard output,
or to a UDP port so that a simulator can show them. At the port for faults it can be told to misbehave.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec

from citybrain.doors.gbt20999 import site
from citybrain.doors.gbt20999.answers import Cabinet
from citybrain.doors.gbt20999.codec import (
    Dialect,
    Frame,
    FrameType,
    Item,
    Splitter,
    Status,
    Unreadable,
    datagram,
    decode,
    encode,
)
from citybrain.doors.gbt20999.street import Street
from citybrain.doors.gbt20999.values import GREENS, Lamp
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.errors import Refusal

TICK_S = 0.125
"""An eighth of a second: sums of it are exact, so no yellow is a rounding error too short."""

MOST_TICKS = 8
"""A process that was held up does not catch up for longer than this: its time stands still instead."""

LONGEST_ADVANCE_S = 3600.0

LETTERS = (
    {Lamp.OFF: "O", Lamp.RED_YELLOW: "u", Lamp.YELLOW_FLASH: "o"} | dict.fromkeys(GREENS, "G") | {Lamp.YELLOW: "y"}
)
"""What a lamp group shows in the letters of simulators; all else is red."""

CALL_EVERY_S = 1.0

Send = Callable[[Frame], None]


class Mischief(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong next; each number counts down by one with every frame that comes.

    `drop` frames get no answer, `twice` are answered twice, `late` after `late_s`, `refuse` with the status `status`.
    `deaf_s`: nothing is heard for so many real seconds, connections are cut. `panel`: somebody stands at the cabinet.
    `crossed`: lamp groups (by number) that show this whatever is meant, as crossed wires do.
    """

    drop: int = 0
    twice: int = 0
    late: int = 0
    late_s: float = 1.0
    refuse: int = 0
    status: int = Status.CONTROL_FAILED
    deaf_s: float = 0.0
    panel: bool = False
    crossed: dict[str, int] = {}


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """Let the junction's time pass: so a simulator keeps step with it (`--stepped`)."""

    advance_s: float


class Emulator:
    """The process: sockets around a cabinet, and the clock that moves its street."""

    def __init__(self, cabinet: Cabinet, *, speed: float, tell: Callable[[bytes], None]) -> None:
        self.cabinet = cabinet
        self._speed = speed
        self._tell = tell
        self._mischief = Mischief()
        self._deaf_until_s = 0.0
        self._streams: set[asyncio.StreamWriter] = set()
        self._udp_peer: tuple[Send, Any] | None = None
        self._ticks = 0
        self._sequence = 0
        self._told: dict[str, Any] = {}

    async def run(self) -> None:
        """Move the street for ever."""
        was_s, owed_s = monotonic_s(), 0.0
        while True:
            await asyncio.sleep(TICK_S / self._speed)
            now_s = monotonic_s()
            owed_s, was_s = min(owed_s + (now_s - was_s) * self._speed, MOST_TICKS * TICK_S), now_s
            while owed_s >= TICK_S:
                owed_s -= TICK_S
                self._tick()

    def advance(self, data: bytes) -> bytes:
        """Let so many seconds pass and answer what is shown then; another order is one for trouble."""
        try:
            told = msgspec.json.decode(data, type=Advance)
        except msgspec.DecodeError:
            return self.misbehave(data)
        for _ in range(round(max(0.0, min(told.advance_s, LONGEST_ADVANCE_S)) / TICK_S)):
            self._tick()
        return msgspec.json.encode({"s": self.cabinet.now_s, **self._told})

    def misbehave(self, data: bytes) -> bytes:
        """Take an order for trouble (JSON); answers `ok`, or what is wrong with it."""
        try:
            self._mischief = msgspec.json.decode(data, type=Mischief)
        except msgspec.DecodeError as error:
            return str(error).encode()
        if self._mischief.deaf_s:
            self._deaf_until_s = monotonic_s() + self._mischief.deaf_s
            for writer in self._streams:
                writer.close()
        street = self.cabinet.street
        street.crossed = {int(group): Lamp(lamp) for group, lamp in self._mischief.crossed.items()}
        if self._mischief.panel != (street.mode == 0x25):
            street.stand_at_panel(self.cabinet.now_s, is_there=self._mischief.panel)
        return b"ok"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection of a centre."""
        if self._is_deaf():
            writer.close()
            return
        self._streams.add(writer)
        splitter = Splitter()
        try:
            while data := await reader.read(4096):
                for inside in splitter.feed(data):
                    self._hear(inside, decode, lambda frame: self._write(writer, frame))
        except OSError:
            pass  # the centre went away
        finally:
            self._streams.discard(writer)
            writer.close()

    async def call(self, host: str, port: int) -> None:
        """Call a centre that waits to be called, again and again."""
        while True:
            with suppress(OSError):
                await self.connected(*await asyncio.open_connection(host, port))
            await asyncio.sleep(CALL_EVERY_S)

    def heard(self, data: bytes, send: Send) -> None:
        """One UDP datagram of a centre."""
        self._udp_peer = (send, None)
        self._hear(data, datagram, send)

    def _write(self, writer: asyncio.StreamWriter, frame: Frame) -> None:
        if not writer.is_closing():
            writer.write(encode(frame, escaped=True, dialect=self.cabinet.dialect))

    def _is_deaf(self) -> bool:
        return monotonic_s() < self._deaf_until_s

    def _hear(self, data: bytes, read: Callable[[bytes], Frame], send: Send) -> None:
        if self._is_deaf():
            return
        try:
            frame = read(data)
        except Unreadable:
            return
        trouble = self._mischief
        if trouble.drop > 0:
            trouble.drop -= 1
            return
        if trouble.refuse > 0 and frame.type is FrameType.SET:
            trouble.refuse -= 1
            send(_refusal(frame, trouble.status))
            return
        replies = list(self.cabinet.answer(frame))
        if trouble.twice > 0:
            trouble.twice -= 1
            replies *= 2
        if trouble.late > 0:
            trouble.late -= 1
            asyncio.get_running_loop().call_later(trouble.late_s, _send_all, send, replies)
            return
        _send_all(send, replies)

    def _tick(self) -> None:
        cabinet = self.cabinet
        self._ticks += 1
        cabinet.now_s = self._ticks * TICK_S
        cabinet.at = (utc_now() + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S")
        cabinet.lamps = cabinet.street.step(cabinet.now_s)
        shown = {
            "mode": cabinet.street.mode,
            "stage": cabinet.street.stage,
            "state": cabinet.street.stage_state(cabinet.street.stage),
            "lamps": {str(group): int(lamp) for group, lamp in cabinet.lamps.items()},
            "shown": {str(group): LETTERS.get(lamp, "r") for group, lamp in cabinet.lamps.items()},
        }
        if shown != self._told or cabinet.now_s % 1 == 0:
            self._tell(msgspec.json.encode({"s": cabinet.now_s, **shown}) + b"\n")
        if {**shown, "lamps": 0, "shown": 0} != {**self._told, "lamps": 0, "shown": 0}:
            self._report()
        self._told = shown

    def _report(self) -> None:
        """A trap to whoever is connected."""
        self._sequence = (self._sequence + 1) % 256
        frame = Frame(type=FrameType.TRAP, items=self.cabinet.report(), sequence=self._sequence)
        if self._is_deaf():
            return
        for writer in self._streams:
            self._write(writer, frame)
        if self._udp_peer is not None:
            self._udp_peer[0](frame)


class _Udp(asyncio.DatagramProtocol):
    """A socket that hands each datagram on with the way back to its sender."""

    def __init__(self, take: Callable[[bytes, Callable[[bytes], None]], None]) -> None:
        self._take = take
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        transport = self._transport
        assert transport is not None
        self._take(data, lambda answer: transport.sendto(answer, addr))


def _send_all(send: Send, frames: list[Frame]) -> None:
    for frame in frames:
        send(frame)


def _refusal(frame: Frame, status: int) -> Frame:
    items = tuple(Item(item.index, item.address, bytes([status])) for item in frame.items)
    return msgspec.structs.replace(frame, type=FrameType.SET_ERROR, items=items)


def _to_stdout(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


async def _teller(lamps: str) -> Callable[[bytes], None]:
    """Where lines about lamps go: `-` is standard output, else host:port."""
    if lamps == "-":
        return _to_stdout
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=_host_port(lamps)
    )
    return transport.sendto


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


async def serve(given: argparse.Namespace) -> None:
    """Run until killed."""
    dialect = msgspec.convert(_options(given.dialect), Dialect, strict=False)
    street = Street(site.load(Path(given.plan)), 0.0, backup_s=given.backup_s)
    emulator = Emulator(Cabinet(street, dialect), speed=given.speed, tell=await _teller(given.lamps))
    loop = asyncio.get_running_loop()

    def hear(data: bytes, back: Callable[[bytes], None]) -> None:
        emulator.heard(data, lambda frame: back(encode(frame, escaped=False, dialect=dialect)))

    def trouble(data: bytes, back: Callable[[bytes], None]) -> None:
        back(emulator.advance(data) if given.stepped else emulator.misbehave(data))

    await loop.create_datagram_endpoint(lambda: _Udp(hear), local_addr=(given.host, given.port))
    if given.faults_port:
        await loop.create_datagram_endpoint(lambda: _Udp(trouble), local_addr=(given.host, given.faults_port))
    calls = [asyncio.create_task(emulator.call(*_host_port(given.call)))] if given.call else []
    async with await asyncio.start_server(emulator.connected, given.host, given.port):
        moves = asyncio.Event().wait() if given.stepped else emulator.run()
        await asyncio.gather(moves, *calls)


def _options(words: list[str]) -> Mapping[str, str]:
    return dict(word.split("=", 1) for word in words)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="gbt20999 emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="TCP and UDP")
    parser.add_argument("--plan", default=str(site.CROSSING), help="the junction (JSON); else a crossing of its own")
    parser.add_argument("--lamps", default="-", help="where lamps are told: - or host:port (UDP)")
    parser.add_argument("--call", default="", help="host:port of a centre that waits to be called (TCP)")
    parser.add_argument("--faults-port", type=int, default=0, help="UDP port that takes orders for trouble (JSON)")
    parser.add_argument("--backup-s", type=float, default=20.0, help="silence of the centre that ends its orders")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of the junction per second")
    parser.add_argument("--stepped", action="store_true", help="time passes only when told at the port for faults")
    parser.add_argument("--dialect", nargs="*", default=[], help="name=value, as in the mapping file of the door")
    try:
        asyncio.run(serve(parser.parse_args()))
    except Refusal as refusal:
        sys.exit(f"{refusal.code} {refusal.facts}")
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
