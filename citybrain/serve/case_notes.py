# SPDX-License-Identifier: Apache-2.0
"""Routes for what clerks keep beside cases: drafts of what is not sent yet, answers that are given often, lists."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from citybrain.kernel.cases.answers import BODY_LENGTH, Answer, Filled, fill_answer
from citybrain.kernel.cases.drafts import Draft, DraftHead, Owner
from citybrain.kernel.cases.query import CaseQuery
from citybrain.kernel.cases.queues import Queue
from citybrain.kernel.cases.rights import ASSIGN, VIEW, WORK
from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Facts, Json
from citybrain.kernel.store import Store
from citybrain.serve.case_query import read_given, said_of

AnyRequest = Request[Any, Any, Any]
ANSWERS_AT_MOST = 500
ManyAnswers = Annotated[int, QueryParameter(ge=1, le=ANSWERS_AT_MOST)]
# Whoever fills in a form may keep it, whatever else they may.
OWN = {"permission": "session.own"}


class Typed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was filled in so far, checked or not."""

    values: Facts


class NewAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template; `version` is the one that is changed."""

    title: str
    body: str
    category: str = ""
    department: str | None = None
    version: int = 1


class AnswerView(Answer, frozen=True, kw_only=True):
    """A template, and whether it is the reader's to change."""

    may_change: bool


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text with slots that is not kept yet, and the case that it is tried on."""

    body: Annotated[str, msgspec.Meta(max_length=BODY_LENGTH)]
    case_id: int


class ForCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The case that a template is filled in from."""

    case_id: int


class NewQueue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question with its name, in the names of an address or of a body; `version` is the one that is changed."""

    name: str
    query: Facts
    department: str | None = None
    version: int = 1


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """A kept question; `count` is null where counts cannot say it."""

    id: int
    name: str
    query: Mapping[str, Json]
    department: str | None
    owner: str
    version: int
    count: int | None
    may_change: bool


def _owner(request: AnyRequest) -> Owner:
    return Owner.account(request.state.actor.account)


@get("/api/drafts", opt=OWN)
async def drafts(state: State, request: AnyRequest) -> Sequence[DraftHead]:
    """One's drafts, the newest first."""
    store: Store = state.store
    return await store.casework.drafts.list(_owner(request), now=utc_now())


@get("/api/drafts/{place:str}", opt=OWN)
async def draft(state: State, request: AnyRequest, place: FromPath[str]) -> Draft:
    """What was kept at a place."""
    store: Store = state.store
    return await store.casework.drafts.get(_owner(request), place, now=utc_now())


@put("/api/drafts/{place:str}", opt=OWN)
async def save_draft(state: State, request: AnyRequest, place: FromPath[str], data: JSONBody[Typed]) -> DraftHead:
    """Keep what was filled in so far."""
    store: Store = state.store
    return await store.casework.drafts.save(_owner(request), place, data.values, now=utc_now())


@delete("/api/drafts/{place:str}", opt=OWN, status_code=204)
async def discard_draft(state: State, request: AnyRequest, place: FromPath[str]) -> None:
    """Forget a draft, as when it was sent."""
    store: Store = state.store
    await store.casework.drafts.discard(_owner(request), place)


@get("/api/answers", opt={"permission": WORK})
async def answers(
    state: State,
    request: AnyRequest,
    words: FromQuery[str] = "",
    category: FromQuery[str] = "",
    limit: ManyAnswers = 20,
) -> Sequence[AnswerView]:
    """Templates that have all that was typed, those of a category first."""
    store: Store = state.store
    found = await store.casework.answers.search(request.state.actor, words, category=category, limit=limit)
    return [_answer_view(store, request, each) for each in found]


def _answer_view(store: Store, request: AnyRequest, answer: Answer) -> AnswerView:
    may_change = store.casework.answers.may_change(request.state.actor, answer)
    return AnswerView(**msgspec.structs.asdict(answer), may_change=may_change)


@get("/api/answers/{id:int}", opt={"permission": WORK})
async def one_answer(state: State, request: AnyRequest, id: FromPath[int]) -> AnswerView:
    """One template, as it is now."""
    store: Store = state.store
    return _answer_view(store, request, await store.casework.answers.seen(request.state.actor, id))


