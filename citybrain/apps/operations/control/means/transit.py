# SPDX-License-Identifier: Apache-2.0
"""Public transport: what its operators are asked to do, each a case of theirs. Pure."""

from typing import Annotated

import msgspec

from citybrain.apps.operations.control.means.acts import ACCEPTED, Act, Task, task
from citybrain.apps.operations.control.means.parameters import Minutes, Name, Note, Number

TRANSIT = "operations_transit"


class HoldAtStop(msgspec.Struct, frozen=True, kw_only=True):
    """Buses of a line wait at a stop."""

    line: Name
    stop: Name
    minutes: Minutes = 5


class Detour(msgspec.Struct, frozen=True, kw_only=True):
    """A line goes round a road."""

    line: Name
    avoid: Name
    minutes: Minutes = 60
    task: Note = ""


class ExtraBus(msgspec.Struct, frozen=True, kw_only=True):
    """More buses on a line."""

    line: Name
    number: Number = 1
    minutes: Minutes = 60


class ShortTurn(msgspec.Struct, frozen=True, kw_only=True):
    """Buses of a line turn round before its end."""

    line: Name
    turn_at: Name
    minutes: Minutes = 60


class SkipStop(msgspec.Struct, frozen=True, kw_only=True):
    """A line does not stop somewhere; no line is named where all do not."""

    stop: Name
    line: Annotated[str, msgspec.Meta(max_length=200)] = ""
    minutes: Minutes = 60


class Shuttle(msgspec.Struct, frozen=True, kw_only=True):
    """Buses in place of a broken line, between two places."""

    from_place: Name
    to_place: Name
    number: Number = 3
    minutes: Minutes = 120


class LimitEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A station lets in at most so many people a minute; 0 closes its entrances."""

    per_minute: Annotated[int, msgspec.Meta(ge=0, le=2000)]
    minutes: Minutes = 30


_ASKED: tuple[tuple[str, str, type[msgspec.Struct], int, int], ...] = (
    ("transit.hold_at_stop", "buses", HoldAtStop, 2, 5),
    ("transit.detour", "buses", Detour, 2, 10),
    ("transit.extra_bus", "buses", ExtraBus, 2, 15),
    ("transit.short_turn", "buses", ShortTurn, 2, 10),
    ("transit.skip_stop", "buses", SkipStop, 2, 10),
    ("transit.shuttle", "buses", Shuttle, 1, 15),
    ("transit.limit_entry", "metro", LimitEntry, 1, 5),
)

ACTS: tuple[Act, ...] = tuple(
    task(name, Task(role=role, type=TRANSIT, priority=priority), parameters, minutes, reaches=ACCEPTED)
    for name, role, parameters, priority, minutes in _ASKED
)
