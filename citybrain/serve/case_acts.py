# SPDX-License-Identifier: Apache-2.0
"""Routes by which something is done with a case, or with many: one act by its verb, each verb a function of a table."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar import Request, post
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.kernel.access import Actor
from citybrain.kernel.cases.acts import Edit, Time
from citybrain.kernel.cases.case import Case, MoveFacts
from citybrain.kernel.cases.export import Done, on_many
from citybrain.kernel.cases.refusals import MergeRefused, NoSuchCase
from citybrain.kernel.cases.rights import VIEW
from citybrain.kernel.store import Store
from citybrain.serve.case_act import (
    Act,
    AnyAct,
    Assign,
    Connect,
    Convert,
    Correct,
    DoTask,
    Extend,
    GiveBack,
    Join,
    Leave,
    Merge,
    MoveOn,
    Reopen,
    Resume,
    Say,
    Split,
    Suspend,
    Take,
    ToPool,
    Transfer,
)
from citybrain.serve.case_named import check_named

AnyRequest = Request[Any, Any, Any]


class Doing(msgspec.Struct, frozen=True, kw_only=True):
    """Who does something, with which case of which city."""

    store: Store
    actor: Actor
    id: int


class Bulk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act on many cases."""

    ids: tuple[int, ...]
    act: AnyAct


async def _move(on: Doing, act: MoveOn) -> Case:
    facts = MoveFacts(
        reason=act.reason, answer=act.answer, department=act.department, assignee=act.assignee, fields=act.fields
    )
    return await on.store.cases.move(on.actor, on.id, act.move, facts, expected_version=act.expected_version)


async def _take(on: Doing, act: Take) -> Case:
    return await on.store.cases.take(on.actor, on.id, expected_version=act.expected_version)


async def _to_pool(on: Doing, act: ToPool) -> Case:
    return await on.store.cases.to_pool(on.actor, on.id, act.reason, expected_version=act.expected_version)


async def _assign(on: Doing, act: Assign) -> Case:
    cases = on.store.cases
    return await cases.assign(on.actor, on.id, act.assignee, reason=act.reason, expected_version=act.expected_version)


async def _transfer(on: Doing, act: Transfer) -> Case:
    cases = on.store.cases
    return await cases.transfer(on.actor, on.id, act.department, act.reason, expected_version=act.expected_version)


async def _give_back(on: Doing, act: GiveBack) -> Case:
    return await on.store.cases.give_back(on.actor, on.id, act.reason, expected_version=act.expected_version)


async def _suspend(on: Doing, act: Suspend) -> Case:
    cases = on.store.cases
    return await cases.suspend(on.actor, on.id, act.reason, move=act.move, expected_version=act.expected_version)


async def _resume(on: Doing, act: Resume) -> Case:
    cases = on.store.cases
    return await cases.resume(on.actor, on.id, act.reason, move=act.move, expected_version=act.expected_version)


async def _reopen(on: Doing, act: Reopen) -> Case:
    cases = on.store.cases
    return await cases.reopen(on.actor, on.id, act.reason, move=act.move, expected_version=act.expected_version)


async def _correct(on: Doing, act: Correct) -> Case:
    given = {name: value for name, value in msgspec.structs.asdict(act).items() if name != "expected_version"}
    return await on.store.cases.edit(on.actor, on.id, Edit(**given), expected_version=act.expected_version)


async def _extend(on: Doing, act: Extend) -> Case:
    time = Time(due_at=act.due_at)
    return await on.store.cases.plan(on.actor, on.id, time, act.reason, expected_version=act.expected_version)


async def _say(on: Doing, act: Say) -> Case:
    return await on.store.cases.comment(on.actor, on.id, act.kind, act.text)


async def _join(on: Doing, act: Join) -> Case:
    cases = on.store.cases
    return await cases.join(on.actor, on.id, act.department, act.task, expected_version=act.expected_version)


async def _leave(on: Doing, act: Leave) -> Case:
    cases = on.store.cases
    return await cases.leave(on.actor, on.id, act.department, act.answer, expected_version=act.expected_version)


async def _connect(on: Doing, act: Connect) -> Case:
    return await on.store.cases.link(on.actor, on.id, act.to, act.kind)


async def _merge(on: Doing, act: Merge) -> Case:
    if on.id in act.ids:
        number = (await on.store.cases.get(on.actor, on.id)).number
        raise MergeRefused("kernel.case_merge_refused", {"number": number, "into": number})
    return await on.store.cases.merge(on.actor, on.id, act.ids, act.reason)


async def _split(on: Doing, act: Split) -> Case:
    await on.store.cases.split(on.actor, on.id, [each.opening() for each in act.openings])
    return await on.store.cases.get(on.actor, on.id)


async def _convert(on: Doing, act: Convert) -> Case:
    version = act.version
    if version is None:
        case = await on.store.cases.get(on.actor, on.id)
        version = (await on.store.cases.types.versions(case.type))[-1].version
    return await on.store.cases.convert(on.actor, on.id, version, expected_version=act.expected_version)


async def _task(on: Doing, act: DoTask) -> Case | None:
    """A department whose part in a process it is may not see the case itself."""
    await on.store.casework.processes.complete(on.actor, on.id, act.task, act.data)
    try:
        return await on.store.cases.get(on.actor, on.id)
    except NoSuchCase:
        return None


DO: Mapping[type[Act], Callable[[Doing, Any], Awaitable[Case | None]]] = {
    MoveOn: _move,
    Take: _take,
    ToPool: _to_pool,
    Assign: _assign,
    Transfer: _transfer,
    GiveBack: _give_back,
    Suspend: _suspend,
    Resume: _resume,
    Reopen: _reopen,
    Correct: _correct,
    Extend: _extend,
    Say: _say,
    Join: _join,
    Leave: _leave,
    Connect: _connect,
    Merge: _merge,
    Split: _split,
    Convert: _convert,
    DoTask: _task,
}


@post("/api/cases/{id:int}/acts", opt={"permission": VIEW}, status_code=200)
async def act(state: State, request: AnyRequest, id: FromPath[int], data: JSONBody[AnyAct]) -> Case | None:
    """Do something with a case; whether the actor may is the engine's to say, verb by verb."""
    on = Doing(store=state.store, actor=request.state.actor, id=id)
    await check_named(on.store.access, on.actor, data)
    case = await DO[type(data)](on, data)
    return case and (await on.store.cases.covered(on.actor, case))[0]


@post("/api/cases/bulk", opt={"permission": VIEW}, status_code=200)
async def bulk(state: State, request: AnyRequest, data: JSONBody[Bulk]) -> list[Done]:
    """The same act on many cases, each for itself: what is refused for one does not hold up the others."""
    store: Store = state.store
    actor: Actor = request.state.actor
    await check_named(store.access, actor, data.act)
    do = DO[type(data.act)]
    return await on_many(data.ids, lambda id: do(Doing(store=store, actor=actor, id=id), data.act))


ROUTES = (act, bulk)
