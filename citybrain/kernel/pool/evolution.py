# SPDX-License-Identifier: Apache-2.0
"""Evolutions of entities in hand: the last of them, and the part that fits into one answer (CIM 009 clause 6.3.10)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.pool.temporal_query import TemporalQuery, TimeRelation
from citybrain.kernel.pool.temporal_rows import SCOPE, Moment

Span = tuple[datetime | None, datetime | None]
"""From a first time (None: since ever) to the first that is out again (None: for ever)."""
ALWAYS: tuple[Span, ...] = ((None, None),)


class Evolution(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one entity over time: moments by attribute name, each in order of time.

    An attribute without moments has some, but none in this part of the answer.
    """

    id: str
    types: tuple[str, ...]
    created_at: str = ""
    modified_at: str = ""
    attributes: Mapping[str, Sequence[Moment]] = {}

    def within(self, spans: Sequence[Span]) -> "Evolution":
        """What of it lies in the spans; the scope itself stays, it says why they are these."""
        if spans == ALWAYS:
            return self
        kept = {
            name: moments if name == SCOPE else [each for each in moments if _is_in(each.at, spans)]
            for name, moments in self.attributes.items()
        }
        return msgspec.structs.replace(self, attributes={name: moments for name, moments in kept.items() if moments})


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The span of time that an answer holds when it does not hold all: `size` is the number asked for by lastN."""

    start: datetime
    end: datetime
    size: int | None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `range` is None when it holds the whole span; `total` and `more` count entities."""

    evolutions: Sequence[Evolution]
    range: Range | None = None
    total: int | None = None
    more: bool = False


def last(moments: Sequence[Moment], number: int | None) -> Sequence[Moment]:
    """The instances of the last so many times; of one time all of them (clause 5.7.4.4)."""
    if number is None or len(moments) <= number:
        return moments
    times = sorted({each.at for each in moments}, reverse=True)
    if len(times) <= number:
        return moments
    oldest = times[number - 1]
    return [each for each in moments if each.at >= oldest]


def cut(evolutions: Sequence[Evolution], query: TemporalQuery, *, page: int) -> Found:
    """The part that fits: at most `page` instances of each attribute instance series, and nothing beyond the time up
    to which all of them are complete, so that nothing is missed between two answers.

    Forward from the oldest, backward from the newest when the last are asked for.
    """
    backward = query.last_n is not None
    bounds = [bound for each in evolutions for bound in _bounds(each, page, backward=backward)]
    if not bounds:
        return Found(evolutions=evolutions)
    bound = max(bounds) if backward else min(bounds)
    kept = [_up_to(each, bound, backward=backward) for each in evolutions]
    times = [moment.at for each in kept for moments in each.attributes.values() for moment in moments]
    return Found(evolutions=kept, range=_range(query, min(times), max(times)))


def _bounds(evolution: Evolution, page: int, *, backward: bool) -> list[datetime]:
    """Up to where each series that is too long can be told."""
    bounds = []
    for moments in evolution.attributes.values():
        series: dict[str, list[datetime]] = {}
        for each in moments:
            series.setdefault(each.instance.dataset_id, []).append(each.at)
        bounds += [times[-page] if backward else times[page - 1] for times in series.values() if len(times) > page]
    return bounds


def _up_to(evolution: Evolution, bound: datetime, *, backward: bool) -> Evolution:
    attributes = {
        name: [each for each in moments if (each.at >= bound if backward else each.at <= bound)]
        for name, moments in evolution.attributes.items()
    }
    return msgspec.structs.replace(evolution, attributes=attributes)


def _range(query: TemporalQuery, oldest: datetime, newest: datetime) -> Range:
    """What a Content-Range says: from the bound that was asked for, or what there is, to where the part ends."""
    window = query.window
    if query.last_n is not None:
        asked = window.at if window.relation is TimeRelation.BEFORE else window.end
        return Range(start=asked or newest, end=oldest, size=query.last_n)
    asked = None if window.relation is TimeRelation.BEFORE else window.at
    return Range(start=asked or oldest, end=newest, size=None)


def _is_in(at: datetime, spans: Sequence[Span]) -> bool:
    return any((since is None or at >= since) and (until is None or at < until) for since, until in spans)
