# SPDX-License-Identifier: Apache-2.0
"""Where operations leave this broker: routes that know only what is here, made to know what others hold too.

The seam (CIM 009 clause 4.3.6): route makers of one file know nothing of context sources. `federated` lays the
distribution around their endpoints: a write is cut into the part kept here and the parts sent elsewhere, a read
runs over a transient view in which local and remote entities are already merged. So an endpoint
  - takes everything it reads about current entities from `city.documents` of the `Served` given to its maker,
  - holds no state of its own between requests,
  - keeps off the wire: one more `routes(city)` with another `city.documents` must be cheap.
"""

from collections.abc import Sequence

from citybrain.doors.ngsild import maps, registrations
from citybrain.doors.ngsild.distributed import Reading
from citybrain.doors.ngsild.distributed_batch import KINDS, Batching
from citybrain.doors.ngsild.distributed_discovery import Discovery
from citybrain.doors.ngsild.distributed_past import Past
from citybrain.doors.ngsild.distributed_writes import APPEND, CREATE, MERGE, REPLACE, UPDATE, Writing
from citybrain.doors.ngsild.distribution import Distribution, Maker
from citybrain.doors.ngsild.mapped import Mapped
from citybrain.doors.ngsild.mapped_past import MappedPast
from citybrain.doors.ngsild.remote_subscriptions import Remote
from citybrain.doors.ngsild.served import Served
from citybrain.doors.ngsild.snapshots import Snapping
from citybrain.kernel.asgi import Endpoint, Route

__all__ = ["Maker", "federated"]

READS = frozenset(
    {
        ("GET", "/entities"),
        ("POST", "/entityOperations/query"),
        ("GET", "/entities/{id}"),
        ("GET", "/entities/{id}/attrs/{name}"),
        ("GET", "/entities/{id}/attrs/{name}/value"),
        ("GET", "/types"),
        ("GET", "/types/{type}"),
        ("GET", "/attributes"),
        ("GET", "/attributes/{attribute}"),
    }
)
"""What can be read in a snapshot (clause 6.3.22)."""


def federated(city: Served, makers: Sequence[Maker]) -> list[Route]:
    """The routes of all makers, distributed over the registered context sources where the standard says so."""
    for tenant in city.store.registrations.tenants():
        city.documents.add_tenant(tenant)
    distribution = Distribution(city, makers)
    kept = maps.Maps()
    reading = Reading(distribution)
    mapped = Mapped(distribution, reading, kept)
    snapping = Snapping(distribution, reading)
    around = _distributed(distribution, reading, mapped)
    past = MappedPast(distribution, Past(distribution), kept)
    around |= _over_time(past)
    around |= {key: snapping.within(around[key]) for key in around if key in READS}
    remote = Remote(distribution, reading)
    own = [route for maker in (*makers, registrations.routes) for route in maker(city)]
    own += [*maps.routes(city, kept), Route("GET", "/entityMaps", mapped.create)]
    own += [Route("GET", "/temporal/entityMaps", past.create), *snapping.routes(), *remote.routes()]
    endpoints = {(route.method, route.path): route.endpoint for route in own}
    around |= {
        key: wrap(endpoints[key])
        for key, wrap in {
            ("POST", "/subscriptions"): remote.after_creation,
            ("PATCH", "/subscriptions/{id}"): remote.after_change,
            ("DELETE", "/subscriptions/{id}"): remote.after_change,
            ("POST", "/csourceRegistrations"): remote.after_registration,
        }.items()
        if key in endpoints
    }
    return [Route(route.method, route.path, around.get((route.method, route.path), route.endpoint)) for route in own]


def _over_time(past: MappedPast) -> dict[tuple[str, str], Endpoint]:
    """The endpoints that read the past."""
    return {
        ("GET", "/temporal/entities"): past.query,
        ("POST", "/temporal/entityOperations/query"): past.query,
        ("GET", "/temporal/entities/{id}"): past.retrieve,
    }


def _distributed(distribution: Distribution, reading: Reading, mapped: Mapped) -> dict[tuple[str, str], Endpoint]:
    """The endpoints that work across sources, by method and path."""
    writing = Writing(distribution)
    discovery = Discovery(distribution)
    batching = Batching(distribution, writing)
    return {
        ("GET", "/entities"): mapped.query,
        ("POST", "/entityOperations/query"): mapped.query,
        ("GET", "/entities/{id}"): mapped.retrieve,
        ("GET", "/entities/{id}/attrs/{name}"): reading.retrieve,
        ("GET", "/entities/{id}/attrs/{name}/value"): reading.retrieve,
        ("POST", "/entities"): writing.acting(CREATE),
        ("DELETE", "/entities"): writing.purge,
        ("PUT", "/entities/{id}"): writing.acting(REPLACE),
        ("PATCH", "/entities/{id}"): writing.acting(MERGE),
        ("DELETE", "/entities/{id}"): writing.delete,
        ("POST", "/entities/{id}/attrs"): writing.acting(APPEND),
        ("PATCH", "/entities/{id}/attrs"): writing.acting(UPDATE),
        ("PATCH", "/entities/{id}/attrs/{name}"): writing.attribute,
        ("PUT", "/entities/{id}/attrs/{name}"): writing.attribute,
        ("DELETE", "/entities/{id}/attrs/{name}"): writing.attribute,
        **{("POST", f"/entityOperations/{name}"): batching.acting(name) for name in KINDS},
        ("GET", "/types"): discovery.acting("types"),
        ("GET", "/types/{type}"): discovery.acting("types"),
        ("GET", "/attributes"): discovery.acting("attributes"),
        ("GET", "/attributes/{attribute}"): discovery.acting("attributes"),
    }
