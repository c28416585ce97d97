# SPDX-License-Identifier: Apache-2.0
"""The desk opens: plans are shipped, and tasks that a level gives and nobody has yet are given now."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.model import State
from citybrain.apps.emergency.service.desk import MACHINE, EmergencyDesk
from citybrain.apps.emergency.service.tasks import follow_plan
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store

MOST = 1_000


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[EmergencyDesk]:
    """The desk, until the city stops. A city that stopped between a level and its tasks gives them now."""
    desk, now = EmergencyDesk(store), utc_now()
    await desk.ship(now)
    for incident in await kept.incidents(desk.db, State.ACTIVE, MOST):
        plan = await kept.plan(desk.db, incident.plan, incident.plan_version)
        await follow_plan(desk, MACHINE, incident, plan, None, now=now)
    yield desk
