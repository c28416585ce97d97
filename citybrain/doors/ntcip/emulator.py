# SPDX-License-Identifier: Apache-2.0
"""An emulated controller as a process: `python -m citybrain.doors.ntcip.emulator --port 1161 --plan cabinet.json`.

It answers SNMP at `--port`, reports its lamps as JSON lines to `--report` (host:port by UDP, or `-` for standard
output) at every change and each second, broadcasts SPaT to `--spat` ten times a second, and takes faults and calls as
JSON at the UDP port `--control` (see `Faults`). With `--speed 10` it lives ten seconds in one; with `--stepped` its
time passes only when `{"advance_s": 1}` comes to the control port, and the answer is what is shown then.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import msgspec

from citybrain.doors.ntcip import cabinet, codec, outputs, spat
from citybrain.doors.ntcip.agent import Agent
from citybrain.doors.ntcip.codec import Kind, Problem, UnreadableFrame
from citybrain.doors.ntcip.ring import Walkers, tenths
from citybrain.doors.ntcip.unit import Unit
from citybrain.kernel.clock import monotonic_s, utc_now

TICK_S = 0.1
LONGEST_ADVANCE_S = 3600.0
LETTERS = {"G": "G", "Y": "y", "R": "r", "F": "o"}
Peer = tuple[str, int]


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong, until the next message says otherwise: `drop` every so many-th request (1: all), answer `late_s`
    later, answer `twice`, `refuse` every command, `freeze` the lamps and the answers.

    The rest happens once: detector `call` and `ped_call`, `manual` control on or off, `conflict` turns phases green
    against all rules, `reset` ends a flash of the monitor.
    """

    drop: int = 0
    late_s: float = 0.0
    twice: bool = False
    refuse: bool = False
    freeze: bool = False
    call: tuple[int, ...] = ()
    ped_call: tuple[int, ...] = ()
    manual: bool = False
    conflict: tuple[int, ...] = ()
    reset: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A report: tenths of seconds since the start, the lamps by phase (G, Y, R, F), and who decides.

    `shown` is what each channel shows, in the letters of simulators: G, y, r, o when it flashes.
    """

    t: int
    lamps: dict[int, str]
    walk: list[int]
    status: int
    pattern: int
    shown: dict[int, str] = {}


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let the unit's time pass, so that a simulator keeps step with it (`--stepped`)."""

    advance_s: float


class Emulator:
    """One unit with its agent, its faults and its reports."""

    def __init__(self, unit: Unit, *, report: Peer | None, prints: bool, spat_to: Peer | None, speed: float) -> None:
        self.unit = unit
        self.agent = Agent(unit)
        self.faults = Faults()
        self._report = report
        self._prints = prints
        self._spat_to = spat_to
        self._speed = speed
        self._asked = 0
        self._last: dict[int, str] = {}
        self.out: asyncio.DatagramTransport | None = None

    async def run(self) -> None:
        """Live, in step with the clock, until cancelled."""
        begun_s = monotonic_s()
        ticks = 0
        while True:
            ticks += 1
            await asyncio.sleep(max(0.0, begun_s + ticks * TICK_S / self._speed - monotonic_s()))
            if self.faults.freeze:
                continue
            self.unit.tick()
            self._tell()

    def take(self, frame: bytes) -> list[tuple[float, bytes]]:
        """The answers to a datagram with the seconds after which each goes out; none for what is lost."""
        self._asked += 1
        faults = self.faults
        if faults.freeze or (faults.drop and self._asked % faults.drop == 0):
            return []
        try:
            asked = codec.decode(frame)
        except UnreadableFrame:
            return []
        if faults.refuse and asked.kind is Kind.SET:
            refused = msgspec.structs.replace(asked, kind=Kind.RESPONSE, problem=int(Problem.GENERAL), index=1)
            return [(faults.late_s, codec.encode(refused))]
        answer = self.agent.answer(asked)
        if answer is None:
            return []
        return [(faults.late_s, codec.encode(answer))] * (2 if faults.twice else 1)

    def advance(self, frame: bytes) -> bytes:
        """Let so many seconds pass and answer what is shown then; another order is one for faults."""
        try:
            told = msgspec.json.decode(frame, type=Advance)
        except msgspec.DecodeError:
            return self.control(frame)
        for _ in range(round(max(0.0, min(told.advance_s, LONGEST_ADVANCE_S)) / TICK_S)):
            if not self.faults.freeze:
                self.unit.tick()
                self._tell()
        return msgspec.json.encode(self._shown())

    def control(self, frame: bytes) -> bytes:
        """Take faults and calls in."""
        try:
            faults = msgspec.json.decode(frame, type=Faults)
        except msgspec.DecodeError as error:
            return str(error).encode()
        self.faults = faults
        self.unit.called |= set(faults.call) & self.unit.phases.keys()
        self.unit.ped_called |= set(faults.ped_call) & self.unit.phases.keys()
        self.unit.manual = faults.manual
        if faults.reset:
            self.unit.reset()
        if faults.conflict:
            self.unit.force_conflict([phase for phase in faults.conflict if phase in self.unit.phases])
        return b"ok"

    def _tell(self) -> None:
        lamps = self.unit.lamps()
        if lamps != self._last or self.unit.now % 10 == 0:
            self._last = lamps
            shown = self._shown()
            self._send(msgspec.json.encode(shown), self._report)
            if self._prints:
                sys.stdout.buffer.write(msgspec.json.encode(shown) + b"\n")
                sys.stdout.buffer.flush()
        if self._spat_to is not None:
            self._send(spat.encode(broadcast(self.unit)), self._spat_to)

    def _shown(self) -> Shown:
        return Shown(
            t=self.unit.now,
            lamps=self.unit.lamps(),
            walk=sorted(self.unit.walkers(Walkers.WALK)),
            status=self.unit.status,
            pattern=self.unit.pattern,
            shown={channel: LETTERS[lamp] for channel, lamp in outputs.shown(self.unit).items()},
        )

    def _send(self, frame: bytes, to: Peer | None) -> None:
        if to is not None and self.out is not None:
            self.out.sendto(frame, to)


