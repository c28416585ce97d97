# SPDX-License-Identifier: Apache-2.0
"""An emulated controller as a real process, with a record of all that it shows."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from citybrain.doors.ntcip.cabinet import Cabinet
from citybrain.doors.ntcip.controller import Controller
from citybrain.doors.ntcip.emulator import Shown
from citybrain.doors.ntcip.link import Address, Link, open_link
from citybrain.doors.ntcip.tests.watching import faults
from citybrain.kernel.clock import monotonic_s

SPEED = 10
WITHIN_S = 30.0


class Emulated(asyncio.DatagramProtocol):
    """The process, its ports, and what it reported."""

    def __init__(self, cabinet: Cabinet) -> None:
        self.cabinet = cabinet
        self.port, self.control_port = free_port(), free_port()
        self.shown: list[Shown] = []
        self.process: asyncio.subprocess.Process | None = None
        self._begun_s = monotonic_s()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.shown.append(msgspec.json.decode(data, type=Shown))

    @property
    def lamps(self) -> Mapping[int, str]:
        return self.shown[-1].lamps if self.shown else {}

    def greens(self) -> set[int]:
        return {phase for phase, lamp in self.lamps.items() if lamp == "G"}

    def clock(self) -> datetime:
        """Time as the emulator lives it."""
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=(monotonic_s() - self._begun_s) * SPEED)

    async def fault(self, **what: Any) -> None:
        """Tell it what to do wrong, and wait until it has heard."""
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[bytes] = loop.create_future()

        class Ear(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: Any) -> None:
                heard.set_result(data)

        transport, _ = await loop.create_datagram_endpoint(Ear, remote_addr=("127.0.0.1", self.control_port))
        transport.sendto(msgspec.json.encode(what))
        assert await asyncio.wait_for(heard, WITHIN_S) == b"ok"
        transport.close()

    def kill(self) -> None:
        """Pull the plug."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)

    def faults(self) -> list[str]:
        """What the independent look finds in all that was shown."""
        return faults(self.cabinet, [(each.t, each.lamps) for each in self.shown])


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def emulated(cabinet: Cabinet, folder: Path, *options: str) -> AsyncIterator[Emulated]:
    """A process that is there and shows lamps when the block begins."""
    plan = folder / "cabinet.json"
    plan.write_bytes(msgspec.json.encode(cabinet))
    emulator = Emulated(cabinet)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: emulator, local_addr=("127.0.0.1", 0)
    )
    report = "{}:{}".format(*transport.get_extra_info("sockname"))
    ports = ("--port", str(emulator.port), "--control", str(emulator.control_port))
    words = (*ports, "--plan", str(plan), "--report", report, "--speed", str(SPEED), *options)
    emulator.process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "citybrain.doors.ntcip.emulator", *words, cwd=Path(__file__).parents[4]
    )
    try:
        await until(emulator.greens)
        yield emulator
    finally:
        if emulator.process.returncode is None:
            os.kill(emulator.process.pid, signal.SIGKILL)
        await emulator.process.wait()
        transport.close()


@asynccontextmanager
async def driven(
    emulator: Emulated, *, backs_up: bool = True, **settings: Any
) -> AsyncIterator[tuple[Controller, Link]]:
    """A client at the emulator that lives in its time."""
    address = Address(host="127.0.0.1", port=emulator.port, **({"timeout_s": 0.3} | settings))
    link = await open_link(address)
    controller = Controller(link, clock=emulator.clock, backs_up=backs_up)
    try:
        yield controller, link
    finally:
        controller.close()


async def until(holds: Callable[[], Any]) -> None:
    for _ in range(round(WITHIN_S / 0.01)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {WITHIN_S} s")
