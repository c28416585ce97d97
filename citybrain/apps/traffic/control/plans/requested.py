# SPDX-License-Identifier: Apache-2.0
"""Plans that a person has ordered: for an event, for a school, by day and hour."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.control.plans.plan import Plan, PlanBroken, When, check, runs, stage_at
from citybrain.apps.traffic.model import Junction, singles
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState

RUN_PLAN = "traffic.run_plan"
END_PLAN = "traffic.end_plan"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a timetable: a plan and the spans in which it runs; without a span it always runs."""

    plan: Plan
    when: tuple[When, ...] = ()


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A timetable: at each moment the first row that holds runs, and none leaves the signals to the brain."""

    rows: Annotated[tuple[Row, ...], msgspec.Meta(min_length=1)]
    timezone: str = "Asia/Shanghai"


class EndPlan(msgspec.Struct, frozen=True, kw_only=True):
    """End the timetable that was ordered at the signal."""


class RequestedPlans:
    """The claimant for timetables; each lies under the entity it was ordered on."""

    means = frozenset({RUN_PLAN, END_PLAN})

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._junctions: dict[str, Junction] = {one.signals[0]: one for one in singles(entities)}
        self._tables: dict[str, tuple[RunPlan, ZoneInfo, Order]] = {}

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Take a timetable in, or end one; refuses (`PlanBroken`) what cannot run at these signals."""
        if order.means == END_PLAN:
            self._tables.pop(order.entity_id, None)
        else:
            table = msgspec.convert(order.parameters, RunPlan)
            for row in table.rows:
                check(row.plan, self._junctions)
            self._tables[order.entity_id] = (table, zone_of(table.timezone), order)
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """A fixed plan looks at nothing."""

    def claims(self, now_s: float) -> Sequence[Claim]:
        """The stages of the rows that hold now; of two timetables for one signal the newer one counts."""
        found: dict[str, Claim] = {}
        at = datetime.fromtimestamp(now_s, UTC)
        for table, zone, order in self._tables.values():
            row = row_at(table, at, zone)
            if row is not None:
                found.update(self._of_plan(table.rows[row].plan, order, now_s))
        return tuple(found.values())

    def orders(self) -> Sequence[Order]:
        """It orders nothing but stages."""
        return ()

    def _of_plan(self, plan: Plan, order: Order, now_s: float) -> Mapping[str, Claim]:
        because = Because(code="traffic.claim_plan", facts={"plan": plan.name, "by": order.by})
        return {
            timing.signal_id: Claim(
                signal_id=timing.signal_id,
                stage=stage_at(timing, self._junctions[timing.signal_id].change_s, now_s),
                rank=Rank.PLAN,
                because=because,
            )
            for timing in plan.timings
        }


def row_at(table: RunPlan, at: datetime, zone: ZoneInfo) -> int | None:
    """The number of the row that holds at a time: the first one whose spans do, or that has none."""
    return next(
        (n for n, row in enumerate(table.rows) if not row.when or any(runs(one, at, zone) for one in row.when)),
        None,
    )


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a timetable; refuses (`PlanBroken`) a name that nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise PlanBroken("traffic.plan_zone_unknown", {"timezone": name}) from error
