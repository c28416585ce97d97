# SPDX-License-Identifier: Apache-2.0
"""The figures of the operation centre, from alarms, the orders that answered them, and what was checked."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.apps.operations.measure.figures import SPECS, Counted, Figure, figure, figures
from citybrain.apps.operations.measure.incidents import FALSE_MARKS, NOT_INCIDENTS, TOLD_BY_PEOPLE, Answer, Incident
from citybrain.apps.operations.service.spans import check_span
from citybrain.apps.operations.store import figures as stored
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import NotFound
from citybrain.kernel.handling import Alarm, Asked, Sort, Which
from citybrain.kernel.handling.answers import answers_to
from citybrain.kernel.store import Store

MOST = 20_000
"""More alarms than that are not counted: figures of a storm say so in their parts."""


class NoSuchFigure(NotFound):
    """There is no such indicator of operations."""


class Began(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms that began in a time, the oldest first; `left_out` is how many there were beside these."""

    since: datetime
    until: datetime
    alarms: Sequence[Alarm]
    left_out: int = 0


async def counted(store: Store, began: Began, operators: int | None = None) -> Counted:
    """All that figures are made of, of alarms that began between two times of the city."""
    alarms, since, until = began.alarms, began.since, began.until
    answers = await answers_to(store.db, [alarm.id for alarm in alarms])
    told = {
        id: tuple(msgspec.convert(each, Answer, from_attributes=True) for each in some) for id, some in answers.items()
    }
    return Counted(
        since=since,
        until=until,
        incidents=incidents(alarms, told),
        checks=await stored.checks_between(store.db, since, until),
        operators=operators,
        left_out=began.left_out,
    )


async def began_between(store: Store, since: datetime, until: datetime) -> Began:
    """Alarms that began between two times of the city. Refuses times without a zone or the wrong way round."""
    check_span(since, until)
    now = utc_now()
    asked = Asked(which=Which.ALL, since=since, until=until, sort=Sort.OLDEST)
    alarms = await store.alarms.all(asked, most=MOST, now=now)
    left_out = 0
    if len(alarms) == MOST:
        page = await store.alarms.find(msgspec.structs.replace(asked, limit=1), now=now)
        left_out = page.total - MOST
    return Began(since=since, until=until, alarms=alarms, left_out=left_out)


async def all_figures(store: Store, began: Began, operators: int | None = None) -> list[Figure]:
    """Every figure of operations, of alarms that began in a time."""
    return figures(await counted(store, began, operators))


async def one_figure(store: Store, name: str, since: datetime, until: datetime, operators: int | None = None) -> Figure:
    """One figure with its rows. Refuses a name there is not."""
    spec = next((each for each in SPECS if each.name == name), None)
    if spec is None:
        raise NoSuchFigure("operations.no_such_figure", {"name": name})
    return figure(spec, await counted(store, await began_between(store, since, until), operators))


def incidents(alarms: Sequence[Alarm], answers: Mapping[str, tuple[Answer, ...]]) -> list[Incident]:
    """The incidents among alarms, the oldest first: no signs of others, no members of a storm but its first."""
    return [
        _incident(alarm, answers.get(alarm.id, ()))
        for alarm in sorted(alarms, key=lambda each: (each.at, each.id))
        if alarm.merged_into is None and alarm.group in (None, alarm.id) and not alarm.kind.startswith(NOT_INCIDENTS)
    ]


def _incident(alarm: Alarm, answers: tuple[Answer, ...]) -> Incident:
    handling = alarm.handling
    note = handling.note.strip().casefold()
    acted = (handling.acknowledged_by, handling.taken_by, handling.shelved_by, handling.cleared_by)
    return Incident(
        id=alarm.id,
        kind=alarm.kind,
        entity_id=alarm.entity_id,
        at=alarm.at,
        since=_since(alarm),
        ended_at=alarm.ended_at,
        told_by_people=alarm.kind.startswith(TOLD_BY_PEOPLE),
        false=handling.cleared_by is not None and note.startswith(FALSE_MARKS),
        people=frozenset(name for name in acted if name),
        answers=answers,
    )


def _since(alarm: Alarm) -> datetime | None:
    """When the first sign of it was seen, as its detector says."""
    said = alarm.evidence.get("since")
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None and found <= alarm.at else None
