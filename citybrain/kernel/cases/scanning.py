# SPDX-License-Identifier: Apache-2.0
"""Looks for viruses in what is uploaded, by whatever program the operator names; by default by none, and says so."""

import asyncio
import shlex
import struct
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path

from citybrain.kernel.errors import Forbidden, Invalid, Unavailable

CHUNK_BYTES = 64 * 1024
SCAN_WITHIN_S = 120
INFECTED = 1  # clamscan and those like it: 0 nothing found, 1 something found, else a failure


class Scan(StrEnum):
    """What is known of a file."""

    CLEAN = "clean"
    UNSCANNED = "unscanned"


class FileInfected(Forbidden):
    """A virus was found; nothing of the file was kept."""


class ScanUnavailable(Unavailable):
    """The program that looks for viruses does not answer, so nothing can be taken."""


Scanner = Callable[[Path], Awaitable[Scan]]
"""Looks into a file: refuses `FileInfected` and `ScanUnavailable`."""


async def no_scan(_path: Path) -> Scan:
    """Nobody looks."""
    return Scan.UNSCANNED


def scanner_of(setting: str | None) -> Scanner:
    """The scanner of `CITYBRAIN_VIRUS_SCAN`: `clamd:/run/clamd.sock`, `clamd:host:3310`, `command:clamscan -`; or none.

    A command is given the path of the file as its last word.
    """
    if not setting:
        return no_scan
    kind, _, rest = setting.partition(":")
    if kind == "clamd" and rest:
        return _clamd(rest)
    if kind == "command" and rest:
        return _command(shlex.split(rest))
    raise Invalid("kernel.setting_unusable", {"name": "CITYBRAIN_VIRUS_SCAN", "value": setting})


def _command(words: list[str]) -> Scanner:
    async def scan(path: Path) -> Scan:
        try:
            process = await asyncio.create_subprocess_exec(
                *words, str(path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError as problem:
            raise ScanUnavailable("kernel.scan_unavailable", {"why": problem.strerror or words[0]}) from problem
        try:
            said, _ = await asyncio.wait_for(process.communicate(), SCAN_WITHIN_S)
        except TimeoutError as problem:
            process.kill()
            await process.wait()
            raise ScanUnavailable("kernel.scan_unavailable", {"why": "timeout"}) from problem
        if process.returncode == INFECTED:
            raise FileInfected("kernel.file_infected", {"found": _found(said.decode(errors="replace"))})
        if process.returncode != 0:
            raise ScanUnavailable("kernel.scan_unavailable", {"why": f"exit {process.returncode}"})
        return Scan.CLEAN

    return scan


def _clamd(place: str) -> Scanner:
    async def scan(path: Path) -> Scan:
        try:
            async with asyncio.timeout(SCAN_WITHIN_S):
                said = await _instream(place, path)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as problem:
            raise ScanUnavailable("kernel.scan_unavailable", {"why": type(problem).__name__}) from problem
        if said.endswith("FOUND"):
            raise FileInfected("kernel.file_infected", {"found": _found(said)})
        if not said.endswith("OK"):
            raise ScanUnavailable("kernel.scan_unavailable", {"why": said[:80]})
        return Scan.CLEAN

    return scan


async def _instream(place: str, path: Path) -> str:
    """clamd's INSTREAM: pieces with their length before them, an empty one at the end (clamd(8))."""
    host, _, port = place.rpartition(":")
    if place.startswith("/"):
        reader, writer = await asyncio.open_unix_connection(place)
    else:
        reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"zINSTREAM\0")
        with path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                writer.write(struct.pack(">I", len(piece)) + piece)
                await writer.drain()
        writer.write(struct.pack(">I", 0))
        await writer.drain()
        return (await reader.readuntil(b"\0"))[:-1].decode(errors="replace").strip()
    finally:
        writer.close()


def _found(said: str) -> str:
    """The name of what was found, as the program says it: `stream: Eicar-Test-Signature FOUND`."""
    line = next((line for line in said.splitlines() if line.strip().endswith("FOUND")), "")
    return line.removesuffix("FOUND").rpartition(":")[2].strip()[:80] or "?"
