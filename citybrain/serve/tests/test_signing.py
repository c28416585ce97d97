# SPDX-License-Identifier: Apache-2.0
"""People sign in and act through a server that runs: cookies, second factors, powers, and what goes wrong."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import HTTPRoute

from citybrain.kernel.access import Access, Kind, passwords
from citybrain.kernel.access.citizens import Way
from citybrain.kernel.access.sessions import SESSION_ENDS
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.serve import contributions
from citybrain.serve.gate import COOKIE, OWN_PAGE_HEADER, PROOF_LASTS, security_headers
from citybrain.serve.web import create
from conftest import Serving

PASSWORD = "correct horse battery"
OWN_PAGE = {OWN_PAGE_HEADER: "1"}
CLEAN = "TRUNCATE account, department, post, role, membership, delegation, sign_in_attempt, sign_in_code CASCADE"
STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at a cost that lets tests sign in a hundred times."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
async def access(db: Database) -> Access:
    await db.write(CLEAN)
    made = Access(db, contributions.permissions())
    await made.load(utc_now())
    return made


@pytest.fixture
async def url(access: Access, serving: Serving, tmp_path: Path) -> AsyncIterator[str]:
    """Where the city's application listens."""
    async with serving(create(None, access, tmp_path, address="http://127.0.0.1")) as found:  # type: ignore[arg-type]
        yield found


class Browser:
    """Somebody at a page of ours."""

    def __init__(self, url: str, **headers: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, headers={**OWN_PAGE, **headers}, timeout=30)

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """What the city answers; with the status that is expected, or the test ends here."""
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, *, status: int = 403) -> str:
        """The code of a refusal."""
        code: str = (await self.ask(method, path, body, status=status))["code"]
        return code

    async def sign_in(self, name: str, code: str | None = None) -> Any:
        return await self.ask("POST", "/api/session", {"name": name, "password": PASSWORD, "code": code})

    async def enrol(self) -> pyotp.TOTP:
        """Set up an app for whoever is signed in."""
        begun = await self.ask("POST", "/api/second-factor", status=201)
        app = pyotp.parse_uri(begun["address"])
        assert isinstance(app, pyotp.TOTP)
        await self.ask("PUT", "/api/second-factor", {"code": app.at(utc_now() - STEP)})
        return app


@pytest.fixture
async def browse(url: str) -> AsyncIterator[Any]:
    """Makes browsers."""
    opened: list[Browser] = []

    def made(**headers: str) -> Browser:
        opened.append(Browser(url, **headers))
        return opened[-1]

    yield made
    for each in opened:
        await each.http.aclose()


async def account(access: Access, name: str, *roles: str) -> None:
    await access.add_account(name, PASSWORD, roles=roles, now=utc_now())


async def test_a_session_begins_and_ends(access: Access, browse: Any) -> None:
    await account(access, "li", "operator")
    li = browse()
    assert await li.refused("GET", "/api/sessions", status=401) == "serve.not_signed_in"
    me = await li.sign_in("li")
    assert me["account"] == "li"
    assert {"city.control", "city.view"} <= set(me["permissions"])
    assert await li.ask("GET", "/api/session") == me
    (session,) = await li.ask("GET", "/api/sessions")
    assert (session["address"], session["id"]) == ("127.0.0.1", me["session"])
    nobody = await li.ask("DELETE", "/api/session")
    assert nobody["account"] is None
    assert COOKIE not in li.http.cookies


async def test_a_session_that_ended_in_a_long_form_says_so_and_the_form_can_be_sent_again(
    access: Access, browse: Any, db: Database
) -> None:
    await account(access, "li")
    await account(access, "wu")
    li = browse()
    await li.sign_in("li")
    await db.write("UPDATE session SET expires_at = now() - interval '1 second'")
    form = {
        "of_account": "li",
        "to_account": "wu",
        "ends_at": (utc_now() + timedelta(days=1)).isoformat(),
        "reason": "leave",
    }
    assert await li.refused("POST", "/api/delegations", form, status=401) == "serve.session_over"
    assert await li.ask("GET", "/api/session")
    await li.sign_in("li")
    await li.ask("POST", "/api/delegations", form, status=201)
    assert len(await li.ask("GET", "/api/delegations")) == 1


