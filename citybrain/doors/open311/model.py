# SPDX-License-Identifier: Apache-2.0
"""Services and requests as the pool has them, and as GeoReport v2 shows them: pure.

The entities are those of FIWARE's models `Open311ServiceType` and `Open311ServiceRequest`. Whoever published them may
have said less than all, or said it in one language only: what is missing is left out or empty.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from citybrain.kernel.entities.document import Attributes, Document
from citybrain.kernel.records import Json, Text

SERVICE, REQUEST = "Open311ServiceType", "Open311ServiceRequest"
LISTS = ("singlevaluelist", "multivaluelist")
DATATYPES = frozenset({"string", "number", "datetime", "text", *LISTS})

Said = str | Text
"""Words in one language nobody named, or in several."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute of a service: what whoever reports is asked. `options` are keys with their names."""

    code: str
    datatype: str = "string"
    required: bool = False
    variable: bool = True
    description: Said = ""
    hint: Said = ""
    options: Mapping[str, Said] = {}

    @property
    def several(self) -> bool:
        """Whether it may be answered more than once."""
        return self.datatype == "multivaluelist"


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be reported."""

    code: str
    name: Said = ""
    description: Said = ""
    keywords: str = ""
    group: Said = ""
    questions: tuple[Question, ...] = ()


def value_of(attributes: Attributes, name: str) -> Json:
    """The value of an attribute; None when there is none."""
    several = attributes.get(name)
    return several[0].value if several else None


def word_of(attributes: Attributes, name: str) -> str:
    """A value as a plain text; empty when it is none."""
    return _plain(value_of(attributes, name))


def said(words: Json, lang: str) -> str:
    """Words in a language, else in any that they are in."""
    if isinstance(words, Mapping):
        first = next(iter(words.values()), "")
        return str(words.get(lang, words.get("@none", first)))
    return words if isinstance(words, str) else ""


def service_of(document: Document) -> Service:
    """A service as it was published."""
    given = document.attributes
    asked = value_of(given, "attributes")
    found = [_question(each) for each in asked if isinstance(each, Mapping)] if isinstance(asked, list) else []
    keywords = value_of(given, "keywords")
    joined = ", ".join(map(str, keywords)) if isinstance(keywords, list) else word_of(given, "keywords")
    return Service(
        code=word_of(given, "service_code"),
        name=value_of(given, "service_name") or "",
        description=value_of(given, "description") or "",
        keywords=joined,
        group=value_of(given, "group") or "",
        questions=tuple(each for each in found if each.code),
    )


def _question(given: Mapping[str, Any]) -> Question:
    values = given.get("values")
    options = [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []
    datatype = str(given.get("datatype", "string"))
    return Question(
        code=str(given.get("code", "")),
        datatype=datatype if datatype in DATATYPES else "string",
        required=given.get("required") is True,
        variable=given.get("variable") is not False,
        description=given.get("description") or "",
        hint=given.get("datatype_description") or "",
        options={str(each.get("key", "")): each.get("name") or "" for each in options},
    )


def shown_service(service: Service, lang: str) -> dict[str, Json]:
    """A member of the list of services (GET Service List). Numbers are always given at once: `realtime`."""
    return {
        "service_code": service.code,
        "service_name": said(service.name, lang) or service.code,
        "description": said(service.description, lang),
        "metadata": bool(service.questions),
        "type": "realtime",
        "keywords": service.keywords,
        "group": said(service.group, lang),
    }


def shown_definition(service: Service, lang: str) -> dict[str, Json]:
    """What is asked of whoever reports (GET Service Definition)."""
    asked = [_shown_question(order, each, lang) for order, each in enumerate(service.questions, start=1)]
    return {"service_code": service.code, "attributes": asked}


def _shown_question(order: int, question: Question, lang: str) -> dict[str, Json]:
    shown: dict[str, Json] = {
        "variable": question.variable,
        "code": question.code,
        "datatype": question.datatype,
        "required": question.required,
        "datatype_description": said(question.hint, lang) or None,
        "order": order,
        "description": said(question.description, lang) or question.code,
    }
    if question.datatype in LISTS:
        names = question.options.items()
        shown["values"] = [{"key": key, "name": said(name, lang) or key} for key, name in names]
    return shown


# Members of a request in the standard's order; those that are words may be in several languages.
_PLAIN = ("service_request_id", "status", "status_notes", "service_name", "service_code", "description")
_MORE = ("agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime")


def shown_request(document: Document, lang: str) -> dict[str, Json]:
    """A request as everybody sees it (GET Service Requests); what nobody published is null."""
    given = document.attributes
    shown: dict[str, Json] = {name: _shown(given, name, lang) for name in (*_PLAIN, *_MORE)}
    shown["status"] = "closed" if shown["status"] == "closed" else "open"
    shown["address"] = _shown(given, "address", lang) or _shown(given, "address_string", lang)
    shown["address_id"] = _shown(given, "address_id", lang)
    shown["zipcode"] = _shown(given, "zipcode", lang)
    place = point_of(value_of(given, "location"))
    shown["lat"], shown["long"] = (place[1], place[0]) if place else (None, None)
    media = value_of(given, "media_url")
    shown["media_url"] = media[0] if isinstance(media, list) and media else _shown(given, "media_url", lang)
    return shown


def _shown(attributes: Attributes, name: str, lang: str) -> str | None:
    value = value_of(attributes, name)
    if isinstance(value, Mapping) and "@value" in value:  # a date as NGSI-LD writes it
        value = value["@value"]
    return (said(value, lang) if isinstance(value, Mapping) else _plain(value)) or None


def _plain(value: Json) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def point_of(geometry: Json) -> tuple[float, float] | None:
    """Longitude and latitude of a point; None for any other geometry."""
    if not isinstance(geometry, Mapping) or geometry.get("type") != "Point":
        return None
    at: Sequence[Any] = geometry.get("coordinates") or ()
    return (float(at[0]), float(at[1])) if len(at) >= 2 else None


def requested_at(attributes: Attributes) -> datetime | None:
    """When a request was made, with a zone; None when nobody said so, or not in a form that is known."""
    value = value_of(attributes, "requested_datetime")
    text = value.get("@value") if isinstance(value, Mapping) else value
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
