# SPDX-License-Identifier: Apache-2.0
"""The figures of the operation centre, from alarms, the orders that answered them, and what was checked."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.apps.operations.measure.figures import SPECS, Counted, Figure, figures
from citybrain.apps.operations.measure.incidents import FALSE_MARKS, NOT_INCIDENTS, TOLD_BY_PEOPLE, Answer, Incident
from citybrain.apps.operations.service.spans import check_span
from citybrain.apps.operations.store import figures as stored
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import NotFound
from citybrain.kernel.handling import Alarm, Asked, Sort, Which
from citybrain.kernel.handling.answers import answers_to
from citybrain.kernel.store import Store

PAGE = 500
MOST = 20_000
"""More alarms than that are not counted: figures of a storm say so in their parts."""


class NoSuchFigure(NotFound):
    """There is no such indicator of operations."""


async def counted(store: Store, since: datetime, until: datetime, operators: int | None = None) -> Counted:
    """All that figures are made of, between two times of the city. Refuses times the wrong way round."""
    check_span(since, until)
    alarms = await alarms_between(store, since, until)
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
    )


async def alarms_between(store: Store, since: datetime, until: datetime) -> list[Alarm]:
    """Alarms that began in the time, the oldest first, at most `MOST`."""
    found: list[Alarm] = []
    after: str | None = None
    while len(found) < MOST:
        asked = Asked(which=Which.ALL, since=since, until=until, sort=Sort.OLDEST, after=after, limit=PAGE)
        page = await store.alarms.find(asked, now=utc_now())
        found += page.rows
        after = page.next
        if after is None:
            break
    return found


async def all_figures(store: Store, since: datetime, until: datetime, operators: int | None = None) -> list[Figure]:
    """Every figure of operations between two times of the city."""
    return figures(await counted(store, since, until, operators))


async def one_figure(store: Store, name: str, since: datetime, until: datetime, operators: int | None = None) -> Figure:
    """One figure with its rows. Refuses a name there is not."""
    spec = next((each for each in SPECS if each.name == name), None)
    if spec is None:
        raise NoSuchFigure("operations.no_such_figure", {"name": name})
    return Figure(spec=spec, came=spec.rule(await counted(store, since, until, operators)))


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
