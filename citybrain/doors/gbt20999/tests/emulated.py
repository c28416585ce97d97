# SPDX-License-Identifier: Apache-2.0
"""The emulator as a process of its own, with its log and a way to make trouble."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from citybrain.doors.gbt20999.client import Client, Line
from citybrain.doors.gbt20999.codec import Dialect, Frame
from citybrain.doors.gbt20999.controller import Controller
from citybrain.doors.gbt20999.link import Peer
from citybrain.doors.gbt20999.site import CROSSING
from citybrain.doors.gbt20999.tests import judge
from citybrain.kernel.clock import monotonic_s

FILE = CROSSING
JUNCTION: dict[str, Any] = json.loads(FILE.read_text())
SPEED = 20.0
BACKUP_S = 40.0
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def free_port() -> int:
    """A port that TCP and UDP may both have."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def junction_clock() -> datetime:
    """A clock as fast as the emulated junction's."""
    return BEGIN + timedelta(seconds=monotonic_s() * SPEED)


class Emulated:
    """One emulator. `stop` ends it and lets the judge look at all it ever showed."""

    def __init__(self, folder: Path, *, dialect: tuple[str, ...] = (), call: str = "", stepped: bool = False) -> None:
        self.port, self.trouble_port = free_port(), free_port()
        self.log = folder / f"lamps-{self.port}.jsonl"
        self._dialect = dialect
        self._call = call
        self._stepped = stepped
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "citybrain.doors.gbt20999.emulator", "--port", str(self.port)]
        command += ["--plan", str(FILE), "--faults-port", str(self.trouble_port), "--speed", str(SPEED)]
        command += ["--call", self._call]
        command += ["--backup-s", str(BACKUP_S), "--dialect", *self._dialect]
        if self._stepped:
            command.append("--stepped")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log)
        while not self._is_up():
            if self.process.poll() is not None:
                raise RuntimeError(self.process.returncode)
        return self.process

    def __enter__(self) -> "Emulated":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _is_up(self) -> bool:
        if not self._stepped:
            return bool(self.log.stat().st_size)
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """At once; what it showed is judged."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert judge.complaints(JUNCTION, judge.read(self.log)) == []

    def shown(self) -> dict[str, Any]:
        """The newest line."""
        return judge.read(self.log)[-1]

    async def until(self, what: str, value: object, *, within_s: float = 100.0) -> float:
        """Wait until it shows this; how many of its seconds that took. It may take so many."""
        began_s: float = self.shown()["s"]
        while (now := self.shown())[what] != value:
            assert now["s"] - began_s < within_s, (what, value, now)
            await asyncio.sleep(0.02)
        return float(now["s"]) - began_s

    def trouble(self, **mischief: object) -> None:
        """Make trouble."""
        assert self.tell(**mischief) == b"ok"

    def tell(self, **order: object) -> bytes:
        """What the port for faults answers."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
            desk.settimeout(10)
            desk.sendto(json.dumps(order).encode(), ("127.0.0.1", self.trouble_port))
            return desk.recv(4000)

    def controller(
        self,
        scheme: str = "tcp",
        told: list[Frame] | None = None,
        *,
        dialect: Dialect | None = None,
        tries: int = 3,
        port: int = 0,
        stops: bool = False,
    ) -> Controller:
        """A controller at this emulator, with a clock of its speed."""
        line = Line(
            peer=Peer.of(f"{scheme}://127.0.0.1:{port or self.port}"),
            dialect=dialect or Dialect(),
            timeout_s=1.0,
            tries=tries,
        )
        client = Client(line, None if told is None else told.append)
        return Controller(client, backup_s=BACKUP_S, stops=stops, clock=junction_clock)
