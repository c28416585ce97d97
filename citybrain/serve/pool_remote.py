# SPDX-License-Identifier: Apache-2.0
"""A running city as the place where evolutions go: through its NGSI-LD API, several at a time."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import httpx

from citybrain.kernel.entities.represent import show_instance, show_types
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.pool.temporal_reading import Given

AT_ONCE = 8
WITHIN_S = 60.0
PATH = "/ngsi-ld/v1/temporal/entities"


class CityRefused(Unavailable):
    """The city did not take what was sent; the facts say what it answered."""


class Remote:
    """Sends evolutions with a service's token. What is sent again after an interruption changes nothing."""

    def __init__(self, url: str, *, token: str, tenant: str) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if tenant:
            headers["ngsild-tenant"] = tenant
        self.client = httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=WITHIN_S)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *reason: Any) -> None:
        await self.client.__aexit__(*reason)

    async def take(self, given: Sequence[Given]) -> None:
        """Send evolutions; committed there on return. Refuses at the first that is not taken."""
        await asyncio.gather(*(self._send(each) for each in given))

    async def _send(self, given: Given) -> None:
        async with self._room:
            try:
                answer = await self.client.post(PATH, json=payload(given))
            except httpx.HTTPError as problem:
                facts = {"id": given.id, "why": str(problem) or type(problem).__name__}
                raise CityRefused("serve.pool_remote_refused", facts) from problem
        if answer.status_code not in (201, 204):
            why = f"{answer.status_code} {answer.text[:300]}"
            raise CityRefused("serve.pool_remote_refused", {"id": given.id, "why": why})


def payload(given: Given) -> dict[str, Any]:
    """An evolution as the temporal API takes it (CIM 009 clause 5.2.20), in terms of the core context."""
    told: dict[str, Any] = {"id": given.id, "type": show_types(given.types, CORE)}
    for name, instance in given.instances:
        told.setdefault(CORE.compact(name), []).append(show_instance(instance, CORE, name=name))
    return told
