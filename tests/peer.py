# SPDX-License-Identifier: Apache-2.0
"""A server that says the bytes it is told to, for tests of those who ask: HTTP as others speak it, and worse."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """Answers each request with the next of `answers`, and with `GOOD` when there are no more. None hangs up without a
    word; an empty answer is silence."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.hangs_up = False
        self.url = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0"
                self.requests.append(head + await reader.readexactly(int(length)))
                answer = self.answers.pop(0) if self.answers else GOOD
                if answer is None:
                    return
                writer.write(answer)
                if self.hangs_up:
                    await writer.drain()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def peer(answers: Sequence[bytes | None] = (), *, hangs_up: bool = False) -> AsyncIterator[Peer]:
    """A peer at `url`, which ends with a slash; with `hangs_up` it closes after each answer without saying so."""
    tasks: list[asyncio.Task[None]] = []
    one = Peer()
    one.answers, one.hangs_up = list(answers), hangs_up

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(one.take(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield one
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
