# SPDX-License-Identifier: Apache-2.0
"""A city that takes reports only from those who have a key."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

import httpx
import pytest

from citybrain.doors.open311.tests.conftest import WHOLE, errors_of
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store


@pytest.fixture(scope="module")
def grants() -> Mapping[str, Sequence[str]]:
    return {"open311.view": ("public",), "open311.report": ("operator",)}


@pytest.fixture
async def key(store: Store) -> AsyncIterator[str]:
    """The token of a service that may report."""
    now = utc_now()
    until = now + timedelta(days=1)
    yield await store.access.add_service("app", may=("open311.report",), by="x", now=now, expires_at=until)
    await store.access.remove_service("app")


async def test_a_report_without_key_or_with_a_wrong_one_is_forbidden(client: httpx.AsyncClient) -> None:
    for form in (WHOLE, {**WHOLE, "api_key": "wrong"}):
        answer = await client.post("/requests.json", data=form)
        assert (answer.status_code, errors_of(answer)[0]["code"]) == (403, 403)
        assert "api_key" in errors_of(answer)[0]["description"]


async def test_a_key_is_taken_from_the_form_and_from_the_header(client: httpx.AsyncClient, key: str) -> None:
    assert (await client.post("/requests.json", data={**WHOLE, "api_key": key})).status_code == 201
    header = {"authorization": f"Bearer {key}"}
    assert (await client.post("/requests.json", data=WHOLE, headers=header)).status_code == 201


async def test_reading_needs_no_key(client: httpx.AsyncClient) -> None:
    assert (await client.get("/requests.xml?api_key=wrong")).status_code == 200
