# SPDX-License-Identifier: Apache-2.0
"""Every route of casework, asked by somebody of another department about a case that is none of theirs."""

from collections.abc import Iterator, Mapping
from typing import Any

from litestar.handlers import HTTPRouteHandler

from citybrain.serve import case_reveal, case_routes
from citybrain.serve.tests.conftest import Signs

SECRET = "只有道路科知道"
BODIES: Mapping[str, Any] = {
    "POST /api/cases/{id:int}/acts": {"verb": "comment", "kind": "internal", "text": "x"},
    "POST /api/cases/{id:int}/attachments": {"ids": []},
    "POST /api/cases/{id:int}/rating": {"satisfaction": "satisfied", "channel": "sms"},
    "POST /api/cases/{id:int}/reveal": {"fields": ["text"], "reason": "想看看"},
    "POST /api/answers/{id:int}/use": {"case_id": 0},
}
# What is about other things than a case: their own tests say whose they are.
OTHER_THINGS = ("/api/answers/", "/api/queues/", "/api/samples/", "/api/case-types/")


def asked_of_a_case() -> Iterator[tuple[str, str]]:
    """Method and path of every route that names a case or a file of one."""
    for route in (*case_routes.ROUTES, *case_reveal.ROUTES):
        handler: HTTPRouteHandler = route
        for path in handler.paths:
            if "{id:int}" in path and not path.startswith(OTHER_THINGS):
                yield from ((method, path) for method in sorted(handler.http_methods) if method != "OPTIONS")


async def test_no_route_tells_or_changes_anything_of_another_departments_case(at_desk: Signs) -> None:
    li, chen, op = await at_desk("li"), await at_desk("chen"), await at_desk("op")
    upload = (await li.http.post("/api/uploads?name=a.txt", content=SECRET.encode())).json()
    case = await li.open(title=SECRET, address=SECRET, fields={"text": SECRET}, attachments=[upload["id"]])
    before = await op.ask("GET", f"/api/cases/{case['id']}")
    asked = list(asked_of_a_case())
    assert len(asked) > 8
    for method, path in asked:
        id = upload["id"] if "attachments/{id" in path else case["id"]
        body = BODIES.get(f"{method} {path}")
        answer = await chen.http.request(method, path.replace("{id:int}", str(id)), json=body)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
        assert SECRET not in answer.text
    assert await op.ask("GET", f"/api/cases/{case['id']}") == before


async def test_no_list_holds_another_departments_case(at_desk: Signs) -> None:
    li, chen = await at_desk("li"), await at_desk("chen")
    await li.open(title=SECRET)
    lists = [
        "/api/work",
        "/api/queues",
        "/api/notices",
        "/api/follow-ups",
        "/api/reviews",
        "/api/tasks",
        "/api/answers",
    ]
    lists += [f"/api/cases?scope={scope}" for scope in ("seen", "held", "helped", "pool", "mine")]
    lists += ["/api/cases?department=roads&order=newest", f"/api/cases?words={SECRET}&order=newest"]
    for path in lists:
        answer = await chen.http.get(path)
        assert answer.status_code == 200, path
        assert SECRET not in answer.text, path


async def test_a_helping_department_sees_the_case_and_may_speak_but_not_decide(at_desk: Signs) -> None:
    li, chen = await at_desk("li"), await at_desk("chen")
    case = await li.open(title=SECRET)
    await li.act(case, "join", department="water", task="看水管")
    seen = await chen.ask("GET", f"/api/cases/{case['id']}")
    assert seen["verbs"] == ["comment", "leave"]
    assert seen["moves"] == []
    assert SECRET in (await chen.http.get("/api/cases?scope=helped")).text
    assert (await chen.act(case, "take", status=403))["code"] == "kernel.not_permitted"
    await chen.act(case, "comment", kind="internal", text="水管没事")
    await chen.act(case, "leave", department="water", answer="没事")
    assert (await chen.ask("GET", f"/api/cases/{case['id']}"))["verbs"] == ["comment"]
