# SPDX-License-Identifier: Apache-2.0
"""A page of entities, and orders of values of any kind."""

import heapq
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import total_ordering
from typing import Any

import msgspec

from citybrain.doors.sensorthings.evaluate import Evaluation
from citybrain.doors.sensorthings.expression import Span
from citybrain.doors.sensorthings.nodes import Node
from citybrain.doors.sensorthings.options import Ordering

_KINDS: Sequence[type] = (bool, int, float, str, datetime, date, time, timedelta)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Entities of a page, how many there are in all if that was asked for, and where the next page begins.

    `after` is the mark of a page by keys; without one, the next page begins after those skipped and shown.
    """

    nodes: Sequence[Node]
    total: int | None = None
    has_more: bool = False
    after: str = ""


@total_ordering
class Rank:
    """Values of any kind in order, each key in its own direction; what is not there comes first."""

    __slots__ = ("_keys",)

    def __init__(self, node: Node, order: Sequence[tuple[Evaluation, bool]]) -> None:
        self._keys = [(_key(each.value(node)), descending) for each, descending in order]
        self._keys.append(((0, node.id), False))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rank) and self._keys == other._keys

    def __lt__(self, other: "Rank") -> bool:
        for (mine, descending), (others, _) in zip(self._keys, other._keys, strict=True):
            if mine != others:
                return bool(mine > others) if descending else bool(mine < others)
        return False

    def __hash__(self) -> int:
        return hash(str(self._keys))


def _key(value: Any) -> tuple[int, Any]:
    if isinstance(value, Span):
        return 9, (value.begin, value.end)
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, value
    for rank, kind in enumerate(_KINDS):
        if isinstance(value, kind):
            return rank + 10, value
    return 0, 0


def orders(order: Sequence[Ordering], now: datetime) -> list[tuple[Evaluation, bool]]:
    """The keys of an order, ready to be asked."""
    return [(Evaluation(each.by, now), each.descending) for each in order]


async def smallest(
    nodes: AsyncIterator[Node], count: int, order: Sequence[tuple[Evaluation, bool]]
) -> tuple[list[Node], int]:
    """The first so many in an order, and how many there were; no more are kept in memory than twice that."""
    kept: list[tuple[Rank, Node]] = []
    seen = 0
    async for node in nodes:
        seen += 1
        kept.append((Rank(node, order), node))
        if len(kept) > 2 * count + 1_000:
            kept = heapq.nsmallest(count, kept, key=lambda pair: pair[0])
    return [node for _, node in heapq.nsmallest(count, kept, key=lambda pair: pair[0])], seen
