# SPDX-License-Identifier: Apache-2.0
"""What officers see: warnings in lines, one with its history, those that are over, and whom the city believes."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from citybrain.doors.cap import desk, service, trusted
from citybrain.doors.cap import store as kept
from citybrain.doors.cap.model import Scope, Status
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.authority import Authority, written
from citybrain.doors.cap.tests.sample import plain, whole
from citybrain.doors.cap.tests.signing import BEGINS, ENDS, pair
from citybrain.doors.cap.trust import NOBODY, load
from citybrain.kernel.store import Store

NOON = datetime.fromisoformat("2024-06-15T12:00:00+08:00")
EIGHT = "2024-06-15T08:00:00+08:00"


@pytest.fixture(autouse=True)
async def nothing_before(store: Store) -> None:
    """Each test begins with nothing here."""
    await store.db.write("DELETE FROM cap_alert")


async def test_a_message_is_followed_to_those_before_and_after_it(store: Store) -> None:
    names = ("h1", "h2", "h3", "another")
    heads = (
        "",
        f"<references>s@x,h1,{EIGHT}</references>",
        "<references>s@x,h2,2024-06-15T09:00:00+08:00</references>",
        "",
    )
    types = ("Alert", "Update", "Cancel", "Alert")
    for hour, (name, head, type) in enumerate(zip(names, heads, types, strict=True)):
        sent = f"2024-06-15T{8 + hour:02}:00:00+08:00"
        await service.take(store, plain(identifier=name, head=head, type=type, sent=sent), by="centre", at=NOON)
    for name in names[:3]:
        found = await kept.find(store.db, name, sender="s@x", scopes=tuple(Scope))
        assert found is not None
        chain = (await desk.whole(store.db, found)).chain
        assert [(each["identifier"], each["closed_because"]) for each in chain] == [
            ("h1", "Update"),
            ("h2", "Cancel"),
            ("h3", ""),
        ]


async def test_a_message_that_waits_shows_which_it_would_close(store: Store) -> None:
    await service.take(store, plain(identifier="w1"), by="centre", at=NOON)
    head = f"<references>s@x,w1,{EIGHT} s@x,never,{EIGHT}</references>"
    cancel = read(plain(identifier="w2", type="Cancel", head=head)).alert
    assert [each["identifier"] for each in await desk.referred(store.db, cancel)] == ["w1"]


async def test_what_is_over_stands_in_a_list_of_its_own(store: Store) -> None:
    for name, ends in (("short", "2024-06-15T12:30:00+08:00"), ("long", "2024-06-15T18:00:00+08:00")):
        await service.take(store, plain(identifier=name, info=f"<expires>{ends}</expires>"), by="centre", at=NOON)
    at = NOON + timedelta(hours=1)
    scopes = tuple(Scope)
    over = await kept.over_at(store.db, at, status=Status.ACTUAL, scopes=scopes, limit=9)
    in_force = await kept.open_at(store.db, at, status=Status.ACTUAL, scopes=scopes, limit=9)
    assert ([each.identifier for each in over], [each.identifier for each in in_force]) == (["short"], ["long"])


async def test_of_one_identifier_the_message_of_a_time_is_found(store: Store) -> None:
    for sent in (EIGHT, "2024-06-15T09:00:00+08:00"):
        await service.take(store, plain(identifier="twice", sent=sent), by="centre", at=NOON)
    first = datetime.fromisoformat(EIGHT)
    found = await kept.find(store.db, "twice", sender="s@x", sent=first, scopes=tuple(Scope))
    newest = await kept.find(store.db, "twice", sender="s@x", scopes=tuple(Scope))
    assert (found.sent if found else None, newest.sent if newest else None) == (first, first + timedelta(hours=1))


def test_a_line_says_level_event_and_areas_in_both_languages() -> None:
    told = desk.words(read(whole()).alert)
    assert told["level"] == "I"
    assert told["event"] == {"zh": "暴雨红色预警", "en": "Red rainstorm warning"}
    assert told["areas"] == {"zh": ["滨江区"]}
    assert (told["severity"], told["urgency"], told["certainty"]) == ("Extreme", "Immediate", "Observed")
    assert told["begins_at"] == datetime.fromisoformat(EIGHT)


def test_officers_are_told_whom_the_city_believes_and_how_old_the_lists_are(tmp_path: Path) -> None:
    root = Authority("Root")
    below = Authority("Weather authority", root)
    (tmp_path / "crl").mkdir()
    (tmp_path / "crl" / "root.crl").write_bytes(root.revoked([below.sender("gone")], NOON - timedelta(days=9)))
    pair("p256").write(tmp_path, "named")
    more = 'revocations = ["crl"]\ncertificates = ["named.crt"]'
    told = trusted.shown(load(written(tmp_path, "s@x", root, below, more=more)), NOON)
    assert (told["is_checked"], told["others"], told["signing"]) == (True, "ignored", None)
    (source,) = told["sources"]
    assert (source["sender"], source["signatures"], source["revocations"]) == ("s@x", "required", True)
    first, second = source["authorities"]
    assert (first["name"], first["is_root"], second["issuer"], second["is_root"]) == ("Root", True, "Root", False)
    assert first["list"] == {
        "made_at": NOON - timedelta(days=9),
        "ends_at": NOON - timedelta(days=2),
        "revoked": 1,
        "is_current": False,
    }
    assert second["list"] is None
    (named,) = source["certificates"]
    assert (named["begins_at"], named["ends_at"], named["standing"]) == (BEGINS, ENDS, "good")
    assert named["fingerprint"] == pair("p256").certificate.fingerprint
    later = trusted.shown(load(tmp_path / "cap.toml"), ENDS + timedelta(days=1))
    assert later["sources"][0]["certificates"][0]["standing"] == "over"


def test_without_a_file_nothing_is_checked() -> None:
    assert trusted.shown(NOBODY, NOON) == {"is_checked": False, "others": "ignored", "sources": [], "signing": None}
