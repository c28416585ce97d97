# SPDX-License-Identifier: Apache-2.0
"""Routes for dispatch: who could go and who is there when, who does what of several tasks, where the sent ones are."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import post
from litestar.datastructures import State
from litestar.params import JSONBody

from citybrain.apps.operations.api.playbooks import VIEW, operations_of
from citybrain.apps.operations.service.dispatching import CandidateView, Sent, Wanted, Whereabouts

MOST = 50
Number = Annotated[int, msgspec.Meta(ge=1, le=MOST)]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many teams of a kind, for something at an entity."""

    what: str
    entity_id: str
    number: Number = 1


class AskedTogether(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Several tasks that are dealt out at once."""

    tasks: Annotated[tuple[Asked, ...], msgspec.Meta(min_length=1, max_length=MOST)]


class UnderWay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who was sent where."""

    sent: Annotated[tuple[Sent, ...], msgspec.Meta(min_length=1, max_length=MOST)]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """All who could go, the best first; `chosen` are as many of them as were asked for, fewer where there are not."""

    candidates: Sequence[CandidateView]
    chosen: Sequence[str]


@post("/api/operations/dispatch", opt={"permission": VIEW}, status_code=200)
async def dispatch(state: State, data: JSONBody[Asked]) -> Ranked:
    """Who could go, with the time they need on the roads as they are now. Nobody is sent by this."""
    operations = operations_of(state)
    found = operations.dispatching.ranked(data.what, data.entity_id)
    wanted = Wanted(what=data.what, entity_id=data.entity_id, number=data.number)
    views = [operations.dispatching.view(each, wanted, operations.around.city_now) for each in found]
    return Ranked(candidates=views, chosen=[each.team for each in views[: data.number]])


@post("/api/operations/dispatch/together", opt={"permission": VIEW}, status_code=200)
async def together(state: State, data: JSONBody[AskedTogether]) -> Sequence[CandidateView]:
    """Who does what, so that as much as possible is done and all are there soonest. Nobody is sent by this."""
    operations = operations_of(state)
    wanted = [Wanted(what=each.what, entity_id=each.entity_id, number=each.number) for each in data.tasks]
    chosen = operations.dispatching.together(wanted)
    now = operations.around.city_now
    return [operations.dispatching.view(each, wanted[int(each.task)], now) for each in chosen]


@post("/api/operations/dispatch/whereabouts", opt={"permission": VIEW}, status_code=200)
async def whereabouts(state: State, data: JSONBody[UnderWay]) -> Sequence[Whereabouts]:
    """Where those who were sent are, whether they arrived or are late, and who had better go instead."""
    operations = operations_of(state)
    return operations.dispatching.whereabouts(data.sent, operations.around.city_now)


ROUTES = (dispatch, together, whereabouts)
