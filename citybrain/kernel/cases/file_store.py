# SPDX-License-Identifier: Apache-2.0
"""Files in the data folder, each under the SHA-256 of what is in it: the same content lies there once."""

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from citybrain.kernel.errors import Invalid, NotFound

SHA = re.compile(r"[0-9a-f]{64}")
INCOMING = "incoming"
READ_BYTES = 256 * 1024
FORGOTTEN_BYTES = 300_000_000


class FileTooLarge(Invalid):
    """More came than may come; nothing of it was kept."""


class FileGone(NotFound):
    """The content is not in the data folder: a backup without its files, or a broken disk."""


async def read_on(pieces: AsyncIterator[bytes]) -> None:
    """Read what still comes, up to a limit, and forget it: who sends hears of a refusal only when all is sent."""
    left = FORGOTTEN_BYTES
    async for piece in pieces:
        left -= len(piece)
        if left < 0:
            return


class Incoming:
    """A file that is just coming in, under a name nobody else knows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.sha = ""


class FileStore:
    """The folder of files. Names from outside never become paths here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha: str) -> Path:
        """Where a content lies; refuses what is no SHA-256."""
        if not SHA.fullmatch(sha):
            raise FileGone("kernel.file_gone", {"sha": sha[:64]})
        return self.folder / sha[:2] / sha

    def size(self, sha: str) -> int:
        """How many bytes a content has; refuses `FileGone`."""
        try:
            return self.path(sha).stat().st_size
        except FileNotFoundError as problem:
            raise FileGone("kernel.file_gone", {"sha": sha}) from problem

    @asynccontextmanager
    async def receive(self, pieces: AsyncIterable[bytes], *, limit: int) -> AsyncIterator[Incoming]:
        """Take in what comes, no more than `limit` bytes; refuses `FileTooLarge` as soon as there is more.

        It lies there as long as the block lasts, unless `keep` puts it in its place.
        """
        folder = self.folder / INCOMING
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        incoming = Incoming(folder / secrets.token_hex(16))
        sha = hashlib.sha256()
        try:
            with incoming.path.open("xb") as file:
                incoming.path.chmod(0o600)
                async for piece in pieces:
                    incoming.size += len(piece)
                    if incoming.size > limit:
                        raise FileTooLarge("kernel.file_too_large", {"limit_mb": limit // 1_000_000})
                    sha.update(piece)
                    file.write(piece)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            incoming.sha = sha.hexdigest()
            yield incoming
        finally:
            incoming.path.unlink(missing_ok=True)

    @asynccontextmanager
    async def receive_bytes(self, data: bytes) -> AsyncIterator[Incoming]:
        """The same for what is in memory already."""

        async def pieces() -> AsyncIterator[bytes]:
            yield data

        async with self.receive(pieces(), limit=len(data)) as incoming:
            yield incoming

    def keep(self, incoming: Incoming) -> None:
        """Put what came in its place. There may be the same already; then it is the same."""
        target = self.path(incoming.sha)
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.path.replace(target)

    def forget(self, sha: str) -> None:
        """Delete a content."""
        self.path(sha).unlink(missing_ok=True)

    async def read(self, sha: str) -> AsyncIterator[bytes]:
        """A content in pieces; refuses `FileGone`."""
        path = self.path(sha)
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError as problem:
            raise FileGone("kernel.file_gone", {"sha": sha}) from problem
        with file:
            while piece := await asyncio.to_thread(file.read, READ_BYTES):
                yield piece

    def left_behind(self, *, before_s: float) -> Iterator[Path]:
        """What lies in the folder since before a time: half-written files, and contents, known or not."""
        for path in self.folder.glob("*/*"):
            if path.is_file() and path.stat().st_mtime < before_s:
                yield path
