# SPDX-License-Identifier: Apache-2.0
"""Every rule once: what is read, what is refused and where, what is remarked; the three versions told apart."""

from datetime import datetime
from decimal import Decimal

import pytest

from citybrain.doors.cap.elements import Version
from citybrain.doors.cap.model import Category, Circle, Named, Reference, ResponseType, Scope
from citybrain.doors.cap.problems import RulesBroken
from citybrain.doors.cap.reading import NotAnAlert, read
from citybrain.doors.cap.rules import remarks
from citybrain.doors.cap.tests.sample import WHOLE, is_in_order, plain, whole, without
from citybrain.doors.cap.writing import write


def broken(body: bytes) -> list[tuple[str, str]]:
    """The rules that a message breaks, with their places."""
    with pytest.raises(RulesBroken) as refused:
        read(body)
    return [(each.code.removeprefix("cap."), each.path) for each in refused.value.problems]


def test_every_element_is_read_and_written_back_byte_by_byte() -> None:
    message = read(WHOLE.encode())
    assert write(message.alert) == WHOLE.encode()
    assert is_in_order(WHOLE.encode())
    assert (message.version, message.signed) == (Version.V12, False)
    alert, info = message.alert, message.alert.infos[0]
    assert alert.addresses == ("duty office", "pumps@city.example")
    sent = datetime.fromisoformat("2024-06-15T06:00:00+08:00")
    assert alert.references == (Reference(sender="weather@city.example", identifier="HZ-2024-0615-00", sent=sent),)
    assert [each.language for each in alert.infos] == ["zh-CN", "en"]
    assert info.categories == (Category.MET, Category.SAFETY)
    assert info.responses == (ResponseType.SHELTER, ResponseType.AVOID)
    assert info.headline == "暴雨 & 雷电"
    assert info.areas[0].circles == (Circle((30.2, 120.2), 1.5),)
    assert info.areas[0].geocodes == (Named("GB/T 2260", "330108"),)
    assert (info.areas[0].altitude, info.areas[0].ceiling) == (Decimal("-3.5"), Decimal(120))
    assert remarks(alert)[0].code == "cap.expires_missing"


# fmt: off
TEXTS: list[tuple[str, str, str, str]] = [
    ("identifier", "a b",                       "token_unusable",      "/alert/identifier"),
    ("identifier", "",                          "token_unusable",      "/alert/identifier"),
    ("sender",     "a,b",                       "token_unusable",      "/alert/sender"),
    ("sender",     "a&lt;b",                    "token_unusable",      "/alert/sender"),
    ("sent",       "2024-06-15T00:00:00Z",      "time_unusable",       "/alert/sent"),
    ("sent",       "2024-06-15T08:00:00.5+08:00", "time_unusable",     "/alert/sent"),
    ("sent",       "2024-06-15T08:00:00",       "time_unusable",       "/alert/sent"),
    ("sent",       "2024-06-31T08:00:00+08:00", "time_unusable",       "/alert/sent"),
    ("sent",       "0001-01-01T00:00:00+08:00", "time_unusable",       "/alert/sent"),
    ("status",     "actual",                    "word_unknown",        "/alert/status"),
    ("msgType",    "",                          "word_unknown",        "/alert/msgType"),
    ("scope",      "All",                       "word_unknown",        "/alert/scope"),
    ("references", "",                          "references_unusable", "/alert/references"),
    ("references", "a,b",                       "references_unusable", "/alert/references"),
    ("references", "a,b,c",                     "time_unusable",       "/alert/references"),
    ("language",   "zh_CN",                     "language_unusable",   "/alert/info[1]/language"),
    ("category",   "Weather",                   "word_unknown",        "/alert/info[1]/category[1]"),
    ("event",      "",                          "value_empty",         "/alert/info[1]/event"),
    ("responseType", "Run",                     "word_unknown",        "/alert/info[1]/responseType[1]"),
    ("urgency",    "Now",                       "word_unknown",        "/alert/info[1]/urgency"),
    ("severity",   "Bad",                       "word_unknown",        "/alert/info[1]/severity"),
    ("certainty",  "Very Likely",               "word_unknown",        "/alert/info[1]/certainty"),
    ("expires",    "",                          "time_unusable",       "/alert/info[1]/expires"),
    ("size",       "4.0",                       "number_unusable",     "/alert/info[1]/resource[1]/size"),
    ("mimeType",   "",                          "value_empty",         "/alert/info[1]/resource[1]/mimeType"),
    ("polygon",    "1,2 3,4 1,2",               "polygon_points",      "/alert/info[1]/area[1]/polygon[1]"),
    ("polygon",    "1,2 3,4 5,6 7,8",           "polygon_open",        "/alert/info[1]/area[1]/polygon[1]"),
    ("polygon",    "1,2 a,b 5,6 1,2",           "point_unusable",      "/alert/info[1]/area[1]/polygon[1]"),
    ("polygon",    "120,30 121,30 121,31 120,30", "point_off_earth",   "/alert/info[1]/area[1]/polygon[1]"),
    ("circle",     "1,2",                       "circle_unusable",     "/alert/info[1]/area[1]/circle[1]"),
    ("circle",     "1,2 -3",                    "circle_unusable",     "/alert/info[1]/area[1]/circle[1]"),
    ("circle",     "1,2 NaN",                   "circle_unusable",     "/alert/info[1]/area[1]/circle[1]"),
    ("altitude",   "1e3",                       "number_unusable",     "/alert/info[1]/area[1]/altitude"),
    ("ceiling",    "-4",                        "ceiling_below_altitude", "/alert/info[1]/area[1]"),
    ("note",       "<b>x</b>",                  "element_unknown",     "/alert/note"),
    ("restriction", "",                         "restriction_missing", "/alert"),
]
# fmt: on


