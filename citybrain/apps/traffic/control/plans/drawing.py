# SPDX-License-Identifier: Apache-2.0
"""A timetable to look at before it runs: what is wrong with it, its cycles second by second, its week. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from citybrain.apps.traffic.control.plans.plan import LONGEST_CYCLE_S, Fault, Plan, PlanBroken, Timing, cycle_s, faults
from citybrain.apps.traffic.control.plans.requested import RunPlan, row_at, zone_of
from citybrain.apps.traffic.model import Junction

DAYS = 7

NUMBERS = re.compile(r"\$\.rows\[(?P<row>\d+)\](?:\.plan\.timings\[(?P<timing>\d+)\](?:\.phases\[(?P<phase>\d+)\])?)?")
"""How the decoder tells where in a timetable something is."""


class Wrong(Fault, frozen=True, kw_only=True):
    """A fault in one row of a timetable; without a row it is about all of it."""

    row: int | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a cycle, in seconds from its begin: a stage is green, or clears, by the cabinet's own intergreen."""

    stage: int
    is_green: bool
    from_s: float
    to_s: float


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One cycle of one signal of a row."""

    row: int
    signal_id: str
    cycle_s: float
    parts: tuple[Part, ...]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a day of the week ahead, in minutes from midnight, and the row that runs then, if one does."""

    day: date
    from_min: int
    to_min: int
    row: int | None


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. One with faults would be refused; what can be drawn of it is drawn all the same."""

    wrong: tuple[Wrong, ...]
    bars: tuple[Bar, ...] = ()
    week: tuple[Span, ...] = ()
    running: int | None = None


def read(parameters: Mapping[str, Any]) -> RunPlan | Wrong:
    """A timetable as somebody sends it, or the first value of it that is none."""
    try:
        return msgspec.convert(dict(parameters), RunPlan)
    except msgspec.ValidationError as error:
        return _wrong(str(error))


def drawn(table: RunPlan, junctions: Mapping[str, Junction], at: datetime) -> Drawn:
    """Look at a timetable at a time: the week begins with that day."""
    wrong = [
        Wrong(**msgspec.structs.asdict(fault), row=number)
        for number, row in enumerate(table.rows)
        for fault in faults(row.plan, junctions)
    ]
    bars = [bar for number, row in enumerate(table.rows) for bar in _bars(number, row.plan, junctions)]
    try:
        zone = zone_of(table.timezone)
    except PlanBroken as broken:
        wrong.append(Wrong(code=broken.code, facts=broken.facts, field="timezone"))
        return Drawn(wrong=tuple(wrong), bars=tuple(bars))
    week = tuple(_week(table, at.astimezone(zone).date(), zone))
    return Drawn(wrong=tuple(wrong), bars=tuple(bars), week=week, running=row_at(table, at, zone))


def _bars(row: int, plan: Plan, junctions: Mapping[str, Junction]) -> Iterator[Bar]:
    for timing in plan.timings:
        junction = junctions.get(timing.signal_id)
        if junction is not None and timing.phases:
            whole_s = cycle_s(timing, junction.change_s)
            parts = tuple(_parts(timing, junction.change_s, whole_s))
            yield Bar(row=row, signal_id=timing.signal_id, cycle_s=whole_s, parts=parts)


def _parts(timing: Timing, change_s: float, whole_s: float) -> Iterator[Part]:
    """The first green begins at the offset; what goes past the end of the cycle goes on at its begin."""
    at_s = timing.offset_s
    found: list[Part] = []
    for phase in timing.phases:
        for seconds, is_green in ((phase.green_s, True), (change_s, False)):
            begin_s = at_s % whole_s
            found.append(Part(stage=phase.stage, is_green=is_green, from_s=begin_s, to_s=begin_s + seconds))
            at_s += seconds
    for part in found:
        if part.to_s > whole_s + 1e-6:
            yield replace(part, to_s=whole_s)
            yield replace(part, from_s=0.0, to_s=part.to_s - whole_s)
        elif part.to_s > part.from_s:
            yield part


def _week(table: RunPlan, first: date, zone: ZoneInfo) -> Iterator[Span]:
    """Days cut where a span begins or ends; what follows without a difference is one."""
    cuts = sorted({0, *(_minute(at) for row in table.rows for one in row.when for at in (one.begins, one.until))})
    for day in (first + timedelta(days=number) for number in range(DAYS)):
        spans: list[Span] = []
        for begin, end in zip(cuts, [*cuts[1:], 24 * 60], strict=True):
            moment = datetime.combine(day, time(begin // 60, begin % 60), zone)
            row = row_at(table, moment, zone)
            if spans and spans[-1].row == row:
                spans[-1] = replace(spans[-1], to_min=end)
            elif end > begin:
                spans.append(Span(day=day, from_min=begin, to_min=end, row=row))
        yield from spans


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _wrong(problem: str) -> Wrong:
    """The decoder's sentence as a place and a code."""
    said, _, place = problem.partition(" - at `")
    found = NUMBERS.search(place)
    numbers = {name: int(value) for name, value in found.groupdict().items() if value} if found else {}
    field = place.rstrip("`").rpartition(".")[2].partition("[")[0]
    if field == "green_s":
        facts = {"longest_s": LONGEST_CYCLE_S}
        return Wrong(code="traffic.plan_green_unfit", facts=facts, field=field, **numbers)
    return Wrong(code="traffic.plan_value_unfit", facts={"detail": said}, field=field, **numbers)
