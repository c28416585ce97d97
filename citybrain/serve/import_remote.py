# SPDX-License-Identifier: Apache-2.0
"""The entities of an imported city into the pool of one that runs, through its NGSI-LD API."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from citybrain.kernel.app import Opening
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.represent import represent
from citybrain.kernel.http import Call, Http, NoAnswer
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.outbound import EVERYWHERE
from citybrain.kernel.pool.registered import change_of
from citybrain.kernel.records import Entity
from citybrain.serve import scenarios
from citybrain.serve.pool_remote import CityRefused

PATH = "/ngsi-ld/v1/entityOperations/upsert?options=update"
AT_ONCE = 500
WITHIN_S = 60.0


async def send(door: str, name: str, url: str, token: str) -> int:
    """Put every entity of a scenario into the pool at this address; answers with how many. Twice changes nothing."""
    entities = await asyncio.to_thread(entities_of, door, name)
    http = Http(outbound=EVERYWHERE)
    try:
        for some in _groups(entities):
            await _send(http, some, url.rstrip("/") + PATH, token)
    finally:
        await http.close()
    return len(entities)


def entities_of(door: str, name: str) -> Sequence[Entity]:
    """What there is in a scenario, as its field tells when it is opened."""
    found = scenarios.find(name)
    begin = scenarios.door_of(door).open
    assert begin is not None
    field = begin(Opening(scenario=found.scenario, seed=1, begins_at=utc_now(), obey=False))
    try:
        return field.entities()
    finally:
        field.close()


def _groups(entities: Sequence[Entity]) -> list[list[dict[str, Any]]]:
    documents = [change.after for each in entities if (change := change_of(each, None)) is not None]
    shown = [represent(document, CORE) for document in documents if document is not None]
    return [shown[at : at + AT_ONCE] for at in range(0, len(shown), AT_ONCE)]


async def _send(http: Http, some: list[dict[str, Any]], url: str, token: str) -> None:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    call = Call(method="POST", url=url, headers=headers, content=msgspec.json.encode(some), may_repeat=True)
    try:
        async with asyncio.timeout(WITHIN_S):
            answer = await http.send(call)
    except (NoAnswer, TimeoutError) as problem:
        facts = {"id": some[0]["id"], "why": str(problem) or type(problem).__name__}
        raise CityRefused("serve.pool_remote_refused", facts) from problem
    if answer.status not in (201, 204):
        why = f"{answer.status} {(answer.body or b'').decode(errors='replace')[:300]}"
        raise CityRefused("serve.pool_remote_refused", {"id": some[0]["id"], "why": why})
