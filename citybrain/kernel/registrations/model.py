# SPDX-License-Identifier: Apache-2.0
"""A context source registration as the city keeps it: internal names, read once (CIM 009 clauses 5.2.8 to 5.2.10)."""

from enum import StrEnum

import msgspec

from citybrain.kernel.records import Json


class Mode(StrEnum):
    """What a registration claims (clause 4.3.6): to add, to be the only one, to replace, or to fill gaps."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"
    REDIRECT = "redirect"
    AUXILIARY = "auxiliary"

    @property
    def is_proxied(self) -> bool:
        """Whether what it covers is held by the source and not here."""
        return self in {Mode.EXCLUSIVE, Mode.REDIRECT}


class EntityInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which entities (clause 5.2.8); types are internal names, none means any."""

    types: tuple[str, ...] = ()
    id: str = ""
    id_pattern: str = ""


class Information(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a source can provide (clause 5.2.10); no names at all means every attribute."""

    entities: tuple[EntityInfo, ...] = ()
    properties: tuple[str, ...] = ()
    relationships: tuple[str, ...] = ()

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes it is limited to, by internal name; empty when it is not limited."""
        return frozenset((*self.properties, *self.relationships))


class Management(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to deal with a source (clause 5.2.34); 0 and "" where it does not say."""

    timeout_ms: float = 0
    cooldown_ms: float = 0
    cache_duration: str = ""
    local_only: bool = False


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One context source registration (clause 5.2.9).

    `members` hold what the standard names and we only show again, by its own name; `properties` are the context
    source properties of the registrant, by internal name.
    """

    id: str
    endpoint: str
    information: tuple[Information, ...]
    mode: Mode = Mode.INCLUSIVE
    operations: tuple[str, ...] = ()
    tenant: str = ""
    scopes: tuple[str, ...] = ()
    source_info: tuple[tuple[str, str], ...] = ()
    management: Management | None = None
    local_only: bool = False
    alias: str = ""
    expires_at: str = ""
    created_at: str = ""
    modified_at: str = ""
    members: dict[str, Json] = {}
    properties: dict[str, Json] = {}

    @property
    def stays_local(self) -> bool:
        """Whether operations sent there must not go on from there (clause 4.3.6.4)."""
        return self.local_only or bool(self.management and self.management.local_only)

    def supports(self, operation: str) -> bool:
        """Whether the source takes an operation, by its name in clause 4.20; unsaid means `federationOps`."""
        return any(
            operation == one or operation in GROUPS.get(one, ()) for one in self.operations or ("federationOps",)
        )


_RETRIEVE = ("retrieveEntity", "queryEntity")
_UPDATE = ("updateEntity", "updateAttrs", "replaceEntity", "replaceAttrs")
_DISCOVER = (
    "retrieveEntityTypes",
    "retrieveEntityTypeDetails",
    "retrieveEntityTypeInfo",
    "retrieveAttrTypes",
    "retrieveAttrTypeDetails",
    "retrieveAttrTypeInfo",
)
_MAPS = ("retrieveEntityMap", "updateEntityMap", "deleteEntityMap", "createEntityMapQueryEntity")
_SUBSCRIBE = (
    "createSubscription",
    "updateSubscription",
    "retrieveSubscription",
    "querySubscription",
    "deleteSubscription",
)
_IDENTITY = ("retrieveContextSourceIdentity",)

GROUPS: dict[str, frozenset[str]] = {
    "retrieveOps": frozenset(_RETRIEVE),
    "updateOps": frozenset(_UPDATE),
    "federationOps": frozenset((*_RETRIEVE, "queryBatch", *_DISCOVER, *_SUBSCRIBE, *_MAPS, *_IDENTITY)),
    "redirectionOps": frozenset(
        (
            "createEntity",
            "appendAttrs",
            "deleteAttrs",
            "deleteEntity",
            "mergeEntity",
            "purgeEntity",
            *_UPDATE,
            *_RETRIEVE,
            *_DISCOVER,
            *_MAPS,
            *_IDENTITY,
        )
    ),
}
"""Groups of operations (clause 4.20)."""

OPERATIONS: frozenset[str] = frozenset(GROUPS).union(
    *GROUPS.values(),
    (
        "createBatch",
        "upsertBatch",
        "updateBatch",
        "deleteBatch",
        "mergeBatch",
        "retrieveTemporal",
        "queryTemporal",
        "upsertTemporal",
        "deleteTemporal",
        "appendAttrsTemporal",
        "deleteAttrsTemporal",
        "updateAttrInstanceTemporal",
        "deleteAttrInstanceTemporal",
        "createEntityMapQueryTemporal",
        "createEntityMapTemporal",
        "createSnapshot",
        "cloneSnapshot",
        "retrieveSnapshotStatus",
        "updateSnapshotStatus",
        "deleteSnapshot",
        "purgeSnapshots",
        "associationOps",
    ),
)
"""What a registration may name (clause 4.20)."""
