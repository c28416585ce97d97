# SPDX-License-Identifier: Apache-2.0
"""What this city promises its callers, as its type of case says, and how far it is kept. Pure."""

from collections.abc import Mapping

import msgspec

from citybrain.apps.hotline.measure.rates import Rate
from citybrain.kernel.records import Json


class Promises(msgspec.Struct, frozen=True, kw_only=True):
    """`extras` of the type of case. What it does not say is as in the draft of Beijing's 12345 service standard.

    `first_receiver`: whether who accepts a ticket first has to finish it, and is measured by that.
    """

    answer_within_s: float = 15.0
    connect_share: float = 0.95
    first_receiver: bool = True


class CallFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of a time: all, those that somebody answered, and those answered within the limit."""

    calls: int
    answered: int
    in_time: int


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """Calls of a time against the promises: shares are None where nobody called, or nobody was answered."""

    calls: int
    answered: int
    in_time: int
    answer_within_s: float
    connected: float | None
    connect_share: float
    in_time_share: float | None


def promises_of(extras: Mapping[str, Json]) -> Promises:
    """What a type of case promises; what cannot be read is as if it were not said."""
    found = {}
    for field in msgspec.structs.fields(Promises):
        try:
            found[field.name] = msgspec.convert(extras[field.name], field.type)
        except (KeyError, msgspec.ValidationError):
            continue
    return Promises(**found)


def rates_of(promises: Promises) -> tuple[Rate, ...]:
    """The rates by which departments are measured in this city."""
    return tuple(rate for rate in Rate if rate is not Rate.FIRST_RECEIVER or promises.first_receiver)


def kept(figures: CallFigures, promises: Promises) -> Calls:
    """How far they are kept: the share of calls that were answered (接通率), and of those the share in time."""
    return Calls(
        calls=figures.calls,
        answered=figures.answered,
        in_time=figures.in_time,
        answer_within_s=promises.answer_within_s,
        connected=figures.answered / figures.calls if figures.calls else None,
        connect_share=promises.connect_share,
        in_time_share=figures.in_time / figures.answered if figures.answered else None,
    )


def told(calls: Calls) -> dict[str, str]:
    """As lines of a report, by the key of their words."""
    return {
        "report_calls_all": str(calls.calls),
        "report_calls_answered": str(calls.answered),
        "report_calls_connected": _against(calls.connected, calls.connect_share),
        "report_calls_in_time": f"{calls.in_time} (≤ {calls.answer_within_s:g} s, {_percent(calls.in_time_share)})",
    }


def _against(value: float | None, promised: float) -> str:
    return "—" if value is None else f"{_percent(value)} (≥ {100 * promised:g} %)"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"
