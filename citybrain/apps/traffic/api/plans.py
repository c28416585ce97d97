# SPDX-License-Identifier: Apache-2.0
"""Routes of plans on request: look at those of a signal, judge a draft, propose one from history. A plan is run as an
order, like everything that acts."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromQuery, JSONBody

from citybrain.apps.traffic.control.plans.drawing import Drawn
from citybrain.apps.traffic.control.plans.requested import RUN_PLAN, Row, RunPlan
from citybrain.apps.traffic.service.proposals import proposal
from citybrain.apps.traffic.service.timetables import PlansView, judged, plans_of
from citybrain.apps.traffic.service.traffic import Traffic


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which signals, and from the traffic of which span."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    signals: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=200)]
    since: datetime
    until: datetime


@post("/api/apps/traffic/plans/propose", opt={"permission": "traffic.control"}, status_code=200)
async def propose_plan(state: State, data: JSONBody[Wanted]) -> dict[str, Any]:
    """A plan for the traffic of a span, what the model expects of it, and the order that would run it."""
    found = await proposal(state.store, data.name, data.signals, data.since, data.until)
    order = {
        "means": RUN_PLAN,
        "entity_id": data.signals[0],
        "parameters": msgspec.to_builtins(RunPlan(rows=(Row(plan=found.plan),))),
    }
    return {**msgspec.to_builtins(found), "order": order}


@get("/api/apps/traffic/plans", opt={"permission": "traffic.control"})
async def plans_of_signal(request: Request[Any, Any, Any], state: State, signal: FromQuery[str]) -> PlansView:
    """Stages, intergreen and shipped plan of a signal, and the timetables that stand for it."""
    return await plans_of(_traffic(state).control, state.store.orders, request.state.actor, signal)


@post("/api/apps/traffic/plans/check", opt={"permission": "traffic.control"}, status_code=200)
async def check_plan(state: State, data: JSONBody[dict[str, Any]]) -> Drawn:
    """A timetable (the parameters of `traffic.run_plan`) judged before it runs: what is wrong and where, the cycle of
    each signal second by second, the week ahead. It changes nothing."""
    return judged(_traffic(state).control, data)


def _traffic(state: State) -> Traffic:
    found: Traffic = state.store.of_apps["traffic"]
    return found


PLAN_ROUTES = (propose_plan, plans_of_signal, check_plan)
