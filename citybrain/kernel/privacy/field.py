# SPDX-License-Identifier: Apache-2.0
"""What is said of each personal field before it may be asked for: what for, on what ground, for how long."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

import msgspec


class Basis(StrEnum):
    """Why personal data may be handled (个人信息保护法 article 13)."""

    CONSENT = "consent"  # (1)
    CONTRACT = "contract"  # (2)
    DUTY = "duty"  # (3) statutory duties and powers
    EMERGENCY = "emergency"  # (4) public health, life and property
    NEWS = "news"  # (5)
    PUBLISHED = "published"  # (6) what the person or the law made public
    LAW = "law"  # (7) other laws and regulations


class AtEnd(StrEnum):
    """What becomes of a value when its time is over."""

    ERASE = "erase"
    ANONYMISE = "anonymise"
    KEEP_BY_LAW = "keep_by_law"


class Sort(StrEnum):
    """What sort of value it is: this says how it is masked and how it is made equal for search."""

    PHONE = "phone"
    ID_NUMBER = "id_number"
    NAME = "name"
    ADDRESS = "address"
    EMAIL = "email"
    OTHER = "other"


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long a value is kept after the case it belongs to is closed, and then what; `law` where a law says so."""

    keep: timedelta
    then: AtEnd = AtEnd.ERASE
    law: str = ""

    @classmethod
    def of_days(cls, days: int, then: AtEnd = AtEnd.ERASE, law: str = "") -> "Retention":
        """The usual way to say it."""
        return cls(keep=timedelta(days=days), then=then, law=law)


class PersonalField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a form or table that tells of a person.

    `name` as in the form's schema, `purpose` one of the form's, `sensitive` as in article 28 (separate consent).
    """

    name: str
    purpose: str
    legal_basis: Basis
    retention: Retention
    sort: Sort = Sort.OTHER
    sensitive: bool = False


# fmt: off
PERSONAL_WORDS = frozenset({
    "phone", "mobile", "telephone", "tel", "email", "mail", "name",
    "full_name", "real_name", "id_number", "id_card", "identity", "passport", "address",
    "home", "birthday", "birth_date", "gender", "sex", "nationality", "ethnicity",
    "religion", "health", "bank_account", "card_number", "plate", "wechat", "qq",
    "photo_of_face", "fingerprint", "salary", "marital_status", "reporter", "reporter_name", "contact",
    "contact_name", "contact_phone",
})
# fmt: on
"""Names of fields that tell of a person whatever a form says of them."""

MARK = "x-personal"
"""What a schema says at a property that tells of a person, however it is called."""


def asked_for(form: Mapping[str, Any]) -> list[str]:
    """The names of all fields that a form (JSON Schema) can ask for, parts of parts and conditional ones included."""
    return list(_properties(form))


def personal(form: Mapping[str, Any]) -> list[str]:
    """The names of those fields that tell of a person: marked so, or called so."""
    found = _properties(form)
    return [name for name, schema in found.items() if schema.get(MARK) or name.lower() in PERSONAL_WORDS]


def excess(form: Mapping[str, Any], purpose: str, declared: Collection[PersonalField] = ()) -> list[str]:
    """The personal fields that a form asks for although nothing declares them for its purpose (article 6: no more
    than the purpose needs)."""
    needed = {field.name for field in declared if field.purpose == purpose}
    return sorted(name for name in personal(form) if name not in needed)


_INSIDE = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_BRANCHES = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = ("if", "then", "else", "items", "not", "additionalProperties", "contains")


def _properties(schema: Any) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    if not isinstance(schema, Mapping):
        return found
    for name, inner in schema.get("properties", {}).items():
        found[name] = inner if isinstance(inner, Mapping) else {}
    for inner in _parts(schema):
        for name, each in _properties(inner).items():
            found.setdefault(name, each)
    return found


def _parts(schema: Mapping[str, Any]) -> Sequence[Any]:
    many = [inner for key in _INSIDE for inner in dict(schema.get(key) or {}).values()]
    branches = [inner for key in _BRANCHES for inner in schema.get(key) or ()]
    return [*many, *branches, *(schema[key] for key in _SINGLE if key in schema)]
