# SPDX-License-Identifier: Apache-2.0
"""A city without any app that takes reports in, or shows any."""

import httpx

from citybrain.doors.open311.app import make
from citybrain.doors.open311.tests.conftest import WHOLE, errors_of, mounted, publish, service
from citybrain.kernel.store import Store
from conftest import Serving


async def test_nothing_is_shown_and_a_report_is_refused_in_plain_words(store: Store, serving: Serving) -> None:
    async with serving(mounted(make(store))) as address:
        headers = {"accept-language": "en"}
        async with httpx.AsyncClient(base_url=f"{address}/open311", headers=headers) as client:
            assert (await client.get("/discovery.json")).json()["changeset"] == "1970-01-01T00:00:00Z"
            assert (await client.get("/v2/services.json")).json() == []
            assert (await client.post("/v2/requests.json", data=WHOLE)).status_code == 404
            await publish(store, service("001"))
            answer = await client.post("/v2/requests.json", data=WHOLE)
    assert answer.status_code == 503
    assert "12345" in errors_of(answer)[0]["description"]
