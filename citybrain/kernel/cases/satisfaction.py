# SPDX-License-Identifier: Apache-2.0
"""How satisfied somebody is (好差评), one scale here and the opposite codings of two standards at the edge. Pure.

GB/T 39046-2020 table A.8 counts from 1, very satisfied, to 5, very dissatisfied. The rating interface of Zhejiang's
government services counts the other way: 1 very dissatisfied to 5 very satisfied. Nothing in a number says which.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from citybrain.kernel.errors import Invalid


class Satisfaction(StrEnum):
    """Five levels, the best first."""

    VERY_SATISFIED = "very_satisfied"  # 非常满意
    SATISFIED = "satisfied"  # 满意
    FAIRLY_SATISFIED = "fairly_satisfied"  # 基本满意
    DISSATISFIED = "dissatisfied"  # 不满意
    VERY_DISSATISFIED = "very_dissatisfied"  # 非常不满意

    @property
    def is_bad(self) -> bool:
        """Whether somebody must look into it: dissatisfied or very dissatisfied (差评)."""
        return self in BAD


# 国务院办公厅 国办发〔2019〕51号: the first three levels are good ratings (好评), the last two bad ones (差评).
BAD = frozenset({Satisfaction.DISSATISFIED, Satisfaction.VERY_DISSATISFIED})
GOOD = frozenset(Satisfaction) - BAD


class RatingChannel(StrEnum):
    """By which way a rating came: the first seven as the Zhejiang interface tells them apart, which has no others."""

    PC = "pc"
    MOBILE = "mobile"
    QR_CODE = "qr_code"
    HALL_TABLET = "hall_tablet"
    HALL_OTHER = "hall_other"
    SMS = "sms"
    BY_DEFAULT = "by_default"
    PHONE = "phone"  # asked by telephone afterwards (回访)
    ELSEWHERE = "elsewhere"  # given in another system, before


class CodeUnknown(Invalid):
    """A code that the coding does not have."""


class Coding:
    """How a standard writes the five levels."""

    def __init__(self, name: str, codes: Mapping[Satisfaction, str]) -> None:
        self.name = name
        self._codes = MappingProxyType(dict(codes))
        self._levels = {code: level for level, code in codes.items()}

    def write(self, level: Satisfaction) -> str:
        """The code of a level."""
        return self._codes[level]

    def read(self, code: str | int) -> Satisfaction:
        """The level of a code; refuses `CodeUnknown`."""
        found = self._levels.get(str(code).strip())
        if found is None:
            raise CodeUnknown("kernel.satisfaction_code_unknown", {"coding": self.name, "value": str(code)[:20]})
        return found


NATIONAL = Coding("GB/T 39046-2020 A.8", {level: str(place) for place, level in enumerate(Satisfaction, 1)})
ZHEJIANG = Coding("Zhejiang 好差评", {level: str(6 - place) for place, level in enumerate(Satisfaction, 1)})

ZHEJIANG_CHANNELS: Mapping[RatingChannel, str] = {
    each: str(place) for place, each in enumerate(list(RatingChannel)[:7], 1)
}
