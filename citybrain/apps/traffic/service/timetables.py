# SPDX-License-Identifier: Apache-2.0
"""Timing plans as one edits them: what a junction could show, what stands there, and a draft judged before it runs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from citybrain.apps.traffic.control.modes import Mode, NoSuchSignal
from citybrain.apps.traffic.control.plans.drawing import Drawn, Wrong, drawn, read
from citybrain.apps.traffic.control.plans.optimise import shipped_timing
from citybrain.apps.traffic.control.plans.plan import Timing
from citybrain.apps.traffic.control.plans.requested import RUN_PLAN, RunPlan
from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.service.junction_view import StageView, stage_views
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.orders import Orders, OrderState
from citybrain.kernel.records import Text


class Timetable(msgspec.Struct, frozen=True, kw_only=True):
    """A timetable that stands: whose it is, and how it looks now."""

    order_id: str
    entity_id: str
    by: str
    reason: str
    given_at: datetime | None
    expires_at: datetime | None
    table: RunPlan
    drawn: Drawn


class PlansView(msgspec.Struct, frozen=True, kw_only=True):
    """One signal as a plan sees it: stages, intergreen, shipped plan, and the timetables that steer it."""

    signal_id: str
    name: Text
    mode: Mode
    stages: tuple[StageView, ...]
    yellow_s: float
    all_red_s: float
    shipped: Timing
    timetables: Sequence[Timetable]


async def plans_of(control: SignalControl, orders: Orders, actor: Actor, signal_id: str) -> PlansView:
    """Everything one must know to write a plan for a signal; refuses `NoSuchSignal`."""
    if not control.knows(signal_id):
        raise NoSuchSignal("traffic.no_such_signal", {"entity_id": signal_id})
    entity = control.entity_of(signal_id)
    facts = entity.attributes
    standing = await orders.find(actor, means=RUN_PLAN, state=OrderState.STANDING, limit=500)
    found = [(order, table) for order in standing if isinstance(table := read(order.parameters), RunPlan)]
    return PlansView(
        signal_id=signal_id,
        name=entity.name,
        mode=control.modes.of(signal_id),
        stages=stage_views(control, signal_id),
        yellow_s=facts["yellow_s"],
        all_red_s=facts["all_red_s"],
        shipped=shipped_timing(signal_id, control.single_of(signal_id), facts["plan"]),
        timetables=[
            Timetable(
                order_id=order.id,
                entity_id=order.entity_id,
                by=order.proposed_by,
                reason=order.reason,
                given_at=order.given_at,
                expires_at=order.expires_at,
                table=table,
                drawn=_looked_at(control, table),
            )
            for order, table in found
            if order.entity_id == signal_id or signal_id in _signals(table)
        ],
    )


def judged(control: SignalControl, parameters: Mapping[str, Any]) -> Drawn:
    """A draft looked at now, by what the cabinets of its signals say of themselves."""
    table = read(parameters)
    if isinstance(table, Wrong):
        return Drawn(wrong=(table,))
    return _looked_at(control, table)


def _looked_at(control: SignalControl, table: RunPlan) -> Drawn:
    junctions = {name: control.single_of(name) for name in _signals(table) if control.knows(name)}
    assert control.at is not None
    return drawn(table, junctions, control.at)


def _signals(table: RunPlan) -> set[str]:
    return {timing.signal_id for row in table.rows for timing in row.plan.timings}
