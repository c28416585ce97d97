# SPDX-License-Identifier: Apache-2.0
"""What is out there, now or at a past time by the same way: teams that can be sent, and what is changed on streets."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.apps.operations.choice.teams import TYPES
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.clock import utc_now
from citybrain.kernel.orders import StandingOrder
from citybrain.kernel.pool.past import Was
from citybrain.kernel.records import Json
from citybrain.kernel.store import Store

SAID = (
    "name",
    "location",
    "status",
    "serviceStatus",
    "skill",
    "skills",
    "vehicleType",
    "load",
    "capacity",
)
"""What entities say of themselves that `choice.teams` reads, and their names."""

CHANGES = "street"
"""The group of means that close roads and lanes, slow them down or turn them round."""


class TeamView(msgspec.Struct, frozen=True, kw_only=True):
    """A team as its entity told of it. `age_s`: so old its place was, or else the newest of all that it told."""

    id: str
    type: str
    values: Mapping[str, Json]
    age_s: float | None


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """Teams and changes at a time of the city; `at` is None for now."""

    at: datetime | None
    teams: Sequence[TeamView]
    changes: Sequence[StandingOrder]


async def field(store: Store, actor: Actor, at: datetime | None = None) -> FieldView:
    """The teams, and the orders that stand on streets and that the actor may give, now or at a city time.

    A team stands where its newest report by then says, by the clock as it was then; one that had not been told of by
    then is not there, one that is gone since is.
    """
    past = store.pool.past
    clock_at = utc_now() if at is None else await store.clock_at(at)
    teams = past.now(TYPES, SAID) if at is None else await past.at(TYPES, SAID, clock_at)
    changes = await store.orders.in_force(actor, group=CHANGES, at=at, clock_at=None if at is None else clock_at)
    return FieldView(at=at, teams=[_view(each, clock_at) for each in teams], changes=changes)


def _view(team: Was, clock_at: datetime) -> TeamView:
    seen_at = team.seen_at.get("location") or max(team.seen_at.values(), default=None)
    age_s = None if seen_at is None else max((clock_at - seen_at).total_seconds(), 0.0)
    return TeamView(id=team.id, type=team.type, values=team.values, age_s=age_s)
