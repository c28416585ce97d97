# SPDX-License-Identifier: Apache-2.0
import pytest

from citybrain.doors.ogcfeatures import codec
from citybrain.doors.ogcfeatures.crs import BD09, EPSG, GCJ02, SYSTEMS, corner_in, shown
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.errors import Invalid


def lamp(lon: float = 120.15, lat: float = 30.28, state: str = "on", watts: float = 40) -> Document:
    return Document(
        id="urn:ngsi-ld:Streetlight:1",
        types=("Streetlight",),
        modified_at="2026-03-01T12:00:00Z",
        attributes={
            "location": (
                Instance(type=AttributeType.GEO_PROPERTY, value={"type": "Point", "coordinates": [lon, lat]}),
            ),
            "powerState": (Instance(type=AttributeType.PROPERTY, value=state),),
            "power": (Instance(type=AttributeType.PROPERTY, value=watts),),
        },
    )


QUERYABLES = frozenset({"powerState", "power"})

# fmt: off
ASKED = [
    ({},                                                   True,  "everything"),
    ({"bbox": "120.1,30.2,120.2,30.3"},                    True,  "inside the box"),
    ({"bbox": "120.2,30.2,120.3,30.3"},                    False, "beside the box"),
    ({"bbox": "120.1,30.2,0,120.2,30.3,99"},               True,  "heights do not matter"),
    ({"bbox": "30.2,120.1,30.3,120.2", "bbox-crs": f"{EPSG}4326"}, True, "latitude first, as EPSG:4326 has it"),
    ({"bbox": "170,30,121,31"},                            True,  "round the back of the earth"),
    ({"bbox": "170,30,-170,31"},                           False, "only the back of the earth"),
    ({"powerState": "on"},                                 True,  "an attribute by its value"),
    ({"powerState": "off"},                                False, "by another value"),
    ({"power": "40"},                                      True,  "a number is a number"),
    ({"datetime": "2026-03-01T12:00:00Z"},                 True,  "changed just then"),
    ({"datetime": "2026-03-01T20:00:00+08:00"},            True,  "the same time elsewhere"),
    ({"datetime": "../2026-03-01T11:00:00Z"},              False, "not before"),
    ({"datetime": "2026-03-01T11:00:00Z/.."},              True,  "since"),
    ({"datetime": "2026-03-01T11:00:00Z/2026-03-01T13:00:00Z"}, True, "in between"),
]
# fmt: on


@pytest.mark.parametrize(("params", "is_met", "why"), ASKED)
def test_items_are_asked_by_place_time_and_value(params: dict[str, str], is_met: bool, why: str) -> None:
    asked = codec.read_items(list(params.items()), "Streetlight", QUERYABLES)
    assert matches(lamp(), asked.query, look_up=lambda _id: None) is is_met, why


# fmt: off
REFUSED = [
    ({"colour": "red"},                    "ogcfeatures.parameter_unknown",  "no such attribute"),
    ({"bbox": "1,2,3"},                    "ogcfeatures.parameter_unusable", "three numbers"),
    ({"bbox": "a,b,c,d"},                  "ogcfeatures.parameter_unusable", "no numbers"),
    ({"bbox": "0,10,1,5"},                 "ogcfeatures.parameter_unusable", "north below south"),
    ({"bbox": "0,0,1,91"},                 "ogcfeatures.parameter_unusable", "beyond the pole"),
    ({"bbox": "nan,0,1,1"},                "ogcfeatures.parameter_unusable", "no number at all"),
    ({"datetime": "yesterday"},            "ogcfeatures.parameter_unusable", "no time"),
    ({"datetime": "../.."},                "ogcfeatures.parameter_unusable", "open on both sides says nothing"),
    ({"datetime": "2026-02-30T00:00:00Z"}, "ogcfeatures.parameter_unusable", "no such day"),
    ({"limit": "0"},                       "ogcfeatures.parameter_unusable", "a page of nothing"),
    ({"limit": "-1"},                      "ogcfeatures.parameter_unusable", "less than nothing"),
    ({"crs": "EPSG:4326"},                 "ogcfeatures.crs_unknown",        "not by its URI"),
    ({"powerState": 'o"n'},                "ogcfeatures.parameter_unusable", "a quote would end the text"),
]
# fmt: on


@pytest.mark.parametrize(("params", "code", "why"), REFUSED)
def test_a_parameter_of_no_use_is_refused_by_its_name(params: dict[str, str], code: str, why: str) -> None:
    with pytest.raises(Invalid) as refusal:
        codec.read_items(list(params.items()), "Streetlight", QUERYABLES)
    assert refusal.value.code == code, why


def test_a_limit_beyond_the_greatest_is_the_greatest() -> None:
    assert codec.read_items([("limit", "999999")], "Streetlight", QUERYABLES).limit == codec.LIMIT_MOST


def test_a_feature_has_plain_values_and_its_place_as_geometry() -> None:
    told = codec.feature(lamp(), SYSTEMS["http://www.opengis.net/def/crs/OGC/1.3/CRS84"])
    assert told["type"] == "Feature"
    assert told["geometry"] == {"type": "Point", "coordinates": [120.15, 30.28]}
    assert told["properties"]["powerState"] == "on"
    assert "location" not in told["properties"]


@pytest.mark.parametrize("uri", list(SYSTEMS))
def test_a_position_comes_back_from_every_system(uri: str) -> None:
    crs = SYSTEMS[uri]
    there = shown({"type": "Point", "coordinates": [120.15, 30.28]}, crs)["coordinates"]
    assert corner_in(there[0], there[1], crs) == pytest.approx((120.15, 30.28), abs=1e-7)


def test_systems_differ_as_they_should() -> None:
    point = {"type": "Point", "coordinates": [120.15, 30.28]}
    assert shown(point, SYSTEMS[f"{EPSG}4326"])["coordinates"] == [30.28, 120.15]
    assert shown(point, SYSTEMS[GCJ02])["coordinates"] != point["coordinates"]
    assert shown(point, SYSTEMS[BD09])["coordinates"] != shown(point, SYSTEMS[GCJ02])["coordinates"]
    assert shown(point, SYSTEMS[f"{EPSG}3857"])["coordinates"][0] == pytest.approx(13_375_037, rel=1e-4)
    line = {"type": "LineString", "coordinates": [[120, 30], [121, 31]]}
    assert shown(line, SYSTEMS[f"{EPSG}4326"])["coordinates"] == [[30, 120], [31, 121]]