@pytest.mark.parametrize(("name", "text", "code", "path"), TEXTS)
def test_a_value_that_breaks_a_rule_is_told_with_its_place(name: str, text: str, code: str, path: str) -> None:
    assert broken(whole(**{name: text})) == [(code, path)]


# fmt: off
MISSING = [
    ("identifier", "/alert"), ("sender", "/alert"), ("sent", "/alert"), ("status", "/alert"), ("msgType", "/alert"),
    ("scope", "/alert"), ("event", "/alert/info[1]"), ("urgency", "/alert/info[1]"), ("severity", "/alert/info[1]"),
    ("certainty", "/alert/info[1]"), ("valueName", "/alert/info[1]/eventCode[1]"),
    ("value", "/alert/info[1]/eventCode[1]"), ("resourceDesc", "/alert/info[1]/resource[1]"),
    ("mimeType", "/alert/info[1]/resource[1]"), ("areaDesc", "/alert/info[1]/area[1]"),
]
# fmt: on


@pytest.mark.parametrize(("name", "path"), MISSING)
def test_what_must_be_there_is_missed(name: str, path: str) -> None:
    assert broken(without(name)) == [("element_missing", path)]


def test_an_info_needs_a_category() -> None:
    assert broken(plain().replace(b"<category>Met</category>", b"")) == [("element_missing", "/alert/info[1]")]


def test_references_are_needed_by_all_that_speak_of_other_messages() -> None:
    for type in ("Update", "Cancel", "Ack", "Error"):
        assert broken(plain(type=type)) == [("references_missing", "/alert")]
    assert read(plain(type="Alert")).alert.references == ()


def test_a_private_message_needs_addresses() -> None:
    assert broken(plain(scope="Private")) == [("addresses_missing", "/alert")]
    assert read(plain(scope="Private", head="<addresses>a</addresses>")).alert.scope is Scope.PRIVATE


def test_a_message_does_not_refer_to_itself() -> None:
    itself = "<references>s@x,A1,2024-06-15T08:00:00+08:00</references>"
    assert broken(plain(type="Update", head=itself)) == [("references_itself", "/alert/references")]


def test_a_ceiling_needs_an_altitude() -> None:
    assert broken(without("altitude")) == [("ceiling_alone", "/alert/info[1]/area[1]")]


def test_elements_come_in_the_order_of_the_schema_and_not_twice() -> None:
    swapped = plain().replace(b"<status>Actual</status><msgType>Alert</msgType>", b"<msgType>Alert</msgType>")
    swapped = swapped.replace(b"</scope>", b"</scope><status>Actual</status>")
    swapped = swapped.replace(b"<status>Actual</status>\n", b"").replace(b"\n<status>", b"<status>")
    assert ("element_misplaced", "/alert/status") in broken(swapped)
    twice = plain().replace(b"<scope>Public</scope>", b"<scope>Public</scope><scope>Public</scope>")
    assert broken(twice) == [("element_repeated", "/alert/scope")]


def test_what_the_schema_does_not_know_is_refused() -> None:
    assert broken(plain(head="<severe/>")) == [("element_unknown", "/alert")]
    assert broken(plain(head='<note xmlns="urn:other">x</note>')) == [("element_unknown", "/alert")]
    assert broken(plain(head="words")) == [("text_misplaced", "/alert")]
    assert broken(plain(head='<note kind="x">y</note>')) == [("attribute_unknown", "/alert/note")]


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(broken(whole(sent="x", urgency="y", circle="z"))) == 3


def test_empty_elements_that_may_be_left_out_are_like_none() -> None:
    empty = "<restriction/><addresses/><note/><incidents/>"
    assert read(plain(head=empty)).alert == read(plain()).alert


def test_a_signature_is_noticed_and_not_believed() -> None:
    signature = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature></alert>'
    assert read(plain().replace(b"</alert>", signature)).signed
    early = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/><identifier>'
    assert ("element_misplaced", "/alert/identifier") in broken(plain().replace(b"<identifier>", early))


def test_a_prefix_is_as_good_as_none() -> None:
    prefixed = plain().replace(b"</", b"</c:").replace(b"<", b"<c:").replace(b"<c:/c:", b"</c:")
    assert read(prefixed.replace(b"xmlns=", b"xmlns:c=")).alert == read(plain()).alert


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "utf-8-sig"])
def test_other_encodings_that_xml_names_are_read(encoding: str) -> None:
    text = plain(info="<headline>Überflutung</headline>").decode()
    named = encoding.removesuffix("-sig")
    body = f'<?xml version="1.0" encoding="{named}"?>{text}'.encode(encoding)
    assert read(body).alert.infos[0].headline == "Überflutung"