@post("/api/answers/preview", opt={"permission": WORK}, status_code=200)
async def preview_answer(state: State, request: AnyRequest, data: JSONBody[Trial]) -> Filled:
    """How a text would read for a case that the actor sees; nothing is written."""
    store: Store = state.store
    return fill_answer(data.body, await store.cases.get(request.state.actor, data.case_id))


@post("/api/answers", opt={"permission": ASSIGN}, status_code=201)
async def write_answer(state: State, request: AnyRequest, data: JSONBody[NewAnswer]) -> AnswerView:
    """Write a template, for a department or for everybody."""
    store: Store = state.store
    kept = await store.casework.answers.put(request.state.actor, _answer(data, 0), now=utc_now())
    return _answer_view(store, request, kept)


@put("/api/answers/{id:int}", opt={"permission": ASSIGN})
async def change_answer(state: State, request: AnyRequest, id: FromPath[int], data: JSONBody[NewAnswer]) -> AnswerView:
    """Write a new version of a template."""
    store: Store = state.store
    kept = await store.casework.answers.put(request.state.actor, _answer(data, id), now=utc_now())
    return _answer_view(store, request, kept)


def _answer(given: NewAnswer, id: int) -> Answer:
    return Answer(id=id, **msgspec.structs.asdict(given))


@delete("/api/answers/{id:int}", opt={"permission": ASSIGN}, status_code=204)
async def retire_answer(state: State, request: AnyRequest, id: FromPath[int], version: FromQuery[int]) -> None:
    """Offer a template no longer."""
    store: Store = state.store
    await store.casework.answers.retire(request.state.actor, id, version=version, now=utc_now())


@post("/api/answers/{id:int}/use", opt={"permission": WORK}, status_code=200)
async def use_answer(state: State, request: AnyRequest, id: FromPath[int], data: JSONBody[ForCase]) -> Filled:
    """A template filled in from a case that the actor sees, and the slots that are left to fill."""
    store: Store = state.store
    case = await store.cases.get(request.state.actor, data.case_id)
    return await store.casework.answers.use(request.state.actor, id, case)


@get("/api/queues", opt={"permission": VIEW})
async def queues(state: State, request: AnyRequest) -> Sequence[QueueView]:
    """The questions that one kept, and those of one's departments."""
    store: Store = state.store
    return [_view(each) for each in await store.casework.queues.of(request.state.actor)]


@post("/api/queues", opt={"permission": VIEW}, status_code=201)
async def keep_queue(state: State, request: AnyRequest, data: JSONBody[NewQueue]) -> QueueView:
    """Keep a question under a name."""
    store: Store = state.store
    return _view(await store.casework.queues.keep(request.state.actor, _queue(data, 0)))


@put("/api/queues/{id:int}", opt={"permission": VIEW})
async def change_queue(state: State, request: AnyRequest, id: FromPath[int], data: JSONBody[NewQueue]) -> QueueView:
    """Change a kept question."""
    store: Store = state.store
    return _view(await store.casework.queues.change(request.state.actor, _queue(data, id)))


@delete("/api/queues/{id:int}", opt={"permission": VIEW}, status_code=204)
async def forget_queue(state: State, request: AnyRequest, id: FromPath[int]) -> None:
    """Forget a kept question."""
    store: Store = state.store
    await store.casework.queues.forget(request.state.actor, id)


def _queue(given: NewQueue, id: int) -> Queue:
    query = msgspec.structs.replace(read_given(given.query), after=None, limit=CaseQuery().limit)
    return Queue(id=id, name=given.name, query=query, department=given.department, version=given.version)


def _view(queue: Queue) -> QueueView:
    given = {name: getattr(queue, name) for name in QueueView.__struct_fields__}
    return QueueView(**{**given, "query": said_of(queue.query)})


ROUTES = (
    drafts,
    draft,
    save_draft,
    discard_draft,
    answers,
    one_answer,
    preview_answer,
    write_answer,
    change_answer,
    retire_answer,
    use_answer,
    queues,
    keep_queue,
    change_queue,
    forget_queue,
)
