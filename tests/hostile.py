# SPDX-License-Identifier: Apache-2.0
"""Requests that a machine makes of a description in OpenAPI, valid and not: whatever comes is answered or refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

HOW = settings(max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))

IsWrong = Callable[[httpx.Response], str]
"""What is wrong with an answer; empty when nothing is."""


def faults(told: Any, client: httpx.Client, is_wrong: IsWrong, *, leave_out: frozenset[str] = frozenset()) -> list[str]:
    """Try every operation of a description with some examples each; what went wrong. `leave_out` are paths."""
    found: list[str] = []
    described: Any = schemathesis.openapi.from_dict(told)
    for each in described.get_all_operations():
        operation = each.ok()
        if operation.path in leave_out:
            continue
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            answered = _try(operation, mode, client, is_wrong, found)
            if not answered and mode is schemathesis.GenerationMode.POSITIVE:
                found.append(f"{operation.method} {operation.path}: no example could be made, so nothing was tried")
    return found


def _try(operation: Any, mode: Any, client: httpx.Client, is_wrong: IsWrong, found: list[str]) -> int:
    """How many examples were answered."""
    answered = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @HOW
    def ask(case: Any) -> None:
        nonlocal answered
        answer = _send(client, case)
        if answer is None:
            return
        answered += 1
        if why := is_wrong(answer):
            found.append(f"{case.method} {answer.request.url}: {why}: {answer.text[:300]}")

    # Where everything is allowed nothing can be made that is not.
    with suppress(Unsatisfiable):
        ask()
    return answered


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
