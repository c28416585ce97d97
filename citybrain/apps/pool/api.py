# SPDX-License-Identifier: Apache-2.0
"""Routes to look into the pool, and the few that change how it is kept."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.datastructures import State
from litestar.params import FromQuery, JSONBody

from citybrain.apps.pool import service, store
from citybrain.apps.pool.model import EntityView, Letter, Page, name_of, place_of, values_of
from citybrain.apps.pool.service import Told
from citybrain.apps.pool.store import Check, History
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.represent import represent
from citybrain.kernel.entities.shape import Shape
from citybrain.kernel.errors import Invalid
from citybrain.kernel.geo import Bounds
from citybrain.kernel.ld.context import CORE, CORE_URL
from citybrain.kernel.models.model import models
from citybrain.kernel.models.policies import Marked, Policy, TypePolicy
from citybrain.kernel.pool.quality import Report, report
from citybrain.kernel.records import Json
from citybrain.kernel.store import Store
from citybrain.kernel.subscriptions.subscription import Kind

NEWEST = 500
FINDINGS_AT_ONCE = 500
WITH_TIMES = Shape(sys_attrs=True)

Tenant = FromQuery[str]


class UnusableBox(Invalid):
    """A box is west, south, east, north in degrees."""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new policy of a type, and how often each entity of it promises to be observed."""

    type: str
    policy: Policy
    every_s: float | None = None


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subscription."""

    tenant: str
    id: str
    kind: Kind = Kind.ENTITIES


def _store(state: State) -> Store:
    opened: Store = state.store
    return opened


@get("/api/pool/tenants", opt={"permission": "pool.view"})
async def tenants(state: State) -> list[dict[str, Json]]:
    """Every tenant with the number of its entities; the one without a name is the city's own."""
    documents = _store(state).documents
    return [{"name": each, "entities": documents.count(each)} for each in sorted(documents.tenants())]


@get("/api/pool/types", opt={"permission": "pool.view"})
async def types(state: State, tenant: Tenant = "") -> dict[str, Json]:
    """Types with their counts, whether a model is known, what becomes of what does not fit, and how much does not."""
    opened = _store(state)
    opened.documents.check_tenant(tenant)
    counts = opened.documents.counts(tenant)
    misfits: dict[str, int] = {}
    for each in await opened.policies.counted(tenant):
        misfits[each.type] = misfits.get(each.type, 0) + each.count
    names = sorted({*counts, *misfits, *(each.type for each in opened.policies.all())})
    return {
        "entities": opened.documents.count(tenant),
        "types": [
            {
                "type": name,
                "count": counts.get(name, 0),
                "model": models()[name].subject if name in models() else None,
                "findings": misfits.get(name, 0),
                **_policy(opened, name),
            }
            for name in names
        ],
    }


def _policy(opened: Store, type: str) -> Mapping[str, Json]:
    known = service.known(opened.policies, type, utc_now())
    return {"policy": known.policy, "every_s": known.every_s, "changed_by": known.changed_by}


@get("/api/pool/entities", opt={"permission": "pool.view"})
async def entities(
    state: State, tenant: Tenant = "", type: FromQuery[str] = "", words: FromQuery[str] = "", offset: FromQuery[int] = 0
) -> Page:
    """Entities of a type, 500 after `offset`; or those in which all words stand, 2,000 at most."""
    documents = _store(state).documents
    documents.check_tenant(tenant)
    wanted = words.casefold().split()
    if wanted:
        return await store.with_words(documents, tenant, type, wanted)
    return await store.page(documents, tenant, type, offset=max(offset, 0))


@get("/api/pool/entity", opt={"permission": "pool.view"})
async def entity(state: State, id: FromQuery[str], tenant: Tenant = "") -> EntityView:
    """One entity as it is now, with all that is known of each value."""
    opened = _store(state)
    document = store.one(opened.documents, tenant, id)
    policies = [service.known(opened.policies, each, utc_now()) for each in document.types]
    return EntityView(
        id=document.id,
        types=document.types,
        scopes=document.scopes,
        name=name_of(document),
        created_at=document.created_at,
        modified_at=document.modified_at,
        expires_at=document.expires_at,
        geometry=place_of(document),
        values=values_of(document),
        every_s=min((each.every_s for each in policies if each.every_s is not None), default=None),
        findings=await opened.policies.findings(tenant, entity_id=id),
        json={**represent(document, CORE, WITH_TIMES), "@context": CORE_URL},
    )


@get("/api/pool/map", opt={"permission": "pool.view"})
async def on_map(
    state: State, tenant: Tenant = "", type: FromQuery[str] = "", bbox: FromQuery[str] = ""
) -> dict[str, Json]:
    """Entities with a place, 4,000 at most, and how many there are in the box; without a box, anywhere."""
    documents = _store(state).documents
    documents.check_tenant(tenant)
    placed, total = await store.on_map(documents, tenant, type, _box(bbox) if bbox else None)
    return {"placed": placed, "shown": len(placed), "total": total}


