# SPDX-License-Identifier: Apache-2.0
"""Many Observations at once as arrays (OGC 18-088 clause 13.2, CreateObservations)."""

from collections.abc import Iterator, Mapping, Sequence

from citybrain.doors.sensorthings.creating import Creating
from citybrain.doors.sensorthings.model import SCHEMAS, Kind
from citybrain.doors.sensorthings.refusals import unusable
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Json

FEATURE = "FeatureOfInterest/id"


def take(creating: Creating, body: Json) -> Iterator[int | Refusal]:
    """Put every Observation into the draft: its place there, or why it was refused, in the order they came."""
    if not isinstance(body, list):
        raise unusable("array_unusable")
    for group in body:
        if not isinstance(group, dict):
            raise unusable("array_unusable")
        yield from _group(creating, group)


def _group(creating: Creating, group: Mapping[str, Json]) -> Iterator[int | Refusal]:
    stream = group.get("Datastream")
    components, rows = group.get("components"), group.get("dataArray")
    if not isinstance(stream, dict) or not isinstance(components, list) or not isinstance(rows, list):
        raise unusable("array_unusable")
    _check(components)
    try:
        given = {"Datastream": creating.linked(Kind.DATASTREAM, stream.get("@iot.id", stream.get("id")))}
    except Refusal as refusal:
        yield from [refusal] * len(rows)
        return
    known: dict[Json, str] = {}
    for row in rows:
        try:
            yield _row(creating, components, row, given, known)
        except Refusal as refusal:
            yield refusal


def _check(components: Sequence[Json]) -> None:
    """Refuses components that Observations do not have."""
    if not all(isinstance(name, str) for name in components):
        raise unusable("array_unusable")
    if "result" not in components:
        raise unusable("property_missing", name="result")
    for name in components:
        if name not in SCHEMAS[Kind.OBSERVATION].properties and name not in (FEATURE, "FeatureOfInterest/@iot.id"):
            raise unusable("property_unknown", name=str(name), kind=Kind.OBSERVATION)


def _row(
    creating: Creating, components: Sequence[Json], row: Json, given: dict[str, str], known: dict[Json, str]
) -> int:
    if not isinstance(row, list) or len(row) != len(components):
        raise unusable("array_row_unusable", many=len(components))
    payload: dict[str, Json] = {}
    feature: Json = None
    for name, value in zip(components, row, strict=True):
        if str(name).startswith("FeatureOfInterest/"):
            feature = value
        else:
            payload[str(name)] = value
    key = str(feature)
    if key not in known:
        known[key] = (
            creating.feature_of_stream(given["Datastream"])
            if feature is None
            else creating.linked(Kind.FEATURE_OF_INTEREST, feature)
        )
    return creating.observation(payload, {**given, "FeatureOfInterest": known[key]})