@pytest.mark.parametrize(("address", "secure"), [("https://city.example", True), ("http://10.0.0.1:8000", False)])
async def test_the_cookie_is_closed_to_scripts_and_other_sites_and_goes_by_https_where_there_is_one(
    access: Access, serving: Serving, tmp_path: Path, address: str, secure: bool
) -> None:
    await account(access, "li")
    served = serving(create(None, access, tmp_path, address=address))  # type: ignore[arg-type]
    async with served as found, httpx.AsyncClient(base_url=found, headers=OWN_PAGE) as client:
        answer = await client.post("/api/session", json={"name": "li", "password": PASSWORD})
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert ("secure" in flags) is secure
    assert answer.headers["set-cookie"].startswith("__Host-citybrain_session=" if secure else "citybrain_session=")
    assert not [flag for flag in flags if flag.startswith("domain")]
    assert ("Strict-Transport-Security" in security_headers(address)) is secure
    assert set(security_headers("")) <= {name.title() for name in answer.headers} | {"X-Content-Type-Options"}


async def test_by_https_a_cookie_that_another_host_may_have_set_counts_for_nothing(
    access: Access, serving: Serving, tmp_path: Path
) -> None:
    await account(access, "li")
    served = serving(create(None, access, tmp_path, address="https://city.example"))  # type: ignore[arg-type]
    token = await access.sessions.open("li", method="password", now=utc_now())
    async with served as found:
        for name, status in ((f"__Host-{COOKIE}", 200), (COOKIE, 401)):
            async with httpx.AsyncClient(base_url=found, cookies={name: token}) as client:
                assert (await client.get("/api/sessions")).status_code == status, name


async def test_a_session_ends_some_day_however_much_it_is_used(access: Access, browse: Any, db: Database) -> None:
    await account(access, "li")
    li = browse()
    await li.sign_in("li")
    (session,) = await li.ask("GET", "/api/sessions")
    begun, ends = (datetime.fromisoformat(session[name]) for name in ("created_at", "ends_at"))
    assert ends - begun == SESSION_ENDS[Kind.STAFF]
    assert begun < datetime.fromisoformat(session["expires_at"]) < ends
    aged = "UPDATE session SET created_at = created_at - %(by)s, expires_at = now() + interval '1 minute'"
    await db.write(aged, {"by": SESSION_ENDS[Kind.STAFF] - timedelta(hours=1)})
    await li.ask("POST", "/api/session/proof", {"password": PASSWORD})
    (session,) = await li.ask("GET", "/api/sessions")
    assert datetime.fromisoformat(session["expires_at"]) == datetime.fromisoformat(session["ends_at"])
    await db.write(aged, {"by": timedelta(hours=2)})
    assert await li.refused("GET", "/api/sessions", status=401) == "serve.session_over"


async def test_signing_in_gives_a_token_that_nobody_knew_before(access: Access, browse: Any) -> None:
    await account(access, "li")
    li = browse()
    await li.sign_in("li")
    before = li.http.cookies[COOKIE]
    await li.sign_in("li")
    assert li.http.cookies[COOKIE] != before
    thief = browse(Cookie=f"{COOKIE}={before}")
    assert await thief.refused("GET", "/api/sessions", status=401) == "serve.session_over"
    fixed = browse()
    fixed.http.cookies.set(COOKIE, "chosen by somebody else", domain="127.0.0.1")
    await fixed.sign_in("li")
    assert fixed.http.cookies[COOKIE] != "chosen by somebody else"


