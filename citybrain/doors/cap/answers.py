# SPDX-License-Identifier: Apache-2.0
"""How the door answers: XML for messages, JSON for what the city says of them, every refusal a problem document."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from citybrain.doors.cap.problems import Problem
from citybrain.kernel.asgi import Answer, BodyTooLarge, NoSuchRoute, WrongMethod
from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from citybrain.kernel.i18n import Words, load_words
from citybrain.kernel.records import Facts, Json

FOLDER = Path(__file__).parent
STATUS: Sequence[tuple[type[Refusal], int]] = (
    (NoSuchRoute, 404),
    (NotFound, 404),
    (WrongMethod, 405),
    (BodyTooLarge, 413),
    (Invalid, 400),
    (Conflict, 409),
    (Forbidden, 403),
    (Unavailable, 503),
)
JSON = b"application/json"


class Voice:
    """The door's sentences in one language."""

    def __init__(self, lang: str) -> None:
        self._words: Words = load_words([FOLDER])
        self._lang = lang

    def say(self, code: str, facts: Facts) -> str:
        """The sentence of a code."""
        return self._words.sentence(code, facts, self._lang)

    def told(self, problems: Iterable[Problem]) -> list[Json]:
        """Problems with their places and sentences."""
        return [{"path": each.path, "code": each.code, "text": self.say(each.code, each.facts)} for each in problems]


def json(content: Json, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    """An answer in JSON."""
    return Answer(status, msgspec.json.encode(content), ((b"content-type", JSON), *headers))


def document(body: bytes, media: str, asked: str, *, named: bool = True) -> Answer:
    """A document with its tag (RFC 9110 section 8.8.3); 304 when `asked` (If-None-Match) knows it already.

    `named`: its encoding is UTF-8; a message of others says its own.
    """
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = ((b"etag", tag.encode()), (b"cache-control", b"no-cache"))
    known = {each.strip().removeprefix("W/") for each in asked.split(",")}
    if tag in known or "*" in known:
        return Answer(304, b"", headers)
    kind = f"{media}; charset=utf-8" if named else media
    return Answer(200, body, ((b"content-type", kind.encode()), *headers))


def refused(refusal: Refusal, voice: Voice) -> Answer:
    """A refusal as a problem document (RFC 9457); what is wrong with an alert stands in `problems`."""
    status = next((status for kind, status in STATUS if isinstance(refusal, kind)), 401)
    answer = problem(status, refusal.code, refusal.facts, voice, getattr(refusal, "problems", ()))
    if isinstance(refusal, WrongMethod):
        return Answer(answer.status, answer.body, (*answer.headers, (b"allow", str(refusal.facts["allow"]).encode())))
    return answer


def problem(status: int, code: str, facts: Facts, voice: Voice, problems: Sequence[Problem] = ()) -> Answer:
    """A problem document."""
    body: dict[str, Json] = {"type": "about:blank", "title": code, "status": status, "detail": voice.say(code, facts)}
    if problems:
        body["problems"] = voice.told(problems)
    return Answer(status, msgspec.json.encode(body), ((b"content-type", b"application/problem+json"),))
