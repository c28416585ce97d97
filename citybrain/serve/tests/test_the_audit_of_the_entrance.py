# SPDX-License-Identifier: Apache-2.0
"""The audit is told who came in, who was turned away and why; a flood of refusals does not fill it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pyotp
import pytest
from argon2 import PasswordHasher
from msgspec.structs import asdict

from citybrain.kernel.access import Access, passwords
from citybrain.kernel.access.witness import WRITTEN_A_MINUTE, Refused, Witness
from citybrain.kernel.app import Mount
from citybrain.kernel.asgi import Answer, Receive, Scope, Send, send_answer
from citybrain.kernel.audit import AuditQuery, search
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.serve import contributions
from citybrain.serve.front import Front
from citybrain.serve.gate import OWN_PAGE_HEADER
from citybrain.serve.web import create
from conftest import Serving

PASSWORD = "correct horse battery"
CLEAN = "TRUNCATE account, department, post, role, membership, delegation, sign_in_attempt, sign_in_code CASCADE"
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at a cost that lets tests sign in a hundred times."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


async def _bare(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send_answer(send, Answer(status=200, body=b"{}"))


MOUNT = Mount(
    prefix="/mounted",
    make=lambda _store: _bare,
    reads="city.control",
    writes="city.control",
    refuse=lambda refusal: Answer(status=403, body=msgspec.json.encode(refusal.code)),
)


class Log:
    """What the audit was told since the test began."""

    def __init__(self, db: Database, after: int) -> None:
        self._db = db
        self._after = after

    async def of(self, act: str) -> list[Any]:
        """The entries of an act, the oldest first."""
        async with self._db.transaction() as transaction:
            found = await search(transaction, AuditQuery(act=act, limit=1000))
        told = [each for each in reversed(found) if each.id > self._after]
        return [SimpleNamespace(**{**asdict(each), "facts": msgspec.json.decode(each.facts)}) for each in told]


@pytest.fixture
async def access(db: Database) -> Access:
    await db.write(CLEAN)
    made = Access(db, contributions.permissions())
    await made.load(utc_now())
    for name, roles in (("li", ()), ("op", ("operator",))):
        await made.add_account(name, PASSWORD, roles=roles, now=utc_now())
    return made


@pytest.fixture
async def log(db: Database, access: Access) -> Log:
    return Log(db, (await db.read("SELECT coalesce(max(id), 0) FROM audit_entry", as_=int))[0])


@pytest.fixture
async def client(access: Access, serving: Serving, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at a page of ours, nobody yet."""
    desk: Any = SimpleNamespace(city=SimpleNamespace(store=None))
    front = Front(create(desk, access, tmp_path), access, [(MOUNT, _bare)])
    own_page = {OWN_PAGE_HEADER: "1"}
    served = serving(front)  # type: ignore[arg-type]
    async with served as url, httpx.AsyncClient(base_url=url, headers=own_page, timeout=30) as made:
        yield made


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return await client.post("/api/session", json={"name": name, "password": password, **more})


async def test_who_comes_in_and_goes_out_is_in_the_audit(client: httpx.AsyncClient, log: Log) -> None:
    session = (await sign_in(client, "li")).json()["session"]
    (entry,) = await log.of("access.signed_in")
    assert (entry.actor, entry.actor_kind, entry.object) == ("li", "staff", "account:li")
    assert entry.facts == {"session": session, "method": "password", "second_factor": False, "address": "127.0.0.1"}
    await client.post("/api/session/proof", json={"password": PASSWORD})
    assert [(each.actor, each.facts["session"]) for each in await log.of("access.proved")] == [("li", session)]
    await client.delete("/api/session")
    assert [(each.actor, each.facts["session"]) for each in await log.of("access.signed_out")] == [("li", session)]
    assert PASSWORD not in "".join(str(each) for each in await log.of("access"))


async def test_a_refused_sign_in_is_kept_with_its_account_and_whence_it_came(
    client: httpx.AsyncClient, log: Log
) -> None:
    assert (await sign_in(client, "li", "wrong")).status_code == 403
    (entry,) = await log.of("access.sign_in_refused")
    assert (entry.actor, entry.object) == ("", "account:li")
    assert entry.facts == {"why": "kernel.sign_in_refused", "address": "127.0.0.1"}


async def test_a_name_that_is_nobodys_is_not_kept_for_it_may_be_a_password(client: httpx.AsyncClient, log: Log) -> None:
    assert (await sign_in(client, "my secret by mistake", "wrong")).status_code == 403
    (entry,) = await log.of("access.sign_in_refused")
    assert entry.object == "account:"
    assert "secret" not in str(entry)


async def test_the_lock_of_a_name_is_kept_too(client: httpx.AsyncClient, log: Log) -> None:
    for _ in range(8):
        await sign_in(client, "li", "wrong")
    assert [each.facts["why"] for each in await log.of("access.sign_in_refused")] == [
        "kernel.sign_in_refused",
        "kernel.sign_in_locked",
    ]


