# SPDX-License-Identifier: Apache-2.0
"""How topics and payloads become observations: a file that the operator writes, read and checked once."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from citybrain.kernel.errors import Invalid

SLOT = re.compile(r"\{(\w+)\}")
CRS = Literal["WGS84", "GCJ02", "BD09"]


class UnusableMapping(Invalid):
    """The mapping file cannot be used; the facts say where and why."""


class Attribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an attribute's value stands in a JSON payload (`data.pm2_5`, `values.0`), or its name in a SenML pack.

    What was received counts as `value × factor + offset`. A value outside `range` is a lie of the device.
    A number flaps when it turns round by `flap_step` or more; without it noise would count, so only words flap.
    """

    path: str = ""
    unit: str = ""
    factor: float = 1.0
    offset: float = 0.0
    range: tuple[float, float] | None = None
    flap_step: float | None = None


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where longitude and latitude stand in a payload, and in which system they are."""

    longitude: str
    latitude: str
    crs: CRS = "WGS84"


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of device: a topic with `{slots}` (each one level; `#` may end it), and what its messages say.

    `entity` is the id of the entity, made of the topic's slots. `observed_at` is where the time stands, in `time` form;
    without it the time of arrival counts. `per_second` and `burst` limit each entity; `flaps_per_minute` is how often a
    value may turn round in a minute; a device that lies or flaps is in quarantine until `calm_s` passed without it.
    """

    name: str
    topic: str
    type: str
    entity: str
    attributes: Mapping[str, Attribute]
    format: Literal["json", "senml"] = "json"
    observed_at: str = ""
    time: Literal["iso", "s", "ms"] = "iso"
    position: Position | None = None
    qos: Literal[0, 1] = 1
    per_second: float = 10.0
    burst: int = 50
    flaps_per_minute: int = 30
    lies_in_a_row: int = 3
    calm_s: float = 300.0


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker is: `mqtt://` or `mqtts://`, with user and password if it wants them."""

    url: str
    client_id: str = "citybrain"
    session_expiry_s: int = 86_400


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping file."""

    broker: Broker
    source: tuple[Source, ...]


def load(path: Path) -> Plan:
    """Read a mapping file (TOML). Refuses with the place of what does not fit."""
    try:
        given: Any = tomllib.loads(path.read_text("utf-8"))
        mapping = msgspec.convert(given, Plan)
    except OSError as error:
        raise UnusableMapping("mqtt.file_unreadable", {"path": str(path), "why": error.strerror or ""}) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UnusableMapping("mqtt.file_unusable", {"path": str(path), "why": str(error)}) from error
    for source in mapping.source:
        _check(source, path)
    names = [source.name for source in mapping.source]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UnusableMapping("mqtt.source_twice", {"path": str(path), "source": sorted(twice)[0]})
    if urlsplit(mapping.broker.url).scheme not in ("mqtt", "mqtts"):
        raise UnusableMapping("mqtt.broker_url", {"path": str(path), "url": mapping.broker.url})
    return mapping


def _check(source: Source, path: Path) -> None:
    """Every slot of the entity's id is one of the topic's, and a slot fills a whole level."""
    levels = source.topic.split("/")
    whole = all(not SLOT.search(level) or SLOT.fullmatch(level) for level in levels)
    if not whole or "#" in levels[:-1] or not source.topic:
        raise UnusableMapping("mqtt.topic_unusable", {"path": str(path), "source": source.name, "topic": source.topic})
    unknown = set(SLOT.findall(source.entity)) - set(SLOT.findall(source.topic))
    if unknown or ":" not in source.entity:
        facts = {"path": str(path), "source": source.name, "entity": source.entity}
        raise UnusableMapping("mqtt.entity_unusable", facts)


def filter_of(topic: str) -> str:
    """The MQTT topic filter of a topic with slots: each slot is `+`."""
    return SLOT.sub("+", topic)


class Topics:
    """Finds the source of a topic and fills its slots."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._patterns = [(_pattern(source.topic), source) for source in sources]

    def find(self, topic: str) -> tuple[Source, str] | None:
        """The source of a topic with the id of the entity; the first in the file that fits, None when none does."""
        for pattern, source in self._patterns:
            if match := pattern.fullmatch(topic):
                return source, _filled(source.entity, match.groupdict())
        return None


def _filled(entity: str, slots: Mapping[str, str]) -> str:
    return SLOT.sub(lambda slot: slots[slot[1]], entity)


def _pattern(topic: str) -> re.Pattern[str]:
    """A topic as a pattern: slots and `+` take one level, a closing `#` takes the rest (MQTT 5.0 section 4.7)."""
    pieces: list[str] = []
    for level in topic.split("/"):
        slot = SLOT.fullmatch(level)
        pieces.append(f"(?P<{slot[1]}>[^/]+)" if slot else "[^/]*" if level == "+" else re.escape(level))
    if pieces[-1] == re.escape("#"):
        return re.compile("/".join(pieces[:-1]) + "(?:/.*)?")
    return re.compile("/".join(pieces))
