# SPDX-License-Identifier: Apache-2.0
"""What may stand as a URI, a name, a scope, a language tag or a date-time in what is sent to us."""

import re
import unicodedata
from functools import lru_cache

from citybrain.kernel.entities.moments import date_time_key
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.records import Json

_ASCII_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+", re.ASCII)
_IRI_START = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.", re.ASCII | re.DOTALL)
_NAME = re.compile(r"[^\W\d_]\w*(?::[^\W\d_]\w*)?")
_SCOPE = re.compile(r"/?[^\W\d_]\w*(?:/[^\W\d_]\w*)*")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z", re.ASCII)

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
# Letters that show as nothing: the Hangul fillers and the empty braille cell.
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
_SPOILS_ASCII = frozenset(' "<>\\^`{|}')


def is_uri(text: Json) -> bool:
    """An absolute URI (RFC 3986) or IRI (RFC 3987).

    What cannot be seen (bidi controls, variation selectors, fillers, blanks) has no place in it: an identifier that
    looks like another one identifies nothing (clauses 4.5.1, 4.6.2).
    """
    if not isinstance(text, str):
        return False
    return _ASCII_URI.fullmatch(text) is not None or (not text.isascii() and _is_iri(text))


def _is_iri(text: str) -> bool:
    return _IRI_START.match(text) is not None and all(_may_stand(char) for char in text)


def _may_stand(char: str) -> bool:
    if char < "\x80":
        return char not in _SPOILS_ASCII and char.isprintable()
    is_selector = "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    return not is_selector and char not in _UNSEEN and unicodedata.category(char) not in _UNSEEN_CATEGORIES


@lru_cache(maxsize=20_000)
def is_name(text: str) -> bool:
    """A name by clause 4.6.2 (letter, then letters, digits, `_`), one with a prefix, or a whole IRI."""
    return _NAME.fullmatch(text) is not None or is_uri(text)


def check_uri(where: str, given: Json) -> str:
    """The URI. Refuses anything else, naming the member `where`."""
    if not is_uri(given):
        raise BadRequestData("kernel.not_a_uri", {"member": where, "value": shown(given)})
    return str(given)


def read_scopes(given: Json) -> tuple[str, ...]:
    """The scopes of an entity, each once, in their order (clause 4.18). Refuses what its grammar does not know."""
    several = given if isinstance(given, list) else [given]
    for scope in several:
        if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
            raise BadRequestData("kernel.scope_invalid", {"value": shown(scope)})
    return tuple(dict.fromkeys(several))


@lru_cache(maxsize=4_096)
def is_language(text: str) -> bool:
    """A language tag as in RFC 5646, or `@none` (clause 4.6.5)."""
    return text == "@none" or _LANGUAGE.fullmatch(text) is not None


def check_time(where: str, given: Json) -> str:
    """A date-time in UTC that ends in `Z` (clause 4.6.3), as it was given but for a comma before the fraction."""
    if not isinstance(given, str) or not _is_utc_time(given):
        raise BadRequestData("kernel.time_invalid", {"member": where, "value": shown(given)})
    return given.replace(",", ".") if "," in given else given


@lru_cache(maxsize=4_096)
def _is_utc_time(text: str) -> bool:
    return _UTC_TIME.fullmatch(text) is not None and date_time_key(text) is not None


def shown(given: Json) -> str:
    """What was given, short enough for a sentence."""
    text = given if isinstance(given, str) else repr(given)
    return text if len(text) <= 80 else text[:77] + "..."
