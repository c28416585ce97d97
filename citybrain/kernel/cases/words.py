# SPDX-License-Identifier: Apache-2.0
"""By which words a case is found, and what somebody typed asks for. Pure.

Chinese text is kept as pairs of neighbouring characters: a text that contains what was typed has all its pairs, so
nothing is missed, and dictionaries have no say. Now and then a text has the pairs and yet not the text. Titles and
addresses are also kept as initials of pinyin in threes, by the usual reading of each word. Other words are found by
how they begin, numbers of cases by how they begin and by their last four to eight digits.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.pinyin import initials

HAN = "㐀-䶿一-鿿豈-﫿\U00020000-\U000323af"
RUNS = re.compile(rf"[{HAN}]+|[a-z0-9]+")
INITIALS_LIMIT = 200  # characters of a title or address that are read as pinyin
TEXT_LIMIT = 4_000  # characters of one text that are searched
WORD_LIMIT = 40
ASKED_LIMIT = 100
TAILS = range(4, 9)
INITIALS_LEAST = 2
OPEN_WORD = "o:"  # says that a case is not closed


class Asked(msgspec.Struct, frozen=True):
    """One thing all of which must be there: any of `ways`, each a set of words of the index that must all be there."""

    ways: tuple[tuple[str, ...], ...]


def words_of(case: Case, type: CaseType) -> list[str]:
    """Every word of the index by which a case is found, its department and month included.

    Personal fields are not among them: an index in clear would tell what is encrypted beside it.
    """
    personal = {str(each.get("name")) for each in type.personal}
    searched = [name for name in type.searched if name not in personal]
    texts = [case.title, case.address, *(str(case.fields.get(name) or "") for name in searched)]
    found = {department_word(case.department), month_word(case.created_at)}
    if case.phase is not Phase.CLOSED:
        found.add(OPEN_WORD)
    for text in texts:
        found.update(_text_words(text))
    for text in (case.title, case.address):
        found.update(_threes(text))
    found.update(_number_words(case.number))
    return sorted(found)


def text_words(texts: Iterable[str]) -> list[str]:
    """Every word of the index by which texts are found that are no cases."""
    found = {word for text in texts for word in (*_text_words(text), *_threes(text))}
    return sorted(found)


def department_word(department: str) -> str:
    """The word that says who holds a case, so that the index itself leaves out what may not be seen."""
    return f"d:{department}"


def month_word(at: datetime) -> str:
    """The word that says in which month (of UTC) a case began, so that newer ones can be looked through first."""
    return f"m:{at:%Y%m}"


def _text_words(text: str) -> Iterator[str]:
    for run in _runs(text):
        if run[0].isascii():
            yield f"w:{run[:WORD_LIMIT]}"
        else:
            yield from (f"h:{run[at : at + 2]}" for at in range(len(run)))


def _threes(text: str) -> Iterator[str]:
    """Initials of each Chinese run in threes; those at its end are shorter."""
    for run in _runs(text[:INITIALS_LIMIT]):
        if not run[0].isascii():
            letters = initials(run)
            yield from (f"p:{letters[at : at + 3]}" for at in range(len(letters)))


def _number_words(number: str) -> Iterator[str]:
    plain = "".join(_runs(number))
    if plain:
        yield f"n:{plain}"
        yield from (f"n:{plain[-length:]}" for length in TAILS if length < len(plain))


def _runs(text: str) -> list[str]:
    return RUNS.findall(unicodedata.normalize("NFKC", text[:TEXT_LIMIT]).lower())


def asked(text: str) -> list[Asked]:
    """What somebody typed, as all that must be there; nothing when no word is in it."""
    return [_asked(run) for run in _runs(text[:ASKED_LIMIT])]


def _asked(run: str) -> Asked:
    if not run[0].isascii():
        return Asked((_pieces("h", run, 2),))
    ways: list[tuple[str, ...]] = [(_begins(f"w:{run[:WORD_LIMIT]}"),), (_begins(f"n:{run}"),)]
    if run.isalpha() and len(run) >= INITIALS_LEAST:
        ways.append(_pieces("p", run, 3))
    return Asked(tuple(ways))


def _pieces(kind: str, run: str, length: int) -> tuple[str, ...]:
    """A run in pieces as they are kept: every second one and the last have all its characters, and less is read."""
    if len(run) < length:
        return (_begins(f"{kind}:{run}"),)
    last = len(run) - length
    return tuple(_exact(f"{kind}:{run[at : at + length]}") for at in dict.fromkeys((*range(0, last, 2), last)))


def tsquery(asked: Iterable[Asked], *, any_of: Iterable[Iterable[str]] = ()) -> str:
    """The question in the form of PostgreSQL; of each group in `any_of` one word must be there too."""
    parts = [_or(_and(way) for way in each.ways) for each in asked]
    parts += [_or(_exact(word) for word in group) for group in any_of]
    return " & ".join(parts)


def _and(words: Iterable[str]) -> str:
    return f"({' & '.join(words)})"


def _or(words: Iterable[str]) -> str:
    return f"({' | '.join(words)})"


def _exact(word: str) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'"


def _begins(word: str) -> str:
    return f"{_exact(word)}:*"
