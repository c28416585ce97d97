# SPDX-License-Identifier: Apache-2.0
"""Entities as a person is shown them: rows, values, words, addresses."""

import pytest

from citybrain.apps.pool.model import matches, name_of, place_of, row_of, values_of, without_secrets
from citybrain.apps.pool.service import reason
from citybrain.kernel.entities.document import AttributeType, Document, Instance

POINT = {"type": "Point", "coordinates": [109.1, 21.5]}


def station(**attributes: Instance) -> Document:
    return Document(
        id="urn:ngsi-ld:AirQualityObserved:Beihai-7",
        types=("AirQualityObserved",),
        modified_at="2026-05-01T08:00:00Z",
        attributes={name: (instance,) for name, instance in attributes.items()},
    )


def number(value: float, *, observed_at: str = "", unit_code: str = "") -> Instance:
    return Instance(type=AttributeType.PROPERTY, value=value, observed_at=observed_at, unit_code=unit_code)


def test_a_row_shows_first_what_was_observed_and_when() -> None:
    row = row_of(
        station(
            areaServed=Instance(type=AttributeType.PROPERTY, value="银海区"),
            no2=number(31, observed_at="2026-05-01T07:00:00Z", unit_code="GQ"),
            pm25=number(12, observed_at="2026-05-01T07:30:00Z", unit_code="GQ"),
        )
    )
    assert [each.name for each in row.brief] == ["no2", "pm25", "areaServed"]
    assert row.brief[0].unit_code == "GQ"
    assert row.observed_at == "2026-05-01T07:30:00Z"


def test_an_entity_that_was_never_observed_says_so() -> None:
    assert row_of(station(pm25=number(12))).observed_at == ""


# fmt: off
NAMES = [
    (Instance(type=AttributeType.PROPERTY, value="银滩站"),
     {"zh": "银滩站", "en": "银滩站"}, "a plain name serves both"),
    (Instance(type=AttributeType.LANGUAGE_PROPERTY, value={"zh-CN": "银滩", "en": "Silver Beach"}),
     {"zh": "银滩", "en": "Silver Beach"}, "each language has its own"),
    (number(7), {}, "a number is no name"),
]
# fmt: on


@pytest.mark.parametrize(("instance", "expected", "why"), NAMES)
def test_an_entity_is_called_as_it_says(instance: Instance, expected: dict[str, str], why: str) -> None:
    assert name_of(station(name=instance)) == expected, why


def test_only_a_geometry_is_a_place() -> None:
    assert place_of(station(location=Instance(type=AttributeType.GEO_PROPERTY, value=POINT))) == POINT
    assert place_of(station(location=Instance(type=AttributeType.PROPERTY, value="somewhere"))) is None


def test_a_value_says_where_it_comes_from_and_what_it_has_itself() -> None:
    provider = Instance(type=AttributeType.RELATIONSHIP, value="urn:ngsi-ld:Device:9")
    (value,) = values_of(
        station(pm25=Instance(type=AttributeType.PROPERTY, value=12, attributes={"providedBy": (provider,)}))
    )
    assert value.source == "urn:ngsi-ld:Device:9"
    assert [inner.name for inner in value.attributes] == ["providedBy"]


# fmt: off
WORDS = [
    (["beihai"],          True,  "whatever the case of the id"),
    (["银海"],             True,  "a part of a Chinese word"),
    (["beihai", "pm25"],  True,  "names of attributes count"),
    (["beihai", "nanjing"], False, "every word must be there"),
]
# fmt: on


@pytest.mark.parametrize(("words", "expected", "why"), WORDS)
def test_words_are_found_in_everything_that_a_person_reads(words: list[str], expected: bool, why: str) -> None:
    shown = station(pm25=number(12), areaServed=Instance(type=AttributeType.PROPERTY, value="银海区"))
    assert matches(shown, words) is expected, why


# fmt: off
ADDRESSES = [
    ("http://me:secret@receiver.example:8080/notify?token=abc", "http://receiver.example:8080/notify"),
    ("mqtt://broker.example/city/air",                          "mqtt://broker.example/city/air"),
]
# fmt: on


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_an_address_is_shown_without_what_opens_it(address: str, expected: str) -> None:
    assert without_secrets(address) == expected


def test_why_a_delivery_failed_is_read_as_it_was_kept() -> None:
    assert reason('{"code":"kernel.notify_answered","facts":{"status":503}}').facts == {"status": 503}
    assert reason("").code == ""
