# SPDX-License-Identifier: Apache-2.0
"""Places found in a text: by name, by the sound of a name (homophones), by initials, and with a letter wrong.

An index over names of places; asking it costs the length of the text, not the number of places.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec
from pypinyin import Style, lazy_pinyin

SHORTEST = 2
SHORTEST_WITH_TYPO = 4  # of three letters with one wrong there are too many
SHORTEST_INITIALS = 3
LONGEST_TEXT = 500
MOST = 8
# How much each way of finding is worth; the length of the name counts besides.
EXACT, SOUND, TYPO, INITIALS = 1.0, 0.8, 0.6, 0.5
FEWEST_SHARED = 0.5  # of the pairs of letters of a name, when one letter of it is wrong


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Something that has a name and a position in WGS-84."""

    id: str
    name: str
    longitude: float
    latitude: float
    type: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A place that a text names: `score` up to 1, `how` it was found, and the words of the text."""

    place: Place
    score: float
    how: str
    words: str


class Places:
    """The index."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places: list[Place] = []
        self._names: dict[str, list[int]] = defaultdict(list)
        self._heads: dict[str, set[int]] = defaultdict(set)
        self._sounds: dict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
        self._of_sound: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._initials: dict[str, list[int]] = defaultdict(list)
        self._spelled: dict[str, list[int]] = defaultdict(list)
        self._pairs: dict[str, list[int]] = defaultdict(list)
        for place in places:
            self._add(place)

    def _add(self, place: Place) -> None:
        name = place.name.strip().lower()
        if len(name) < SHORTEST:
            return
        number = len(self.places)
        self.places.append(place)
        self._names[name].append(number)
        self._heads[name[:SHORTEST]].add(len(name))
        for pair in {a + b for a, b in pairwise(name)}:
            self._pairs[pair].append(number)
        if not name.isascii():
            sound = _sound(name)
            if len(sound) >= SHORTEST_INITIALS:
                self._sounds[sound[0], sound[1]].add(sound)
                self._of_sound[sound].append(number)
                self._initials["".join(each[:1] for each in sound)].append(number)
                self._spelled["".join(sound)].append(number)

    def find(self, text: str) -> list[Found]:
        """The places that a text likely names, the likeliest first, at most eight."""
        plain = text[:LONGEST_TEXT].lower()
        best: dict[int, Found] = {}
        for number, score, how, words in self._ways(plain):
            known = best.get(number)
            if known is None or known.score < score:
                best[number] = Found(place=self.places[number], score=round(score, 4), how=how, words=words)
        ranked = sorted(best.values(), key=lambda each: (-each.score, -len(each.place.name), each.place.id))
        return list(_apart(ranked))[:MOST]

    def _ways(self, text: str) -> Iterator[tuple[int, float, str, str]]:
        yield from self._exact(text)
        yield from self._by_sound(text)
        yield from self._by_initials(text)
        yield from self._with_typo(text)

    def _exact(self, text: str) -> Iterator[tuple[int, float, str, str]]:
        for start in range(len(text) - SHORTEST + 1):
            for length in self._heads.get(text[start : start + SHORTEST], ()):
                words = text[start : start + length]
                for number in self._names.get(words, ()):
                    yield number, EXACT * _weight(length), "name", words

    def _by_sound(self, text: str) -> Iterator[tuple[int, float, str, str]]:
        if text.isascii():
            return
        sound = _sound(text)
        if len(sound) != len(text):  # letters of other scripts run together: places cannot be told
            sound = tuple(part for each in text for part in (_sound(each) or ("",)))[: len(text)]
        for start in range(len(sound) - 1):
            for wanted in self._sounds.get((sound[start], sound[start + 1]), ()):
                if sound[start : start + len(wanted)] == wanted:
                    for number in self._of_sound[wanted]:
                        words = text[start : start + len(wanted)]
                        yield number, SOUND * _weight(len(wanted)), "sound", words

    def _by_initials(self, text: str) -> Iterator[tuple[int, float, str, str]]:
        for word in _latin(text):
            for number in self._initials.get(word, ())[:MOST] if len(word) >= SHORTEST_INITIALS else ():
                yield number, INITIALS * _weight(len(word)), "initials", word
            for number in self._whole_sound(word):
                yield number, SOUND * _weight(len(self.places[number].name)), "sound", word

    def _whole_sound(self, word: str) -> Iterator[int]:
        """`zhongguancun`, written in one word."""
        yield from self._spelled.get(word, ())[:MOST]

    def _with_typo(self, text: str) -> Iterator[tuple[int, float, str, str]]:
        """Names of which one letter is wrong: most of their pairs of letters stand in the text, near each other."""
        pairs = [a + b for a, b in pairwise(text)]
        votes: Counter[int] = Counter()
        for pair in set(pairs):
            numbers = self._pairs.get(pair, ())
            if len(numbers) <= COMMONEST:
                votes.update(numbers)
        for number, shared in votes.most_common(50):
            name = self.places[number].name.strip().lower()
            if len(name) < SHORTEST_WITH_TYPO or shared < FEWEST_SHARED * (len(name) - 1) - 0.5:
                continue
            words = _nearly(name, text)
            if words:
                yield number, TYPO * _weight(len(name)), "typo", words


COMMONEST = 2_000
"""A pair of letters that stands in more names than this tells nothing (大街, 路口)."""


def _weight(length: int) -> float:
    """Longer names are surer: two letters 0.6, six and more nearly 1."""
    return 1 - 0.8 * float(0.5 ** (length / SHORTEST))


def _sound(text: str) -> tuple[str, ...]:
    return tuple(lazy_pinyin(text, style=Style.NORMAL, errors=list))  # type: ignore[arg-type]


def _latin(text: str) -> list[str]:
    cleaned = "".join(letter if letter.isascii() and letter.isalpha() else " " for letter in text)
    return cleaned.split()


def _nearly(name: str, text: str) -> str:
    """The piece of the text that differs from a name in one letter; empty if there is none."""
    length = len(name)
    for start in range(len(text) - length + 1):
        piece = text[start : start + length]
        if sum(a != b for a, b in zip(piece, name, strict=True)) <= 1:
            return piece
    for size in (length - 1, length + 1):  # one left out, or one too many
        for start in range(len(text) - size + 1):
            piece = text[start : start + size]
            if piece[0] == name[0] and piece[-1] == name[-1] and _one_more(*sorted((piece, name), key=len)):
                return piece
    return ""


def _one_more(shorter: str, longer: str) -> bool:
    at = next((i for i, letter in enumerate(shorter) if letter != longer[i]), len(shorter))
    return longer[:at] + longer[at + 1 :] == shorter


def _apart(ranked: Sequence[Found]) -> Iterator[Found]:
    """Without names that are only a part of one already found by the same words."""
    taken: list[str] = []
    for each in ranked:
        if any(each.words != words and each.words in words for words in taken):
            continue
        taken.append(each.words)
        yield each
