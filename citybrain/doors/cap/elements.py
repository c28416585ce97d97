# SPDX-License-Identifier: Apache-2.0
"""The elements of CAP as tables, in the order of the schema: what reads and what writes goes by them."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from citybrain.doors.cap import values
from citybrain.doors.cap.model import (
    Alert,
    Area,
    Category,
    Certainty,
    Harm,
    Info,
    MsgType,
    Named,
    Resource,
    ResponseType,
    Scope,
    Status,
    Urgency,
)
from citybrain.doors.cap.values import Kind


class Version(StrEnum):
    """A version of CAP. The city reads all three and writes the newest."""

    V10 = "1.0"
    V11 = "1.1"
    V12 = "1.2"


NAMESPACES: Mapping[str, Version] = {
    "http://www.incident.com/cap/1.0": Version.V10,
    "urn:oasis:names:tc:emergency:cap:1.1": Version.V11,
    "urn:oasis:names:tc:emergency:cap:1.2": Version.V12,
}
NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURES = "http://www.w3.org/2000/09/xmldsig#"


class Element(msgspec.Struct, frozen=True):
    """One row of a table: an element, the field it fills, what is in it, whether it must be there and may repeat.

    An element that is there but empty is like one that is not, unless `empty_counts`. A row without a field is read
    past.
    """

    name: str
    field: str
    inside: "Kind | Shape"
    needed: bool = False
    many: bool = False
    empty_counts: bool = False


class Shape(msgspec.Struct, frozen=True):
    """An element with elements in it: what it makes and its table."""

    make: Callable[..., Any]
    rows: tuple[Element, ...]


NAMED = Shape(
    Named,
    (
        Element("valueName", "name", values.TEXT, needed=True, empty_counts=True),
        Element("value", "value", values.TEXT, needed=True, empty_counts=True),
    ),
)
AREA = Shape(
    Area,
    (
        Element("areaDesc", "description", values.TEXT, needed=True, empty_counts=True),
        Element("polygon", "polygons", values.RING, many=True, empty_counts=True),
        Element("circle", "circles", values.CIRCLE, many=True, empty_counts=True),
        Element("geocode", "geocodes", NAMED, many=True),
        Element("altitude", "altitude", values.DECIMAL),
        Element("ceiling", "ceiling", values.DECIMAL),
    ),
)
RESOURCE = Shape(
    Resource,
    (
        Element("resourceDesc", "description", values.TEXT, needed=True, empty_counts=True),
        Element("mimeType", "mime_type", values.FILLED, needed=True, empty_counts=True),
        Element("size", "size", values.INTEGER),
        Element("uri", "uri", values.TEXT),
        Element("derefUri", "deref_uri", values.TEXT),
        Element("digest", "digest", values.TEXT),
    ),
)
INFO = Shape(
    Info,
    (
        Element("language", "language", values.LANGUAGE),
        Element("category", "categories", values.word(Category), needed=True, many=True, empty_counts=True),
        Element("event", "event", values.FILLED, needed=True, empty_counts=True),
        Element("responseType", "responses", values.word(ResponseType), many=True, empty_counts=True),
        Element("urgency", "urgency", values.word(Urgency), needed=True, empty_counts=True),
        Element("severity", "severity", values.word(Harm), needed=True, empty_counts=True),
        Element("certainty", "certainty", values.word(Certainty), needed=True, empty_counts=True),
        Element("audience", "audience", values.TEXT),
        Element("eventCode", "event_codes", NAMED, many=True),
        Element("effective", "effective", values.MOMENT, empty_counts=True),
        Element("onset", "onset", values.MOMENT, empty_counts=True),
        Element("expires", "expires", values.MOMENT, empty_counts=True),
        Element("senderName", "sender_name", values.TEXT),
        Element("headline", "headline", values.TEXT),
        Element("description", "description", values.TEXT),
        Element("instruction", "instruction", values.TEXT),
        Element("web", "web", values.TEXT),
        Element("contact", "contact", values.TEXT),
        Element("parameter", "parameters", NAMED, many=True),
        Element("resource", "resources", RESOURCE, many=True),
        Element("area", "areas", AREA, many=True),
    ),
)
ALERT = Shape(
    Alert,
    (
        Element("identifier", "identifier", values.TOKEN, needed=True, empty_counts=True),
        Element("sender", "sender", values.TOKEN, needed=True, empty_counts=True),
        Element("sent", "sent", values.MOMENT, needed=True, empty_counts=True),
        Element("status", "status", values.word(Status), needed=True, empty_counts=True),
        Element("msgType", "msg_type", values.word(MsgType), needed=True, empty_counts=True),
        Element("source", "source", values.TEXT),
        Element("scope", "scope", values.word(Scope), needed=True, empty_counts=True),
        Element("restriction", "restriction", values.TEXT),
        Element("addresses", "addresses", values.GROUP),
        Element("code", "codes", values.TEXT, many=True),
        Element("note", "note", values.TEXT),
        Element("references", "references", values.REFERENCES, empty_counts=True),
        Element("incidents", "incidents", values.GROUP),
        Element("info", "infos", INFO, many=True),
    ),
)


def _changed(shape: Shape, changes: Mapping[str, Element | None], make: Callable[..., Any] | None = None) -> Shape:
    """A table with other rows by name, or without them."""
    rows = [changes.get(row.name, row) for row in shape.rows]
    return Shape(make or shape.make, tuple(row for row in rows if row is not None))


def _resource_of_old(**fields: Any) -> Resource:
    """Before 1.2 a resource need not say its type."""
    return Resource(**{"mime_type": "application/octet-stream", **fields})


def _info_of_oldest(**fields: Any) -> Info:
    """CAP 1.0 needs no category."""
    return Info(**{"categories": (Category.OTHER,), **fields})


_OLD_TIMES = {
    name: Element(name, name, values.OLD_MOMENT, empty_counts=True) for name in ("effective", "onset", "expires")
}
_RESOURCE_11 = _changed(RESOURCE, {"mimeType": Element("mimeType", "mime_type", values.TEXT)}, _resource_of_old)
_NOT_IN_11 = frozenset({"Avoid", "AllClear"})
_INFO_11 = _changed(
    INFO,
    {
        **_OLD_TIMES,
        "responseType": Element("responseType", "responses", values.word(ResponseType, but=_NOT_IN_11), many=True),
        "resource": Element("resource", "resources", _RESOURCE_11, many=True),
    },
)
_SENT_OLD = Element("sent", "sent", values.OLD_MOMENT, needed=True, empty_counts=True)
ALERT_11 = _changed(ALERT, {"sent": _SENT_OLD, "info": Element("info", "infos", _INFO_11, many=True)})

_AREA_10 = _changed(AREA, {"geocode": Element("geocode", "geocodes", values.PAIR, many=True)})
_RESOURCE_10 = _changed(_RESOURCE_11, {"derefUri": None})
_CERTAINTY_10 = values.word(Certainty, but=frozenset({"Observed"}), also=(("Very Likely", "Likely"),))
_CATEGORY_10 = values.word(Category, but=frozenset({"CBRNE"}))
_INFO_10 = _changed(
    INFO,
    {
        **_OLD_TIMES,
        "category": Element("category", "categories", _CATEGORY_10, many=True),
        "responseType": None,
        "certainty": Element("certainty", "certainty", _CERTAINTY_10, needed=True, empty_counts=True),
        "eventCode": Element("eventCode", "event_codes", values.PAIR, many=True),
        "parameter": Element("parameter", "parameters", values.PAIR, many=True),
        "resource": Element("resource", "resources", _RESOURCE_10, many=True),
        "area": Element("area", "areas", _AREA_10, many=True),
    },
    _info_of_oldest,
)
_STATUS_10 = values.word(Status, but=frozenset({"Draft"}))
_ALERT_10 = _changed(
    ALERT,
    {
        "sent": _SENT_OLD,
        "status": Element("status", "status", _STATUS_10, needed=True, empty_counts=True),
        "scope": Element("scope", "scope", values.word(Scope)),
        "references": Element("references", "references", values.OLDEST_REFERENCES),
        "info": Element("info", "infos", _INFO_10, many=True),
    },
)
# A password, which 1.1 took out again, stood before the source; it is read past and never kept.
ALERT_10 = Shape(
    _ALERT_10.make,
    (*_ALERT_10.rows[:5], Element("password", "", values.TEXT), *_ALERT_10.rows[5:]),
)
ALERTS: Mapping[Version, Shape] = {Version.V10: ALERT_10, Version.V11: ALERT_11, Version.V12: ALERT}