def broadcast(unit: Unit) -> spat.Spat:
    """What the unit would broadcast now. Times of phases that are not green are left at 0."""
    greens = {ring.green: ring for ring in unit.rings if ring.green is not None}
    times = []
    for number in range(1, spat.PHASES + 1):
        ring = greens.get(number)
        if ring is None or ring.phase is None:
            times.append(spat.PhaseTimes(phase=number))
            continue
        least = max(tenths(ring.phase.min_green_s) - ring.age, 0)
        times.append(
            spat.PhaseTimes(
                phase=number,
                vehicle_min=least,
                vehicle_max=max(tenths(ring.phase.max_green_s) - ring.age, least),
            )
        )
    lamps = unit.lamps()
    now = utc_now()
    second = now.hour * 3600 + now.minute * 60 + now.second

    def shown(letters: str) -> int:
        return sum(1 << number - 1 for number, lamp in lamps.items() if number <= spat.PHASES and lamp in letters)

    return spat.Spat(
        times=tuple(times),
        reds=shown("RF"),
        yellows=shown("Y"),
        greens=shown("G"),
        walks=sum(1 << number - 1 for number in unit.walkers(Walkers.WALK)),
        ped_clears=sum(1 << number - 1 for number in unit.walkers(Walkers.CLEAR)),
        flashing=shown("F"),
        sequence=unit.now & 0xFF,
        second=second,
        millisecond=now.microsecond // 1000,
    )


class _Door(asyncio.DatagramProtocol):
    """Takes datagrams of the SNMP port or, with `control`, of the control port."""

    def __init__(self, emulator: Emulator, control: Callable[[bytes], bytes] | None = None) -> None:
        self._emulator = emulator
        self._control = control

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Peer) -> None:
        if self._control is not None:
            self._transport.sendto(self._control(data), addr)
            return
        for after_s, frame in self._emulator.take(data):
            asyncio.get_running_loop().call_later(after_s, self._transport.sendto, frame, addr)


def _peer(text: str) -> Peer:
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m citybrain.doors.ntcip.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1161)
    parser.add_argument("--plan", type=Path, help="cabinet as JSON; without it the usual eight phases in two rings")
    parser.add_argument("--control", type=int)
    parser.add_argument("--report", default="")
    parser.add_argument("--spat", type=_peer)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--stepped", action="store_true", help="time passes only when the control port says so")
    return parser.parse_args(given)


async def serve(arguments: argparse.Namespace) -> None:
    """Run until told to end."""
    plan = cabinet.load(arguments.plan.read_bytes()) if arguments.plan else cabinet.dual_ring()
    prints = arguments.report == "-"
    report = _peer(arguments.report) if arguments.report and not prints else None
    emulator = Emulator(Unit(plan), report=report, prints=prints, spat_to=arguments.spat, speed=arguments.speed)
    loop = asyncio.get_running_loop()
    emulator.out, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    control = emulator.advance if arguments.stepped else emulator.control
    await loop.create_datagram_endpoint(lambda: _Door(emulator), local_addr=(arguments.host, arguments.port))
    if arguments.control is not None:
        await loop.create_datagram_endpoint(
            lambda: _Door(emulator, control), local_addr=(arguments.host, arguments.control)
        )
    living = asyncio.ensure_future(asyncio.Event().wait() if arguments.stepped else emulator.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, living.cancel)
    await asyncio.wait([living])


def main(given: Sequence[str] | None = None) -> None:
    """The command line."""
    asyncio.run(serve(_arguments(given)))


if __name__ == "__main__":
    main()
