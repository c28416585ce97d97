# SPDX-License-Identifier: Apache-2.0
"""Parameters that several means share. Times are minutes, texts what people read. Pure."""

from typing import Annotated

import msgspec

Number = Annotated[int, msgspec.Meta(ge=1, le=50)]
Minutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Note = Annotated[str, msgspec.Meta(max_length=1000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Id = Annotated[str, msgspec.Meta(max_length=200)]


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """So many units to the place, `unit` a certain one of the pool where somebody chose it; what they are to do."""

    number: Number = 1
    unit: Id = ""
    task: Note = ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, in words."""

    task: Note = ""


class Lasting(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and for how long."""

    minutes: Minutes
    task: Note = ""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What is told, in Chinese or whatever language the city speaks, and in English."""

    text: Words
    text_en: Note = ""


class OfOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which order is meant, and why."""

    order: Name
    text: Note = ""
