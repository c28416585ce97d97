# SPDX-License-Identifier: Apache-2.0
"""Routes for runs of playbooks: what is under way, and what officers do with its lines."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from citybrain.apps.operations.api.playbooks import VIEW, opened_of, operations_of
from citybrain.apps.operations.decide.lines import RunState
from citybrain.apps.operations.service import running
from citybrain.apps.operations.service.running import RunView
from citybrain.kernel.clock import utc_now

Asking = Request[Any, Any, Any]
CONFIRM = "operations.confirm"
MOST = 500

Note = Annotated[str, msgspec.Meta(max_length=1_000)]
InState = Annotated[RunState | None, QueryParameter(name="state")]


class Acting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an officer does with a line; `version` is the one that was looked at."""

    act: Literal["confirm", "skip", "retry"]
    note: Note = ""
    version: int | None = None


@get("/api/operations/runs", opt={"permission": VIEW})
async def runs(
    state: State,
    event_id: FromQuery[str | None] = None,
    playbook: FromQuery[str | None] = None,
    in_state: InState = None,
    limit: FromQuery[int] = 100,
) -> Sequence[RunView]:
    """Runs with their lines, the newest first."""
    most = min(max(limit, 1), MOST)
    return await running.listed(operations_of(state), event_id=event_id, state=in_state, playbook=playbook, limit=most)


@get("/api/operations/runs/{id:str}", opt={"permission": VIEW})
async def run(state: State, id: FromPath[str]) -> RunView:
    """One run, with what became of its orders and whether they helped."""
    return await running.look(operations_of(state), id)


@post("/api/operations/runs/{id:str}/lines/{number:int}", opt={"permission": CONFIRM}, status_code=200)
async def act(
    state: State, request: Asking, id: FromPath[str], number: FromPath[int], data: JSONBody[Acting]
) -> RunView:
    """Confirm a line that waits for a person, skip one that has not been ordered, or try one again."""
    wanted = running.Wish(act=data.act, note=data.note, version=data.version)
    return await running.act(opened_of(state).engine, request.state.actor, id, number, wanted, now=utc_now())


ROUTES: Sequence[Any] = (runs, run, act)
