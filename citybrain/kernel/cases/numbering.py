# SPDX-License-Identifier: Apache-2.0
"""Numbers of cases as people read them, by a pattern."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from citybrain.kernel.clock import TIMEZONE

ZONE = ZoneInfo(TIMEZONE)  # the day in a number is that of the city
NUMBERING = re.compile(r"(?P<fixed>(?:[A-Za-z0-9_-]|\{(?:type|yyyymmdd|yyyymm|yyyy)\})*)\{seq:(?P<digits>[1-9])\}")
DATES = {"yyyymmdd": "%Y%m%d", "yyyymm": "%Y%m", "yyyy": "%Y"}


def fixed_part(pattern: str, type: str, at: datetime) -> str:
    """What a number begins with; running numbers are counted for each of these."""
    found = NUMBERING.fullmatch(pattern)
    if found is None:
        raise ValueError(pattern)
    text = found["fixed"].replace("{type}", type.upper())
    for name, form in DATES.items():
        text = text.replace(f"{{{name}}}", at.astimezone(ZONE).strftime(form))
    return text


def number_of(pattern: str, fixed: str, running: int) -> str:
    """The whole number; a running number with more digits than foreseen is written out."""
    found = NUMBERING.fullmatch(pattern)
    if found is None:
        raise ValueError(pattern)
    return f"{fixed}{running:0{found['digits']}}"
