# SPDX-License-Identifier: Apache-2.0
"""Which text of a language map answers a language filter (CIM 009 clause 4.15, RFC 5646, RFC 3282)."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from citybrain.kernel.entities.names import shown
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.records import Json

ANY = "*"
_RANGE = re.compile(
    r"\s*(\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)\s*(?:;\s*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?", re.ASCII
)


@lru_cache(maxsize=1_024)
def read_ranges(text: str) -> tuple[str, ...]:
    """The language ranges of a filter, the most wanted first; those with quality 0 are not wanted at all.

    Refuses what is not a list of ranges with quality values.
    """
    weighted: list[tuple[float, str]] = []
    for piece in text.split(","):
        found = _RANGE.fullmatch(piece)
        if found is None:
            raise BadRequestData("kernel.languages_unreadable", {"value": shown(text)})
        weighted.append((float(found[2] or 1), found[1].lower()))
    weighted.sort(key=lambda pair: -pair[0])
    return tuple(tag for quality, tag in weighted if quality > 0)


def choose(words: Mapping[str, Json], ranges: Iterable[str]) -> tuple[str, Json]:
    """The tag and the text of a language map that answer best: of the first range that any tag matches.

    A range matches its own tag, a longer tag that begins with it, and by truncation a shorter one. When none does,
    `@none` answers, else the first text there is (clause 4.15: any supported language). ("", None) of an empty map.
    """
    tags = {tag.lower(): tag for tag in words}
    for wanted in ranges:
        tag = next(iter(words), None) if wanted == ANY else _find(tags, wanted)
        if tag is not None:
            return tag, words[tag]
    fallback = "@none" if "@none" in words else next(iter(words), "")
    return fallback, words.get(fallback)


def _find(tags: Mapping[str, str], wanted: str) -> str | None:
    while wanted:
        if wanted in tags:
            return tags[wanted]
        longer = next((tag for tag in tags if tag.startswith(f"{wanted}-")), None)
        if longer is not None:
            return tags[longer]
        wanted = wanted.rpartition("-")[0]
    return None
