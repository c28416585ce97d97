# SPDX-License-Identifier: Apache-2.0
"""A running city as the place where evolutions go: through its NGSI-LD API, several at a time."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import msgspec

from citybrain.kernel.entities.represent import show_instance, show_types
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.http import Call, Http, NoAnswer
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.outbound import EVERYWHERE
from citybrain.kernel.pool.temporal_reading import Given

AT_ONCE = 8
WITHIN_S = 60.0
PATH = "/ngsi-ld/v1/temporal/entities"


class CityRefused(Unavailable):
    """The city did not take what was sent; the facts say what it answered."""


class Remote:
    """Sends evolutions with a service's token. What is sent again after an interruption changes nothing."""

    def __init__(self, url: str, *, token: str, tenant: str) -> None:
        self._url = url.rstrip("/") + PATH
        self._headers = {"content-type": "application/json"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        if tenant:
            self._headers["ngsild-tenant"] = tenant
        self._http = Http(outbound=EVERYWHERE)
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *reason: Any) -> None:
        await self._http.close()

    async def take(self, given: Sequence[Given]) -> None:
        """Send evolutions; committed there on return. Refuses at the first that is not taken."""
        await asyncio.gather(*(self._send(each) for each in given))

    async def _send(self, given: Given) -> None:
        body = msgspec.json.encode(payload(given))
        call = Call(method="POST", url=self._url, headers=self._headers, content=body, may_repeat=True)
        async with self._room:
            try:
                async with asyncio.timeout(WITHIN_S):
                    answer = await self._http.send(call)
            except (NoAnswer, TimeoutError) as problem:
                facts = {"id": given.id, "why": str(problem) or type(problem).__name__}
                raise CityRefused("serve.pool_remote_refused", facts) from problem
        if answer.status not in (201, 204):
            why = f"{answer.status} {(answer.body or b'').decode(errors='replace')[:300]}"
            raise CityRefused("serve.pool_remote_refused", {"id": given.id, "why": why})


def payload(given: Given) -> dict[str, Any]:
    """An evolution as the temporal API takes it (CIM 009 clause 5.2.20), in terms of the core context."""
    told: dict[str, Any] = {"id": given.id, "type": show_types(given.types, CORE)}
    for name, instance in given.instances:
        told.setdefault(CORE.compact(name), []).append(show_instance(instance, CORE, name=name))
    return told