OLD = b"urn:oasis:names:tc:emergency:cap:1.1"
OLDEST = b"http://www.incident.com/cap/1.0"
NEW = b"urn:oasis:names:tc:emergency:cap:1.2"


def test_cap_1_1_takes_z_and_resources_without_type_but_no_avoid() -> None:
    body = plain(sent="2024-06-15T00:00:00Z", info="<resource><resourceDesc>m</resourceDesc></resource>")
    message = read(body.replace(NEW, OLD))
    assert message.version is Version.V11
    assert message.alert.infos[0].resources[0].mime_type == "application/octet-stream"
    avoid = plain().replace(b"</event>", b"</event><responseType>Avoid</responseType>").replace(NEW, OLD)
    assert broken(avoid) == [("word_unknown", "/alert/info[1]/responseType[1]")]
    assert read(write(message.alert)).alert == message.alert


def test_cap_1_0_has_pairs_in_one_element_a_password_and_other_references() -> None:
    body = (
        b'<alert xmlns="http://www.incident.com/cap/1.0"><identifier>A</identifier><sender>s</sender>'
        b"<sent>2003-04-02T14:39:01-05:00</sent><status>Actual</status><msgType>Update</msgType>"
        b"<password>secret</password><references>B/s C/t</references><info><event>E</event><urgency>Unknown</urgency>"
        b"<severity>Unknown</severity><certainty>Very Likely</certainty><eventCode>EC=v1</eventCode>"
        b"<parameter>HSAS=ORANGE</parameter><area><areaDesc>all</areaDesc><geocode>G1=v1</geocode></area></info></alert>"
    )
    message = read(body)
    info = message.alert.infos[0]
    assert (message.version, message.alert.scope, info.certainty.value) == (Version.V10, Scope.PUBLIC, "Likely")
    assert [each.identifier for each in message.alert.references] == ["B", "C"]
    assert (info.event_codes, info.parameters) == ((Named("EC", "v1"),), (Named("HSAS", "ORANGE"),))
    assert info.areas[0].geocodes == (Named("G1", "v1"),)
    assert b"secret" not in write(message.alert)
    assert broken(body.replace(b"EC=v1", b"EC")) == [("pair_unusable", "/alert/info[1]/eventCode[1]")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (plain().replace(NEW, b"urn:oasis:names:tc:emergency:cap:1.3"), "cap.namespace_unknown"),
        (plain().replace(b' xmlns="' + NEW + b'"', b""), "cap.namespace_unknown"),
        (b'<info xmlns="' + NEW + b'"/>', "cap.not_an_alert"),
    ],
)
def test_what_is_no_known_alert_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(NotAnAlert) as refused:
        read(body)
    assert refused.value.code == code


def test_utc_is_written_with_a_minus() -> None:
    for given in ("+00:00", "-00:00"):
        assert b"<sent>2024-06-15T08:00:00-00:00</sent>" in write(read(whole(sent=f"2024-06-15T08:00:00{given}")).alert)


# fmt: off
REMARKS: list[tuple[bytes, str]] = [
    (plain(head="<restriction>r</restriction>"),                          "restriction_idle"),
    (plain(status="Exercise"),                                            "note_missing"),
    (plain(type="Error", head="<references>a,b,2024-06-14T08:00:00+08:00</references>"), "note_missing"),
    (plain(type="Update", head="<references>a,b,2025-06-14T08:00:00+08:00</references>"), "references_later"),
    (plain()[:plain().index(b"<info>")] + b"</alert>",                    "info_missing"),
    (plain(info="<expires>2024-06-15T07:00:00+08:00</expires>"),          "expires_early"),
    (plain(),                                                             "expires_missing"),
    (plain(info="<headline>a &lt;br/&gt; b</headline>"),                  "text_has_html"),
    (plain(info="<headline>a &amp;nbsp; b</headline>"),                   "text_has_html"),
    (plain(info="<web>city.example</web>"),                               "web_not_absolute"),
    (whole(mimeType="picture"),                                           "mime_type_unusable"),
    (whole(uri="map.png", derefUri=""),                                   "uri_not_absolute"),
    (whole(derefUri="§"),                                                 "deref_not_base64"),
    (whole(digest="12"),                                                  "digest_not_sha1"),
    (plain(),                                                             "area_missing"),
    (plain(info="<area><areaDesc>here</areaDesc></area>"),                "area_only_words"),
    (whole(polygon="0,0 1,1 1,0 0,1 0,0"),                                "polygon_crosses_itself"),
]
# fmt: on


@pytest.mark.parametrize(("body", "code"), REMARKS)
def test_what_should_be_otherwise_is_remarked_and_taken(body: bytes, code: str) -> None:
    assert f"cap.{code}" in {each.code for each in remarks(read(body).alert)}
    good = whole(scope="Public", restriction="")
    assert f"cap.{code}" not in {each.code for each in remarks(read(good).alert) if "info[2]" not in each.path}
