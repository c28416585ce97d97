# SPDX-License-Identifier: Apache-2.0
"""The form in which the city keeps an entity, and what a change of it is (ETSI GS CIM 009 V1.9.1, clause 4).

Names are internal names: what `ld.Context` makes of a term. A term of the default context or of the core context
stands as the term itself (`speed`, `location`); every other name is its full IRI.
Times are texts in ISO 8601, UTC, ending in `Z`, as they were given; those we make have no trailing zeros.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.records import Json

NULL = "urn:ngsi-ld:null"
"""What stands for "delete this" in a merge or partial update, and for a deleted value in a notification."""

DEFAULT_TENANT = ""


class AttributeType(StrEnum):
    """The kinds of attributes (CIM 009 clauses 4.5.2 to 4.5.24)."""

    PROPERTY = "Property"
    RELATIONSHIP = "Relationship"
    GEO_PROPERTY = "GeoProperty"
    LANGUAGE_PROPERTY = "LanguageProperty"
    VOCAB_PROPERTY = "VocabProperty"
    LIST_PROPERTY = "ListProperty"
    LIST_RELATIONSHIP = "ListRelationship"
    JSON_PROPERTY = "JsonProperty"


VALUE_KEY: Mapping[AttributeType, str] = {
    AttributeType.PROPERTY: "value",
    AttributeType.RELATIONSHIP: "object",
    AttributeType.GEO_PROPERTY: "value",
    AttributeType.LANGUAGE_PROPERTY: "languageMap",
    AttributeType.VOCAB_PROPERTY: "vocab",
    AttributeType.LIST_PROPERTY: "valueList",
    AttributeType.LIST_RELATIONSHIP: "objectList",
    AttributeType.JSON_PROPERTY: "json",
}
"""Under which key the wire holds the value of an attribute of each kind."""


class Instance(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """One instance of an attribute; an attribute has one for each `dataset_id`, "" being the default instance.

    `value` is what the wire has under `VALUE_KEY`: a GeoJSON geometry in WGS-84, a language map, an IRI or list of
    IRIs, an internal name (or list) for a VocabProperty, a plain list for list kinds, any JSON otherwise.
    `attributes` are attributes of the attribute. `extra` holds further members of the standard as they came
    (`valueType`, `ngsildproof`, …), by internal name.
    """

    type: AttributeType
    value: Json = None
    dataset_id: str = ""
    observed_at: str = ""
    unit_code: str = ""
    created_at: str = ""
    modified_at: str = ""
    expires_at: str = ""
    object_type: tuple[str, ...] = ()
    attributes: dict[str, tuple["Instance", ...]] = {}
    extra: dict[str, Json] = {}


Attributes = dict[str, tuple[Instance, ...]]


class Document(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """An entity as it is now. Its `attributes` map an internal name to its instances, each with its `dataset_id`."""

    id: str
    types: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    created_at: str = ""
    modified_at: str = ""
    expires_at: str = ""
    attributes: Attributes = {}


class Done(StrEnum):
    """What became of an attribute instance or of an entity."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class AttributeChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one attribute instance: `after` is None when it was deleted, `before` when it was new.

    An update that writes the same value again is an update too; `before` and `after` tell whether it differs.
    """

    name: str
    done: Done
    before: Instance | None
    after: Instance | None

    @property
    def dataset_id(self) -> str:
        """Which instance it is."""
        kept = self.after or self.before
        return kept.dataset_id if kept else ""


class EntityChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one entity, as one transaction: what is stored, kept in the history and told to subscribers.

    `before` is None when the entity is new, `after` when it is gone. `late` are observations that came after newer
    ones: they enter the history and replace nothing.
    """

    tenant: str
    id: str
    at: datetime
    before: Document | None
    after: Document | None
    attributes: tuple[AttributeChange, ...] = ()
    late: tuple[AttributeChange, ...] = ()

    @property
    def done(self) -> Done:
        """What became of the entity."""
        if self.before is None:
            return Done.CREATED
        return Done.DELETED if self.after is None else Done.UPDATED
