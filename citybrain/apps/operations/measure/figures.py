# SPDX-License-Identifier: Apache-2.0
"""The figures of the operation centre: each with its target, its parts, and the rows that it was made of. Pure."""

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.operations.measure.incidents import Incident
from citybrain.kernel.records import Facts, Json

AT_ONCE_S = 60.0
"""Handled at once is: an order was carried out so soon after the event was told, and no person was needed."""

BY_HAND_S = 822.0
"""Detection to order by hand, our convention: 4.2 minutes from the first report to its verification and 9.5 from there
to the response, as remembered of Atlanta before its system; see the reference page for what could be found instead."""

DISPATCH_BY_HAND_S = 120.0
"""The strictest baseline: from an emergency call that was answered to its dispatch (target of Fulton County's 911 for
the highest priority, kept for 90 % of the calls in 2017). Nobody found the incident within it."""

TIMES_FASTER = 9.0
"""What Hangzhou claims of handling beside by hand."""

WINDOW = timedelta(minutes=10)
FLOOD = 10
"""More alarms than this in ten minutes are a flood (EEMUA 191, ISA-18.2)."""

DAY_S = 86_400.0


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an order did what its means promises."""

    order_id: str
    means: str
    entity_id: str
    event_id: str | None
    attribute: str
    becomes: str
    before: Json
    after: Json
    executed_at: datetime
    due_at: datetime
    state: str


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What figures are made of, between two times of the city. `operators` are those on duty, if somebody says;
    `left_out` are alarms beside these, too many to count.
    """

    since: datetime
    until: datetime
    incidents: Sequence[Incident]
    checks: Sequence[Checked] = ()
    operators: int | None = None
    left_out: int = 0


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule comes to: a value, or None where nothing was there to count, the parts of it, and the rows."""

    value: float | None
    parts: Facts
    rows: Sequence[Facts]


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as it is declared; its words are `indicator.<name>` and `indicator.<name>.formula`.

    `target` is what it should reach: at least that much, or at most where `lower_is_better`.
    """

    name: str
    rule: Callable[[Counted], Came]
    unit: str
    target: float | None = None
    lower_is_better: bool = True
    source: str = "operations-indicators"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its value, parts and rows."""

    spec: Spec
    came: Came

    @property
    def meets_target(self) -> bool | None:
        """Whether the target is reached; None without value or target."""
        value, target = self.came.value, self.spec.target
        if value is None or target is None:
            return None
        return value <= target if self.spec.lower_is_better else value >= target


def figures(counted: Counted) -> list[Figure]:
    """Every figure, in the order in which they are shown."""
    return [figure(spec, counted) for spec in SPECS]


def figure(spec: Spec, counted: Counted) -> Figure:
    """One figure; alarms that were too many to count are among its parts."""
    came = spec.rule(counted)
    if counted.left_out:
        came = msgspec.structs.replace(came, parts={**came.parts, "left_out": counted.left_out})
    return Figure(spec=spec, came=came)


def found_by_machine(counted: Counted) -> Came:
    """Incidents that a detector told, of all that were told."""
    rows = [{**_row(each), "found_by": "people" if each.told_by_people else "machine"} for each in counted.incidents]
    return _share(sum(not each.told_by_people for each in counted.incidents), len(rows), rows)


def handled_at_once(counted: Counted) -> Came:
    """Incidents on which an order of the machine was carried out within a minute, of all that were told."""
    rows = [
        {**_row(each), "at_once": each.at_once(AT_ONCE_S), "act_s": each.act_s(), **_who(each)}
        for each in counted.incidents
    ]
    return _share(sum(bool(row["at_once"]) for row in rows), len(rows), rows)


def time_to_find(counted: Counted) -> Came:
    """From the first sign that the detector names to the event."""
    timed = [
        (each, (each.at - each.since).total_seconds())
        for each in counted.incidents
        if each.since is not None and not each.told_by_people
    ]
    return _median(timed, among=len(counted.incidents))


def time_to_order(counted: Counted) -> Came:
    """From the event to the first order."""
    timed = [(each, seconds) for each in counted.incidents if (seconds := each.order_s()) is not None]
    return _median(timed, among=len(counted.incidents), more=_who)


def faster_than_by_hand(counted: Counted) -> Came:
    """How many times sooner the first order comes than by hand; orders in the same second count as one second."""
    ours = time_to_order(counted)
    value = None if ours.value is None else BY_HAND_S / max(ours.value, 1.0)
    strict = None if ours.value is None else DISPATCH_BY_HAND_S / max(ours.value, 1.0)
    parts = {"by_hand_s": BY_HAND_S, "median_s": ours.value, "beside_dispatch_alone": strict, "orders": len(ours.rows)}
    return Came(value=value, parts=parts, rows=ours.rows)


def time_to_act(counted: Counted) -> Came:
    """From the event to the first order that was carried out."""
    timed = [(each, seconds) for each in counted.incidents if (seconds := each.act_s()) is not None]
    return _median(timed, among=len(counted.incidents), more=_who)


def time_to_clear(counted: Counted) -> Came:
    """From the event to its end."""
    timed = [(each, (each.ended_at - each.at).total_seconds()) for each in counted.incidents if each.ended_at]
    return _median(timed, among=len(counted.incidents))


def effect(counted: Counted) -> Came:
    """Orders that did what their means promises, of those of which it is known."""
    rows: list[Facts] = [msgspec.structs.asdict(each) for each in counted.checks]
    states = Counter(each.state for each in counted.checks)
    came = _share(states["helped"], states["helped"] + states["missed"], rows)
    parts = {**came.parts, "unknown": states["unknown"], "waiting": states["waiting"]}
    return msgspec.structs.replace(came, parts=parts)


def false_alarms(counted: Counted) -> Came:
    """Alarms that an officer cleared as false, a day."""
    rows = [{**_row(each), "by": ", ".join(sorted(each.people))} for each in counted.incidents if each.false]
    days = max((counted.until - counted.since).total_seconds(), 1.0) / DAY_S
    parts = {"false": len(rows), "days": days, "alarms": len(counted.incidents)}
    return Came(value=len(rows) / days, parts=parts, rows=rows)


def alarm_rate(counted: Counted) -> Came:
    """Alarms that each operator had in ten minutes, on average over the whole time."""
    windows = max((counted.until - counted.since) / WINDOW, 1.0)
    people = frozenset(name for each in counted.incidents for name in each.people)
    operators = counted.operators or max(len(people), 1)
    numbers = Counter(int((each.at - counted.since) / WINDOW) for each in counted.incidents)
    rows = [
        {"from": counted.since + number * WINDOW, "alarms": count, "per_operator": count / operators}
        for number, count in sorted(numbers.items())
    ]
    parts = {
        "alarms": len(counted.incidents),
        "operators": operators,
        "operators_said": counted.operators is not None,
        "most": max(numbers.values(), default=0),
        "floods_pct": 100.0 * sum(count > FLOOD * operators for count in numbers.values()) / windows,
    }
    return Came(value=len(counted.incidents) / windows / operators, parts=parts, rows=rows)


HANGZHOU = "Hangzhou's city brain, as published"

SPECS: tuple[Spec, ...] = (
    Spec(
        name="operations.found_by_machine",
        rule=found_by_machine,
        unit="%",
        target=95.0,
        lower_is_better=False,
        source=HANGZHOU,
    ),
    Spec(
        name="operations.handled_at_once",
        rule=handled_at_once,
        unit="%",
        target=85.0,
        lower_is_better=False,
        source=HANGZHOU,
    ),
    Spec(name="operations.time_to_find", rule=time_to_find, unit="s", target=60.0),
    Spec(name="operations.time_to_order", rule=time_to_order, unit="s", target=BY_HAND_S / TIMES_FASTER),
    Spec(
        name="operations.faster_than_by_hand",
        rule=faster_than_by_hand,
        unit="×",
        target=TIMES_FASTER,
        lower_is_better=False,
    ),
    Spec(name="operations.time_to_act", rule=time_to_act, unit="s", target=AT_ONCE_S),
    Spec(name="operations.time_to_clear", rule=time_to_clear, unit="s"),
    Spec(name="operations.effect", rule=effect, unit="%", lower_is_better=False),
    Spec(name="operations.false_alarms", rule=false_alarms, unit="1/d"),
    Spec(
        name="operations.alarm_rate",
        rule=alarm_rate,
        unit="1/10 min",
        target=1.0,
        source="EEMUA 191; ANSI/ISA-18.2",
    ),
)


def _row(each: Incident) -> dict[str, Json]:
    return {"event": each.id, "kind": each.kind, "entity": each.entity_id, "at": each.at}


def _who(each: Incident) -> dict[str, Json]:
    """Who gave the order that counts, and which."""
    first = each.first or each.first_order
    return {
        "means": first.means if first else None,
        "order": first.order_id if first else None,
        "by": first.by if first else None,
    }


def _share(part: int, whole: int, rows: Sequence[Facts]) -> Came:
    value = 100.0 * part / whole if whole else None
    return Came(value=value, parts={"part": part, "of": whole}, rows=rows)


def _median(
    timed: Sequence[tuple[Incident, float]],
    *,
    among: int,
    more: Callable[[Incident], dict[str, Json]] = lambda _: {},
) -> Came:
    seconds = sorted(value for _, value in timed)
    rows = [{**_row(each), "seconds": value, **more(each)} for each, value in timed]
    parts = {
        "known": len(seconds),
        "of": among,
        "mean_s": statistics.fmean(seconds) if seconds else None,
        "p95_s": seconds[min(int(0.95 * len(seconds)), len(seconds) - 1)] if seconds else None,
    }
    return Came(value=statistics.median(seconds) if seconds else None, parts=parts, rows=rows)
