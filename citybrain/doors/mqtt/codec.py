# SPDX-License-Identifier: Apache-2.0
"""Messages to measurements: pure, by the mapping of their source."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from citybrain.doors.mqtt import senml
from citybrain.doors.mqtt.mapping import Attribute, Source
from citybrain.kernel import geo
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A device's clock may be off by this; a time further ahead is a lie.
AHEAD_AT_MOST = timedelta(minutes=5)
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)  # an older time is a clock that was never set


class UnusableMessage(Invalid):
    """A payload that does not say what its source's mapping expects."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one attribute of one entity. `lie` says why it cannot be true; empty when it can."""

    entity_id: str
    attribute: str
    value: float | str | bool
    unit: str
    observed_at: datetime
    lie: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the device said it was, in WGS-84."""

    longitude: float
    latitude: float


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """All that one message says."""

    measurements: tuple[Measurement, ...]
    place: Place | None = None


def read(payload: bytes, source: Source, entity_id: str, now: datetime) -> Said:
    """What a message says of its entity. Refuses one without any of the attributes, and says why."""
    measurements = _FORMATS[source.format](payload, source, entity_id, now)
    if not measurements:
        raise UnusableMessage("mqtt.nothing_in_it", {"wanted": ", ".join(source.attributes)})
    place = _place(payload, source) if source.position and source.format == "json" else None
    return Said(measurements=tuple(measurements), place=place)


def _read_json(payload: bytes, source: Source, entity_id: str, now: datetime) -> Sequence[Measurement]:
    body = _decoded(payload)
    at = _time(_at(body, source.observed_at), source.time) if source.observed_at else now
    found: list[Measurement] = []
    for name, attribute in source.attributes.items():
        value = _at(body, attribute.path or name)
        if value is not None:
            found.append(_measurement(entity_id, name, attribute, value, at, now))
    return found


def _read_senml(payload: bytes, source: Source, entity_id: str, now: datetime) -> Sequence[Measurement]:
    by_name = {attribute.path or name: (name, attribute) for name, attribute in source.attributes.items()}
    found: list[Measurement] = []
    for record in senml.read(payload):
        named = by_name.get(record.name) or next((by_name[end] for end in by_name if record.name.endswith(end)), None)
        if named is not None:
            name, attribute = named
            relative = record.time_s < senml.RELATIVE_BELOW_S
            at = now + timedelta(seconds=record.time_s) if relative else EPOCH + timedelta(seconds=record.time_s)
            found.append(_measurement(entity_id, name, attribute, record.value, at, now))
    return found


_FORMATS: Mapping[str, Callable[[bytes, Source, str, datetime], Sequence[Measurement]]] = {
    "json": _read_json,
    "senml": _read_senml,
}


def _decoded(payload: bytes) -> Json:
    try:
        return msgspec.json.decode(payload)
    except msgspec.DecodeError as error:
        raise UnusableMessage("mqtt.not_json", {"why": str(error)}) from error


def _at(body: Json, path: str) -> Json:
    """What stands at a dotted path, None when nothing does; a number is a place in a list."""
    here = body
    for step in path.split("."):
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and step.isdigit() and int(step) < len(here):
            here = here[int(step)]
        else:
            return None
    return here


def _time(said: Json, form: str) -> datetime:
    try:
        if form == "iso":
            at = datetime.fromisoformat(str(said).replace("Z", "+00:00"))
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        return EPOCH + timedelta(seconds=float(said) / (1000 if form == "ms" else 1))
    except (TypeError, ValueError, OverflowError) as error:
        raise UnusableMessage("mqtt.time_unusable", {"found": str(said)[:60], "wanted": form}) from error


def _measurement(
    entity_id: str, name: str, attribute: Attribute, said: Json, at: datetime, now: datetime
) -> Measurement:
    if isinstance(said, bool) or not isinstance(said, int | float):
        value: float | str | bool = said if isinstance(said, bool) else _text(name, said)
    else:
        value = said * attribute.factor + attribute.offset
    return Measurement(
        entity_id=entity_id,
        attribute=name,
        value=value,
        unit=attribute.unit,
        observed_at=at,
        lie=next(_lies(value, attribute, at, now), ""),
    )


def _text(name: str, said: Json) -> str:
    if not isinstance(said, str):
        raise UnusableMessage("mqtt.value_unusable", {"attribute": name, "found": str(said)[:60]})
    return said


def _lies(value: float | str | bool, attribute: Attribute, at: datetime, now: datetime) -> Iterator[str]:
    if at - now > AHEAD_AT_MOST or at < OLDEST:
        yield "mqtt.lie_time"
    if isinstance(value, float) and not math.isfinite(value):
        yield "mqtt.lie_range"
    if attribute.range and isinstance(value, int | float) and not attribute.range[0] <= value <= attribute.range[1]:
        yield "mqtt.lie_range"


def _place(payload: bytes, source: Source) -> Place | None:
    """The position, turned into WGS-84; None when the message says none."""
    position = source.position
    body = _decoded(payload)
    if position is None:
        return None
    lon, lat = _at(body, position.longitude), _at(body, position.latitude)
    if (
        not isinstance(lon, int | float)
        or not isinstance(lat, int | float)
        or not (-180 <= lon <= 180 and -90 <= lat <= 90)
    ):
        return None
    if position.crs == "BD09":
        lon, lat = geo.gcj02_from_bd09((lon, lat))
    if position.crs in ("BD09", "GCJ02"):
        lon, lat = geo.wgs84_from_gcj02((lon, lat))
    return Place(longitude=lon, latitude=lat)
