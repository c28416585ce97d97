# SPDX-License-Identifier: Apache-2.0
"""Requests to other machines: what is kept, what is bounded, and how every failure looks."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.kernel.http import Call, Http, NoAnswer
from tests.peer import GOOD, peer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    http = Http()
    yield http
    await http.close()


# fmt: off
ANSWERS = [
    (GOOD,                                                                 200, b"ok", True,  "of known length"),
    (CHUNKED + b"1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n",                       200, b"hi", True,  "in pieces"),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",      204, b"",   True,  "without a body"),
    (OK + b"Content-Length: 1\r\nConnection: close\r\n\r\nx",              200, b"x",  False, "the last, it says"),
    (OK + b"Content-Length: 101\r\n\r\n" + b"x" * 10,                      200, None,  False, "too large"),
    (CHUNKED + b"65\r\n" + b"x" * 101,                                  200, None,  False, "too large in pieces"),
    (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",   302, b"",   True,  "elsewhere, nobody goes"),
]
# fmt: on


@pytest.mark.parametrize(("said", "status", "body", "stays", "why"), ANSWERS)
async def test_an_answer_is_read_and_a_connection_that_is_fit_is_used_again(
    http: Http, said: bytes, status: int, body: bytes | None, stays: bool, why: str
) -> None:
    async with peer([said]) as there:
        call = Call(method="POST", url=f"{there.url}a?b=c,d", headers={"X": "y"}, content=b"body", largest=100)
        answer = await http.send(call)
        assert (await http.send(Call(url=there.url))).body == b"ok"
    assert (answer.status, answer.body) == (status, body), why
    assert there.connections == (1 if stays else 2), why
    assert there.requests[0].startswith(b"POST /a?b=c,d HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX: y\r\n" in there.requests[0] and there.requests[0].endswith(b"\r\n\r\nbody")
    assert b"Accept" not in there.requests[0] and b"Content-Type" not in there.requests[0]


async def test_an_older_server_ends_its_answer_by_hanging_up(http: Http) -> None:
    async with peer([b"HTTP/1.0 200 OK\r\n\r\nhi"], hangs_up=True) as there:
        assert (await http.send(Call(url=there.url))).body == b"hi"


async def test_who_wants_the_status_does_not_wait_for_a_body_without_an_end(http: Http) -> None:
    async with peer([OK + b"\r\nbegun"]) as there:
        answer = await http.send(Call(url=there.url, wants_body=False))
    assert (answer.status, answer.body) == (200, None)


@pytest.mark.parametrize(("method", "may_repeat"), [("GET", False), ("PUT", False), ("POST", True)])
async def test_what_may_arrive_twice_is_sent_again_when_a_kept_connection_is_closed(
    http: Http, method: str, may_repeat: bool
) -> None:
    async with peer([GOOD, None, GOOD]) as there:
        for _ in range(2):
            call = Call(method=method, url=there.url, may_repeat=may_repeat)
            assert (await http.send(call)).status == 200
    assert (there.connections, len(there.requests)) == (2, 3)


async def test_what_must_not_arrive_twice_is_told_as_unanswered(http: Http) -> None:
    async with peer([GOOD, None]) as there:
        await http.send(Call(method="POST", url=there.url))
        with pytest.raises(NoAnswer):
            await http.send(Call(method="POST", url=there.url))
    assert len(there.requests) == 2


# fmt: off
SAID = [
    (b"SSH-2.0-x\r\n\r\n",                        "it speaks something else"),
    (OK + b"X: " + b"x" * 200_000,                "a head without an end"),
    (OK + b"Content-Length: x\r\n\r\n",           "a length that is none"),
    (CHUNKED + b"xyz\r\n",                        "pieces of no size"),
    (None,                                        "not a word"),
]
# fmt: on


@pytest.mark.parametrize(("said", "why"), SAID)
async def test_what_is_no_http_is_no_answer(http: Http, said: bytes | None, why: str) -> None:
    async with peer([said, said]) as there:
        with pytest.raises(NoAnswer):
            pytest.fail(f"{why}: {await http.send(Call(method='POST', url=there.url))}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://nobody.invalid/", "http://[", "ftp://a/", "urn:x", ""])
async def test_a_url_at_which_nobody_is_gets_no_answer(http: Http, url: str) -> None:
    with pytest.raises(NoAnswer) as told:
        await http.send(Call(url=url))
    assert str(told.value)


async def test_a_header_of_several_lines_is_not_sent(http: Http) -> None:
    async with peer() as there:
        with pytest.raises(NoAnswer):
            await http.send(Call(url=there.url, headers={"X": "a\r\nY: b"}))
    assert there.requests == []


async def test_a_name_and_password_in_the_url_are_sent_as_such(http: Http) -> None:
    async with peer() as there:
        await http.send(Call(url=f"{there.url}x y".replace("//", "//a%40b:c@")))
    assert b"Authorization: Basic YUBiOmM=\r\n" in there.requests[0]
    assert there.requests[0].startswith(b"GET /x%20y HTTP/1.1\r\n")


async def test_redirects_are_followed_so_far_and_nowhere_odd(http: Http) -> None:
    def to(place: str) -> bytes:
        return f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()

    async with peer([to("/b"), GOOD, *[to("/again")] * 3, to("file:///etc/passwd"), to("http://[")]) as there:
        assert (await http.send(Call(url=there.url, redirects=3))).body == b"ok"
        for _ in range(3):
            with pytest.raises(NoAnswer):
                await http.send(Call(url=there.url, redirects=3))


async def test_one_host_that_is_silent_holds_up_no_other(http: Http) -> None:
    async with peer([b""] * 200) as silent, peer() as there:
        waiting = [asyncio.create_task(http.send(Call(url=silent.url))) for _ in range(200)]
        async with asyncio.timeout(5):
            assert (await http.send(Call(url=there.url))).status == 200
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(5):
            silent.answers.clear()
            assert (await http.send(Call(url=silent.url))).status == 200


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_whatever_a_peer_says_is_an_answer_or_none(said: bytes) -> None:
    async def run() -> None:
        http = Http()
        async with peer([said, said], hangs_up=True) as there:
            try:
                answer = await http.send(Call(url=there.url))
            except NoAnswer:
                return
            finally:
                await http.close()
            assert answer.status >= 200

    asyncio.run(run())
