# SPDX-License-Identifier: Apache-2.0
"""What each operation takes and gives, for the OpenAPI description: parameters, bodies, answers (CIM 009 clause 6)."""

from collections.abc import Mapping

import msgspec

from citybrain.doors.ngsild import (
    attributes,
    batch,
    discovery,
    entities,
    query,
    registrations,
    subscriptions,
    temporal_provision,
    temporal_query,
)

LD = ("application/json", "application/ld+json")
PATCHES = (*LD, "application/merge-patch+json")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation: what it does, the query parameters it knows, its body and what it answers when all is well.

    `body` and `gives` are names of schemas; empty where there is none.
    """

    summary: str
    params: frozenset[str] = frozenset()
    body: str = ""
    media: tuple[str, ...] = LD
    gives: str = ""
    status: tuple[int, ...] = (200,)


NO = frozenset[str]()
DETAILS = discovery.KNOWN
LOCAL = discovery.LOCAL
MANY = (201, 204, 207)
LOCALITY = subscriptions.LOCALITY
SUB_LIST = subscriptions.FORM | LOCALITY | {"limit", "offset", "count"}
WRITTEN = (204, 207)
VALUE_PARAMS = attributes.CHANGE | {"datasetId"}
SUB, REG = "Subscription", "CSourceRegistration"


def _op(
    summary: str,
    params: frozenset[str] = NO,
    body: str = "",
    gives: str = "",
    status: tuple[int, ...] = (200,),
    media: tuple[str, ...] = LD,
) -> Operation:
    return Operation(summary=summary, params=params, body=body, media=media, gives=gives, status=status)


# fmt: off
OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/entities"): _op("Create an entity (5.6.1)", entities.CREATE, "Entity", status=(201, 207)),
    ("GET", "/entities"): _op("Query entities (5.7.2)", query.QUERY, gives="Entities", status=(200, 203)),
    ("DELETE", "/entities"): _op("Purge entities (5.6.21)", query.PURGE, status=WRITTEN),
    ("GET", "/entities/{id}"): _op("Retrieve an entity (5.7.1)", entities.RETRIEVE, gives="Shown", status=(200, 203)),
    ("PUT", "/entities/{id}"): _op("Replace an entity (5.6.18)", entities.CHANGE, "Entity", status=WRITTEN),
    ("PATCH", "/entities/{id}"): _op("Merge an entity (5.6.17)", entities.MERGE, "Fragment", "", WRITTEN, PATCHES),
    ("DELETE", "/entities/{id}"): _op("Delete an entity (5.6.6)", entities.CHANGE, status=WRITTEN),
    ("POST", "/entities/{id}/attrs"): _op("Append attributes (5.6.3)", attributes.APPEND, "Fragment", "", WRITTEN),
    ("PATCH", "/entities/{id}/attrs"): _op(
        "Update attributes (5.6.2)", attributes.CHANGE, "Fragment", "", WRITTEN, PATCHES),
    ("GET", "/entities/{id}/attrs/{name}"): _op("Retrieve an attribute", attributes.ONE, gives="Any"),
    ("PATCH", "/entities/{id}/attrs/{name}"): _op(
        "Update an attribute partially (5.6.4)", attributes.CHANGE, "Attribute", "", WRITTEN, PATCHES),
    ("PUT", "/entities/{id}/attrs/{name}"): _op(
        "Replace an attribute (5.6.19)", attributes.CHANGE, "Attribute", "", WRITTEN),
    ("DELETE", "/entities/{id}/attrs/{name}"): _op("Delete an attribute (5.6.5)", attributes.DELETE, status=WRITTEN),
    ("GET", "/entities/{id}/attrs/{name}/value"): _op("Retrieve an attribute's value", VALUE_PARAMS, gives="Any"),
    ("PUT", "/entities/{id}/attrs/{name}/value"): _op("Set an attribute's value", VALUE_PARAMS, "Any", "", (204,)),
    ("POST", "/entityOperations/create"): _op("Create entities (5.6.7)", batch.LOCAL, "Batch", "", MANY),
    ("POST", "/entityOperations/upsert"): _op("Upsert entities (5.6.8)", batch.WITH_OPTIONS, "Batch", "", MANY),
    ("POST", "/entityOperations/update"): _op("Update entities (5.6.9)", batch.WITH_OPTIONS, "Batch", "", MANY),
    ("POST", "/entityOperations/merge"): _op("Merge entities (5.6.20)", batch.MERGE, "Batch", "", MANY),
    ("POST", "/entityOperations/delete"): _op("Delete entities (5.6.10)", batch.LOCAL, "Ids", "", MANY),
    ("POST", "/entityOperations/query"): _op(
        "Query entities by a body (5.7.2)", query.BY_BODY, "Query", "Entities", (200, 203)),
    ("GET", "/types"): _op("Types of entities (5.7.5, 5.7.6)", DETAILS, gives="Any"),
    ("GET", "/types/{type}"): _op("One type of entity (5.7.7)", LOCAL, gives="Object"),
    ("GET", "/attributes"): _op("Attributes of entities (5.7.8, 5.7.9)", DETAILS, gives="Any"),
    ("GET", "/attributes/{attribute}"): _op("One attribute (5.7.10)", LOCAL, gives="Object"),
    ("GET", "/info/sourceIdentity"): _op("Who this context source is (5.15.1)", gives="Object"),
    ("POST", "/jsonldContexts"): _op("Host a context (5.13.2)", body="Context", status=(201,)),
    ("GET", "/jsonldContexts"): _op("Contexts that are kept (5.13.3)", frozenset({"details", "kind"}), gives="Any"),
    ("GET", "/jsonldContexts/{id}"): _op("One context (5.13.4)", frozenset({"details"}), gives="Object"),
    ("DELETE", "/jsonldContexts/{id}"): _op("Forget or reload one (5.13.5)", frozenset({"reload"}), status=(204,)),
    ("POST", "/subscriptions"): _op("Subscribe (5.8.1)", LOCALITY, SUB, "", (201,)),
    ("GET", "/subscriptions"): _op("Subscriptions (5.8.4)", SUB_LIST, gives="Any"),
    ("GET", "/subscriptions/{id}"): _op("One subscription (5.8.3)", subscriptions.FORM | LOCALITY, gives="Object"),
    ("PATCH", "/subscriptions/{id}"): _op("Change a subscription (5.8.2)", LOCALITY, SUB, "", (204,), PATCHES),
    ("DELETE", "/subscriptions/{id}"): _op("Unsubscribe (5.8.5)", LOCALITY, status=(204,)),
    ("POST", "/csourceSubscriptions"): _op("Subscribe to sources (5.11.2)", LOCALITY, SUB, "", (201,)),
    ("GET", "/csourceSubscriptions"): _op("Subscriptions to sources (5.11.5)", SUB_LIST, gives="Any"),
    ("GET", "/csourceSubscriptions/{id}"): _op(
        "One subscription to sources (5.11.4)", subscriptions.FORM | LOCALITY, gives="Object"),
    ("PATCH", "/csourceSubscriptions/{id}"): _op(
        "Change a subscription to sources (5.11.3)", LOCALITY, SUB, "", (204,), PATCHES),
    ("DELETE", "/csourceSubscriptions/{id}"): _op("Unsubscribe from sources (5.11.6)", LOCALITY, status=(204,)),
    ("POST", "/csourceRegistrations"): _op("Register a source (5.9.2)", body=REG, status=(201,)),
    ("GET", "/csourceRegistrations"): _op("Sources (5.10.2)", registrations.QUERY, gives="Any"),
    ("GET", "/csourceRegistrations/{id}"): _op("One source (5.10.1)", registrations.SYSTEM, gives="Object"),
    ("PATCH", "/csourceRegistrations/{id}"): _op("Change a source (5.9.3)", NO, REG, "", (204,), PATCHES),
    ("DELETE", "/csourceRegistrations/{id}"): _op("Remove a source (5.9.4)", status=(204,)),
    ("GET", "/entityMaps"): _op("Make a map of a query (5.14.1)", query.QUERY, gives="Any", status=(200, 201)),
    ("GET", "/temporal/entityMaps"): _op(
        "Make a map of a query of the past (5.14.5)", temporal_query.QUERY, gives="Any", status=(200, 201)),
    ("POST", "/remote-notify"): _op("Take in what another broker notifies", body="Fragment", status=(200, 204)),
    ("GET", "/entityMaps/{id}"): _op("One map (5.14.2)", gives="Object"),
    ("PATCH", "/entityMaps/{id}"): _op("Keep a map longer (5.14.3)", NO, "Fragment", "", (204,), PATCHES),
    ("DELETE", "/entityMaps/{id}"): _op("Forget a map (5.14.4)", status=(204,)),
    ("POST", "/snapshots"): _op("Make a snapshot (5.16.1)", body="Snapshot", status=(201, 207)),
    ("DELETE", "/snapshots"): _op("Purge snapshots (5.16.6)", frozenset({"q"}), status=WRITTEN),
    ("GET", "/snapshots/{id}"): _op("One snapshot (5.16.3)", gives="Object"),
    ("PATCH", "/snapshots/{id}"): _op("Change a snapshot (5.16.4)", NO, "Snapshot", "", (204,), PATCHES),
    ("DELETE", "/snapshots/{id}"): _op("Delete a snapshot (5.16.5)", status=(204,)),
    ("POST", "/snapshots/{id}/clone"): _op("Clone a snapshot (5.16.2)", body="Snapshot", status=(201, 207)),
    ("POST", "/temporal/entities"): _op(
        "Create or extend an evolution (5.6.11)", temporal_provision.LOCAL, "Entity", "", (201, 204)),
    ("GET", "/temporal/entities"): _op(
        "Query evolutions (5.7.4)", temporal_query.QUERY, gives="Entities", status=(200, 206)),
    ("GET", "/temporal/entities/{id}"): _op(
        "Retrieve an evolution (5.7.3)", temporal_query.RETRIEVE, gives="Object", status=(200, 206)),
    ("POST", "/temporal/entityOperations/query"): _op(
        "Query evolutions by a body (5.7.4)", temporal_query.BY_BODY, "Query", "Entities", (200, 206)),
    ("DELETE", "/temporal/entities/{id}"): _op("Delete an evolution (5.6.16)", temporal_provision.LOCAL, status=(204,)),
    ("POST", "/temporal/entities/{id}/attrs"): _op(
        "Add to an evolution (5.6.12)", temporal_provision.LOCAL, "Fragment", "", (204,)),
    ("DELETE", "/temporal/entities/{id}/attrs/{name}"): _op(
        "Delete an attribute from an evolution (5.6.13)", temporal_provision.DELETE, status=(204,)),
    ("PATCH", "/temporal/entities/{id}/attrs/{name}/{instance}"): _op(
        "Modify an attribute instance (5.6.14)", temporal_provision.LOCAL, "Fragment", "", (204,), PATCHES),
    ("DELETE", "/temporal/entities/{id}/attrs/{name}/{instance}"): _op(
        "Delete an attribute instance (5.6.15)", temporal_provision.LOCAL, status=(204,)),
}
# fmt: on
