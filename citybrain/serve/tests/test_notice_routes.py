# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from citybrain.kernel.cases.notice import Channel, Tell, Template
from citybrain.kernel.cases.rights import PERMISSIONS
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store
from citybrain.serve import contributions
from citybrain.serve.front import Front
from citybrain.serve.web import create
from conftest import Serving

WORDS = Template(topic="case.told", subject={"zh": "甲", "en": "A"}, body={"zh": "{stop}", "en": "{stop}"})


@pytest.fixture
async def url(store: Store, serving: Serving, tmp_path: Path) -> AsyncIterator[str]:
    """A city's web front."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    desk: Any = SimpleNamespace(city=SimpleNamespace(store=store))
    front = Front(create(desk, store.access, tmp_path, address=""), store.access, [], address="")
    async with serving(front) as found:  # type: ignore[arg-type]
        yield found


async def queue(store: Store) -> None:
    told = Tell(topic="case.told", facts={}, channel=Channel.EMAIL, address="wang@example.cn")
    async with store.db.transaction() as transaction:
        await store.casework.notices.queue(transaction, told, now=utc_now())


async def states(store: Store) -> list[str]:
    return await store.db.read("SELECT state FROM notice ORDER BY id", as_=str)


async def test_whoever_has_the_link_stops_notices_with_one_press_and_not_by_looking(url: str, store: Store) -> None:
    assert "public" in PERMISSIONS["case.notice_stop"]
    assert contributions.words().of("en")["notice_stop.ask"]
    await store.casework.notices.put_template(WORDS, by="admin", now=utc_now())
    await queue(store)
    token = (await store.db.read("SELECT token FROM notice_stop", as_=str))[0]
    async with httpx.AsyncClient(base_url=url) as client:
        asked = await client.get(f"/notices/stop/{token}")
        assert asked.status_code == 200
        assert "<form method=" in asked.text
        await queue(store)
        assert await states(store) == ["waiting", "waiting"], "a program that looks at links stops nothing"
        # As RFC 8058 has mail programs do: no cookie, no header of ours.
        stopped = await client.post(f"/notices/stop/{token}", data={"List-Unsubscribe": "One-Click"})
        assert stopped.status_code == 200
        assert (await client.post("/notices/stop/guessed")).status_code == 404
    await queue(store)
    assert (await states(store))[-1] == "stopped"
