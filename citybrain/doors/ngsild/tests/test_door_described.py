# SPDX-License-Identifier: Apache-2.0
"""The description in OpenAPI: it is whole, and whatever a machine makes of it is answered or refused, never a fault."""

import asyncio
import re
from pathlib import Path

import httpx

from citybrain.doors.ngsild import described
from citybrain.doors.ngsild.app import ROUTE_FILES
from citybrain.doors.ngsild.federation import federated
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.i18n import load_words
from citybrain.kernel.store import Store
from tests.hostile import faults

FOLDER = Path(described.__file__).parent
# They only refuse a path without an identifier.
NOT_OPERATIONS = {("PUT", "/entities"), ("PATCH", "/entities")}


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
    def tried() -> list[str]:
        with httpx.Client(base_url=url, timeout=30) as client:
            return faults(client.get("/openapi.json").json(), client, _wrong)

    assert await asyncio.to_thread(tried) == []


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
