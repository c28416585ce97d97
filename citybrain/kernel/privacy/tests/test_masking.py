# SPDX-License-Identifier: Apache-2.0
"""Masks show what they state and never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.privacy import Sort, mask, normalise

# fmt: off
SHOWN = [
    (Sort.PHONE, "13800131234", "138****1234", "a mobile number"),
    (Sort.PHONE, "+86 138-0013-1234", "138****1234", "the same with the country's code"),
    (Sort.PHONE, "010-65241234", "010****1234", "a number with its area code has eleven digits too"),
    (Sort.PHONE, "65241234", "******34", "a local number"),
    (Sort.PHONE, "12345", "***", "a short number says too much by any digit"),
    (Sort.ID_NUMBER, "11010519491231002X", "110*************2X", "a citizen's number (GB 11643)"),
    (Sort.ID_NUMBER, "110105491231002", "110**********02", "an old one of fifteen digits"),
    (Sort.ID_NUMBER, "E1234567", "***", "a passport"),
    (Sort.NAME, "张三", "张*", "a name of two"),
    (Sort.NAME, "张小三", "张**", "a name of three"),
    (Sort.NAME, "欧阳修", "欧阳*", "a double surname"),
    (Sort.NAME, "欧阳", "欧*", "a name that looks like a double surname"),
    (Sort.NAME, "张", "*", "one character could be the whole name"),
    (Sort.NAME, "John Smith", "J***", "letters"),
    (Sort.ADDRESS, "北京市海淀区中关村大街27号1101室", "北京市海淀区***", "down to the district"),
    (Sort.ADDRESS, "四川省广安市广安区思源大道1号", "四川省广安市广安区***", "province, city, district"),
    (Sort.ADDRESS, "浙江省嘉善县罗星街道1号", "浙江省嘉善县***", "a county"),
    (Sort.ADDRESS, "苏州市人民路8号", "苏州市***", "a city alone"),
    (Sort.ADDRESS, "海淀区中关村大街27号", "海淀区***", "a district alone"),
    (Sort.ADDRESS, "上海市浦东新区世纪大道1号", "上海市浦东新区***", "a new district"),
    (Sort.ADDRESS, "内蒙古自治区锡林郭勒盟西乌珠穆沁旗1号", "内蒙古自治区锡林郭勒盟西乌珠穆沁旗***", "a banner"),
    (Sort.ADDRESS, "苏州市阳光小区3栋502室", "苏州市***", "an estate is no district"),
    (Sort.ADDRESS, "人民路8号阳光小区3栋", "***", "what follows a street is never shown"),
    (Sort.ADDRESS, "8号院东区502室", "***", "nor what follows a number"),
    (Sort.ADDRESS, "大润发超市旁", "***", "a supermarket is no city"),
    (Sort.ADDRESS, "人民路8号", "***", "neither"),
    (Sort.EMAIL, "zhangsan@example.cn", "z***@example.cn", "an address"),
    (Sort.EMAIL, "z@example.cn", "***@example.cn", "one letter is all of it"),
    (Sort.EMAIL, "not an address", "***", "no address at all"),
    (Sort.OTHER, "anything", "***", "what is not known is not shown"),
]
EQUAL = [
    (Sort.PHONE, "+86 138-0013-1234", "13800131234"),
    (Sort.PHONE, "0086 138 0013 1234", "１３８００１３１２３４"),
    (Sort.PHONE, "8613800131234", "(138) 0013 1234"),
    (Sort.ID_NUMBER, "11010519491231002x", "110105 19491231 002X"),
    (Sort.EMAIL, " Zhang.San@Example.CN", "zhang.san@example.cn"),
]
# fmt: on


@pytest.mark.parametrize(("sort", "value", "shown", "why"), SHOWN)
def test_a_value_is_shown_as_its_rule_says(sort: Sort, value: str, shown: str, why: str) -> None:
    assert mask(sort, value) == shown, why


@pytest.mark.parametrize(("sort", "one", "other"), EQUAL)
def test_one_identifier_written_differently_is_one(sort: Sort, one: str, other: str) -> None:
    assert normalise(sort, one) == normalise(sort, other)


@given(st.sampled_from(list(Sort)), st.text())
def test_every_text_can_be_masked_and_no_long_one_is_shown_whole(sort: Sort, value: str) -> None:
    shown = mask(sort, value)
    assert shown == "" or "*" in shown or not value.strip()


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_of_a_phone_number_four_digits_are_always_hidden(number: str) -> None:
    assert mask(Sort.PHONE, number) == f"{number[:3]}****{number[-4:]}"


@given(st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True))
def test_of_an_id_number_birthday_and_serial_are_always_hidden(number: str) -> None:
    assert mask(Sort.ID_NUMBER, number) == number[:3] + "*" * 13 + number[-2:]


@given(st.from_regex(r"[一-龥]{2,6}", fullmatch=True))
def test_of_a_name_at_least_half_of_what_follows_the_surname_is_hidden(name: str) -> None:
    shown = mask(Sort.NAME, name)
    assert len(shown) == len(name)
    assert shown.count("*") >= (len(name) - 1 if not shown[1:2] or shown[1] == "*" else len(name) - 2)
    assert shown.endswith("*")


@given(st.text(alphabet="北京市海淀区人民路街道阳光小县号栋室省0123456789", min_size=1))
def test_of_an_address_no_figure_and_no_street_is_shown(address: str) -> None:
    assert not set(mask(Sort.ADDRESS, address)) & set("0123456789路街道号")


@given(st.text(min_size=1).filter(lambda text: "@" not in text), st.from_regex(r"[a-z]{1,9}\.cn", fullmatch=True))
def test_of_an_e_mail_address_no_more_than_one_letter_before_the_host_is_shown(local: str, host: str) -> None:
    assert len(mask(Sort.EMAIL, f"{local}@{host}").partition("***")[0]) <= 1
