# SPDX-License-Identifier: Apache-2.0
"""Safety on the web: every answer carries what browsers need, the log is the audit power's, own data the person's."""

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from citybrain.kernel.access import Access
from citybrain.kernel.app import Mount
from citybrain.kernel.asgi import Answer, Receive, Scope, Send, send_answer
from citybrain.kernel.audit import MACHINE, record
from citybrain.kernel.cases.case import Opening
from citybrain.kernel.cases.rights import PERMISSIONS as CASE_PERMISSIONS
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal
from citybrain.kernel.privacy import Asking, Basis, PersonalField, Place, Retention, Sort, Wanted
from citybrain.kernel.store import Store
from citybrain.kernel.tests.test_personal_fields_of_cases import FIELDS, LI, REPORT
from citybrain.serve import contributions
from citybrain.serve.front import Front
from citybrain.serve.gate import OWN_PAGE_HEADER, SECURITY_HEADERS, cookie_name
from citybrain.serve.peer import address_of
from citybrain.serve.web import create
from conftest import Serving

HTTPS = "https://city.example"


async def _bare(scope: Scope, receive: Receive, send: Send) -> None:
    await send_answer(send, Answer(status=200 if scope["path"].endswith("ok") else 404, body=b"{}"))


def _refuse(refusal: Refusal) -> Answer:
    return Answer(status=403, body=msgspec.json.encode(refusal.code))


MOUNT = Mount(prefix="/mounted", make=lambda _store: _bare, reads="city.view", writes="city.control", refuse=_refuse)


