# SPDX-License-Identifier: Apache-2.0
"""Routes of plans on request: propose one from history. It is run as an order, like everything that acts."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.datastructures import State
from litestar.params import JSONBody

from citybrain.apps.traffic.control.plans.requested import RUN_PLAN, Row, RunPlan
from citybrain.apps.traffic.service.proposals import proposal


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


PLAN_ROUTES = (propose_plan,)