async def test_a_write_from_another_page_is_refused(access: Access, url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/api/session", json={"name": "li", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "serve.from_another_page")


async def test_a_session_elsewhere_is_seen_and_ended(access: Access, browse: Any) -> None:
    await account(access, "li")
    here, there, wu = browse(), browse(), browse()
    await here.sign_in("li")
    elsewhere = (await there.sign_in("li"))["session"]
    await account(access, "wu")
    await wu.sign_in("wu")
    assert await wu.refused("DELETE", f"/api/sessions/{elsewhere}", status=404) == "kernel.no_such_session"
    await here.ask("DELETE", f"/api/sessions/{elsewhere}", status=204)
    assert await there.refused("GET", "/api/sessions", status=401) == "serve.session_over"


async def test_a_second_factor_is_enrolled_asked_for_and_shown_once(access: Access, browse: Any) -> None:
    await account(access, "li")
    li = browse()
    await li.sign_in("li")
    app = await li.enrol()
    assert (await li.ask("GET", "/api/session"))["second_factor"]
    assert await li.ask("GET", "/api/second-factor") == {"enrolled": True, "recovery_codes": 10}
    again = browse()
    password = {"name": "li", "password": PASSWORD}
    assert await again.refused("POST", "/api/session", password, status=401) == "kernel.second_factor_needed"
    code = app.at(utc_now())
    await again.sign_in("li", code)
    replayed = {**password, "code": code}
    assert await browse().refused("POST", "/api/session", replayed) == "kernel.second_factor_wrong"


async def test_a_power_acts_with_a_second_factor_alone(access: Access, browse: Any) -> None:
    await account(access, "ad", "admin")
    admin = browse()
    await admin.sign_in("ad")
    new = {"id": "water", "name": {"zh": "水务局", "en": "Water"}}
    assert await admin.refused("POST", "/api/departments", new) == "serve.second_factor_to_enrol"
    await admin.enrol()
    await admin.ask("POST", "/api/departments", new, status=201)


async def test_a_grave_act_asks_for_a_fresh_proof(access: Access, browse: Any, db: Database) -> None:
    await account(access, "op", "operator")
    op = browse()
    await op.sign_in("op")
    stale = PROOF_LASTS + timedelta(seconds=1)
    await db.write("UPDATE session SET proved_at = now() - %(stale)s", {"stale": stale})
    first = {"account": "se", "password": PASSWORD}
    assert await op.refused("POST", "/api/powers/security", first) == "serve.proof_needed"
    before = op.http.cookies[COOKIE]
    assert await op.refused("POST", "/api/session/proof", {"password": "wrong"}) == "kernel.sign_in_refused"
    await op.ask("POST", "/api/session/proof", {"password": PASSWORD})
    assert op.http.cookies[COOKIE] != before
    await op.ask("POST", "/api/powers/security", first, status=204)


async def test_a_new_city_comes_by_its_powers_departments_and_clerks(access: Access, browse: Any) -> None:
    await account(access, "op", "operator")
    op, security, admin = browse(), browse(), browse()
    await op.sign_in("op")
    for power, name in (("security", "se"), ("admin", "ad"), ("audit", "au")):
        await op.ask("POST", f"/api/powers/{power}", {"account": name, "password": PASSWORD}, status=204)
    assert await op.refused("POST", "/api/powers/admin", {"account": "se"}, status=409) == "kernel.power_held"
    await security.sign_in("se")
    await security.enrol()
    await admin.sign_in("ad")
    await admin.enrol()
    assert await security.refused("POST", "/api/powers/audit", {"account": "ad"}, status=409) == "kernel.two_powers"
    bureau = {"zh": "局", "en": "Bureau"}
    for place in ("water", "roads"):
        await admin.ask("POST", "/api/departments", {"id": place, "name": bureau}, status=201)
    await admin.ask("POST", "/api/people", {"name": "li", "password": PASSWORD, "shown_name": "李娜"}, status=201)
    assert await admin.refused("POST", "/api/memberships", {"account": "li", "department": "water", "role": "x"})
    role: dict[str, Any] = {"shown_name": bureau, "permissions": {"city.acknowledge": {}}}
    await security.ask("PUT", "/api/roles/duty", role)
    assert await security.refused("PUT", "/api/roles/duty", role, status=409) == "kernel.role_changed"
    membership: dict[str, Any] = {"account": "li", "department": "water", "role": "duty"}
    number = (await security.ask("POST", "/api/memberships", membership, status=201))["id"]
    li = browse()
    me = await li.sign_in("li")
    assert "city.acknowledge" in me["permissions"]
    assert me["departments"][0]["department"] == "water"
    await admin.ask("POST", "/api/departments/water/dissolution", {"successor": "roads"}, status=204)
    assert (await li.ask("GET", "/api/session"))["departments"][0]["department"] == "roads"
    assert await security.refused("DELETE", f"/api/memberships/{number}", status=404) == "kernel.no_such_grant"
    for each in await security.ask("GET", "/api/memberships"):
        await security.ask("DELETE", f"/api/memberships/{each['id']}", status=204)
    assert "city.acknowledge" not in (await li.ask("GET", "/api/session"))["permissions"]
    assert (await security.ask("DELETE", "/api/people/li/sessions"))["ended"] == 1
    assert await li.refused("GET", "/api/sessions", status=401) == "serve.session_over"


async def test_a_citizen_signs_in_by_code_and_may_nothing_of_the_staffs(access: Access, browse: Any) -> None:
    sent: list[str] = []

    class Gateway:
        async def send(self, to: str, *, subject: str, text: str) -> None:
            sent.append(f"{to} {subject}")

    access.citizens.senders = {Way.PHONE: Gateway()}
    citizen = browse()
    wanted = {"to": "13812345678", "lang": "en"}
    number = (await citizen.ask("POST", "/api/session/codes", wanted, status=202))["number"]
    code = sent[0][-6:]
    me = await citizen.ask("POST", "/api/session/code", {"number": number, "code": code})
    assert me["kind"] == "citizen"
    assert "session.own" in me["permissions"]
    assert len(await citizen.ask("GET", "/api/sessions")) == 1
    assert await citizen.refused("GET", "/api/people") == "serve.not_permitted"
    assert await citizen.refused("POST", "/api/session/codes", {"to": "nonsense"}, status=400)


async def test_a_service_is_let_in_by_its_token_and_no_further(access: Access, browse: Any) -> None:
    now = utc_now()
    token = await access.add_service(
        "board", may=("people.view",), by="op", now=now, expires_at=now + timedelta(days=1)
    )
    board = browse(Authorization=f"Bearer {token}")
    assert await board.ask("GET", "/api/departments") == []
    assert await board.refused("POST", "/api/departments", {"id": "x", "name": {}}) == "serve.not_permitted"
    guessed = browse(Authorization="Bearer guessed")
    assert await guessed.refused("GET", "/api/departments", status=401) == "serve.not_signed_in"


async def test_what_comes_back_from_a_provider_without_a_beginning_says_why(access: Access, browse: Any) -> None:
    answer = await browse().http.get("/api/session/openid/back?code=1&state=2")
    assert answer.status_code == 200
    assert "url=/?refused=kernel.foreign_sign_in_refused" in answer.text
    assert COOKIE not in answer.cookies
    assert await browse().refused("GET", "/api/session/openid/to/nobody", status=404) == "kernel.no_such_provider"


# fmt: off
STRANGE = ["\0", "a\0b", "../x", "'; DROP TABLE account; --", "😀" * 50, "x" * 5000]
# fmt: on


@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
async def test_strange_names_are_refused_and_never_a_bug(access: Access, browse: Any, text: str) -> None:
    for power, name in (("security", "se"), ("admin", "ad")):
        await account(access, name, power)
        browser = browse()
        await browser.sign_in(name)
        await browser.enrol()
        path = httpx.QueryParams({"x": text}).__str__()[2:].replace("+", "%20")
        asked = [
            ("POST", "/api/people", {"name": text, "password": PASSWORD}),
            ("DELETE", f"/api/people/{path}", None),
            ("PUT", f"/api/people/{path}/roles", {"roles": [text]}),
            ("PUT", "/api/people/se/roles", {"roles": [text]}),
            ("GET", f"/api/people/{path}/sessions", None),
            ("DELETE", f"/api/people/{path}/second-factor", None),
            ("POST", f"/api/powers/{path}", {"account": text}),
            ("POST", "/api/powers/audit", {"account": text}),
            ("POST", "/api/departments", {"id": text, "name": {"zh": text}}),
            ("POST", "/api/departments", {"id": "ok", "name": {"zh": text}, "parent": text}),
            ("PUT", "/api/posts", {"id": text, "department": text, "name": {}, "roles": [text]}),
            ("PUT", f"/api/roles/{path}", {"shown_name": {"zh": text}, "permissions": {text: {}}}),
            ("POST", "/api/memberships", {"account": text, "department": text, "role": text}),
            ("POST", "/api/memberships", {"account": text, "department": text, "post": text}),
            ("POST", "/api/session/code", {"number": text, "code": text}),
            ("POST", "/api/session/codes", {"to": text}),
            ("PUT", "/api/session/acting", {"account": text}),
            ("POST", "/api/session/proof", {"code": text}),
        ]
        for method, where, body in asked:
            answer = await browser.http.request(method, where, json=body)
            assert answer.status_code < 500, f"{method} {where}: {answer.text}"


def handlers(access: Access, pages: Path) -> Iterator[tuple[str, BaseRouteHandler]]:
    """Every handler of the application with its path."""
    for route in create(None, access, pages).routes:  # type: ignore[arg-type]
        if isinstance(route, HTTPRoute):
            yield from ((route.path, handler) for handler in route.route_handlers)


async def test_what_changes_rights_asks_for_a_fresh_proof(access: Access, tmp_path: Path) -> None:
    asking = {path for path, handler in handlers(access, tmp_path) if handler.opt.get("step_up")}
    assert {"/api/powers/{power:str}", "/api/roles/{name:str}", "/api/people/{name:str}/roles"} <= asking
