# SPDX-License-Identifier: Apache-2.0
"""Routes for playbooks: what is in force, new versions, putting them in force and out of it, trying them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from citybrain.apps.operations.decide.playbook import Playbook
from citybrain.apps.operations.decide.trial import Trial
from citybrain.apps.operations.service import playbooks as desk
from citybrain.apps.operations.service.opened import Opened
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.service.playbooks import PlaybookView, Suggestion
from citybrain.kernel.clock import utc_now

Asking = Request[Any, Any, Any]
VIEW, EDIT = "operations.view", "operations.edit"
MONTH = timedelta(days=31)


class Activating(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version is put in force; the newest draft where none is named."""

    version: int | None = None


class DryRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A playbook, and the city time whose events it is held against: the last month where none is named."""

    playbook: Playbook
    since: datetime | None = None
    until: datetime | None = None


EventId = Annotated[str, QueryParameter(name="event_id")]


def opened_of(state: State) -> Opened:
    """The open app."""
    found: Opened = state.store.of_apps["operations"]
    return found


def operations_of(state: State) -> Operations:
    """Its playbooks."""
    return opened_of(state).operations


@get("/api/operations/playbooks", opt={"permission": VIEW})
async def playbooks(state: State) -> Sequence[PlaybookView]:
    """All playbooks, each in the version in force, or else in its newest."""
    return await desk.listed(operations_of(state), utc_now())


@get("/api/operations/playbooks/{id:str}", opt={"permission": VIEW})
async def playbook(state: State, id: FromPath[str], version: FromQuery[int | None] = None) -> PlaybookView:
    """One playbook in one version, with all its versions."""
    return desk.look(operations_of(state), id, version, utc_now())


@put("/api/operations/playbooks/{id:str}", opt={"permission": EDIT})
async def put_playbook(state: State, request: Asking, id: FromPath[str], data: JSONBody[Playbook]) -> PlaybookView:
    """A new version, as a draft; what is in force stays so."""
    return await desk.put(operations_of(state), request.state.actor, id, data, now=utc_now())


@post("/api/operations/playbooks/{id:str}/activate", opt={"permission": EDIT}, status_code=200)
async def activate(state: State, request: Asking, id: FromPath[str], data: JSONBody[Activating]) -> PlaybookView:
    """Put a version in force; where a line is marked, the second person's call does it."""
    operations = operations_of(state)
    return await desk.activate(operations, request.state.actor, id, version=data.version, now=utc_now())


@post("/api/operations/playbooks/{id:str}/retire", opt={"permission": EDIT}, status_code=200)
async def retire(state: State, request: Asking, id: FromPath[str]) -> PlaybookView:
    """Take a playbook out of force; its open runs go on."""
    return await desk.retire(operations_of(state), request.state.actor, id, now=utc_now())


@post("/api/operations/playbooks/dry-run", opt={"permission": VIEW}, status_code=200)
async def dry_run(state: State, data: JSONBody[DryRun]) -> Trial:
    """What a playbook would have done about the events of a time. Nothing is ordered."""
    operations = operations_of(state)
    until = data.until or operations.around.city_now
    return await desk.dry_run(operations, data.playbook, since=data.since or until - MONTH, until=until)


@get("/api/operations/suggestions", opt={"permission": VIEW})
async def suggestions(state: State, event_id: EventId) -> Sequence[Suggestion]:
    """What playbooks in force, and drafts, would do about an event now; the one that counts first."""
    return await desk.suggestions(operations_of(state), event_id)


ROUTES: Sequence[Any] = (playbooks, playbook, put_playbook, activate, retire, dry_run, suggestions)
