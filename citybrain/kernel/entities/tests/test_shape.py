# SPDX-License-Identifier: Apache-2.0
"""What query parameters say of the shape of an answer."""

import pytest

from citybrain.kernel.entities.projection import Projection
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.shape import AS_IS, Format, Shape, read_shape
from citybrain.kernel.ld.context import CORE

N, C, S = Format.NORMALIZED, Format.CONCISE, Format.SIMPLIFIED

# fmt: off
FORMATS = [
    ({},                                            N, False),
    ({"options": "keyValues"},                      S, False),
    ({"options": "simplified"},                     S, False),
    ({"options": "concise,sysAttrs"},               C, True),
    ({"options": "sysAttrs"},                       N, True),
    ({"options": "count"},                          N, False),
    ({"format": "simplified"},                      S, False),
    ({"format": "keyValues", "options": "sysAttrs"}, S, True),
    ({"format": "concise", "options": "keyValues"}, C, False),
    ({"format": "normalized", "options": "keyValues"}, N, False),
    ({"options": "keyValues,simplified"},           S, False),
]
# fmt: on


@pytest.mark.parametrize(("params", "format", "sys_attrs"), FORMATS)
def test_the_representation_follows_format_then_options(
    params: dict[str, str], format: Format, sys_attrs: bool
) -> None:
    shape = read_shape(params, CORE)
    assert (shape.format, shape.sys_attrs) == (format, sys_attrs)


def test_nothing_asked_is_the_whole_entity_normalized() -> None:
    assert read_shape({"type": "Bus", "limit": "5"}, CORE) == AS_IS


def test_every_parameter_finds_its_place() -> None:
    params = {
        "pick": "id,speed",
        "omit": "name",
        "lang": "fr;q=0.5,en",
        "datasetId": "urn:d:1,@none",
        "geometryProperty": "area",
    }
    assert read_shape(params, CORE) == Shape(
        pick=Projection({"id": Projection(), "speed": Projection()}),
        omit=Projection({"name": Projection()}),
        languages=("en", "fr"),
        dataset_ids=frozenset({"", "urn:d:1"}),
        geometry_property="area",
    )


# fmt: off
REFUSED = [
    ({"format": "pretty"},                        "kernel.format_unknown"),
    ({"format": "concise,simplified"},            "kernel.formats_contradict"),
    ({"options": "concise,keyValues"},            "kernel.formats_contradict"),
    ({"pick": "name", "attrs": "name"},           "kernel.shape_contradicts"),
    ({"omit": "name", "attrs": "name"},           "kernel.shape_contradicts"),
    ({"pick": "a,b", "omit": "b"},                "kernel.picked_and_omitted"),
    ({"pick": ""},                                "kernel.projection_unreadable"),
    ({"attrs": "a,,b"},                           "kernel.projection_unreadable"),
    ({"attrs": "a b"},                            "kernel.name_invalid"),
    ({"lang": "f r"},                             "kernel.languages_unreadable"),
    ({"datasetId": "gps"},                        "kernel.not_a_uri"),
    ({"geometryProperty": "a b"},                 "kernel.name_invalid"),
]
# fmt: on


@pytest.mark.parametrize(("params", "code"), REFUSED)
def test_what_contradicts_itself_is_refused(params: dict[str, str], code: str) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_shape(params, CORE)
    assert refusal.value.code == code


def test_what_is_asked_of_linked_entities_needs_them_joined() -> None:
    assert read_shape({"pick": "owner{name}"}, CORE).needs_joining
    assert read_shape({"omit": "owner{name}", "pick": "owner"}, CORE).needs_joining
    assert not read_shape({"pick": "owner"}, CORE).needs_joining
