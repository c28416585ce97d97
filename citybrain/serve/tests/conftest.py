# SPDX-License-Identifier: Apache-2.0
"""A city with two departments, their people and one type of case, behind its web front."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from citybrain.kernel.access import KERNEL_PERMISSIONS, Actor, Kind, Right, passwords
from citybrain.kernel.access.actor import EVERYTHING
from citybrain.kernel.access.grants import NewMembership
from citybrain.kernel.cases.tests.city import TICKET
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store
from citybrain.serve.front import Front
from citybrain.serve.gate import OWN_PAGE_HEADER
from citybrain.serve.web import create
from conftest import Serving

PASSWORD = "correct horse battery"
FOUNDER = Actor(
    name="founder",
    account="founder",
    kind=Kind.STAFF,
    rights={name: Right(reach=EVERYTHING) for name in KERNEL_PERMISSIONS},
)
MEMBERS = (("li", "roads", "clerk"), ("wang", "roads", "clerk"), ("zhao", "roads", "head"), ("chen", "water", "clerk"))
POTHOLE: dict[str, Any] = {
    "type": "ticket",
    "title": "中关村大街路面破损",
    "department": "roads",
    "fields": {"text": "路上有个大坑"},
}


class Clerk:
    """Somebody at a desk, signed in."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http = http
        self.name = name

    async def sign_in(self) -> None:
        """Begin a session, or another one."""
        await self.ask("POST", "/api/session", {"name": self.name, "password": PASSWORD})

    async def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """What the city answers; with the status that is expected, any success if none is said."""
        answer = await self.http.request(method, path, json=body)
        fits = answer.is_success if status is None else answer.status_code == status
        assert fits, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, *, status: int) -> str:
        """The code of a refusal."""
        code: str = (await self.ask(method, path, body, status=status))["code"]
        return code

    async def open(self, **changes: Any) -> Any:
        """A hole in a street."""
        return await self.ask("POST", "/api/cases", {**POTHOLE, **changes}, status=201)

    async def act(self, case: Any, verb: str, *, status: int = 200, **facts: Any) -> Any:
        """Do something with a case."""
        return await self.ask("POST", f"/api/cases/{case['id']}/acts", {"verb": verb, **facts}, status=status)


Signs = Callable[[str], Awaitable[Clerk]]


@pytest.fixture(scope="module")
def cheap_hashes_all_the_while() -> Iterator[None]:
    """The same algorithm at a cost that lets tests sign in often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(scope="module")
async def staffed(store: Store, cheap_hashes_all_the_while: None) -> Store:
    """The city with its people and its type of case."""
    access, now = store.access, utc_now()
    for id, name in (("roads", {"zh": "道路", "en": "Roads"}), ("water", {"zh": "水务", "en": "Water"})):
        await access.departments.add(FOUNDER, id, name=name, parent=None, now=now)
    for account, department, role in MEMBERS:
        await access.add_account(account, PASSWORD, roles=(), now=now)
        await access.grants.give(FOUNDER, NewMembership(account=account, department=department, role=role), now=now)
    await access.add_account("op", PASSWORD, roles=("operator",), now=now)
    await store.cases.types.put(TICKET, by="city", now=now)
    return store


@pytest.fixture(scope="module")
async def case_url(staffed: Store, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where the city's web front listens."""
    pages: Path = tmp_path_factory.mktemp("pages")
    desk: Any = SimpleNamespace(city=SimpleNamespace(store=staffed))
    front = Front(create(desk, staffed.access, pages, address=""), staffed.access, [], address="")
    async with serving(front) as found:  # type: ignore[arg-type]
        yield found


@pytest.fixture(scope="module")
async def at_desk(case_url: str) -> AsyncIterator[Signs]:
    """Signs somebody in, once each."""
    known: dict[str, Clerk] = {}

    async def signs(name: str) -> Clerk:
        if name not in known:
            http = httpx.AsyncClient(base_url=case_url, headers={OWN_PAGE_HEADER: "1"}, timeout=60)
            known[name] = Clerk(http, name)
            await known[name].sign_in()
        return known[name]

    yield signs
    for each in known.values():
        await each.http.aclose()
