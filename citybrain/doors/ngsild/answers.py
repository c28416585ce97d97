# SPDX-License-Identifier: Apache-2.0
"""What the door says back: bodies, and ProblemDetails for every refusal (CIM 009 clauses 6.3.2 to 6.3.6)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from citybrain.kernel.asgi import Answer, BodyTooLarge, NoSuchRoute, WrongMethod
from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from citybrain.kernel.i18n import LANGUAGES, Words
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
CONTEXT_LINK = '<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


class Media(StrEnum):
    """The representations the door offers, in the order that decides between equals (clause 6.3.4)."""

    JSON = "application/json"
    LD_JSON = "application/ld+json"
    GEO_JSON = "application/geo+json"


class InvalidRequest(Invalid):
    """The request as such is not understood: its syntax, its headers or its parameters."""


class BadRequestData(Invalid):
    """The request is understood, and its content is not what the operation takes."""


class AlreadyExists(Conflict):
    """There is one with this identifier."""


class ResourceNotFound(NotFound):
    """There is none with this identifier."""


class OperationNotSupported(Refusal):
    """The door does not do this."""


class NotAcceptable(Refusal):
    """None of the representations on offer is one that the client takes."""


class UnsupportedMediaType(Refusal):
    """The body is in a media type that the operation does not take."""


class LengthRequired(Refusal):
    """A body came without Content-Length."""


class TooManyResults(Forbidden):
    """The answer would be larger than the door gives at once."""


class Kind(msgspec.Struct, frozen=True):
    """How a refusal is told: its HTTP status and the last part of its type (table 6.3.2-1)."""

    status: int
    type: str = ""

    @property
    def uri(self) -> str:
        """The type as an URI; where the standard has no word, the status says all (RFC 9457 section 4.2.1)."""
        return ERRORS + self.type if self.type else "about:blank"


# By the name of the class, so that a refusal of any part of the kernel is told by what it is called.
# The nearest class counts, then the five kinds of refusals.
KINDS: Mapping[str, Kind] = {
    "InvalidRequest": Kind(400, "InvalidRequest"),
    "BadRequestData": Kind(400, "BadRequestData"),
    "AlreadyExists": Kind(409, "AlreadyExists"),
    "EntityExists": Kind(409, "AlreadyExists"),
    "OperationNotSupported": Kind(422, "OperationNotSupported"),
    "ResourceNotFound": Kind(404, "ResourceNotFound"),
    "NonexistentTenant": Kind(404, "NonexistentTenant"),
    "NoSuchTenant": Kind(404, "NonexistentTenant"),
    "LdContextNotAvailable": Kind(504, "LdContextNotAvailable"),
    "TooComplexQuery": Kind(403, "TooComplexQuery"),
    "TooManyResults": Kind(403, "TooManyResults"),
    BodyTooLarge.__name__: Kind(413, "InvalidRequest"),
    NoSuchRoute.__name__: Kind(404, "ResourceNotFound"),
    WrongMethod.__name__: Kind(405, "OperationNotSupported"),
    NotAcceptable.__name__: Kind(406, "InvalidRequest"),
    UnsupportedMediaType.__name__: Kind(415, "InvalidRequest"),
    LengthRequired.__name__: Kind(411, "InvalidRequest"),
    NotFound.__name__: Kind(404, "ResourceNotFound"),
    Invalid.__name__: Kind(400, "BadRequestData"),
    Conflict.__name__: Kind(409, "Conflict"),
    Forbidden.__name__: Kind(403),
    "NotSignedIn": Kind(401),
    Unavailable.__name__: Kind(503, "InternalError"),
}
UNKNOWN = Kind(500, "InternalError")


def kind_of(refusal: Refusal) -> Kind:
    """Status and type of a refusal."""
    return next((KINDS[each.__name__] for each in type(refusal).__mro__ if each.__name__ in KINDS), UNKNOWN)


def problem(refusal: Refusal, words: Words, lang: str) -> dict[str, Json]:
    """A refusal as ProblemDetails (clause 5.5.3, RFC 7807): what it is called, and the sentence for this case."""
    kind = kind_of(refusal)
    sentence = words.sentence(refusal.code, refusal.facts, lang)
    title = words.sentence(f"ngsild.title.{kind.type or kind.status}", {}, lang)
    return {"type": kind.uri, "title": title, "detail": sentence, "status": kind.status}


def refused(refusal: Refusal, words: Words, lang: str) -> Answer:
    """The answer to a refused request. 411 has no body (clause 6.3.4)."""
    kind = kind_of(refusal)
    if kind.status == 411:
        return Answer(411)
    headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
    if isinstance(refusal, WrongMethod):
        headers.append((b"allow", str(refusal.facts["allow"]).encode()))
    return Answer(kind.status, msgspec.json.encode(problem(refusal, words, lang)), tuple(headers))


def language(accepted: str, usual: str) -> str:
    """The language of sentences: the first that we speak of an Accept-Language header, else the usual one."""
    for each in accepted.split(","):
        tag = each.split(";")[0].strip().lower().split("-")[0]
        if tag in LANGUAGES:
            return tag
    return usual


def header(name: str, value: str) -> tuple[bytes, bytes]:
    """A header in wire form."""
    return name.encode("latin-1"), value.encode("latin-1", "replace")


def created(location: str, *more: tuple[bytes, bytes]) -> Answer:
    """201 with the path of what was made."""
    return Answer(201, b"", (header("location", location), *more))


def no_content(*more: tuple[bytes, bytes]) -> Answer:
    """204, without a body and without its length (clause 6.3.6)."""
    return Answer(204, b"", more)


def json_answer(
    body: Any,
    context: Context | None = None,
    *,
    media: Media = Media.JSON,
    status: int = 200,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> Answer:
    """A body with its context: in it for JSON-LD, beside it in a Link header otherwise (clause 6.3.6).

    A list is told as JSON-LD by a context in each of its members. Give none where there is none to tell.
    """
    said = [header("content-type", media.value), *headers]
    if context is not None:
        if media is Media.LD_JSON:
            body = with_context(body, context.json)
        else:
            said.append(context_link(context))
    return Answer(status, msgspec.json.encode(body), tuple(said))


def context_link(context: Context) -> tuple[bytes, bytes]:
    """The Link header that names a context."""
    return header("link", CONTEXT_LINK.format(url=context.url))


def with_context(body: Any, context: Json) -> Any:
    """A JSON body with its `@context`, each member of a list with its own."""
    if isinstance(body, list):
        return [{**each, "@context": context} for each in body]
    return {**body, "@context": context}
