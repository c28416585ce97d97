# SPDX-License-Identifier: Apache-2.0
"""Alarms as people see them: the event, where it is, how it is handled, how many are in its group."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.handling.handling import Act, Handling, now_is
from citybrain.kernel.journal_records import OrderView, ShownEvent
from citybrain.kernel.naming import Find, place_name
from citybrain.kernel.records import Facts, Severity


class Row(ShownEvent, frozen=True, kw_only=True):
    """An alarm as the database has it."""

    group: str | None
    merged_into: str | None
    handling: Handling


class Alarm(ShownEvent, frozen=True, kw_only=True):
    """An event with how it is handled. `place` has its `name`, and `road`, `lane`, `offset_m` where they are known.

    Times of the event are city time, those of its handling the clock's.
    """

    group: str | None
    group_size: int
    merged_into: str | None
    place: Facts
    handling: Handling


class ActDone(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done with an alarm; `by` is empty where the city itself did it."""

    act: Act
    by: str
    at: datetime
    note: str
    facts: Facts


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of an event, and the event that it was before, if it was one."""

    kind: str
    entity_id: str
    at: datetime
    severity: Severity | None = None
    event_id: str | None = None


class AlarmStory(Alarm, frozen=True, kw_only=True):
    """An alarm with all that was done with it, the signs on which it rests, and what was ordered because of it."""

    acts: Sequence[ActDone]
    signs: Sequence[Sign]
    orders: Sequence[OrderView]


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """One of several alarms on which an act was refused, and why."""

    id: str
    code: str
    facts: Facts


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """What an act on several alarms came to."""

    done: Sequence[str]
    refused: Sequence[Refused]


def shown(row: Row, sizes: Mapping[str, int], find: Find, now: datetime) -> Alarm:
    """A row as people see it."""
    known = row.evidence.get("place")
    return Alarm(
        **{name: getattr(row, name) for name in ShownEvent.__struct_fields__},
        group=row.group,
        group_size=sizes.get(row.group, 1) if row.group else 1,
        merged_into=row.merged_into,
        place={**(known if isinstance(known, dict) else {}), "name": place_name(row.entity_id, row.evidence, find)},
        handling=now_is(row.handling, now),
    )
