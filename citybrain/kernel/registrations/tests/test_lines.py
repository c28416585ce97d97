# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 to sources, against peers that speak it in every way they may, and in some they may not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.registrations.lines import Broken, Lines, Response

Say = Callable[[int], bytes]


@asynccontextmanager
async def peer(say: Say, *, hangs_up: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers the n-th request of a connection with what `say(n)` says; the requests it got."""
    got: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.startswith(b"Content-L")), 0)
                got.append(head + await reader.readexactly(length))
                writer.write(say(number))
                await writer.drain()
                number += 1
                if hangs_up:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taking.append(asyncio.create_task(take(reader, writer)))

    taking: list[asyncio.Task[None]] = []
    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a?b=c", got
    finally:
        server.close()
        for task in taking:
            task.cancel()
        await asyncio.gather(*taking, return_exceptions=True)


async def ask(url: str, lines: Lines, method: str = "GET", content: bytes | None = None) -> Response:
    async with asyncio.timeout(5):
        return await lines.send(method, url, {"Accept": "x"}, content, limit=100)


@asynccontextmanager
async def opened() -> AsyncIterator[Lines]:
    lines = Lines()
    yield lines
    await lines.close()


OK = b"HTTP/1.1 200 OK\r\n"
LENGTH, CHUNKS = OK + b"Content-Length: %d\r\n\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"
# fmt: off
ANSWERS = [
    (LENGTH % 2 + b"hi",                                               200, b"hi", "with a length"),
    (CHUNKS + b"1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n",                    200, b"hi", "in chunks"),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",  204, b"",   "without a body"),
    (LENGTH % 101 + b"x" * 101,                                        200, None,  "too large"),
    (CHUNKS + b"65\r\n" + b"x" * 101,                                  200, None,  "chunks too large"),
]
# fmt: on


@pytest.mark.parametrize(("said", "status", "body", "why"), ANSWERS)
async def test_answers_come_in_several_forms(said: bytes, status: int, body: bytes | None, why: str) -> None:
    async with opened() as lines, peer(lambda _: said) as (url, got):
        answer = await ask(url, lines)
    assert (answer.status, answer.body) == (status, body), why
    assert got[0].startswith(b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:")


async def test_an_older_server_ends_its_answer_by_hanging_up() -> None:
    async with opened() as lines, peer(lambda _: b"HTTP/1.0 200 OK\r\n\r\nhi", hangs_up=True) as (url, _):
        assert (await ask(url, lines)).body == b"hi"
        assert (await ask(url, lines)).body == b"hi"


async def test_a_connection_is_used_again() -> None:
    def say(number: int) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number

    async with opened() as lines, peer(say) as (url, _):
        assert [(await ask(url, lines, "POST", b"body")).body for _ in range(3)] == [b"0", b"1", b"2"]


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
    async with opened() as lines, peer(lambda _: said, hangs_up=True) as (url, got):
        for _ in range(3):
            assert (await ask(url, lines)).body == b"1"
    assert len(got) == 3


async def test_nobody_there_and_nonsense_are_broken() -> None:
    async with opened() as lines:
        with pytest.raises(Broken):
            await ask("http://127.0.0.1:9/", lines)
        async with peer(lambda _: b"SSH-2.0-x\r\n\r\n") as (url, _):
            with pytest.raises(Broken):
                await ask(url, lines)
        with pytest.raises(Broken):
            await lines.send("GET", url, {"X": "a\r\nY: b"}, None, limit=1)


@given(st.binary(max_size=60))
def test_whatever_a_peer_says_is_an_answer_or_broken(said: bytes) -> None:
    async def run() -> None:
        async with opened() as lines, peer(lambda _: said, hangs_up=True) as (url, _):
            try:
                answer = await ask(url, lines)
            except Broken:
                return
            assert answer.status >= 200

    asyncio.run(run())
