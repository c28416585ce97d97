# SPDX-License-Identifier: Apache-2.0
"""What mapping files of doors to controllers share: reading TOML, and names that stand twice."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from citybrain.kernel.errors import Invalid

Plan = TypeVar("Plan")


class UnusableMapping(Invalid):
    """The mapping file cannot be used; the facts say where and why."""


def read(path: Path, form: type[Plan], door: str) -> Plan:
    """Read a mapping file. Refuses with the place of what does not fit, in the words of the door."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), form)
    except OSError as error:
        raise UnusableMapping(f"{door}.file_unreadable", {"path": str(path), "why": error.strerror or ""}) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UnusableMapping(f"{door}.file_unusable", {"path": str(path), "why": str(error)}) from error


def refuse_twice(path: Path, door: str, *names: Iterable[str]) -> None:
    """Refuse a file in which one of these stands twice."""
    for row in names:
        seen: set[str] = set()
        for name in row:
            if name in seen:
                raise UnusableMapping(f"{door}.controller_twice", {"path": str(path), "what": name})
            seen.add(name)