@pytest.fixture(scope="module")
async def url(store: Store, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A city's web front with a mounted protocol, and pages of one file."""
    pages = tmp_path_factory.mktemp("pages")
    (pages / "assets").mkdir()
    (pages / "index.html").write_text("<!doctype html>" + " " * 2_000)
    (pages / "assets" / "a.js").write_text("0")
    store.access.policy = Access(store.db, (CASE_PERMISSIONS, *contributions.permissions())).policy
    desk: Any = SimpleNamespace(city=SimpleNamespace(store=store))
    front = Front(create(desk, store.access, pages, address=HTTPS), store.access, [(MOUNT, _bare)], address=HTTPS)
    async with serving(front) as found:  # type: ignore[arg-type]
        yield found


# fmt: off
ANSWERS = [
    ("GET", "/", 200, "a page, compressed"),
    ("GET", "/assets/a.js", 200, "a file"),
    ("HEAD", "/", 405, "no body"),
    ("GET", "/api/nothing", 404, "no such route"),
    ("PUT", "/api/session", 405, "a wrong method"),
    ("POST", "/api/session", 400, "a body that does not fit"),
    ("GET", "/api/audit", 401, "not signed in"),
    ("GET", "/api/city", 500, "a fault of ours"),
    ("GET", "/mounted/ok", 200, "a mounted protocol"),
    ("GET", "/mounted/no", 404, "what it does not have"),
    ("POST", "/mounted/ok", 403, "what it refuses"),
    ("GET", "/api/docs/openapi.json", 200, "the description"),
]
# fmt: on


@pytest.mark.parametrize(("method", "path", "status", "why"), ANSWERS)
async def test_every_answer_says_what_keeps_browsers_safe(
    url: str, method: str, path: str, status: int, why: str
) -> None:
    async with httpx.AsyncClient(base_url=url, headers={OWN_PAGE_HEADER: "1"}) as client:
        answer = await client.request(method, path, content=b"{" if method == "POST" else None)
    assert answer.status_code == status, why
    for name, value in {**SECURITY_HEADERS, "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}.items():
        assert answer.headers.get_list(name) == [value], f"{why}: {name}"


def test_the_policy_for_content_lets_nothing_in_from_elsewhere() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not {"unsafe-inline", "unsafe-eval", "http:", "https:", "*"} & set(policy.replace("'", "").split())


async def test_what_the_city_tells_is_kept_in_no_cache(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        for path in ("/api/city", "/api/audit", "/api/nothing"):
            assert (await client.get(path)).headers["Cache-Control"] == "no-store", path
        assert "immutable" in (await client.get("/assets/a.js")).headers["Cache-Control"]


async def test_no_other_site_may_read_what_is_signed_in(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, headers={"Origin": "https://evil.example"}) as client:
        for path in ("/", "/api/city", "/api/session"):
            answer = await client.get(path)
            assert not [name for name in answer.headers if name.startswith("access-control-")], path


async def test_folders_are_not_listed_and_trace_is_not_known(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        assert "a.js" not in (await client.get("/assets/")).text
        assert "root:" not in (await client.get("/..%2f..%2f..%2fetc/passwd")).text
        for path in ("/", "/api/city"):
            assert (await client.request("TRACE", path)).status_code in (404, 405, 501)


async def test_a_fault_is_told_by_its_number_alone(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.get("/api/city")
    assert answer.status_code == 500
    assert (answer.json()["code"], list(answer.json()["facts"])) == ("serve.bug", ["number"])


async def test_a_fault_is_logged_in_full_under_the_number_that_is_told(url: str) -> None:
    with capture_logs() as log:
        async with httpx.AsyncClient(base_url=url) as client:
            told = (await client.get("/api/city")).json()["facts"]["number"]
    (entry,) = [each for each in log if each["event"] == "bug"]
    assert (entry["number"], entry["path"], entry["log_level"]) == (told, "/api/city", "error")
    assert isinstance(entry["exc_info"], Exception)


# fmt: off
ORIGINS = [
    ("203.0.113.9", None,                        "203.0.113.9",  "no proxy"),
    ("203.0.113.9", "198.51.100.7",              "203.0.113.9",  "somebody makes it up"),
    ("127.0.0.1",   "198.51.100.7",              "198.51.100.7", "the proxy of this machine says it"),
    ("127.0.0.1",   "10.9.9.9, 198.51.100.7",    "198.51.100.7", "what somebody put before it does not count"),
    ("127.0.0.1",   None,                        "127.0.0.1",    "this machine"),
    ("127.0.0.1",   "x" * 500,                   "x" * 64,       "nonsense is cut"),
    (None,          "198.51.100.7",              "",             "a socket without addresses"),
]
# fmt: on


@pytest.mark.parametrize(("peer", "told", "address", "why"), ORIGINS)
def test_the_address_behind_a_proxy_counts_only_when_the_proxy_is_ours(
    peer: str | None, told: str | None, address: str, why: str
) -> None:
    headers = [(b"x-forwarded-for", told.encode())] if told else []
    assert address_of({"client": (peer, 1) if peer else None, "headers": headers}) == address, why


async def _client(store: Store, url: str, name: str, *roles: str, factor: bool = True) -> httpx.AsyncClient:
    await store.access.add_account(name, "correct horse battery", roles=roles, now=utc_now())
    token = await store.access.sessions.open(name, method="password", now=utc_now())
    visit = await store.access.sessions.find(token, utc_now())
    assert visit is not None
    token = await store.access.sessions.rotate(visit.id, now=utc_now(), second_factor=factor)
    return httpx.AsyncClient(base_url=url, cookies={cookie_name(HTTPS): token}, headers={OWN_PAGE_HEADER: "1"})


async def test_the_audit_power_alone_looks_into_the_log_and_that_is_recorded(store: Store, url: str) -> None:
    async with store.db.transaction() as transaction:
        await record(transaction, actor=MACHINE, act="case.move", object="case:7", facts={"to": "closed"})
    async with await _client(store, url, "auditor", "audit") as auditor:
        found = (await auditor.get("/api/audit", params={"object": "case:7"})).json()
        assert [(each["act"], each["facts"]) for each in found] == [("case.move", {"to": "closed"})]
        looked = (await auditor.get("/api/audit", params={"act": "audit.search"})).json()
        assert [(each["actor"], each["facts"]) for each in looked][-1:] == [
            ("auditor", {"object": "case:7", "limit": 100})
        ]
        assert (await auditor.get("/api/audit/verify")).json()["whole"] is True
        await store.audit.chain.extend()
        lines = (await auditor.get("/api/audit/export")).content.splitlines()
        assert msgspec.json.decode(lines[-1])["position"] == len(lines)
        last, before = (msgspec.json.decode(line) for line in (lines[-1], lines[-2]))
        await store.audit.seal(utc_now())
        link = (await auditor.get(f"/api/audit/{last['id']}/link")).json()
        assert (link["position"], link["hash"], link["before"]) == (len(lines), last["hash"], before["hash"])
        assert link["sealed_position"] >= len(lines)
        assert (await auditor.get("/api/audit/0/link")).json() is None
        bad = await auditor.get("/api/audit", params={"since": "yesterday"})
        assert (bad.status_code, bad.json()["code"]) == (400, "serve.audit_query_unusable")
    for role in ("admin", "security", "operator"):
        async with await _client(store, url, f"the-{role}", role) as other:
            for path in ("/api/audit", "/api/audit/verify", "/api/audit/export"):
                assert (await other.get(path)).status_code == 403, role


async def test_a_citizen_sees_who_looked_and_nobody_elses_data(store: Store, url: str) -> None:
    person = store.people.mark("phone", "13800131234")
    field = PersonalField(
        name="phone", purpose="answer", legal_basis=Basis.DUTY, retention=Retention.of_days(365), sort=Sort.PHONE
    )
    place = Place("t", "c", 1)
    wanted = [Wanted(field=field, sealed=store.keys.encrypt("13800131234", place), place=place)]
    shown: Any = SimpleNamespace(fields=SimpleNamespace(of=lambda _name: "clear"))
    clerk: Any = SimpleNamespace(account="li", kind="staff", on_behalf_of=None, rights={"case.work": shown})
    asking = Asking(permission="case.work", purpose="answer", reason="call back", person=person, object="case:1")
    async with store.db.transaction() as transaction:
        await store.people.reveal(transaction, clerk, asking, wanted)
        await transaction.write("INSERT INTO account VALUES ('citizen-1', NULL, '{}', now(), 'citizen')")
        await transaction.write("INSERT INTO account VALUES ('citizen-2', NULL, '{}', now(), 'citizen')")
        await transaction.write(
            "INSERT INTO citizen_contact VALUES (%(mark)s, 'phone', '', 'citizen-1', now())", {"mark": person}
        )
    for name, seen in (("citizen-1", ["li"]), ("citizen-2", [])):
        token = await store.access.sessions.open(name, method="code", now=utc_now())
        async with httpx.AsyncClient(base_url=url, cookies={cookie_name(HTTPS): token}) as citizen:
            assert [look["account"] for look in (await citizen.get("/api/own/looks")).json()] == seen
            assert [look["account"] for look in (await citizen.get("/api/own/data")).json()["looks"]] == seen


async def test_personal_fields_of_a_case_are_seen_by_giving_a_reason(store: Store, url: str) -> None:
    await store.cases.types.put(REPORT, by="city", now=utc_now() - timedelta(hours=1))
    case = await store.cases.open(LI, Opening(type="report", title="x", department="roads", fields=FIELDS))
    path = f"/api/cases/{case.id}/reveal"
    async with await _client(store, url, "clerk-of-all", "operator") as clerk:
        seen = await clerk.post(path, json={"fields": ["phone"], "reason": "回访核实情况"})
        assert (seen.status_code, seen.json()) == (200, {"values": {"phone": FIELDS["phone"]}})
        why = await clerk.post(path, json={"fields": ["phone"], "reason": ""})
        assert (why.status_code, why.json()["code"]) == (400, "kernel.reveal_reason_missing")
        nowhere = await clerk.post("/api/cases/999999/reveal", json={"fields": ["phone"], "reason": "回访"})
        assert nowhere.status_code == 404
    async with await _client(store, url, "auditor-two", "audit") as auditor:
        assert (await auditor.post(path, json={"fields": ["phone"], "reason": "回访核实情况"})).status_code == 403
