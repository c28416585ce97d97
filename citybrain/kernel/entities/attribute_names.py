# SPDX-License-Identifier: Apache-2.0
"""Attribute instances by number: what the history calls `speed` of the data set `x` is a small number."""

from collections.abc import Iterable, Sequence

import msgspec

from citybrain.kernel.entities.keepable import check_key


class AttributeName(msgspec.Struct, frozen=True):
    """An attribute name with the data set of the instance, "" for the default one, and its number."""

    number: int
    name: str
    dataset_id: str


class AttributeNames:
    """All names ever used. A new one gets the next number and waits to be written with what uses it first."""

    def __init__(self, known: Iterable[AttributeName] = ()) -> None:
        self._numbers = {(each.name, each.dataset_id): each.number for each in known}
        self._next = max(self._numbers.values(), default=0) + 1
        self._new: list[AttributeName] = []
        self._names: dict[int, tuple[str, str]] = {}

    def number(self, name: str, dataset_id: str = "") -> int:
        """The number of a name; one that was never used gets one now. Refuses what is no key."""
        number = self._numbers.get((name, dataset_id))
        if number is None:
            check_key(name, dataset_id)
            number = self._numbers[name, dataset_id] = self._next
            self._next += 1
            self._new.append(AttributeName(number, name, dataset_id))
        return number

    def known(self, name: str, dataset_id: str = "") -> int | None:
        """The number of a name that was used; None for one that never was."""
        return self._numbers.get((name, dataset_id))

    def name(self, number: int) -> tuple[str, str]:
        """The name and data set of a number; empty for one that was never given."""
        if len(self._names) < len(self._numbers):
            self._names = {number: key for key, number in self._numbers.items()}
        return self._names.get(number, ("", ""))

    def take_new(self) -> Sequence[AttributeName]:
        """The names that nobody has taken to be written. Who takes them writes them before what uses them."""
        new, self._new = self._new, []
        return new
