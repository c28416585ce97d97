# SPDX-License-Identifier: Apache-2.0
"""Snapshots over HTTP: made, cloned, read in, forgotten (CIM 009 clauses 5.16, 6.3.22, 6.36 to 6.38)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from citybrain.doors.ngsild.answers import BadRequestData, created, header, json_answer, no_content
from citybrain.doors.ngsild.distributed import Question, Reading
from citybrain.doors.ngsild.distribution import Distribution
from citybrain.doors.ngsild.forwarding import Asker
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import read_params
from citybrain.kernel.asgi import Answer, Endpoint, Request, Route
from citybrain.kernel.clock import new_id
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.evaluate import is_true
from citybrain.kernel.entities.expressions import paths
from citybrain.kernel.entities.names import check_time, check_uri
from citybrain.kernel.entities.query import EntityQuery, read_query, read_query_body
from citybrain.kernel.entities.search import find
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.view import View
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.records import Json
from citybrain.kernel.snapshots.snapshots import USUAL_PRIORITY, Snapshot, Snapshots, Status

PATH = "/snapshots"
HEADER = "ngsild-snapshot"
HIGHEST_PRIORITY = 10
# So many entities of one query go into a snapshot.
MOST = 100_000
MAY_CHANGE = frozenset({"type", "id", "snapshotPriority", "expiresAt"})


class Snapping:
    """Makes snapshots and reads in them."""

    def __init__(self, distribution: Distribution, reading: Reading) -> None:
        self._all = distribution
        self._reading = reading
        self._working: set[asyncio.Task[None]] = set()

    @property
    def _snapshots(self) -> Snapshots:
        kept: Snapshots = self._all.city.store.snapshots
        return kept

    def routes(self) -> Sequence[Route]:
        """`/snapshots` and below."""
        return [
            Route("POST", PATH, self._create),
            Route("DELETE", PATH, self._purge),
            Route("GET", f"{PATH}/{{id}}", self._retrieve),
            Route("PATCH", f"{PATH}/{{id}}", self._update),
            Route("DELETE", f"{PATH}/{{id}}", self._delete),
            Route("POST", f"{PATH}/{{id}}/clone", self._clone),
        ]

    def within(self, endpoint: Endpoint) -> Endpoint:
        """An endpoint that, for a request that names a snapshot, reads in that alone (clause 6.3.22)."""

        async def snapped(request: Request) -> Answer:
            id = request.headers.get(HEADER)
            if not id:
                return await endpoint(request)
            found = self._existing(request, id)
            await self._used(found)
            documents = await self._snapshots.documents(found.tenant, found.id)
            view = View(self._all.city.documents, found.tenant, documents, alone=True)
            answer = await self._all.local(request, view)
            return Answer(answer.status, answer.body, (*answer.headers, header(HEADER, id)))

        return snapped

    async def _create(self, request: Request) -> Answer:
        """Begin a snapshot of what queries find; it is filled while the asker goes on (clause 5.16.1)."""
        read_params(request, ())
        payload = await self._all.city.payload(request)
        body, context = payload.json, payload.context
        queries = _queries(body)
        read = [read_query_body(query, context) for query in queries]
        snapshot = self._new(request, body, queries)
        await self._snapshots.create(snapshot, (), self._all.city.now())
        self._all.city.documents.add_tenant(snapshot.tenant)
        task = asyncio.create_task(self._fill(request, snapshot, read, context))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return created(f"{request.root}{PATH}/{snapshot.id}")

    async def _clone(self, request: Request) -> Answer:
        """A copy that lives on its own (clause 5.16.2)."""
        read_params(request, ())
        payload = await self._all.city.payload(request)
        original = self._existing(request, request.slots["id"])
        body = payload.json if isinstance(payload.json, dict) else _refuse("type")
        snapshot = self._new(request, body, original.queries)
        clone = msgspec.structs.replace(snapshot, status=original.status, results=original.results)
        documents = await self._snapshots.documents(original.tenant, original.id)
        await self._snapshots.create(clone, tuple(documents.values()), self._all.city.now())
        return created(f"{request.root}{PATH}/{clone.id}")

    async def _retrieve(self, request: Request) -> Answer:
        """How far a snapshot is (clause 5.16.3)."""
        media = accepted(request)
        context = await self._all.city.context(request)
        return json_answer(shown(self._existing(request, request.slots["id"])), context, media=media)

    async def _update(self, request: Request) -> Answer:
        """Change its priority or its end (clause 5.16.4)."""
        payload = await self._all.city.payload(request, patch=True)
        found = self._existing(request, request.slots["id"])
        body = payload.json if isinstance(payload.json, dict) else _refuse("type")
        for name in body:
            if name not in MAY_CHANGE:
                _refuse(name)
        changed = msgspec.structs.replace(
            found,
            priority=_priority(body, found.priority),
            expires_at=check_time("expiresAt", body["expiresAt"]) if "expiresAt" in body else found.expires_at,
            modified_at=text_of(self._all.city.now()),
        )
        await self._snapshots.update(changed)
        return json_answer(shown(changed), payload.context)

    async def _delete(self, request: Request) -> Answer:
        """Forget a snapshot (clause 5.16.5)."""
        found = self._existing(request, request.slots["id"])
        await self._snapshots.delete(found.tenant, found.id)
        return no_content()

    async def _purge(self, request: Request) -> Answer:
        """Forget all that a query over their own members finds (clause 5.16.7)."""
        params = read_params(request, {"q"})
        tenant = self._all.city.tenant(request)
        query = read_query({"q": params.get("q", "")}, CORE)
        if query.q is None:
            _refuse("q")
        if any(path.names[0] not in _MEMBERS for path in paths(query.q)):
            _refuse("q")
        for found in self._snapshots.all(tenant):
            if is_true(_as_document(found), query.q):
                await self._snapshots.delete(tenant, found.id)
        return no_content()

    def _existing(self, request: Request, id: str) -> Snapshot:
        return self._snapshots.get(self._all.city.tenant(request), check_uri("id", id), self._all.city.now())

    def _new(self, request: Request, body: Mapping[str, Json], queries: Sequence[Json]) -> Snapshot:
        if body.get("type") != "Snapshot":
            _refuse("type")
        at = text_of(self._all.city.now())
        return Snapshot(
            id=check_uri("id", body["id"]) if "id" in body else f"urn:ngsi-ld:Snapshot:{new_id().lower()}",
            tenant=self._all.city.new_tenant(request),
            queries=tuple(queries),
            priority=_priority(body, USUAL_PRIORITY),
            expires_at=check_time("expiresAt", body["expiresAt"]) if "expiresAt" in body else "",
            created_at=at,
            modified_at=at,
            last_used_at=at,
        )

    async def _used(self, found: Snapshot) -> None:
        """Note the use, not more often than once a second: it is there for who clears up."""
        at = text_of(self._all.city.now().replace(microsecond=0))
        if found.last_used_at != at:
            await self._snapshots.update(msgspec.structs.replace(found, last_used_at=at))

    async def _fill(
        self, request: Request, snapshot: Snapshot, queries: Sequence[EntityQuery], context: Context
    ) -> None:
        asker = Asker(request=request, tenant=snapshot.tenant, context=context)
        documents: dict[str, Document] = {}
        results: list[Status] = []
        for query in queries:
            try:
                found = await self._found(asker, query)
            except Refusal:
                results.append(Status.FAILED)
                continue
            documents |= {document.id: document for document in found}
            results.append(Status.SUCCESS if found else Status.EMPTY)
        filled = msgspec.structs.replace(snapshot, status=_overall(results), results=tuple(results))
        await self._snapshots.fill(filled, tuple(documents.values()), self._all.city.now())

    async def _found(self, asker: Asker, query: EntityQuery) -> Sequence[Document]:
        gathered = await self._reading.gather(asker, Question(query=query, params={}, is_whole=True))
        view: Any = self._reading.view(asker, gathered)
        found = await find(view, asker.tenant, query, limit=MOST)
        return found.documents


def shown(snapshot: Snapshot) -> dict[str, Json]:
    """A snapshot in wire form (clause 5.2.41)."""
    members: dict[str, Json] = {
        "id": snapshot.id,
        "type": "Snapshot",
        "snapshotStatus": snapshot.status,
        "snapshotPriority": snapshot.priority,
        "snapshotQueries": list(snapshot.queries),
        "snapshotQueriesDetails": [
            {"query": query, "resultStatus": result}
            for query, result in zip(snapshot.queries, snapshot.results, strict=False)
        ],
        "createdAt": snapshot.created_at,
        "modifiedAt": snapshot.modified_at,
        "lastUsedAt": snapshot.last_used_at,
        "expiresAt": snapshot.expires_at,
    }
    return {name: value for name, value in members.items() if value or name == "snapshotPriority"}


def _overall(results: Sequence[Status]) -> Status:
    """How a snapshot as a whole came out (clause 5.16.1.4)."""
    good = results.count(Status.SUCCESS)
    if good == len(results):
        return Status.SUCCESS
    if good:
        return Status.PARTIAL
    return Status.EMPTY if Status.EMPTY in results else Status.FAILED


def _queries(body: Json) -> list[dict[str, Json]]:
    queries = body.get("snapshotQueries") if isinstance(body, dict) else None
    if not isinstance(queries, list) or not queries:
        _refuse("snapshotQueries")
    for query in queries:
        if not isinstance(query, dict) or query.get("type") != "Query" or "temporalQ" in query:
            _refuse("snapshotQueries")
    return queries


def _priority(body: Mapping[str, Json], usual: int) -> int:
    priority = body.get("snapshotPriority", usual)
    if type(priority) is not int or not 0 <= priority <= HIGHEST_PRIORITY:
        _refuse("snapshotPriority")
    return int(priority)


def _refuse(member: str) -> NoReturn:
    raise BadRequestData("ngsild.snapshot_member", {"member": member})


_MEMBERS = frozenset(
    {"id", "type", "snapshotStatus", "snapshotPriority", "createdAt", "modifiedAt", "lastUsedAt", "expiresAt"}
)


def _as_document(snapshot: Snapshot) -> Document:
    """A snapshot as an entity, so that the query language applies to its members."""
    values: dict[str, Json] = {
        "snapshotStatus": str(snapshot.status),
        "snapshotPriority": snapshot.priority,
        "lastUsedAt": snapshot.last_used_at,
    }
    return Document(
        id=snapshot.id,
        types=("Snapshot",),
        created_at=snapshot.created_at,
        modified_at=snapshot.modified_at,
        expires_at=snapshot.expires_at,
        attributes={
            name: (Instance(type=AttributeType.PROPERTY, value=value),) for name, value in values.items() if value != ""
        },
    )
