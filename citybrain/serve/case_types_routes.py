# SPDX-License-Identifier: Apache-2.0
"""Routes for types of cases as data: versions, checking a definition, trying it out, publishing it, its process."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.access import Access
from citybrain.kernel.cases.bpmn import Fault as ProcessFault
from citybrain.kernel.cases.bpmn import faults as process_faults
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.definition import Fault, faults
from citybrain.kernel.cases.processes import Standing, TaskRow
from citybrain.kernel.cases.refusals import UnusableCaseType
from citybrain.kernel.cases.rights import TYPES, VIEW, WORK
from citybrain.kernel.cases.trial import Stage, TrialOpening, TrialStep, try_out
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Text
from citybrain.kernel.store import Store

AnyRequest = Request[Any, Any, Any]
XML = "application/xml"


class NotText(Invalid):
    """A file that is no text in UTF-8."""


class Definition(CaseType, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A definition as it is sent: a word that is not known would be lost without a sound."""


class VersionHead(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a type, in a list."""

    version: int
    valid_from: datetime
    valid_to: datetime | None
    published_by: str
    published_at: datetime
    has_process: bool


class TypeVersions(msgspec.Struct, frozen=True, kw_only=True):
    """A type with all its versions, the oldest first; named as the newest is."""

    id: str
    name: Text
    versions: Sequence[VersionHead]


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A definition, what a case begins with, and what is done with it when."""

    definition: Definition
    opening: TrialOpening = msgspec.field(default_factory=TrialOpening)
    steps: tuple[TrialStep, ...] = ()


async def _faults(state: State, definition: CaseType) -> list[Fault]:
    """What is wrong with a definition, moves included that nobody in this city could make."""
    access: Access = state.access
    return faults(definition, permissions=access.roles.to_give(), roles=await access.roles.names())


async def _refuse_faulty(state: State, definition: CaseType) -> None:
    found = await _faults(state, definition)
    if found:
        told = [{"code": each.code, "facts": dict(each.facts)} for each in found]
        facts = {"type": definition.id, "count": len(found), "faults": told}
        raise UnusableCaseType("kernel.case_type_unusable", facts)


async def _text(request: AnyRequest) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError:
        raise NotText("serve.not_text", {"coding": "UTF-8"}) from None


@get("/api/case-types", opt={"permission": VIEW})
async def types(state: State) -> Sequence[TypeVersions]:
    """Every type with its versions."""
    store: Store = state.store
    found: dict[str, list[VersionHead]] = {}
    names: dict[str, Text] = {}
    for each in await store.cases.types.heads():
        names[each.id] = each.name
        head = {name: getattr(each, name) for name in VersionHead.__struct_fields__}
        found.setdefault(each.id, []).append(VersionHead(**head))
    return [TypeVersions(id=id, name=names[id], versions=versions) for id, versions in found.items()]


@get("/api/case-types/{id:str}/{version:int}", opt={"permission": VIEW})
async def version_of(state: State, id: FromPath[str], version: FromPath[int]) -> CaseType:
    """One version, by which older cases still go."""
    store: Store = state.store
    return await store.cases.types.get(id, version)


@post("/api/case-types/check", opt={"permission": TYPES}, status_code=200)
async def check(state: State, data: JSONBody[Definition]) -> Sequence[Fault]:
    """Everything wrong with a definition; empty when it can be published."""
    return await _faults(state, data)


@post("/api/case-types/test-run", opt={"permission": TYPES}, status_code=200)
async def test_run(state: State, data: JSONBody[Trial]) -> Sequence[Stage]:
    """How a case would fare by a definition, step by step; nothing is written."""
    await _refuse_faulty(state, data.definition)
    return try_out(data.definition, data.opening, data.steps, utc_now())


@post("/api/case-types", opt={"permission": TYPES}, status_code=201)
async def publish(state: State, request: AnyRequest, data: JSONBody[Definition]) -> CaseType:
    """Put a version in force, made from the one it says; refused when somebody published a newer one since."""
    store: Store = state.store
    await _refuse_faulty(state, data)
    return await store.cases.types.publish(request.state.actor, data, now=utc_now())


@get("/api/case-types/{id:str}/{version:int}/process", opt={"permission": VIEW}, media_type=XML)
async def process(state: State, id: FromPath[str], version: FromPath[int]) -> Response[str]:
    """The process of a version, as BPMN 2.0."""
    store: Store = state.store
    return Response(await store.casework.processes.xml(id, version), media_type=XML)


@put("/api/case-types/{id:str}/{version:int}/process", opt={"permission": TYPES}, status_code=204)
async def put_process(state: State, request: AnyRequest, id: FromPath[str], version: FromPath[int]) -> None:
    """Store the process of a version, once; the body is the BPMN file. What cannot be run is told by element."""
    store: Store = state.store
    await store.casework.processes.put(request.state.actor, id, version, await _text(request))


@post("/api/case-types/process-check", opt={"permission": TYPES}, status_code=200)
async def check_process(request: AnyRequest) -> Sequence[ProcessFault]:
    """Everything wrong with a BPMN file, element by element; empty when it can be run. Nothing is stored."""
    return process_faults(await _text(request))


@post("/api/cases/{id:int}/process", opt={"permission": WORK}, status_code=201)
async def begin_process(state: State, request: AnyRequest, id: FromPath[int]) -> Standing:
    """Begin the process of a case."""
    store: Store = state.store
    return await store.casework.processes.start(request.state.actor, id)


@get("/api/tasks", opt={"permission": WORK})
async def tasks(state: State, request: AnyRequest) -> Sequence[TaskRow]:
    """What departments have to do in processes whose work the actor does, the soonest due first."""
    store: Store = state.store
    return await store.casework.processes.tasks(request.state.actor)


ROUTES = (types, version_of, check, test_run, publish, process, put_process, check_process, begin_process, tasks)
