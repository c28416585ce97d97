# SPDX-License-Identifier: Apache-2.0
"""First letters of Chinese are those that the dictionary of words gives, however they are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from citybrain.kernel.cases.pinyin import initials

PHRASES = sorted(PHRASES_DICT)


@pytest.mark.parametrize(
    ("text", "letters"),
    [("中关村大街", "zgcdj"), ("重庆银行", "cqyh"), ("重复行走", "cfxz"), ("路灯12号", "ldh"), ("", "")],
)
def test_a_character_is_read_as_in_its_word(text: str, letters: str) -> None:
    assert initials(text) == letters


@given(
    some.lists(
        some.one_of(some.sampled_from(PHRASES), some.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5)), max_size=6
    )
)
def test_the_quick_way_reads_as_the_dictionary_does(parts: list[str]) -> None:
    text = "".join(each for part in parts for each in part if "\u4e00" <= each <= "\u9fa5")
    slow = "".join(each[:1].lower() for each in lazy_pinyin(text, style=Style.NORMAL, errors="ignore"))
    assert initials(text) == slow
