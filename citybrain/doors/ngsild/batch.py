# SPDX-License-Identifier: Apache-2.0
"""Many entities in one request (CIM 009 clauses 5.6.7 to 5.6.10, 5.6.20, 6.14 to 6.18, 6.31)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from citybrain.doors.ngsild.answers import (
    BadRequestData,
    InvalidRequest,
    Media,
    ResourceNotFound,
    json_answer,
    no_content,
    problem,
)
from citybrain.doors.ngsild.media import sent
from citybrain.doors.ngsild.params import options, read_params
from citybrain.doors.ngsild.served import Served, route
from citybrain.doors.ngsild.writing import is_simplified
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import Document, EntityChange
from citybrain.kernel.entities.fragment import read_entity, read_fragment
from citybrain.kernel.entities.merging import MergeOptions
from citybrain.kernel.entities.names import check_time, check_uri
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

LOCAL = frozenset({"local"})
WITH_OPTIONS = LOCAL | {"options"}
MERGE = LOCAL | {"options", "format", "observedAt", "lang"}
UPSERTS = frozenset({"replace", "update"})


def routes(city: Served) -> Sequence[Route]:
    """`/entityOperations`, but for queries."""
    return [
        route(city, "POST", "/entityOperations/create", create),
        route(city, "POST", "/entityOperations/upsert", upsert),
        route(city, "POST", "/entityOperations/update", update),
        route(city, "POST", "/entityOperations/merge", merge),
        route(city, "POST", "/entityOperations/delete", delete),
    ]


class Batch:
    """A batch being worked out: each entity by itself, in order, all changes made as one at the end.

    An entity that comes twice sees what its first coming did.
    """

    def __init__(self, city: Served, request: Request) -> None:
        self._city = city
        self._lang = city.language(request)
        self._pending: dict[str, Document | None] = {}
        self._changes: list[EntityChange] = []
        self._done: dict[str, None] = {}
        self._errors: list[dict[str, Json]] = []
        self.created: list[str] = []
        self.now: datetime = city.now()
        self.tenant = ""

    def current(self, id: str) -> Document | None:
        """The entity as it will be after what came before it in the batch."""
        if id in self._pending:
            return self._pending[id]
        found: Document | None = self._city.documents.get(self.tenant, id)
        return found

    def existing(self, id: str) -> Document:
        """The same; refuses one that is not there."""
        found = self.current(id)
        if found is None:
            raise ResourceNotFound("ngsild.no_such_entity", {"id": id})
        return found

    def change(self, id: str, change: EntityChange | None, *, whole: bool = True) -> None:
        """Note what becomes of an entity, and that it is done unless some of it was not taken."""
        if whole:
            self._done[id] = None
        if change is not None:
            self._pending[id] = change.after
            self._changes.append(change)

    def refuse(self, id: Json, refusal: Refusal) -> None:
        """Note that an entity was refused."""
        error = problem(refusal, self._city.words, self._lang)
        self._errors.append({"entityId": id if isinstance(id, str) else "", "error": error})

    async def finish(self) -> Answer:
        """Make the changes and tell the outcome: 201 with what is new, 204, or 207 with what went wrong (5.2.16)."""
        if self._changes:
            await self._city.documents.apply(self._changes)
        if self._errors:
            return json_answer({"success": list(self._done), "errors": self._errors}, status=207)
        return json_answer(self.created, status=201) if self.created else no_content()


Act = Callable[[Batch, Json, Context], None]


async def create(city: Served, request: Request) -> Answer:
    """Create entities (clause 5.6.7)."""
    read_params(request, LOCAL)

    def act(batch: Batch, item: Json, context: Context) -> None:
        document = read_entity(item, context, text_of(batch.now))
        if batch.current(document.id) is not None:
            raise verbs.AlreadyExists("ngsild.entity_exists", {"id": document.id})
        batch.created.append(document.id)
        batch.change(document.id, verbs.create(batch.tenant, document, batch.now))

    return await _each(city, request, act, new_tenant=True)


async def upsert(city: Served, request: Request) -> Answer:
    """Create entities, and replace or update those that are there (clause 5.6.8)."""
    said = options(read_params(request, WITH_OPTIONS))
    if said - UPSERTS or said == UPSERTS:
        raise BadRequestData("ngsild.unknown_option", {"option": ", ".join(sorted(said)), "known": "replace, update"})

    def act(batch: Batch, item: Json, context: Context) -> None:
        if "update" in said:
            fragment = read_fragment(item, context, nulls=Nulls.REFUSED)
            before = batch.current(fragment.id)
            if before is not None:
                applied = verbs.append(before, fragment, overwrite=True, tenant=batch.tenant, at=batch.now)
                batch.change(before.id, applied.change)
                return
        document = read_entity(item, context, text_of(batch.now))
        before = batch.current(document.id)
        if before is None:
            batch.created.append(document.id)
            batch.change(document.id, verbs.create(batch.tenant, document, batch.now))
        else:
            batch.change(document.id, verbs.replace(before, document, tenant=batch.tenant, at=batch.now))

    return await _each(city, request, act, new_tenant=True)


async def update(city: Served, request: Request) -> Answer:
    """Update entities (clause 5.6.9); with `noOverwrite` attributes that are there stay."""
    said = options(read_params(request, WITH_OPTIONS))
    if said - {"noOverwrite"}:
        raise BadRequestData("ngsild.unknown_option", {"option": ", ".join(sorted(said)), "known": "noOverwrite"})

    def act(batch: Batch, item: Json, context: Context) -> None:
        fragment = read_fragment(item, context, nulls=Nulls.REFUSED)
        before = batch.existing(check_uri("id", fragment.id))
        overwrite = "noOverwrite" not in said
        applied = verbs.append(before, fragment, overwrite=overwrite, tenant=batch.tenant, at=batch.now)
        batch.change(before.id, applied.change, whole=not applied.not_updated)
        if applied.not_updated:
            names = ", ".join(context.compact(name) for name, _ in applied.not_updated)
            raise verbs.AlreadyExists("ngsild.attributes_exist", {"id": before.id, "names": names})

    return await _each(city, request, act)


async def merge(city: Served, request: Request) -> Answer:
    """Merge fragments into entities (clause 5.6.20)."""
    params = read_params(request, MERGE)
    how = merge_options(params)
    simplified = is_simplified(params)

    def act(batch: Batch, item: Json, context: Context) -> None:
        fragment = read_fragment(item, context, nulls=Nulls.MERGE, simplified=simplified)
        before = batch.existing(check_uri("id", fragment.id))
        batch.change(before.id, verbs.merge(before, fragment, tenant=batch.tenant, at=batch.now, options=how))

    return await _each(city, request, act)


async def delete(city: Served, request: Request) -> Answer:
    """Delete entities by their identifiers (clause 5.6.10)."""
    read_params(request, LOCAL)
    sent(request)
    items = _list(await city.json(request))
    batch = Batch(city, request)
    batch.tenant = city.tenant(request)
    for item in items:
        try:
            before = batch.existing(check_uri("id", item))
            batch.change(before.id, verbs.delete(before, tenant=batch.tenant, at=batch.now))
        except Refusal as refusal:
            batch.refuse(item, refusal)
    return await batch.finish()


def merge_options(params: dict[str, str]) -> MergeOptions:
    """What a merge says beside its body (clause 5.6.17.3)."""
    observed_at = check_time("observedAt", params["observedAt"]) if "observedAt" in params else ""
    return MergeOptions(observed_at=observed_at, lang=params.get("lang", ""))


async def _each(city: Served, request: Request, act: Act, *, new_tenant: bool = False) -> Answer:
    """Do something for each entity of a batch; what is refused of one does not touch the others."""
    kind = sent(request)
    items = _list(await city.json(request))
    if not all(isinstance(item, dict) for item in items):
        raise BadRequestData("ngsild.not_entities", {})
    if kind == Media.LD_JSON:
        city.refuse_link_beside(request)
    tenant = city.new_tenant(request) if new_tenant else city.tenant(request)
    beside = await city.context(request)
    # All contexts first: from here to the changes nobody else runs, so that what is read still holds.
    contexts = [await _context(city, tenant, item, kind, beside) for item in items]
    batch = Batch(city, request)
    batch.tenant = tenant
    for item, context in zip(items, contexts, strict=True):
        try:
            if isinstance(context, Refusal):
                raise context
            act(batch, item, context)
        except Refusal as refusal:
            batch.refuse(item.get("id") if isinstance(item, dict) else "", refusal)
    return await batch.finish()


async def _context(city: Served, tenant: str, item: Json, kind: str, beside: Context) -> Context | Refusal:
    """The context of one entity (clause 6.3.5), or why it has none."""
    given = item.get("@context") if isinstance(item, dict) else None
    if kind != Media.LD_JSON:
        return beside if given is None else BadRequestData("ngsild.context_in_json", {})
    if given is None:
        return BadRequestData("ngsild.no_context_in_ld_json", {})
    try:
        found: Context = await city.contexts.resolve(given, tenant)
    except Refusal as refusal:
        return refusal
    return found


def _list(body: Json) -> Sequence[Json]:
    if not isinstance(body, list):
        raise InvalidRequest("ngsild.not_a_list", {})
    if not body:
        raise BadRequestData("ngsild.empty_list", {})
    return body