async def test_a_wrong_second_factor_and_a_wrong_proof_are_kept(client: httpx.AsyncClient, log: Log) -> None:
    await sign_in(client, "li")
    begun = (await client.post("/api/second-factor")).json()
    app = pyotp.parse_uri(begun["address"])
    assert isinstance(app, pyotp.TOTP)
    assert (await client.put("/api/second-factor", json={"code": app.at(utc_now() - 30 * SECOND)})).is_success
    assert (await client.post("/api/session/proof", json={"code": "000000"})).status_code == 403
    await client.delete("/api/session")
    assert (await sign_in(client, "li")).status_code == 401
    assert (await sign_in(client, "li", code="000000")).status_code == 403
    assert [each.facts["why"] for each in await log.of("access.sign_in_refused")] == [
        "kernel.second_factor_needed",
        "kernel.second_factor_wrong",
    ]
    (proof,) = await log.of("access.proof_refused")
    assert (proof.actor, proof.facts["why"]) == ("li", "kernel.second_factor_wrong")


async def test_a_session_that_is_ended_elsewhere_and_a_new_password_are_kept(
    client: httpx.AsyncClient, log: Log, access: Access
) -> None:
    await access.sessions.open("li", method="password", now=utc_now())
    await sign_in(client, "li")
    here = (await client.get("/api/session")).json()["session"]
    (other,) = [each["id"] for each in (await client.get("/api/sessions")).json() if each["id"] != here]
    assert (await client.delete(f"/api/sessions/{other}")).status_code == 204
    assert [(each.actor, each.facts) for each in await log.of("access.session_ended")] == [("li", {"session": other})]
    refused = await client.put("/api/session/password", json={"old": "wrong", "new": "a much longer sentence"})
    assert refused.status_code == 403
    assert [each.actor for each in await log.of("access.password_refused")] == ["li"]
    changed = await client.put("/api/session/password", json={"old": PASSWORD, "new": "a much longer sentence"})
    assert changed.status_code == 204
    assert [each.object for each in await log.of("people.password_changed")] == ["account:li"]


async def test_what_somebody_may_not_do_is_kept_with_route_and_permission(client: httpx.AsyncClient, log: Log) -> None:
    await sign_in(client, "li")
    assert (await client.post("/api/services", json={"name": "x", "may": []})).status_code == 403
    assert (await client.get("/api/people/op/sessions")).status_code == 403
    assert (await client.get("/mounted/x")).status_code == 403
    found = [(each.actor, each.facts["route"], each.facts["permission"]) for each in await log.of("access.refused")]
    assert [(who, permission) for who, _, permission in found] == [
        ("li", "city.services"),
        ("li", "people.sessions"),
        ("li", "city.control"),
    ]
    assert [route for _, route, _ in found] == ["POST /api/services", "GET /api/people/{name}/sessions", "GET /mounted"]


async def test_a_token_that_is_nobodys_and_a_write_from_another_page_are_kept(
    client: httpx.AsyncClient, log: Log
) -> None:
    for path in ("/api/services", "/mounted"):
        assert (await client.get(path, headers={"Authorization": "Bearer guessed"})).status_code in (401, 403)
    (entry,) = await log.of("access.token_refused")
    assert (entry.object, entry.facts["address"]) == ("service:", "127.0.0.1")
    assert "guessed" not in str(entry)
    del client.headers[OWN_PAGE_HEADER]
    assert (await sign_in(client, "li")).status_code == 403
    assert [each.facts["why"] for each in await log.of("access.refused")] == ["serve.from_another_page"]


async def test_tokens_of_services_are_given_and_ended_in_the_audit(client: httpx.AsyncClient, log: Log) -> None:
    await sign_in(client, "op")
    await client.post("/api/services", json={"name": "board", "may": ["city.view"]})
    await client.delete("/api/services/board")
    acts = [(each.act, each.actor, each.object) for each in await log.of("access") if "token" in each.act]
    assert acts == [("access.token_given", "op", "service:board"), ("access.token_ended", "op", "service:board")]


def _refused(address: str) -> Refused:
    return Refused(act="access.sign_in_refused", object="account:", why="kernel.sign_in_refused", address=address)


async def test_of_a_flood_one_a_minute_is_written_and_the_others_counted(db: Database, log: Log) -> None:
    witness, now = Witness(db), utc_now()
    for second in range(120):
        await witness.refused(_refused("10.0.0.1"), now=now + second * SECOND)
    written = await log.of("access.sign_in_refused")
    assert [each.facts.get("alike_before") for each in written] == [None, 59]
    await witness.add_up(now + 120 * SECOND)
    assert [each.facts for each in await log.of("access.flood")] == [{"access.sign_in_refused": 59}]
    await witness.add_up(now + 180 * SECOND)
    assert len(await log.of("access.flood")) == 1


async def test_a_flood_from_everywhere_does_not_fill_the_audit(db: Database, log: Log) -> None:
    witness, now = Witness(db), utc_now()
    for number in range(WRITTEN_A_MINUTE + 50):
        await witness.refused(_refused(f"10.0.{number // 250}.{number % 250}"), now=now)
    assert len(await log.of("access.sign_in_refused")) == WRITTEN_A_MINUTE
    await witness.add_up(now + 60 * SECOND)
    assert [each.facts for each in await log.of("access.flood")] == [{"others": 50}]
