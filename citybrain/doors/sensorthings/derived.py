# SPDX-License-Identifier: Apache-2.0
"""How entities that came by another door look as Things, Datastreams and so on. Nothing is copied."""

from collections.abc import Callable, Mapping

from citybrain.doors.sensorthings.model import Kind
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.ld.context import full_iri
from citybrain.kernel.records import Json

GEOJSON = "application/geo+json"
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"

Fields = dict[str, Json]


def fields_of(kind: Kind, document: Document | None, attribute: tuple[str, str]) -> Fields:
    """The properties of what an entity of another door is seen as; `attribute` is name and data set."""
    if document is None:
        return _unknown_sensor() if kind is Kind.SENSOR else _observed_property(attribute)
    return _WAYS[kind](document, attribute)


def _instance(document: Document, attribute: tuple[str, str]) -> Instance | None:
    name, dataset_id = attribute
    return next((one for one in document.attributes.get(name, ()) if one.dataset_id == dataset_id), None)


def _word(document: Document, attribute: str) -> str:
    """The text of a Property, or of a LanguageProperty in its first language."""
    for each in document.attributes.get(attribute, ()):
        if isinstance(each.value, str):
            return each.value
        if each.type is AttributeType.LANGUAGE_PROPERTY and isinstance(each.value, Mapping):
            words = [word for word in each.value.values() if isinstance(word, str)]
            if words:
                return words[0]
    return ""


def _name(document: Document) -> str:
    return _word(document, "name") or document.id


def _described(document: Document) -> str:
    return _word(document, "description") or ", ".join(document.types)


def _thing(document: Document, _attribute: tuple[str, str]) -> Fields:
    others = {
        name: instances[0].value
        for name, instances in document.attributes.items()
        if name not in ("name", "description") and instances[0].type is not AttributeType.GEO_PROPERTY
    }
    inside = {"id": document.id, "type": list(document.types), **others}
    return {"name": _name(document), "description": _described(document), "properties": inside}


def _stream(document: Document, attribute: tuple[str, str]) -> Fields:
    instance = _instance(document, attribute)
    unit = instance.unit_code if instance else ""
    name = attribute[0] if not attribute[1] else f"{attribute[0]} ({attribute[1]})"
    return {
        "name": f"{_name(document)}: {name}",
        "description": f"{name} of {document.id}",
        "unitOfMeasurement": {
            "name": unit or None,
            "symbol": unit or None,
            "definition": f"http://qudt.org/vocab/unit/{unit}" if unit else None,
        },
        "observationType": MEASUREMENT,
    }


def _place(document: Document, attribute: tuple[str, str], key: str) -> Fields:
    instance = _instance(document, attribute)
    return {
        "name": _name(document),
        "description": f"{attribute[0]} of {document.id}",
        "encodingType": GEOJSON,
        key: instance.value if instance else None,
    }


def _observed_property(attribute: tuple[str, str]) -> Fields:
    name, dataset_id = attribute
    told = f"{name} ({dataset_id})" if dataset_id else name
    return {"name": told, "description": f"The attribute {told} of entities", "definition": full_iri(name)}


def _unknown_sensor() -> Fields:
    return {
        "name": "unknown",
        "description": "Whatever observed what did not come through this interface: it is not told",
        "encodingType": "text/plain",
        "metadata": "",
    }


_WAYS: Mapping[Kind, Callable[[Document, tuple[str, str]], Fields]] = {
    Kind.THING: _thing,
    Kind.DATASTREAM: _stream,
    Kind.LOCATION: lambda document, attribute: _place(document, attribute, "location"),
    Kind.FEATURE_OF_INTEREST: lambda document, attribute: _place(document, attribute, "feature"),
}
