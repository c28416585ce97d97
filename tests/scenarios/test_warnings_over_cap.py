# SPDX-License-Identifier: Apache-2.0
"""Warnings through the city's own front: a service sends them in, everybody reads the feed, an officer asks who is
inside, and a stranger may do none of what is not public."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from citybrain.doors.cap.door import DOOR
from citybrain.doors.cap.markup import parse
from citybrain.doors.cap.reading import read, read_node
from citybrain.doors.cap.tests.authority import Authority, written
from citybrain.doors.cap.tests.signing import pair, signed
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.crypto.enveloped import check
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from citybrain.serve.front import Front
from citybrain.serve.web import create
from conftest import Serving

CAP, ATOM = "{urn:oasis:names:tc:emergency:cap:1.2}", "{http://www.w3.org/2005/Atom}"
SECRET = "<restriction>staff</restriction>"


def warning(identifier: str, **more: str) -> bytes:
    """A warning of now, around 30° N 120° E."""
    sent = (utc_now() - timedelta(minutes=1)).replace(microsecond=0).isoformat().replace("+00:00", "-00:00")
    return f"""<?xml version="1.0"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier><sender>s@x</sender>
<sent>{more.get("sent", sent)}</sent><status>{more.get("status", "Actual")}</status>
<msgType>{more.get("type", "Alert")}</msgType><scope>{more.get("scope", "Public")}</scope>{more.get("head", "")}
<info><language>zh-CN</language><category>Met</category><event>暴雨 &amp; 雷电</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Observed</certainty><headline>&lt;b&gt; "暴雨"</headline>
<area><areaDesc>滨江区</areaDesc><polygon>30,120 30,120.1 30.1,120.1 30.1,120 30,120</polygon></area></info></alert>
""".encode()


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path) -> AsyncIterator[Store]:
    settings = Settings(data=open_folder / f"cap-{new_id()}", database_url=database_url)
    async with open_store(settings, permissions=[DOOR.permissions]) as opened:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        school = {"type": "School"}
        for name, lon in (("in", 120.05), ("out", 120.15)):
            place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, 30.05]}}
            document = read_entity(
                {**school, "id": f"urn:ngsi-ld:School:{name}", "location": place}, CORE, "2026-03-01"
            )
            await opened.documents.apply([verbs.create("", document, at)])
        yield opened


@pytest.fixture(scope="module")
async def url(store: Store, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with serving(_front(store, tmp_path_factory.mktemp("pages"))) as found:  # type: ignore[arg-type]
        yield found


def _front(store: Store, pages: Path) -> Front:
    desk: Any = SimpleNamespace(city=SimpleNamespace(store=store))
    mounts = [(mount, mount.make(store)) for mount in DOOR.mounts]
    return Front(create(desk, store.access, pages, address=""), store.access, mounts, address="")


@pytest.fixture(scope="module")
async def centre(store: Store, url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A service that may send warnings in."""
    async with client(store, url, "centre", ("cap.write",)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def stranger(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def officer(store: Store, url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client(store, url, "desk", ("cap.restricted", "cap.inside", "cap.issue")) as opened:
        yield opened


@asynccontextmanager
async def client(store: Store, url: str, name: str, may: tuple[str, ...]) -> AsyncIterator[httpx.AsyncClient]:
    now = utc_now()
    token = await store.access.add_service(name, may=may, by="x", now=now, expires_at=now + timedelta(days=1))
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}) as opened:
        yield opened


async def test_a_warning_comes_in_once_and_goes_out_as_it_came(
    centre: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    body = warning("a/b-1")
    answer = await centre.post("/cap/alerts", content=body, headers={"content-type": "application/cap+xml"})
    assert (answer.status_code, answer.json()["is_new"]) == (201, True)
    assert [each["code"] for each in answer.json()["remarks"]] == ["cap.expires_missing", "cap.text_has_html"]
    again = await centre.post("/cap/alerts", content=body)
    assert (again.status_code, again.json()["is_new"]) == (200, False)
    found = await stranger.get(answer.headers["location"])
    assert found.content == body
    assert found.headers["content-type"] == "application/cap+xml"
    listed = (await stranger.get("/cap/alerts")).json()
    assert [each["identifier"] for each in listed] == ["a/b-1"]


async def test_who_may_not_send_is_told_so(stranger: httpx.AsyncClient, officer: httpx.AsyncClient) -> None:
    for who, status in ((stranger, 401), (officer, 403)):
        answer = await who.post("/cap/alerts", content=warning("no"))
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert "cap.write" not in answer.json()["title"]
        assert answer.json()["title"].startswith("cap.not_")


async def test_what_is_wrong_is_told_with_places(centre: httpx.AsyncClient) -> None:
    answer = await centre.post("/cap/alerts", content=warning("bad", status="actual", scope="All"))
    assert answer.status_code == 400
    assert [each["path"] for each in answer.json()["problems"]] == ["/alert/status", "/alert/scope"]
    bomb = b'<!DOCTYPE a [<!ENTITY a "ha">]><a>&a;</a>'
    assert (await centre.post("/cap/alerts", content=bomb)).json()["title"] == "cap.doctype"
    # The city answers before it has read all of it, and closes the connection.
    large = await centre.post("/cap/alerts", content=b" " * (5 * 2**20), headers={"Connection": "close"})
    assert large.status_code == 413
    await centre.post("/cap/alerts", content=warning("same", sent="2099-01-01T00:00:00-00:00"))
    head = "<references>a,b,2024-01-01T00:00:00-00:00</references>"
    other = warning("same", sent="2099-01-01T00:00:00-00:00", type="Ack", head=head)
    assert (await centre.post("/cap/alerts", content=other)).status_code == 409


async def test_the_feed_is_read_by_a_parser_that_nobody_here_wrote(
    centre: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    await centre.post("/cap/alerts", content=warning("feed-1"))
    await centre.post("/cap/alerts", content=warning("hidden", scope="Restricted", head=SECRET))
    await centre.post("/cap/alerts", content=warning("trial", status="Test"))
    answer = await stranger.get("/cap/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.content)
    for needed in ("id", "title", "updated", "author"):
        assert feed.findtext(f"{ATOM}{needed}", "").strip() or feed.find(f"{ATOM}{needed}/{ATOM}name") is not None
    entries = {each.findtext(f".//{CAP}identifier"): each for each in feed.findall(f"{ATOM}entry")}
    assert "feed-1" in entries and not {"hidden", "trial"} & entries.keys()
    entry = entries["feed-1"]
    assert entry.findtext(f"{ATOM}title") == '<b> "暴雨"'
    for name in ("updated", "published"):
        assert datetime.fromisoformat(entry.findtext(f"{ATOM}{name}", "")).tzinfo is not None
    ids = [each.findtext(f"{ATOM}id", "") for each in entries.values()]
    assert len(set(ids)) == len(ids) and all(each.startswith("http://") for each in ids)
    link = entry.find(f"{ATOM}link")
    assert link is not None
    linked = await stranger.get(link.attrib["href"])
    assert read(linked.content).alert.identifier == "feed-1"
    content = parse(answer.content)
    told = [node.children[0] for each in content.children for node in each.children if node.name == "content"]
    assert read(linked.content).alert in [read_node(each).alert for each in told]
    trial = ElementTree.fromstring((await stranger.get("/cap/feed.atom?status=Test")).content)
    assert [each.text for each in trial.iter(f"{CAP}identifier")] == ["trial"]
    assert (await stranger.get("/cap/feed.atom?status=Nothing")).status_code == 400


async def test_a_feed_without_news_is_not_sent_again(centre: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    first = await stranger.get("/cap/feed.atom")
    again = await stranger.get("/cap/feed.atom", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await centre.post("/cap/alerts", content=warning("news"))
    changed = await stranger.get("/cap/feed.atom", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_what_is_not_public_is_not_there_for_strangers(
    centre: httpx.AsyncClient, stranger: httpx.AsyncClient, officer: httpx.AsyncClient
) -> None:
    await centre.post("/cap/alerts", content=warning("staff-only", scope="Restricted", head=SECRET))
    assert (await stranger.get("/cap/alerts/staff-only")).status_code == 404
    told = (await officer.get("/api/cap/alert", params={"identifier": "staff-only"})).json()
    assert (told["alert"]["restriction"], told["about"]["scope"]) == ("staff", "Restricted")
    assert "staff-only" not in {each["identifier"] for each in (await stranger.get("/cap/alerts")).json()}
    assert "staff-only" in {each["identifier"] for each in (await officer.get("/api/cap/alerts")).json()}
    assert (await officer.get("/api/cap/alerts?status=x")).status_code == 400
    for path in ("alerts", "alert?identifier=staff-only", "inside?identifier=staff-only&type=School"):
        assert (await stranger.get(f"/api/cap/{path}")).status_code == 401


async def test_an_officer_asks_who_is_inside(centre: httpx.AsyncClient, officer: httpx.AsyncClient) -> None:
    await centre.post("/cap/alerts", content=warning("rain"))
    asked = {"identifier": "rain", "type": "School"}
    answer = (await officer.get("/api/cap/inside", params=asked)).json()
    assert [each["id"] for each in answer["entities"]] == ["urn:ngsi-ld:School:in"]
    assert answer["is_all"]
    assert (await officer.get("/api/cap/inside", params={**asked, "type": "Nothing"})).json()["count"] == 0
    assert (await officer.get("/api/cap/inside", params={**asked, "sender": "s@x"})).json()["count"] == 1
    for wrong, status in (({"identifier": "rain"}, 400), ({**asked, "identifier": "never"}, 404)):
        assert (await officer.get("/api/cap/inside", params=wrong)).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/alerts/%00", 404),
        ("GET", "/alerts/x?sender=%00", 404),
        ("DELETE", "/alerts/x", 401),
        ("HEAD", "/feed.atom", 200),
        ("GET", "/alerts/%ff%fe", 404),
    ],
)
async def test_odd_requests_are_answered(stranger: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    assert (await stranger.request(method, f"/cap{path}")).status_code == status


async def test_a_warning_of_others_reaches_the_journal(centre: httpx.AsyncClient, store: Store) -> None:
    sent = "2099-06-15T08:00:00+08:00"
    taken = (await centre.post("/cap/alerts", content=warning("told", sent=sent))).json()
    event = next(each for each in await store.journal.events(open_only=True) if each.id == taken["event_id"])
    assert (event.kind, event.severity) == ("cap.alert", "II")
    cancel = warning("told-2", type="Cancel", head=f"<references>s@x,told,{sent}</references>")
    assert (await centre.post("/cap/alerts", content=cancel)).json()["closed"] == 1
    assert taken["event_id"] not in {each.id for each in await store.journal.events(open_only=True)}


async def test_an_officer_warns_replaces_and_calls_off(
    officer: httpx.AsyncClient, stranger: httpx.AsyncClient, store: Store
) -> None:
    draft: dict[str, Any] = {
        "event": {"zh": "道路积水", "en": "Flooded road"},
        "area": {"zh": "滨江区", "en": "Binjiang"},
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "expires_at": (utc_now() + timedelta(hours=2)).isoformat(),
        "polygons": [[[120, 30], [120.1, 30], [120.1, 30.1], [120, 30]]],
        "circles": [{"longitude": 120.2, "latitude": 30.2, "radius_km": 1}],
    }
    assert (await stranger.post("/api/cap/issue", json=draft, headers={"X-Citybrain": "1"})).status_code == 401
    first = await officer.post("/api/cap/issue", json=draft)
    assert (first.status_code, first.json()["is_ours"], first.json()["remarks"]) == (201, True, [])
    message = read((await stranger.get(f"/cap/alerts/{first.json()['identifier']}")).content).alert
    assert [(each.language, each.event) for each in message.infos] == [("zh-CN", "道路积水"), ("en-US", "Flooded road")]
    assert message.infos[0].areas[0].polygons[0][1] == (30.0, 120.1)
    second = (await officer.post("/api/cap/issue", json={**draft, "replaces": [message.identifier]})).json()
    assert (second["type"], second["closed"]) == ("Update", 1)
    late = await officer.post("/api/cap/issue", json={**draft, "replaces": [message.identifier]})
    assert late.status_code == 409
    over = {**draft, "replaces": [second["identifier"]], "is_over": True}
    assert (await officer.post("/api/cap/issue", json=over)).json()["type"] == "Cancel"
    ours = {each["identifier"] for each in (await stranger.get("/cap/alerts")).json() if each["is_ours"]}
    assert ours == set()
    unusable: list[dict[str, Any]] = [
        {"polygons": [[[120, 30], [121, 31]]]},
        {"event": {}},
        {"expires_at": "2030-01-01T00:00:00"},
    ]
    for wrong in unusable:
        assert (await officer.post("/api/cap/issue", json={**draft, **wrong})).status_code == 400
    entries = await store.db.read("SELECT object FROM audit_entry WHERE act = 'cap.issue'", as_=str)
    assert len(entries) == 3


async def test_what_an_authority_does_not_vouch_for_waits_for_an_officer(
    store: Store, serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Authority("Root")
    below = Authority("Weather authority", root)
    monkeypatch.setenv("CITYBRAIN_CAP", str(written(tmp_path, "s@x", root)))
    async with serving(_front(store, tmp_path)) as url:  # type: ignore[arg-type]
        async with client(store, url, "vouched centre", ("cap.write",)) as centre:
            taken = await centre.post("/cap/alerts", content=below.sender("s@x").signed(warning("vouched"), below))
            assert (taken.status_code, taken.json()["signature"]) == (201, "valid")
            for identifier in ("aside-1", "aside-2"):
                body = below.sender("other@x").signed(warning(identifier), below)
                assert (await centre.post("/cap/alerts", content=body)).status_code == 400
            assert (await centre.get("/api/cap/quarantine")).status_code == 403
            assert (await centre.get("/api/cap/authorities")).status_code == 403
        async with client(store, url, "quarantine desk", ("cap.quarantine", "cap.restricted")) as desk:
            listed = (await desk.get("/api/cap/quarantine")).json()
            assert [(each["identifier"], each["code"]) for each in listed] == [
                ("aside-2", "cap.signature_unknown"),
                ("aside-1", "cap.signature_unknown"),
            ]
            second, first = (f"/api/cap/quarantine/{each['number']}" for each in listed)
            assert (await desk.get(first)).json()["alert"]["infos"][0]["severity"] == "Severe"
            assert (await desk.post(first, json={"decision": "release", "note": ""})).status_code == 400
            released = await desk.post(first, json={"decision": "release", "note": "telephoned"})
            assert (released.status_code, released.json()["state"]) == (200, "released")
            assert (await desk.post(first, json={"decision": "discard", "note": "no"})).status_code == 409
            assert (await desk.post(second, json={"decision": "discard", "note": "a joke"})).status_code == 200
            assert (await desk.get("/api/cap/quarantine")).json() == []
            decided = (await desk.get("/api/cap/quarantine", params={"decided": True})).json()
            assert [(each["identifier"], each["state"]) for each in decided] == [
                ("aside-2", "discarded"),
                ("aside-1", "released"),
            ]
            in_force = (await desk.get("/api/cap/alerts")).json()
            assert [each["signature"] for each in in_force if each["identifier"].startswith("aside")] == ["unknown"]
            (source,) = (await desk.get("/api/cap/authorities")).json()["sources"]
            assert (source["sender"], [each["name"] for each in source["authorities"]]) == ("s@x", ["Root"])


async def test_signatures_are_asked_of_a_sender_and_put_under_what_the_city_says(
    store: Store, serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair("p256").write(tmp_path, "weather")
    pair("p384").write(tmp_path, "city")
    (tmp_path / "cap.toml").write_text(
        '[[source]]\nsender = "s@x"\ncertificates = ["weather.crt"]\n'
        '[signing]\nkey = "city.key"\ncertificate = "city.crt"\n'
    )
    monkeypatch.setenv("CITYBRAIN_CAP", str(tmp_path / "cap.toml"))
    async with serving(_front(store, tmp_path)) as url:  # type: ignore[arg-type]
        async with client(store, url, "signing centre", ("cap.write",)) as centre:
            bare = await centre.post("/cap/alerts", content=warning("bare"))
            assert (bare.status_code, bare.json()["title"]) == (400, "cap.signature_none")
            assert "s@x" in bare.json()["detail"]
            body = signed(warning("true"), pair("p256"))
            changed = await centre.post("/cap/alerts", content=body.replace(b"30.1", b"30.2"))
            assert (changed.status_code, changed.json()["title"]) == (400, "cap.signature_wrong")
            taken = await centre.post("/cap/alerts", content=body)
            assert (taken.status_code, taken.json()["signature"]) == (201, "valid")
            assert taken.json()["signed_by"] == pair("p256").certificate.fingerprint
        async with client(store, url, "signing desk", ("cap.issue",)) as desk:
            draft = {
                "event": {"zh": "道路积水"},
                "area": {"zh": "滨江区"},
                "urgency": "Immediate",
                "severity": "Severe",
                "certainty": "Observed",
                "expires_at": (utc_now() + timedelta(hours=2)).isoformat(),
            }
            issued = (await desk.post("/api/cap/issue", json=draft)).json()
            out = await desk.get(f"/cap/alerts/{issued['identifier']}")
            found = check(out.content, [pair("p384").certificate], utc_now())
            assert (found.verdict, read(found.signed).alert.identifier) == ("valid", issued["identifier"])
