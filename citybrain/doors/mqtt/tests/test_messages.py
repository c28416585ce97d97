# SPDX-License-Identifier: Apache-2.0
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.mqtt import codec, mapping, senml
from citybrain.doors.mqtt.mapping import Attribute, Position, Source, Topics
from citybrain.kernel.errors import Invalid

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AIR = Source(
    name="air",
    topic="city/air/{station}/data",
    type="AirQualityObserved",
    entity="urn:ngsi-ld:AirQualityObserved:{station}",
    attributes={
        "pm25": Attribute(path="data.pm2_5", unit="GQ", range=(0, 3000)),
        "temperature": Attribute(path="data.t", unit="CEL", factor=0.1),
        "state": Attribute(),
    },
    observed_at="ts",
)


def said(body: Any, source: Source = AIR) -> codec.Said:
    return codec.read(json.dumps(body).encode(), source, "urn:ngsi-ld:AirQualityObserved:7", NOON)


def test_a_message_says_what_its_mapping_names() -> None:
    found = said({"ts": "2026-03-01T20:00:00+08:00", "data": {"pm2_5": 35, "t": 215}, "state": "ok", "other": 1})
    values = {each.attribute: (each.value, each.unit, each.observed_at) for each in found.measurements}
    assert values == {"pm25": (35, "GQ", NOON), "temperature": (21.5, "CEL", NOON), "state": ("ok", "", NOON)}


# fmt: off
REFUSED = [
    (b"{",                                        "mqtt.not_json",        "broken JSON"),
    (b"\xff\xfe",                                 "mqtt.not_json",        "no text at all"),
    (b'{"ts": "yesterday", "data": {"pm2_5": 1}}', "mqtt.time_unusable",   "a time that is none"),
    (b'{"data": {"pm2_5": 1}}',                   "mqtt.time_unusable",   "the time is promised and not there"),
    (b'{"ts": "2026-03-01T12:00:00Z"}',           "mqtt.nothing_in_it",   "no attribute"),
    (b'{"ts": "2026-03-01T12:00:00Z", "state": {"a": 1}}', "mqtt.value_unusable", "a value that is no value"),
    (b"[]",                                       "mqtt.time_unusable",   "a list has no members"),
]
# fmt: on


@pytest.mark.parametrize(("payload", "code", "why"), REFUSED)
def test_a_message_that_says_nothing_usable_is_refused_with_the_reason(payload: bytes, code: str, why: str) -> None:
    with pytest.raises(Invalid) as refusal:
        codec.read(payload, AIR, "urn:x:1", NOON)
    assert refusal.value.code == code, why


# fmt: off
LIES = [
    ({"ts": "2026-03-01T12:00:00Z", "data": {"pm2_5": 3001}}, "mqtt.lie_range", "beyond the range"),
    ({"ts": "2026-03-01T12:00:00Z", "data": {"pm2_5": 3000}}, "",               "the limit itself is true"),
    ({"ts": "2026-03-01T12:05:00Z", "data": {"pm2_5": 1}},    "",               "a clock five minutes ahead"),
    ({"ts": "2026-03-01T12:05:01Z", "data": {"pm2_5": 1}},    "mqtt.lie_time",  "further ahead"),
    ({"ts": "1970-01-01T00:00:00Z", "data": {"pm2_5": 1}},    "mqtt.lie_time",  "a clock that was never set"),
]
# fmt: on


@pytest.mark.parametrize(("body", "lie", "why"), LIES)
def test_what_cannot_be_true_is_marked_as_a_lie(body: Any, lie: str, why: str) -> None:
    assert said(body).measurements[0].lie == lie, why


@given(st.binary(max_size=200))
def test_no_payload_breaks_the_reader(payload: bytes) -> None:
    for source in (AIR, msgspec.structs.replace(AIR, format="senml")):
        try:
            codec.read(payload, source, "urn:x:1", NOON)
        except Invalid as refusal:
            assert refusal.code.startswith("mqtt.")


def test_a_position_on_a_chinese_map_becomes_wgs84() -> None:
    moving = msgspec.structs.replace(AIR, position=Position(longitude="p.0", latitude="p.1", crs="GCJ02"))
    found = said({"ts": "2026-03-01T12:00:00Z", "state": "ok", "p": [116.404, 39.915]}, moving)
    assert found.place is not None
    assert found.place.longitude == pytest.approx(116.3978, abs=2e-4)
    assert found.place.latitude == pytest.approx(39.9136, abs=2e-4)


