# SPDX-License-Identifier: Apache-2.0
"""Scopes over time: one is valid from when it was set until it is replaced or removed (CIM 009 clause 4.18)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from citybrain.kernel.entities.selection import Scopes
from citybrain.kernel.pool.evolution import ALWAYS, Span
from citybrain.kernel.pool.temporal_query import Window
from citybrain.kernel.pool.temporal_rows import Moment
from citybrain.kernel.records import Json


def carried(moments: Sequence[Moment], window: Window) -> Sequence[Moment]:
    """The scopes that were valid at any time in the window: those set in it, and the last one set before."""
    since = window.since
    if since is None:
        return moments
    before = [each for each in moments if each.at < since and not each.is_gone]
    return [*before[-1:], *(each for each in moments if each.at >= since)]


def spans_in_scope(
    moments: Sequence[Moment] | None, now: Sequence[str], scopes: Scopes, window: Window
) -> Sequence[Span]:
    """The spans in the window in which an entity was in the scopes that are asked for.

    One whose scopes have no history (None) has always had those that it has `now`.
    """
    if moments is None:
        return ALWAYS if scopes.select(now) else ()
    return [
        (since, until)
        for since, until, held in _validity(moments)
        if scopes.select(held) and _overlaps(since, until, window)
    ]


def _validity(moments: Sequence[Moment]) -> Iterator[tuple[datetime, datetime | None, Sequence[str]]]:
    for place, moment in enumerate(moments):
        end = moments[place + 1].at if place + 1 < len(moments) else None
        yield moment.at, end, () if moment.is_gone else _texts(moment.instance.value)


def _texts(value: Json) -> Sequence[str]:
    return [value] if isinstance(value, str) else [each for each in value or () if isinstance(each, str)]


def _overlaps(since: datetime, until: datetime | None, window: Window) -> bool:
    return (window.until is None or since < window.until) and (
        until is None or window.since is None or until > window.since
    )
