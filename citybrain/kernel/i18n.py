# SPDX-License-Identifier: Apache-2.0
"""The city's words: sentences by code and language, made of facts."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from citybrain.kernel.records import Facts, Json

LANGUAGES = ("zh", "en")

_SLOT = re.compile(r"\{(\w+)\}")


class WordsDisagree(Exception):
    """Two folders claim one key, or the languages have not the same keys: a bug, seen at start."""


class Words:
    """Sentences with `{slots}`, by language and key."""

    def __init__(self, by_language: Mapping[str, Mapping[str, str]]) -> None:
        self._by_language = by_language

    def of(self, lang: str) -> Mapping[str, str]:
        """Every sentence of one language by its key."""
        return self._by_language[lang]

    def sentence(self, code: str, facts: Facts, lang: str) -> str:
        """The sentence under a code. A slot without a fact stays visible, so does a code without words."""
        words = self._by_language[lang].get(code)
        if words is None:
            return f"{code} {dict(facts)}" if facts else code
        return _SLOT.sub(lambda slot: _said(facts.get(slot[1], slot[0]), lang), words)


def load_words(folders: Iterable[Path] = ()) -> Words:
    """The kernel's words and those in `i18n/` of each given folder; one without words adds none."""
    by_language: dict[str, dict[str, str]] = {lang: {} for lang in LANGUAGES}
    for folder in (Path(__file__).parent, *folders):
        found = {lang: _read(folder / "i18n" / f"{lang}.json") for lang in LANGUAGES}
        for lang, words in found.items():
            taken = by_language[lang].keys() & words.keys()
            unmatched = words.keys() ^ found[LANGUAGES[0]].keys()
            if taken or unmatched:
                raise WordsDisagree(str(folder), sorted(taken | unmatched))
            by_language[lang].update(words)
    return Words(by_language)


def _read(path: Path) -> dict[str, str]:
    return msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}


def _said(fact: Json, lang: str) -> str:
    """A fact in a sentence: a name in data speaks the language, a float has no tail of digits."""
    if isinstance(fact, Mapping):
        return str(fact.get(lang, fact.get("zh", "")))
    if isinstance(fact, list | tuple):
        return ("、" if lang == "zh" else ", ").join(_said(each, lang) for each in fact)
    return f"{fact:.10g}" if isinstance(fact, float) else str(fact)
