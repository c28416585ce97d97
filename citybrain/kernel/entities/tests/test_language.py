# SPDX-License-Identifier: Apache-2.0
"""Which language answers a language filter."""

import pytest

from citybrain.kernel.entities.language import choose, read_ranges
from citybrain.kernel.entities.refusals import BadRequestData

WORDS = {"fr": "Grand Place", "nl": "Grote Markt"}
REGIONAL = {"de": "Marktplatz", "en-US": "Main Square"}

# fmt: off
CHOICES = [
    ("fr",                  WORDS,              "fr",     "the tag itself"),
    ("FR",                  WORDS,              "fr",     "tags do not know capitals"),
    ("fr;q=0.2,nl;q=0.9",   WORDS,              "nl",     "quality goes before the order"),
    ("nl;q=0.5,fr",         WORDS,              "fr",     "no quality is the highest"),
    ("nl-BE",               WORDS,              "nl",     "a longer range falls back"),
    ("en",                  REGIONAL,           "en-US",  "a shorter range finds a longer tag"),
    ("pt",                  WORDS,              "fr",     "any language is better than none"),
    ("pt",                  {"fr": "a", "@none": "b"}, "@none", "what has no language comes before any"),
    ("*",                   WORDS,              "fr",     "all are welcome"),
    ("pt,*;q=0.1",          WORDS,              "fr",     "all are welcome in the end"),
    ("nl;q=0,fr;q=0.1",     WORDS,              "fr",     "quality 0 is not wanted"),
    ("en-GB",               REGIONAL,           "en-US",  "a neighbour shares the truncated range"),
]
# fmt: on


@pytest.mark.parametrize(("asked", "words", "tag", "why"), CHOICES)
def test_the_best_language_answers(asked: str, words: dict[str, str], tag: str, why: str) -> None:
    assert choose(words, read_ranges(asked)) == (tag, words[tag]), why


def test_a_map_without_words_answers_nothing() -> None:
    assert choose({}, read_ranges("fr")) == ("", None)


@pytest.mark.parametrize("text", ["", "fr,", "fr;q=2", "fr;p=1", "f r", "f_r", "fr;q=0.12345"])
def test_what_is_no_list_of_ranges_is_refused(text: str) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_ranges(text)
    assert refusal.value.code == "kernel.languages_unreadable"