def test_a_senml_pack_is_resolved_by_its_base_fields() -> None:
    """The form of the examples of RFC 8428 section 5.1."""
    pack = [
        {"bn": "urn:dev:ow:10e2073a0108006:", "bt": 1.276020076001e9, "bu": "A", "bver": 5},
        {"n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "t": -5, "v": 1.2},
        {"n": "current", "t": -4, "v": 1.3},
    ]  # fmt: skip
    records = senml.read(json.dumps(pack).encode())
    assert [(each.name, each.unit, each.value) for each in records] == [
        ("urn:dev:ow:10e2073a0108006:voltage", "V", 120.1),
        ("urn:dev:ow:10e2073a0108006:current", "A", 1.2),
        ("urn:dev:ow:10e2073a0108006:current", "A", 1.3),
    ]
    assert [each.time_s - 1.276020076001e9 for each in records] == [0, -5, -4]


# fmt: off
NO_PACKS = [
    ({"n": "a", "v": 1},                          "an object is no pack"),
    ([{"v": 1}],                                  "a value without a name"),
    ([{"n": "a", "v": 1, "vs": "b"}],             "two values"),
    ([{"n": "a", "v": 1, "bver": 11}],            "a newer version"),
    ([{"n": "a", "v": 1, "new_": 1}],             "a field that must be understood"),
    ([{"n": "a", "v": "1"}],                      "a number in quotes"),
]
# fmt: on


@pytest.mark.parametrize(("pack", "why"), NO_PACKS)
def test_what_is_no_pack_is_refused_whole(pack: Any, why: str) -> None:
    with pytest.raises(senml.UnusablePack):
        senml.read(json.dumps(pack).encode())
    assert why


def test_senml_records_find_their_attribute_by_the_end_of_their_name() -> None:
    source = msgspec.structs.replace(
        AIR, format="senml", attributes={"temperature": Attribute(path="temp", unit="CEL")}
    )
    pack = [{"bn": "urn:dev:mac:1:", "n": "temp", "u": "Cel", "v": 21.5}, {"n": "hum", "v": 40}]
    found = codec.read(json.dumps(pack).encode(), source, "urn:x:1", NOON)
    assert [(each.attribute, each.value, each.observed_at) for each in found.measurements] == [
        ("temperature", 21.5, NOON)
    ]


# fmt: off
TOPICS = [
    ("city/air/7/data",     "urn:ngsi-ld:AirQualityObserved:7", "the slot is filled"),
    ("city/air/7/other",    None,                               "another topic"),
    ("city/air/7/8/data",   None,                               "a slot is one level"),
    ("city/air//data",      None,                               "an empty level fills no slot"),
]
# fmt: on


@pytest.mark.parametrize(("topic", "entity_id", "why"), TOPICS)
def test_a_topic_names_its_entity(topic: str, entity_id: str | None, why: str) -> None:
    found = Topics((AIR,)).find(topic)
    assert (found[1] if found else None) == entity_id, why


def test_the_filter_of_a_topic_has_a_plus_for_each_slot() -> None:
    assert mapping.filter_of("city/{kind}/{station}/#") == "city/+/+/#"


GOOD = """
[broker]
url = "mqtt://127.0.0.1:1883"
[[source]]
name = "air"
topic = "city/air/{station}"
type = "AirQualityObserved"
entity = "urn:ngsi-ld:AirQualityObserved:{station}"
[source.attributes.pm25]
path = "pm25"
"""

# fmt: off
MAPPINGS = [
    (GOOD,                                         None,                    "a good one"),
    (GOOD.replace('"pm25"\n', '"pm25'),            "mqtt.file_unusable",    "broken TOML"),
    (GOOD.replace("name =", "nmae ="),             "mqtt.file_unusable",    "a member nobody knows"),
    (GOOD.replace("mqtt://", "http://"),           "mqtt.broker_url",       "not a broker"),
    (GOOD.replace("Observed:{station}", "Observed:{id}"), "mqtt.entity_unusable", "a slot the topic has not"),
    (GOOD.replace("air/{station}", "air/x{station}"), "mqtt.topic_unusable", "half a level is no slot"),
    (GOOD + GOOD[GOOD.index("[[source"):],         "mqtt.source_twice",     "two of one name"),
]
# fmt: on


@pytest.mark.parametrize(("text", "code", "why"), MAPPINGS)
def test_a_mapping_file_is_checked_as_a_whole(tmp_path: Path, text: str, code: str | None, why: str) -> None:
    file = tmp_path / "mqtt.toml"
    file.write_text(text)
    if code is None:
        assert mapping.load(file).source[0].name == "air"
        return
    with pytest.raises(mapping.UnusableMapping) as refusal:
        mapping.load(file)
    assert refusal.value.code == code, why


def test_a_mapping_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(mapping.UnusableMapping) as refusal:
        mapping.load(tmp_path / "none.toml")
    assert str(refusal.value.facts["path"]).endswith("none.toml")
