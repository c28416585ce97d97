# SPDX-License-Identifier: Apache-2.0
"""Whatever a machine makes of our own descriptions: never a fault, every refusal in its form."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.hostile import faults
from tests.scenarios.city import RunningCity, running

# What ends the session under which the machine asks, a stream that never ends, and a page of the web framework's own.
LEFT_OUT = frozenset({"/api/session", "/api/sessions/{number}", "/api/stream", "/api/docs/{path}"})


@pytest.fixture(scope="module")
def city(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(new_folder(), scenario="none") as started:
        yield started


def _is_bad_refusal(answer: httpx.Response) -> str:
    if answer.status_code >= 500 and answer.status_code != 503:
        return "a fault"
    if answer.status_code < 400:
        return ""
    return "" if {"code", "facts"} <= set(_told(answer)) else "no code and facts"


def _is_bad_problem(answer: httpx.Response) -> str:
    if answer.status_code >= 500:
        return "a fault"
    if answer.status_code < 400:
        return ""
    told = _told(answer)
    return "" if told.get("status") == answer.status_code and told.get("detail") else "no problem document"


def _told(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


@pytest.mark.slow
def test_the_citys_own_routes_stand_up_to_a_machine(city: RunningCity) -> None:
    with httpx.Client(base_url=city.url, timeout=30, headers={"X-Citybrain": "1"}) as client:
        signed_in = client.post("/api/session", json={"name": "operator", "password": city.password})
        assert signed_in.status_code == 200
        told = client.get("/api/docs/openapi.json").json()
        assert faults(told, client, _is_bad_refusal, leave_out=LEFT_OUT) == []


@pytest.mark.slow
def test_the_door_for_geographic_programs_stands_up_to_a_machine(city: RunningCity) -> None:
    with httpx.Client(base_url=f"{city.url}/ogc/features", timeout=30) as client:
        assert faults(client.get("/api").json(), client, _is_bad_problem) == []