def _box(text: str) -> Bounds:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise UnusableBox("pool.unusable_box", {"box": text[:100]}) from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise UnusableBox("pool.unusable_box", {"box": text[:100]})
    return west, south, east, north


@get("/api/pool/history", opt={"permission": "pool.view"})
async def history(
    state: State,
    id: FromQuery[str],
    attribute: FromQuery[str],
    tenant: Tenant = "",
    dataset: FromQuery[str] = "",
    since: FromQuery[datetime | None] = None,
) -> History:
    """One attribute since a time, in periods where it is much; without a time its newest 500 values."""
    temporal = _store(state).temporal
    if since is None:
        return await store.newest(temporal, tenant, id, attribute, dataset_id=dataset, number=NEWEST)
    span = (_utc(since), utc_now())
    return await store.between(temporal, tenant, id, attribute, dataset_id=dataset, span=span)


@get("/api/pool/history/export", opt={"permission": "pool.view"})
async def export(
    state: State, id: FromQuery[str], attribute: FromQuery[str], tenant: Tenant = "", dataset: FromQuery[str] = ""
) -> Response[bytes]:
    """The newest 100,000 values of an attribute as a CSV file."""
    found = await store.newest(_store(state).temporal, tenant, id, attribute, dataset_id=dataset, number=store.EXPORTED)
    headers = {"Content-Disposition": 'attachment; filename="history.csv"'}
    return Response(service.as_csv(found.points), media_type="text/csv; charset=utf-8", headers=headers)


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@get("/api/pool/subscriptions", opt={"permission": "pool.view"})
async def subscriptions(state: State) -> Sequence[Told]:
    """Every subscription with its health, what fails first."""
    return service.told(_store(state).subscriptions, utc_now())


@get("/api/pool/subscriptions/letters", opt={"permission": "pool.view"})
async def letters(
    state: State, id: FromQuery[str], tenant: Tenant = "", kind: FromQuery[Kind] = Kind.ENTITIES
) -> Sequence[Letter]:
    """Notifications of a subscription that were given up, the oldest first, 1,000 at most."""
    return await service.letters(_store(state).subscriptions, tenant, id, kind)


@post("/api/pool/subscriptions/replay", opt={"permission": "pool.steward"}, status_code=200)
async def replay(state: State, data: JSONBody[Which]) -> dict[str, int]:
    """Tell again what was given up, the oldest 1,000, behind what waits."""
    return {"waiting": await _store(state).subscriptions.replay(data.tenant, data.id, kind=data.kind)}


@put("/api/pool/policies", opt={"permission": "pool.steward"})
async def change_policy(state: State, request: Request[Any, Any, Any], data: JSONBody[Change]) -> TypePolicy:
    """Say what becomes of entities of a type that do not fit their model, from their next change on."""
    policy = TypePolicy(
        type=data.type,
        policy=data.policy,
        every_s=data.every_s,
        changed_by=request.state.person.name,
        changed_at=utc_now(),
    )
    return await service.set_policy(_store(state).policies, policy)


@get("/api/pool/findings", opt={"permission": "pool.view"})
async def findings(state: State, type: FromQuery[str], tenant: Tenant = "") -> dict[str, Json]:
    """What was marked of a type as not fitting its model: how often by reason, and the newest 500."""
    policies = _store(state).policies
    counted = [each for each in await policies.counted(tenant) if each.type == type]
    rows: Sequence[Marked] = await policies.findings(tenant, type=type, limit=FINDINGS_AT_ONCE)
    return {"by_code": {each.code: each.count for each in counted}, "rows": rows}


@get("/api/pool/check", opt={"permission": "pool.view"})
async def check(state: State, type: FromQuery[str], tenant: Tenant = "") -> Check:
    """Hold all entities of a type against its model now, without storing anything."""
    documents = _store(state).documents
    documents.check_tenant(tenant)
    return await store.check(documents, tenant, type, limit=FINDINGS_AT_ONCE)


@get("/api/pool/quality", opt={"permission": "pool.view"})
async def quality(state: State, type: FromQuery[str], tenant: Tenant = "") -> Report:
    """How complete, timely, in range and free of doubles a type is, source by source; 20,000 entities are looked at."""
    opened, now = _store(state), utc_now()
    opened.documents.check_tenant(tenant)
    promised = service.known(opened.policies, type, now).every_s
    return await report(opened.documents, opened.db, tenant, type, every_s=promised, now=now)


ROUTES = (
    tenants,
    types,
    entities,
    entity,
    on_map,
    history,
    export,
    subscriptions,
    letters,
    replay,
    change_policy,
    findings,
    check,
    quality,
)
