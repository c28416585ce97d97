# SPDX-License-Identifier: Apache-2.0
"""Which representation a client takes and in which one it sends (CIM 009 clause 6.3.4, RFC 9110 section 12.5.1)."""

from collections.abc import Sequence
from functools import lru_cache

from citybrain.doors.ngsild.answers import Media, NotAcceptable, UnsupportedMediaType
from citybrain.kernel.asgi import Request

PLAIN: tuple[Media, ...] = (Media.JSON, Media.LD_JSON)
GEO: tuple[Media, ...] = (Media.JSON, Media.LD_JSON, Media.GEO_JSON)
MERGE_PATCH = "application/merge-patch+json"


def accepted(request: Request, offered: tuple[Media, ...] = PLAIN) -> Media:
    """The representation to answer in; refuses a client that takes none of those on offer."""
    chosen = _chosen(request.headers.get("accept", ""), offered)
    if chosen is None:
        raise NotAcceptable("ngsild.not_acceptable", {"offered": ", ".join(offered)})
    return chosen


@lru_cache(maxsize=512)
def _chosen(accept: str, offered: tuple[Media, ...]) -> Media | None:
    if not accept.strip():
        return offered[0]
    ranges = [_range(each) for each in accept.split(",")]
    weighed = [(_weight(media.value, ranges), -place, media) for place, media in enumerate(offered)]
    weight, _, best = max(weighed)
    return best if weight > 0 else None


def _range(text: str) -> tuple[str, float]:
    """A media range with its weight; an unreadable weight leaves the usual one."""
    name, *parameters = (piece.strip() for piece in text.split(";"))
    weight = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                weight = min(max(float(value), 0.0), 1.0)
            except ValueError:
                weight = 1.0
    return name.lower(), weight


def _weight(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific range that holds the media type; 0 when none does."""
    for wanted in (media, media.split("/")[0] + "/*", "*/*"):
        found = [weight for name, weight in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0


def sent(request: Request, *, patch: bool = False) -> str:
    """The media type of the body: JSON, JSON-LD and, for a PATCH, merge patch; refuses any other."""
    name = request.headers.get("content-type", "").split(";")[0].strip().lower()
    taken = (*PLAIN, MERGE_PATCH) if patch else PLAIN
    if name not in taken:
        raise UnsupportedMediaType("ngsild.unsupported_media_type", {"media_type": name, "taken": ", ".join(taken)})
    return name
