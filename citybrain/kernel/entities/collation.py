# SPDX-License-Identifier: Apache-2.0
"""How texts are ordered: the root order of Unicode and what languages change of it (CIM 009 clause 4.23.1, RFC 6067).

This is not the whole Unicode Collation Algorithm but what cities write: spaces, punctuation, symbols, digits, letters;
letters first by what they are, then by accents, then small before capital. Chinese characters of everyday use stand by
their pinyin in `zh` (the order of GB 2312, level 1) and by Unicode otherwise, as the root order has them.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.records import Json

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}|root)(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-u(?P<keys>(?:-[a-z0-9]{2,8})+))?"
)
_LEVELS = {"level1": 1, "level2": 2, "level3": 3, "level4": 4, "identic": 4}
_SPELLED = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ħ": "h"}
_PHONEBOOK = {"ä": "ae", "ö": "oe", "ü": "ue"}
_NORDIC = {"å": "z\uf001", "ä": "z\uf002", "æ": "z\uf002", "ö": "z\uf003", "ø": "z\uf003"}
_DANISH = {"æ": "z\uf001", "ä": "z\uf001", "ø": "z\uf002", "ö": "z\uf002", "å": "z\uf003"}
# Letters that a language counts as letters of their own: what they are sorted as (Unicode CLDR).
_OWN_LETTERS: Mapping[str, Mapping[str, str]] = {
    "sv": _NORDIC, "fi": _NORDIC, "da": _DANISH, "nb": _DANISH, "nn": _DANISH, "no": _DANISH,
    "es": {"ñ": "n\uf001"}, "et": {"õ": "w\uf001", "ä": "w\uf002", "ö": "w\uf003", "ü": "w\uf004"},
    "pl": {"ą": "a\uf001", "ć": "c\uf001", "ę": "e\uf001", "ł": "l\uf001", "ń": "n\uf001", "ó": "o\uf001",
           "ś": "s\uf001", "ź": "z\uf001", "ż": "z\uf002"},
    "cs": {"č": "c\uf001", "ř": "r\uf001", "š": "s\uf001", "ž": "z\uf001"},
}  # fmt: skip
# Languages that take the root order as it is, for the scripts they are written in, and Chinese.
_ROOT = frozenset({"und", "root", "en", "de", "fr", "it", "nl", "pt", "ga", "id", "ms", "sw", "el", "ru", "bg", "zh"})
_DIGIT, _LETTER, _SYMBOL, _MARK, _BLANK = 3, 4, 2, 1, 0
_PINYIN_FROM, _PINYIN_TO = "b0a1", "d7f9"


class Collation(msgspec.Struct, frozen=True, kw_only=True):
    """What a collation tag says."""

    language: str = "und"
    phonebook: bool = False
    level: int = 3
    numeric: bool = False
    upper_first: bool = False


def read_collation(tag: Json) -> str:
    """The tag, if it names an order that is kept here. Refuses any other rather than sort in another order silently."""
    if not isinstance(tag, str) or _known(tag) is None:
        raise BadRequestData("kernel.collation_unknown", {"collation": str(tag)[:100]})
    return tag


def sort_key(text: str, tag: str = "") -> Any:
    """What orders a text. `tag` is one that `read_collation` has let through; "" is the root order."""
    collation = _known(tag) if tag else _PLAIN
    if collation is None:
        raise BadRequestData("kernel.collation_unknown", {"collation": tag[:100]})
    first, accents, cases = [], [], []
    for char in unicodedata.normalize("NFC", text):
        small = char.lower()
        for spelled in _spelled(small, collation):
            apart = unicodedata.normalize("NFKD", spelled)
            first.append(_primary(apart[0], collation))
            accents.append(apart[1:] or ("\u0300" if spelled != small and len(small) == 1 else ""))
        cases.append((char == small) if collation.upper_first else (char != small))
    ranks = _numbers(first) if collation.numeric else first
    levels = (tuple(ranks), tuple(accents), tuple(cases), text)
    return levels[: collation.level]


@lru_cache(maxsize=256)
def _known(tag: str) -> Collation | None:
    found = _TAG.fullmatch(tag.lower().replace("_", "-"))
    if found is None:
        return None
    language = found["language"]
    if language not in _ROOT and language not in _OWN_LETTERS:
        return None
    return _with_keys(language, found["keys"] or "")


def _with_keys(language: str, keys: str) -> Collation | None:
    said: dict[str, str] = {}
    name = ""
    for part in keys.split("-")[1:]:
        if len(part) == 2:
            name = part
            said[name] = ""
        else:
            said[name] = part
    kind, level = said.pop("co", "standard"), said.pop("ks", "level3")
    numeric, first = said.pop("kn", "false"), said.pop("kf", "false")
    phonebook = kind == "phonebk" and language == "de"
    if said or level not in _LEVELS or not (kind == "standard" or phonebook or (kind, language) == ("pinyin", "zh")):
        return None
    return Collation(
        language=language,
        phonebook=phonebook,
        level=_LEVELS[level],
        numeric=numeric in ("", "true"),
        upper_first=first == "upper",
    )


def _spelled(small: str, collation: Collation) -> str:
    if collation.phonebook and small in _PHONEBOOK:
        return _PHONEBOOK[small]
    own = _OWN_LETTERS.get(collation.language, {}).get(small)
    return own if own is not None else _SPELLED.get(small, small)


def _primary(base: str, collation: Collation) -> tuple[int, str]:
    category = unicodedata.category(base)
    if category[0] in "ZC" and base < "\uf000":
        return (_BLANK, base)
    if category[0] == "N":
        digit = unicodedata.digit(base, None)
        return (_DIGIT, base if digit is None else str(digit))
    if category[0] in "PM":
        return (_MARK, base)
    if category[0] == "S":
        return (_SYMBOL, base)
    return (_LETTER, _pinyin(base) if collation.language == "zh" else base)


def _pinyin(char: str) -> str:
    """Everyday characters by their place in GB 2312, level 1, which is that of their pinyin; others after them."""
    code = char.encode("gb18030", "replace").hex()
    if len(code) == 4 and _PINYIN_FROM <= code <= _PINYIN_TO:
        return "\u4e00" + code
    return "\u4e01" + char if char >= "\u3400" else char


def _numbers(ranks: list[tuple[int, str]]) -> list[tuple[int, Any]]:
    """Runs of digits as the numbers they are, so that 2 stands before 10."""
    made: list[tuple[int, Any]] = []
    for rank, char in ranks:
        if rank == _DIGIT and char.isascii() and made and made[-1][0] == _DIGIT:
            made[-1] = (_DIGIT, made[-1][1] * 10 + int(char))
        elif rank == _DIGIT and char.isascii():
            made.append((_DIGIT, int(char)))
        else:
            made.append((rank, char))
    return made


_PLAIN = Collation()
