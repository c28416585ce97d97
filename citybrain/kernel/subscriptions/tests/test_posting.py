# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import AsyncIterator

import pytest

from citybrain.kernel.subscriptions.carriers import Carriers, Message
from citybrain.kernel.subscriptions.posting import NoHttp, Posting
from citybrain.kernel.subscriptions.subscription import Endpoint


class Foreign:
    """A server that answers each request with the next of the given bytes; None closes without a word."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head + await reader.readexactly(4))
                answer = self.answers.pop(0)
                if answer is None:
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@pytest.fixture
async def foreign() -> AsyncIterator[Foreign]:
    foreign = Foreign()
    server = await asyncio.start_server(foreign.serve, "127.0.0.1", 0)
    foreign.port = server.sockets[0].getsockname()[1]
    yield foreign
    server.close()


# fmt: off
ANSWERS = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, True, "a body of known length"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, True, "no body"),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, True, "another before"),
    (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, True, "a body in pieces"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 200, False, "pieces of no size"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 200, False, "it says that it closes"),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, False, "an old version"),
    (b"HTTP/1.1 200 OK\r\n\r\n", 200, False, "nobody knows how long"),
    (b"HTTP/1.1 503 Busy\r\nContent-Length: 9999999\r\n\r\n", 503, False, "a body too long to pass over"),
]
# fmt: on


@pytest.mark.parametrize(("answer", "status", "stays", "why"), ANSWERS)
async def test_the_status_is_read_and_a_fit_connection_is_kept(
    foreign: Foreign, answer: bytes, status: int, stays: bool, why: str
) -> None:
    posting = Posting()
    foreign.answers = [answer, ANSWERS[0][0]]
    url = f"http://127.0.0.1:{foreign.port}/n?a=b"
    assert await posting.post(url, b"body", {"X": "y"}) == status, why
    assert await posting.post(url, b"body", {}) == 200
    assert foreign.connections == (1 if stays else 2), why
    assert foreign.requests[0].startswith(b"POST /n?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX: y\r\nContent-Length: 4\r\n" in foreign.requests[0] and foreign.requests[0].endswith(b"\r\n\r\nbody")
    await posting.close()


async def test_a_kept_connection_that_was_closed_is_replaced_and_the_body_sent_again(foreign: Foreign) -> None:
    posting = Posting()
    foreign.answers = [ANSWERS[0][0], None, ANSWERS[1][0]]
    url = f"http://127.0.0.1:{foreign.port}/"
    assert await posting.post(url, b"body", {}) == 200
    assert await posting.post(url, b"body", {}) == 204
    assert foreign.connections == 2 and len(foreign.requests) == 3
    await posting.close()


async def test_silence_and_what_is_not_http_are_told_apart_from_an_answer(foreign: Foreign) -> None:
    posting = Posting()
    foreign.answers = [None, b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000]
    url = f"http://127.0.0.1:{foreign.port}/"
    with pytest.raises(OSError, match="without an answer"):
        await posting.post(url, b"body", {})
    for _ in range(2):
        with pytest.raises(NoHttp):
            await posting.post(url, b"body", {})
    await posting.close()


async def test_a_name_and_password_in_the_url_are_sent_as_such(foreign: Foreign) -> None:
    posting = Posting()
    foreign.answers = [ANSWERS[0][0]]
    await posting.post(f"http://a%40b:c@127.0.0.1:{foreign.port}/x y", b"body", {})
    assert b"Authorization: Basic YUBiOmM=\r\n" in foreign.requests[0]
    assert foreign.requests[0].startswith(b"POST /x%20y HTTP/1.1\r\n")
    await posting.close()


# fmt: off
SAID = [
    (b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", "kernel.notify_answered",    False, "it may come back"),
    (b"HTTP/1.1 422 x\r\nContent-Length: 0\r\n\r\n", "kernel.notify_answered",    True,  "it will not have this one"),
    (b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", "kernel.notify_answered",    False, "it has a fault of its own"),
    (b"garbage\r\n\r\n",                             "kernel.notify_unreachable", False, "it is something else"),
    (b"HTTP/1.1 ",                                   "kernel.notify_timeout",     False, "it does not finish"),
]
# fmt: on


@pytest.mark.parametrize(("answer", "code", "is_refused", "why"), SAID)
async def test_each_way_to_fail_has_its_code(
    foreign: Foreign, answer: bytes, code: str, is_refused: bool, why: str
) -> None:
    foreign.answers = [answer]
    async with Carriers() as carriers:
        endpoint = Endpoint(uri=f"http://127.0.0.1:{foreign.port}/", timeout_ms=300)
        carried = await carriers.carry(endpoint, Message(b"body", {}))
    assert carried.why is not None and carried.why.code == code
    assert carried.is_refused is is_refused, why


async def test_a_name_that_nobody_has_is_told_as_unreachable() -> None:
    async with Carriers() as carriers:
        carried = await carriers.carry(Endpoint(uri="http://nobody.invalid/x", timeout_ms=5000), Message(b"", {}))
    assert carried.why is not None and carried.why.code.startswith("kernel.notify_")
