# SPDX-License-Identifier: Apache-2.0
"""Asking context sources: one pool of connections, bounded time, and what came of it (CIM 009 clause 6.3.17)."""

import asyncio
from collections.abc import Callable, Mapping
from enum import StrEnum
from urllib.parse import urlencode

import msgspec

from citybrain.kernel.http import Call, Http, NoAnswer
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.model import Registration

# Whoever waits for this broker should not wait longer than people do for a page.
ANSWER_WITHIN_S = 5.0
# What one source may say at once. A thousand entities are about a megabyte.
LARGEST_ANSWER = 16 * 2**20
# Signs that a query may hold as they are (RFC 3986, section 3.4); ids and lists stay readable.
READABLE = ":,/;()[]"


class Outcome(StrEnum):
    """What became of a request to a source."""

    ANSWERED = "answered"
    REFUSED = "refused"
    NOTHING_THERE = "nothing_there"
    NO_ANSWER = "no_answer"
    NOT_UNDERSTOOD = "not_understood"


# What a reader is told of a part that is missing (table 6.3.17-1): warn code and text.
WARNINGS: Mapping[Outcome, tuple[int, str]] = {
    Outcome.NO_ANSWER: (199, "no response was received from the registration endpoint in time"),
    Outcome.REFUSED: (299, "the registration endpoint answered with an error"),
    Outcome.NOT_UNDERSTOOD: (111, "the payload of the registration endpoint was invalid"),
}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a source said; status 504 when it said nothing in time and 502 when it could not be reached."""

    outcome: Outcome
    status: int
    body: Json = None
    headers: Mapping[str, str] = {}

    @property
    def is_good(self) -> bool:
        """Whether the operation was carried out, and in full."""
        return self.outcome is Outcome.ANSWERED and self.status != 207


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it goes out."""

    method: str
    url: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    content: bytes | None = None


class Sources:
    """The way to all sources. A source that failed rests for the cooldown that its registration names."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._http = Http()
        self._rests_until_s: dict[str, float] = {}

    async def ask(self, registration: Registration, sending: Sending) -> Reply:
        """Send a request and wait for what comes of it, never longer than the registration allows."""
        management = registration.management
        if self._rests_until_s.get(_resting(registration), 0) > self._clock_s():
            return Reply(outcome=Outcome.NO_ANSWER, status=504)
        within_s = management.timeout_ms / 1000 if management and management.timeout_ms else ANSWER_WITHIN_S
        reply = await self._send(sending, within_s)
        if management and management.cooldown_ms and reply.status >= 500:
            self._rests_until_s[_resting(registration)] = self._clock_s() + management.cooldown_ms / 1000
        return reply

    async def close(self) -> None:
        """Give all connections up."""
        await self._http.close()

    async def _send(self, sending: Sending, within_s: float) -> Reply:
        try:
            async with asyncio.timeout(within_s):
                return await self._exchange(sending)
        except TimeoutError:
            return Reply(outcome=Outcome.NO_ANSWER, status=504)
        except NoAnswer:
            return Reply(outcome=Outcome.NO_ANSWER, status=502)

    async def _exchange(self, sending: Sending) -> Reply:
        url = f"{sending.url}?{urlencode(sending.params, safe=READABLE)}" if sending.params else sending.url
        call = Call(
            method=sending.method, url=url, headers=sending.headers, content=sending.content, largest=LARGEST_ANSWER
        )
        answer = await self._http.send(call)
        return _understood(answer.status, answer.headers, answer.body)


def _resting(registration: Registration) -> str:
    """What rests: the endpoint as far as this registration goes, which alone asked for it."""
    return f"{registration.id} {registration.endpoint}"


def _understood(status: int, headers: Mapping[str, str], content: bytes | None) -> Reply:
    body: Json = None
    readable = content is not None
    if content:
        try:
            body = msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError):
            readable = False
    if status == 404:
        return Reply(outcome=Outcome.NOTHING_THERE, status=status, body=body, headers=headers)
    if status >= 300:
        return Reply(outcome=Outcome.REFUSED, status=status, body=body, headers=headers)
    outcome = Outcome.ANSWERED if readable else Outcome.NOT_UNDERSTOOD
    return Reply(outcome=outcome, status=status, body=body, headers=headers)
