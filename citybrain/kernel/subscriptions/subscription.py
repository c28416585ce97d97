# SPDX-License-Identifier: Apache-2.0
"""A subscription as the city keeps it: internal names, read once (CIM 009 clauses 5.2.12 to 5.2.15)."""

from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.records import Facts, Json


class Kind(StrEnum):
    """What is watched: entities (clause 5.8), or the registrations of context sources (clause 5.11)."""

    ENTITIES = "entities"
    SOURCES = "sources"


class Trigger(StrEnum):
    """What may cause a notification (table 5.2.12-1)."""

    ENTITY_CREATED = "entityCreated"
    ENTITY_UPDATED = "entityUpdated"
    ENTITY_DELETED = "entityDeleted"
    ATTRIBUTE_CREATED = "attributeCreated"
    ATTRIBUTE_UPDATED = "attributeUpdated"
    ATTRIBUTE_DELETED = "attributeDeleted"


USUAL_TRIGGERS = (Trigger.ATTRIBUTE_CREATED, Trigger.ATTRIBUTE_UPDATED)
"""What counts when a subscription names no trigger (table 5.2.12-1)."""


class Status(StrEnum):
    """Whether a subscription is at work (table 5.2.12-2)."""

    ACTIVE = "active"
    PAUSED = "paused"
    EXPIRED = "expired"


class Selector(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which entities (clause 5.2.33). `type` is a type selection (clause 4.17) whose names are internal names."""

    type: str
    ids: tuple[str, ...] = ()
    id_pattern: str = ""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where notifications go (clause 5.2.15); 0 where the subscriber says nothing of the time."""

    uri: str
    accept: str = ""
    receiver_info: tuple[tuple[str, str], ...] = ()
    notifier_info: tuple[tuple[str, str], ...] = ()
    cooldown_ms: float = 0
    timeout_ms: float = 0

    @property
    def by_mqtt(self) -> bool:
        """Whether it is an MQTT endpoint (clause 7)."""
        return self.uri.startswith(("mqtt://", "mqtts://"))


class Params(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told and how (clause 5.2.14). `format` is the word as it was given; names are internal names."""

    endpoint: Endpoint
    attributes: tuple[str, ...] = ()
    pick: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    format: str = ""
    sys_attrs: bool = False
    show_changes: bool = False
    join: str = ""
    join_level: int = 0


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One subscription of one tenant.

    `context` is what its notifications are written with (`context_url` names it), `query_context` what `q`, `csf` and
    `geo_q` were written with; both as `Contexts.resolve` takes them. `number` is how notices name it.
    """

    id: str
    params: Params
    tenant: str = ""
    kind: Kind = Kind.ENTITIES
    number: int = 0
    name: str = ""
    description: str = ""
    selectors: tuple[Selector, ...] = ()
    watched: tuple[str, ...] = ()
    time_interval_s: float = 0
    throttling_s: float = 0
    q: str = ""
    csf: str = ""
    scope_q: str = ""
    geo_q: dict[str, Json] = {}
    temporal_q: dict[str, Json] = {}
    lang: str = ""
    dataset_ids: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = USUAL_TRIGGERS
    is_active: bool = True
    expires_at: str = ""
    local_only: bool = False
    split_entities: bool = False
    json_keys: tuple[str, ...] = ()
    expand_values: tuple[str, ...] = ()
    context: Json = None
    context_url: str = ""
    query_context: Json = None
    created_at: str = ""
    modified_at: str = ""

    def status(self, now: datetime) -> Status:
        """Whether it is at work now."""
        if self.expires_at and datetime.fromisoformat(self.expires_at) <= now:
            return Status.EXPIRED
        return Status.ACTIVE if self.is_active else Status.PAUSED


class Why(msgspec.Struct, frozen=True):
    """Why something was not told: the code of a sentence with its facts."""

    code: str
    facts: Facts = {}


class Health(msgspec.Struct, kw_only=True):
    """What became of a subscription's notifications (table 5.2.14.2-1). Not frozen: it counts.

    `times_sent` and `times_failed` count notifications, each once however often it is tried. `tries` are those of
    the notification that is being tried now, `why` the last failure's `Why` in JSON.
    """

    times_sent: int = 0
    times_failed: int = 0
    last_notification: datetime | None = None
    last_success: datetime | None = None
    last_failure: datetime | None = None
    tries: int = 0
    why: str = ""
    dead: int = 0

    @property
    def is_failing(self) -> bool:
        """Whether the newest try failed."""
        return self.last_failure is not None and (self.last_success is None or self.last_failure > self.last_success)


class SubscriptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription with its health, for the screen; `why` says why the last failure was one."""

    id: str
    tenant: str
    kind: Kind
    name: str
    endpoint: str
    status: Status
    waiting: int
    lag_s: float
    oldest_at: datetime | None
    times_sent: int
    times_failed: int
    dead: int
    last_notification: datetime | None
    last_success: datetime | None
    last_failure: datetime | None
    why: Why | None
