# SPDX-License-Identifier: Apache-2.0
"""What a Datastream is for detectors: the thing that its `properties` name, if they do."""

from datetime import datetime

from citybrain.doors.sensorthings.model import RESULT, Kind
from citybrain.kernel.entities.document import Document
from citybrain.kernel.records import Entity, Json
from citybrain.kernel.sensing import Meant

DATASTREAM = f"Sta{Kind.DATASTREAM}"
TYPE, ATTRIBUTE = "type", "attribute"


def meaning(document: Document) -> Meant | None:
    """A Datastream with `properties` {"type": "FloodMonitoring", "attribute": "currentLevel", …} is such a thing, whose
    attribute are its results; what else they say are its facts. Its place is where it observed."""
    properties = _value(document, "properties")
    if not isinstance(properties, dict):
        return None
    type, attribute = properties.get(TYPE), properties.get(ATTRIBUTE)
    if not isinstance(type, str) or not isinstance(attribute, str):
        return None
    facts = {name: value for name, value in properties.items() if name not in (TYPE, ATTRIBUTE)}
    changed_at = document.modified_at or document.created_at
    entity = Entity(
        id=document.id,
        type=type,
        source="sensorthings",
        observed_at=datetime.fromisoformat(changed_at),
        geometry=_value(document, "observedArea"),
        attributes=facts,
    )
    return Meant(entity=entity, names={RESULT: attribute})


def _value(document: Document, name: str) -> Json:
    return next((each.value for each in document.attributes.get(name, ())), None)
