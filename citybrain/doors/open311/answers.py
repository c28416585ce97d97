# SPDX-License-Identifier: Apache-2.0
"""How the door answers: in the format that was asked for, and every refusal as the standard's list of errors."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from citybrain.doors.open311.asking import Problem, Unusable
from citybrain.doors.open311.codec import Format, encode
from citybrain.kernel.access.limits import TooOften
from citybrain.kernel.asgi import Answer, NoSuchRoute, WrongMethod
from citybrain.kernel.cases.intake import NobodyTakes
from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from citybrain.kernel.i18n import Words, load_words
from citybrain.kernel.records import Facts, Json

FOLDER = Path(__file__).parent
LANGUAGES = ("zh", "en")
# GeoReport v2, Errors: 404 for what does not exist, 403 for a wrong or missing key, "basically 400 for any other".
STATUS: Sequence[tuple[type[Refusal], int]] = (
    (TooOften, 429),
    (WrongMethod, 405),
    (NotFound, 404),
    (Invalid, 400),
    (Forbidden, 403),
    (Conflict, 409),
    (Unavailable, 503),
)
# Refusals of the gate and of the kernel whose own sentence speaks of things that clients here do not know.
OWN_WORDS: Mapping[type[Refusal], str] = {
    NobodyTakes: "open311.nobody_takes",
    NoSuchRoute: "open311.no_such_resource",
    TooOften: "open311.too_often",
}


class KeyRefused(Forbidden):
    """The api_key is none of this city's, or a report needs one."""


class NoSuchThing(NotFound):
    """There is no service, request, token or jurisdiction of this name."""


class Voice:
    """The sentences of the door, and the language to say them in.

    Apps that take reports in refuse with codes of their own: without their words here, the door says it in its own.
    """

    def __init__(self, usual: str) -> None:
        self._words: Words = load_words([FOLDER])
        self._usual = usual

    def language(self, accepted: str) -> str:
        """The first that we speak of an Accept-Language header, else the usual one."""
        tags = (each.split(";")[0].strip().lower().split("-")[0] for each in accepted.split(","))
        return next((tag for tag in tags if tag in LANGUAGES), self._usual)

    def sentence(self, code: str, facts: Facts, lang: str) -> str:
        """The sentence of a code, in words of the door where nobody else's are known."""
        if code in self._words.of(lang):
            return self._words.sentence(code, facts, lang)
        field = facts.get("field")
        own = "open311.field_refused" if field else "open311.refused"
        return self._words.sentence(own, {"field": field, "code": code}, lang)


def answered(root: str, content: Json, format: Format, *, status: int = 200, bare: bool = False) -> Answer:
    """A document; its type goes with the encoding, unless `bare`: only the media type."""
    media = format.mime if bare else format.content_type
    return Answer(status, encode(root, content, format), ((b"content-type", media.encode()),))


def refused(refusal: Refusal, voice: Voice, format: Format, lang: str) -> Answer:
    """A refusal as a list of errors; each has the HTTP status as its code."""
    status = next((status for kind, status in STATUS if isinstance(refusal, kind)), 401)
    answer = errors(problems_of(refusal), status, voice, format, lang)
    if isinstance(refusal, WrongMethod):
        allow = (b"allow", str(refusal.facts["allow"]).encode())
        return Answer(answer.status, answer.body, (*answer.headers, allow))
    return answer


def problems_of(refusal: Refusal) -> Sequence[Problem]:
    """All that is wrong."""
    if isinstance(refusal, Unusable):
        return refusal.problems
    code = next((code for kind, code in OWN_WORDS.items() if isinstance(refusal, kind)), refusal.code)
    return [Problem(code=code, facts=refusal.facts)]


def errors(problems: Sequence[Problem], status: int, voice: Voice, format: Format, lang: str) -> Answer:
    """A list of errors."""
    told = [{"code": status, "description": voice.sentence(each.code, each.facts, lang)} for each in problems]
    return answered("errors", told, format, status=status)
