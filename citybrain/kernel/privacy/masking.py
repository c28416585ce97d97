# SPDX-License-Identifier: Apache-2.0
"""How personal values are shown to those who need not know them whole, and how equal ones are found."""

import re
import unicodedata
from collections.abc import Callable, Mapping

from citybrain.kernel.privacy.field import Sort

STAR = "*"
FULL = STAR * 3

_PHONE_MARKS = re.compile(r"[\s\-()（）.·]")
# A name of a place before any street, number or estate: 小区, 园区 and their like are no districts, 超市 no city.
_PLACE = r"[^\W\d_a-zA-Z路街道巷弄号院]"
_PROVINCE = rf"{_PLACE}{{2,8}}?(?:省|自治区)"
_CITY = rf"(?:{_PROVINCE})?{_PLACE}{{1,9}}?(?:(?<![超门夜都])市|自治州|盟|地区)"
_DISTRICT = rf"{_PLACE}{{1,9}}?(?:(?<![小园社片校厂])区|县|旗)"
_SHORT_DISTRICT = rf"{_PLACE}{{1,3}}(?:(?<![小园社片校厂])区|县|旗)"
_DOWN_TO = [re.compile(pattern) for pattern in (_CITY + _DISTRICT, _PROVINCE + _DISTRICT, _CITY, _SHORT_DISTRICT)]
# Double surnames in use, after the Ministry of Public Security's reports on names.
# fmt: off
_DOUBLE_SURNAMES = frozenset({
    "欧阳", "上官", "司马", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "诸葛",
    "司徒", "夏侯", "端木", "长孙", "宇文", "司空", "轩辕", "独孤", "南宫", "呼延",
    "闻人", "百里", "东郭",
})
# fmt: on


def _phone(value: str) -> str:
    """138****1234; of a shorter number the last two digits, of one under 7 nothing."""
    digits = normal_phone(value)
    if len(digits) >= 11:
        return digits[:3] + STAR * (len(digits) - 7) + digits[-4:]
    return STAR * (len(digits) - 2) + digits[-2:] if len(digits) >= 7 else FULL


def _id_number(value: str) -> str:
    """Of the 18 characters the region's first three and the last two: 110***********01."""
    plain = normal_id_number(value)
    return plain[:3] + STAR * (len(plain) - 5) + plain[-2:] if len(plain) >= 15 else FULL


def _name(value: str) -> str:
    """The surname: 张*, 欧阳**. Of a name in letters the first one: J***."""
    plain = _normal(value)
    if len(plain) < 2:
        return STAR if plain else ""
    if not _is_han(plain[0]):
        return plain[0] + FULL
    surname = 2 if len(plain) > 2 and plain[:2] in _DOUBLE_SURNAMES else 1
    return plain[:surname] + STAR * (len(plain) - surname)


def _address(value: str) -> str:
    """Down to the district, else the city; one that names neither is not shown."""
    plain = _normal(value)
    found = next(filter(None, (pattern.match(plain) for pattern in _DOWN_TO)), None)
    return found[0] + FULL if found else FULL


def _email(value: str) -> str:
    """The first letter and the host: z***@example.cn; of one letter before the host nothing but the host."""
    local, at, host = _normal(value).rpartition("@")
    if not at or not local:
        return FULL
    return (local[0] if len(local) > 1 else "") + FULL + "@" + host


def _other(_value: str) -> str:
    return FULL


RULES: Mapping[Sort, Callable[[str], str]] = {
    Sort.PHONE: _phone,
    Sort.ID_NUMBER: _id_number,
    Sort.NAME: _name,
    Sort.ADDRESS: _address,
    Sort.EMAIL: _email,
    Sort.OTHER: _other,
}
"""What is shown of each sort of value."""


def mask(sort: Sort | str, value: str) -> str:
    """The value as it may be shown; what is empty stays so."""
    return RULES[Sort(sort)](value) if value else ""


def normal_phone(value: str) -> str:
    """Digits alone, without the country's code: +86 138-0013-8000 and 13800138000 are one number."""
    plain = _PHONE_MARKS.sub("", _normal(value))
    for prefix in ("+86", "0086"):
        plain = plain.removeprefix(prefix)
    return plain[2:] if len(plain) == 13 and plain.startswith("861") else plain


def normal_id_number(value: str) -> str:
    """Without spaces, the check character in capitals."""
    return re.sub(r"[\s\-]", "", _normal(value)).upper()


def normal_email(value: str) -> str:
    """In small letters: hosts take no notice of case, and no provider in use does."""
    return _normal(value).casefold()


NORMAL: Mapping[Sort, Callable[[str], str]] = {
    Sort.PHONE: normal_phone,
    Sort.ID_NUMBER: normal_id_number,
    Sort.EMAIL: normal_email,
}
"""How identifiers are made equal before they are hashed."""


def normalise(sort: Sort | str, value: str) -> str:
    """The one form of a value; equal ones are found by it."""
    return NORMAL.get(Sort(sort), _normal)(value)


def _normal(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip()


def _is_han(letter: str) -> bool:
    return "CJK" in unicodedata.name(letter, "")
