# SPDX-License-Identifier: Apache-2.0
"""The eight kinds of entities of SensorThings, their properties and relations (OGC 18-088 clause 8.2)."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """A kind of entity."""

    THING = "Thing"
    LOCATION = "Location"
    HISTORICAL_LOCATION = "HistoricalLocation"
    DATASTREAM = "Datastream"
    SENSOR = "Sensor"
    OBSERVED_PROPERTY = "ObservedProperty"
    OBSERVATION = "Observation"
    FEATURE_OF_INTEREST = "FeatureOfInterest"


class Holds(StrEnum):
    """What a property holds."""

    TEXT = "text"
    JSON = "json"
    OBJECT = "object"
    PLACE = "place"
    INSTANT = "instant"
    SPAN = "span"


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """A property: what it holds, whether it must be given, whether only the service writes it."""

    holds: Holds = Holds.TEXT
    required: bool = False
    computed: bool = False


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A relation as navigation link. `attribute` holds it in the document; without one it is the way back of `back`."""

    to: Kind
    many: bool = False
    required: bool = False
    attribute: str = ""
    back: str = ""


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to a kind. `type` is the type of its documents; an Observation has none."""

    kind: Kind
    set_name: str
    type: str = ""
    properties: Mapping[str, Property]
    relations: Mapping[str, Relation]


TEXT, NEEDED = Property(), Property(required=True)
OBJECT = Property(holds=Holds.OBJECT)
RESULT = "result"
"""The attribute of a Datastream's document whose history its Observations are."""
FEATURES = "featuresOfInterest"
"""The attribute of a Datastream's document that holds of which features it has Observations."""
FROM_LOCATION = "fromLocation"
"""The attribute of a FeatureOfInterest's document that holds the Location which it was made of."""

_NAMED = {"name": NEEDED, "description": NEEDED}

SCHEMAS: Mapping[Kind, Schema] = {
    Kind.THING: Schema(
        kind=Kind.THING,
        set_name="Things",
        type="StaThing",
        properties={**_NAMED, "properties": OBJECT},
        relations={
            "Datastreams": Relation(to=Kind.DATASTREAM, many=True, back="Thing"),
            "Locations": Relation(to=Kind.LOCATION, many=True, attribute="locations"),
            "HistoricalLocations": Relation(to=Kind.HISTORICAL_LOCATION, many=True, back="Thing"),
        },
    ),
    Kind.LOCATION: Schema(
        kind=Kind.LOCATION,
        set_name="Locations",
        type="StaLocation",
        properties={
            **_NAMED,
            "properties": OBJECT,
            "encodingType": NEEDED,
            "location": Property(holds=Holds.PLACE, required=True),
        },
        relations={
            "Things": Relation(to=Kind.THING, many=True, back="Locations"),
            "HistoricalLocations": Relation(to=Kind.HISTORICAL_LOCATION, many=True, back="Locations"),
        },
    ),
    Kind.HISTORICAL_LOCATION: Schema(
        kind=Kind.HISTORICAL_LOCATION,
        set_name="HistoricalLocations",
        type="StaHistoricalLocation",
        properties={"time": Property(holds=Holds.INSTANT, required=True)},
        relations={
            "Thing": Relation(to=Kind.THING, required=True, attribute="thing"),
            "Locations": Relation(to=Kind.LOCATION, many=True, attribute="locations"),
        },
    ),
    Kind.DATASTREAM: Schema(
        kind=Kind.DATASTREAM,
        set_name="Datastreams",
        type="StaDatastream",
        properties={
            **_NAMED,
            "properties": OBJECT,
            "unitOfMeasurement": Property(holds=Holds.OBJECT, required=True),
            "observationType": NEEDED,
            "observedArea": Property(holds=Holds.PLACE),
            "phenomenonTime": Property(holds=Holds.SPAN, computed=True),
            "resultTime": Property(holds=Holds.SPAN, computed=True),
        },
        relations={
            "Thing": Relation(to=Kind.THING, required=True, attribute="thing"),
            "Sensor": Relation(to=Kind.SENSOR, required=True, attribute="sensor"),
            "ObservedProperty": Relation(to=Kind.OBSERVED_PROPERTY, required=True, attribute="observedProperty"),
            "Observations": Relation(to=Kind.OBSERVATION, many=True, back="Datastream"),
        },
    ),
    Kind.SENSOR: Schema(
        kind=Kind.SENSOR,
        set_name="Sensors",
        type="StaSensor",
        properties={
            **_NAMED,
            "properties": OBJECT,
            "encodingType": NEEDED,
            "metadata": Property(holds=Holds.JSON, required=True),
        },
        relations={"Datastreams": Relation(to=Kind.DATASTREAM, many=True, back="Sensor")},
    ),
    Kind.OBSERVED_PROPERTY: Schema(
        kind=Kind.OBSERVED_PROPERTY,
        set_name="ObservedProperties",
        type="StaObservedProperty",
        properties={**_NAMED, "definition": NEEDED, "properties": OBJECT},
        relations={"Datastreams": Relation(to=Kind.DATASTREAM, many=True, back="ObservedProperty")},
    ),
    Kind.OBSERVATION: Schema(
        kind=Kind.OBSERVATION,
        set_name="Observations",
        properties={
            "phenomenonTime": Property(holds=Holds.SPAN),
            "resultTime": Property(holds=Holds.INSTANT),
            "result": Property(holds=Holds.JSON, required=True),
            "resultQuality": Property(holds=Holds.JSON),
            "validTime": Property(holds=Holds.SPAN),
            "parameters": OBJECT,
        },
        relations={
            "Datastream": Relation(to=Kind.DATASTREAM, required=True),
            "FeatureOfInterest": Relation(to=Kind.FEATURE_OF_INTEREST),
        },
    ),
    Kind.FEATURE_OF_INTEREST: Schema(
        kind=Kind.FEATURE_OF_INTEREST,
        set_name="FeaturesOfInterest",
        type="StaFeatureOfInterest",
        properties={
            **_NAMED,
            "properties": OBJECT,
            "encodingType": NEEDED,
            "feature": Property(holds=Holds.PLACE, required=True),
        },
        relations={"Observations": Relation(to=Kind.OBSERVATION, many=True, back="FeatureOfInterest")},
    ),
}
BY_SET: Mapping[str, Schema] = {schema.set_name: schema for schema in SCHEMAS.values()}
BY_TYPE: Mapping[str, Kind] = {schema.type: kind for kind, schema in SCHEMAS.items() if schema.type}
