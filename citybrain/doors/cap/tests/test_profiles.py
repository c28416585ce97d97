# SPDX-License-Identifier: Apache-2.0
"""An alert is held to the profiles that it names, and to no other."""

import pytest

from citybrain.doors.cap.profiles import check
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.sample import plain

IPAWS, CANADA = "<code>IPAWSv1.0</code>", "<code>profile:CAP-CP:0.4</code>"
SAME = "<eventCode><valueName>SAME</valueName><value>FFW</value></eventCode>"
EXPIRES = "<expires>2024-06-15T11:00:00+08:00</expires>"
CANADIAN = "<eventCode><valueName>profile:CAP-CP:Event:0.4</valueName><value>rainfall</value></eventCode>"


def area(name: str = "", value: str = "") -> str:
    code = f"<geocode><valueName>{name}</valueName><value>{value}</value></geocode>" if name else ""
    return f"<area><areaDesc>x</areaDesc>{code}</area>"


GOOD = SAME + EXPIRES + area("SAME", "006109")
# fmt: off
ROWS: list[tuple[str, str, list[str]]] = [
    (IPAWS,  GOOD,                                                   []),
    (IPAWS,  SAME + area("SAME", "006109"),                          ["expires"]),
    (IPAWS,  SAME + EXPIRES,                                         ["area"]),
    (IPAWS,  EXPIRES + area("SAME", "006109"),                       ["eventCode SAME"]),
    (IPAWS,  SAME + SAME + EXPIRES + area("SAME", "006109"),         ["eventCode SAME"]),
    (IPAWS,  SAME + EXPIRES + area("UGC", "006109"),                 ["geocode SAME"]),
    (CANADA, CANADIAN + area("profile:CAP-CP:Location:0.3", "35"),   []),
    (CANADA, SAME + area("profile:CAP-CP:Location:0.3", "35"),       ["eventCode profile:CAP-CP:Event"]),
    (CANADA, CANADIAN + area("SAME", "35"),                          ["geocode profile:CAP-CP:Location"]),
    (CANADA, CANADIAN,                                               ["area"]),
    ("",     "",                                                     []),
    ("<code>IPAWSv2</code>", "",                                     []),
]
# fmt: on


@pytest.mark.parametrize(("code", "info", "lacks"), ROWS)
def test_what_a_named_profile_needs_is_missed(code: str, info: str, lacks: list[str]) -> None:
    assert [each.facts["what"] for each in check(read(plain(head=code, info=info)).alert)] == lacks


def test_infos_of_one_alert_speak_of_one_event() -> None:
    body = plain(head=IPAWS, info=GOOD)
    info = body[body.index(b"<info>") : body.index(b"</alert>")]
    second = info.replace(b"Met", b"Geo").replace(b"FFW", b"EQW")
    found = check(read(body.replace(b"</alert>", second + b"</alert>")).alert)
    assert [(each.code, each.facts["what"], each.path) for each in found] == [
        ("cap.profile_same", "category", "/alert/info[2]"),
        ("cap.profile_same", "eventCode", "/alert/info[2]"),
    ]
