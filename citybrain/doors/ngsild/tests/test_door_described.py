# SPDX-License-Identifier: Apache-2.0
"""The description in OpenAPI: it is whole, and whatever a machine makes of it is answered or refused, never a fault."""

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from citybrain.doors.ngsild import described
from citybrain.doors.ngsild.app import ROUTE_FILES
from citybrain.doors.ngsild.federation import federated
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.i18n import load_words
from citybrain.kernel.store import Store

FOLDER = Path(described.__file__).parent
# They only refuse a path without an identifier.
NOT_OPERATIONS = {("PUT", "/entities"), ("PATCH", "/entities")}
HOW = settings(max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))


async def test_every_route_is_described_and_nothing_else_is(store: Store) -> None:
    served = Served(store, load_words([FOLDER]), "en")
    routes = {(each.method, each.path) for each in federated(served, ROUTE_FILES)}
    routes = {(method, path) for method, path in routes if "//" not in path}
    assert routes - NOT_OPERATIONS == set(described.OPERATIONS)


def test_every_refusal_of_the_door_has_a_sentence() -> None:
    words = load_words([FOLDER]).of("en")
    files = [file for file in FOLDER.glob("*.py") if file.name != "door.py"]  # which names permissions
    used = {code for file in files for code in re.findall(r'"(ngsild\.[a-z_]+)", ', file.read_text())}
    assert {code for code in used if code not in words} == set()


async def test_whatever_the_description_allows_is_answered_or_refused_properly(url: str) -> None:
    async with httpx.AsyncClient() as client:
        told = (await client.get(f"{url}/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(told)
    faults = await asyncio.to_thread(_tried, schema, url)
    assert faults == []


def _tried(schema: Any, url: str) -> list[str]:
    """Every operation with some examples each, valid and not; what went wrong."""
    faults: list[str] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                _try(operation, mode, client, faults)
    return faults


def _try(operation: Any, mode: Any, client: httpx.Client, faults: list[str]) -> None:

    @given(case=operation.as_strategy(generation_mode=mode))
    @HOW
    def ask(case: Any) -> None:
        answer = _send(client, case)
        if answer is not None and (why := _wrong(answer)):
            faults.append(f"{case.method} {answer.request.url}: {why}: {answer.text[:300]}")

    # Where everything is allowed nothing can be made that is not.
    with suppress(Unsatisfiable):
        ask()


def _send(client: httpx.Client, case: Any) -> httpx.Response | None:
    """The case as a request; None for what HTTP itself cannot carry."""
    asked = case.as_transport_kwargs(base_url=str(client.base_url).rstrip("/"))
    try:
        return client.request(
            asked["method"],
            asked["url"],
            params=asked.get("params"),
            headers={str(name): str(value) for name, value in (asked.get("headers") or {}).items()},
            content=json.dumps(asked["json"]).encode() if "json" in asked else asked.get("data"),
        )
    except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, TypeError, ValueError):
        return None


def _wrong(answer: httpx.Response) -> str:
    """What is wrong with an answer: a fault of ours, or a refusal that is no ProblemDetails."""
    if answer.status_code >= 500 and answer.status_code != 504:
        return "a fault"
    if answer.status_code < 400 or answer.status_code == 411 or answer.request.method == "HEAD":
        return ""
    try:
        told = answer.json()
    except ValueError:
        return "no JSON"
    whole = isinstance(told, dict) and {"type", "title", "status"} <= set(told)
    return "" if whole and told["status"] == answer.status_code else "no ProblemDetails"
