# SPDX-License-Identifier: Apache-2.0
"""Times between which somebody asks about the city: each with its zone, the earlier one first."""

from datetime import datetime

from citybrain.kernel.errors import Invalid


class TimeWithoutZone(Invalid):
    """A time that is asked for has its zone."""


class TimesReversed(Invalid):
    """The time until which to look is not after the one since which."""


def check_span(since: datetime, until: datetime) -> None:
    """Refuse times without a zone, or the wrong way round."""
    for at in (until, since):
        if at.tzinfo is None:
            raise TimeWithoutZone("operations.time_without_zone", {"at": at})
    if until <= since:
        raise TimesReversed("operations.times_reversed", {"since": since, "until": until})
