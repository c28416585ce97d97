# SPDX-License-Identifier: Apache-2.0
"""Routes for the figures of operations with their rows, the shift report, and handing shifts over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody

from citybrain.apps.operations.api.playbooks import VIEW, operations_of
from citybrain.apps.operations.service import shifts
from citybrain.apps.operations.service.figures import began_between, one_figure
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.service.shifts import FigureView, ShiftReport
from citybrain.apps.operations.store import figures as stored
from citybrain.apps.operations.store.figures import Handed, Handover
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Facts, Json

Asking = Request[Any, Any, Any]
CONFIRM, WALL = "operations.confirm", "operations.wall"
SHIFT, DAY = timedelta(hours=8), timedelta(days=1)
MOST = 100

Language = Literal["zh", "en"]
Words = Annotated[str, msgspec.Meta(max_length=4_000)]
Name = Annotated[str, msgspec.Meta(max_length=200)]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows behind a figure, and what they were added up to."""

    name: str
    value: float | None
    parts: Facts
    columns: Sequence[str]
    rows: Sequence[Sequence[Json]]


class WallFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as a wall shows it: neither rows nor parts, so no names and no places."""

    name: str
    value: float | None
    unit: str
    target: float | None
    lower_is_better: bool
    meets_target: bool | None


class Handing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shift to hand over: the city times of it, to whom (empty: whoever comes), and what else to say."""

    since: datetime
    until: datetime | None = None
    to: Name = ""
    comments: Words = ""
    lang: Language = "zh"


@get("/api/operations/indicators", opt={"permission": VIEW})
async def indicators(
    state: State,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    operators: FromQuery[int | None] = None,
) -> Sequence[FigureView]:
    """Every figure between two times of the city, the last eight hours if none are said."""
    operations = operations_of(state)
    begin, end = _times(operations, since, until)
    began = await began_between(operations.store, begin, end)
    return await shifts.figure_views(operations, began, _positive(operators))


@get("/api/operations/wall", opt={"permission": WALL})
async def wall(state: State) -> Sequence[WallFigure]:
    """What a wall shows of the city's last 24 hours; a token that may this may nothing else."""
    operations = operations_of(state)
    end = operations.around.city_now
    views = await shifts.figure_views(operations, await began_between(operations.store, end - DAY, end), None)
    return [WallFigure(**{name: getattr(view, name) for name in WallFigure.__struct_fields__}) for view in views]


@get("/api/operations/indicators/{name:str}/rows", opt={"permission": VIEW})
async def indicator_rows(
    state: State,
    name: FromPath[str],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    operators: FromQuery[int | None] = None,
) -> Rows:
    """The rows that a figure was made of."""
    operations = operations_of(state)
    begin, end = _times(operations, since, until)
    figure = await one_figure(operations.store, name, begin, end, _positive(operators))
    columns = list(dict.fromkeys(column for row in figure.came.rows for column in row))
    return Rows(
        name=name,
        value=figure.came.value,
        parts=figure.came.parts,
        columns=columns,
        rows=[[row.get(column) for column in columns] for row in figure.came.rows],
    )


@get("/api/operations/shift-report", opt={"permission": VIEW})
async def shift_report(
    state: State,
    request: Asking,
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    lang: FromQuery[Language] = "zh",
) -> ShiftReport:
    """What happened in a shift and what the next one must know, as of now."""
    operations = operations_of(state)
    begin, end = _times(operations, since, until)
    return await shifts.report(operations, request.state.actor, begin, end, lang, now=utc_now())


@post("/api/operations/handovers", opt={"permission": CONFIRM}, status_code=201)
async def hand_over(state: State, request: Asking, data: JSONBody[Handing]) -> Handover:
    """Hand a shift over: its report is kept as it is now."""
    operations, actor = operations_of(state), request.state.actor
    begin, end = _times(operations, data.since, data.until)
    made = await shifts.report(operations, actor, begin, end, data.lang, now=utc_now())
    return await shifts.hand_over(operations, actor, made, to=data.to, comments=data.comments)


@get("/api/operations/handovers", opt={"permission": VIEW})
async def handovers(state: State, limit: FromQuery[int] = 20) -> Sequence[Handed]:
    """Shifts that were handed over, the newest first, without their reports."""
    return await stored.handovers(operations_of(state).db, limit=min(max(limit, 1), MOST))


@get("/api/operations/handovers/{id:str}", opt={"permission": VIEW})
async def handover(state: State, id: FromPath[str]) -> Handover:
    """One shift that was handed over, with its report as it was."""
    return await shifts.look(operations_of(state), id)


@post("/api/operations/handovers/{id:str}/acknowledge", opt={"permission": CONFIRM}, status_code=200)
async def take_over(state: State, request: Asking, id: FromPath[str]) -> Handover:
    """Take a shift over, as the one it was handed to."""
    return await shifts.take_over(operations_of(state), request.state.actor, id, now=utc_now())


def _times(operations: Operations, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The times that were asked for; the last eight hours of the city if none were."""
    end = until or operations.around.city_now
    return since or end - SHIFT, end


def _positive(operators: int | None) -> int | None:
    return operators if operators is not None and operators > 0 else None


ROUTES = (indicators, wall, indicator_rows, shift_report, hand_over, handovers, handover, take_over)
