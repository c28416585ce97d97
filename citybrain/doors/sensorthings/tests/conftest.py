# SPDX-License-Identifier: Apache-2.0
"""The door served for real, with a small city of sensors."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from citybrain.doors.sensorthings.app import PREFIX, VERSION, make
from citybrain.kernel.store import Store
from conftest import Serving

STATION: dict[str, Any] = {
    "name": "station west",
    "description": "weather mast",
    "properties": {"owner": "city", "height_m": 12},
    "Locations": [
        {
            "name": "west hill",
            "description": "on the hill",
            "encodingType": "application/geo+json",
            "location": {"type": "Point", "coordinates": [120.1, 30.2]},
        }
    ],
    "Datastreams": [
        {
            "name": f"{what} west",
            "description": what,
            "unitOfMeasurement": {"name": unit, "symbol": unit, "definition": f"urn:unit:{unit}"},
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "Sensor": {
                "name": f"{what} sensor",
                "description": "a sensor",
                "encodingType": "application/pdf",
                "metadata": "https://example.org/sensor.pdf",
            },
            "ObservedProperty": {"name": what, "description": what, "definition": f"urn:property:{what}"},
            "Observations": [
                {"phenomenonTime": f"2026-03-01T{hour:02}:00:00Z", "result": base + hour} for hour in range(4)
            ],
        }
        for what, unit, base in (("temperature", "C", 10), ("humidity", "%", 50))
    ],
}


class Client:
    """Speaks to the door; paths are those below the service root."""

    def __init__(self, root: str, http: httpx.AsyncClient) -> None:
        self.root = root
        self.http = http

    def url(self, path: str) -> str:
        return path if path.startswith("http") else f"{self.root}/{path}"

    async def get(self, path: str, **options: str) -> Any:
        """The body of what must be there; options are named without their dollar."""
        params = {f"${name}": value for name, value in options.items()}
        answer = await self.http.get(self.url(path), params=params or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def values(self, path: str, **options: str) -> list[Any]:
        found: list[Any] = (await self.get(path, **options))["value"]
        return found

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.http.request(method, self.url(path), json=body, headers=headers or None)

    async def make(self, path: str, body: Any) -> str:
        """The address of what was made."""
        answer = await self.send("POST", path, body)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]


@pytest.fixture(scope="module")
async def client(store: Store, serving: Serving) -> AsyncIterator[Client]:
    app = make(store)

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await app({**scope, "root_path": PREFIX}, receive, send)

    async with serving(mounted) as address, httpx.AsyncClient(timeout=30) as http:
        yield Client(address + PREFIX + VERSION, http)


@pytest.fixture(scope="module")
async def station(client: Client) -> str:
    """The address of a Thing with two Datastreams of four Observations each."""
    return await client.make("Things", STATION)
