# SPDX-License-Identifier: Apache-2.0
"""A city with a hotline behind its web front, its clerks, and a citizen without account."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from citybrain.apps.hotline.service.hotline import Hotline, opened
from citybrain.kernel.access import KERNEL_PERMISSIONS, Actor, Kind, Right, passwords
from citybrain.kernel.access.actor import EVERYTHING
from citybrain.kernel.access.grants import NewMembership
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from citybrain.serve import contributions
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
MEMBERS = (
    ("desk", "hotline", "clerk"),
    ("chief", "hotline", "head"),
    ("wang", "water", "clerk"),
    ("zhao", "roads", "clerk"),
)


class Person:
    """Somebody with a browser."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def sign_in(self, name: str) -> None:
        await self.ask("POST", "/api/session", {"name": name, "password": PASSWORD})

    async def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None, **query: Any) -> Any:
        """What the city answers; with the status that is expected, any success if none is said."""
        answer = await self.http.request(method, path, json=body, params=query or None)
        fits = answer.is_success if status is None else answer.status_code == status
        assert fits, f"{method} {path}: {answer.status_code} {answer.text}"
        is_json = "json" in answer.headers.get("content-type", "")
        return (answer.json() if is_json else answer.text) if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, *, status: int, **query: Any) -> str:
        """The code of a refusal."""
        code: str = (await self.ask(method, path, body, status=status, **query))["code"]
        return code


People = Callable[[str], Awaitable[Person]]
"""Signs somebody in, once each; "" is a citizen without account, "op" the operator."""


@pytest.fixture(scope="module")
def cheap_hashes_all_the_while() -> Iterator[None]:
    """The same algorithm at a cost that lets tests sign in often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(scope="module")
async def city(database_url: str, open_folder: Path, cheap_hashes_all_the_while: None) -> AsyncIterator[Store]:
    """The open city with its clerks; its departments are those of the seed."""
    settings = Settings(data=open_folder / f"hotline-{new_id()}", database_url=database_url)
    given = {"permissions": contributions.permissions(), "words": contributions.words()}
    async with open_store(settings, **given) as store, opened(store) as hotline:  # type: ignore[arg-type]
        store.of_apps["hotline"] = hotline
        access, now = store.access, utc_now()
        for account, department, role in MEMBERS:
            await access.add_account(account, PASSWORD, roles=(), now=now)
            new = NewMembership(account=account, department=department, role=role)
            await access.grants.give(FOUNDER, new, now=now)
        await access.add_account("op", PASSWORD, roles=("operator",), now=now)
        yield store


@pytest.fixture(scope="module")
def hotline(city: Store) -> Hotline:
    found: Hotline = city.of_apps["hotline"]
    return found


@pytest.fixture(scope="module")
async def people(city: Store, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    """Those who use it, by name."""
    pages: Path = tmp_path_factory.mktemp("pages")
    desk: Any = SimpleNamespace(city=SimpleNamespace(store=city))
    front = Front(create(desk, city.access, pages, address=""), city.access, [], address="")
    known: dict[str, Person] = {}
    async with serving(front) as url:  # type: ignore[arg-type]

        async def person(name: str) -> Person:
            if name not in known:
                headers = {OWN_PAGE_HEADER: "1"}
                known[name] = Person(httpx.AsyncClient(base_url=url, headers=headers, timeout=60))
                if name:
                    await known[name].sign_in(name)
            return known[name]

        yield person
        for each in known.values():
            await each.http.aclose()


REPORT = {"text": "幸福里小区停水两天了", "category": "water.supply.outage", "longitude": 116.3512, "latitude": 39.9532}


@pytest.fixture
async def reported(people: People) -> tuple[str, str]:
    """The number and the secret link of a report that the water department got."""
    citizen = await people("")
    person = {"name": "张三", "phone": "13800138000", "email": "zhang@example.org", "address": "幸福里 3 号楼"}
    given = await citizen.ask("POST", "/api/hotline/reports", {**REPORT, **person}, status=201)
    return given["number"], given["link"]


@pytest.fixture
async def case_id(hotline: Hotline, reported: tuple[str, str]) -> int:
    """The case of that report."""
    asked = {"number": reported[0]}
    (id,) = await hotline.db.read("SELECT case_id FROM hotline_ticket WHERE number = %(number)s", asked, as_=int)
    return id


async def answered(people: People, case_id: int) -> None:
    """The water department accepts and answers."""
    wang = await people("wang")
    for act in (
        {"verb": "move", "move": "accept"},
        {"verb": "move", "move": "answer", "answer": "已修复", "fields": {"resolution": "resolved"}},
    ):
        await wang.ask("POST", f"/api/cases/{case_id}/acts", act)
