# SPDX-License-Identifier: Apache-2.0
"""Types of cases as data, over HTTP: checked, tried out, published; what others published since is not lost."""

from typing import Any

import msgspec

from citybrain.kernel.cases.tests.city import TICKET
from citybrain.serve.tests.conftest import Signs

PERMIT: dict[str, Any] = {
    **msgspec.to_builtins(TICKET),
    "id": "permit",
    "deadlines": [
        {"name": "handle", "within": "3wd", "warn": ["1wd"], "escalate": [{"to": ["department"]}]},
    ],
}
# Tuesday; 1 to 7 October 2026 is holiday, so three working days end on Friday, 9 October.
BEFORE_HOLIDAY = "2026-09-29T10:00:00+08:00"


async def test_a_definition_is_checked_fault_by_fault(at_desk: Signs) -> None:
    op = await at_desk("op")
    assert await op.ask("POST", "/api/case-types/check", PERMIT, status=200) == []
    moves = [{**PERMIT["moves"][0], "to": "nowhere", "permission": "nobody.may"}, *PERMIT["moves"][1:]]
    found = await op.ask("POST", "/api/case-types/check", {**PERMIT, "moves": moves}, status=200)
    assert {each["code"] for each in found} == {"kernel.case_state_unknown", "kernel.case_move_for_nobody"}
    code = await op.refused("POST", "/api/case-types/check", {**PERMIT, "mooves": []}, status=400)
    assert code == "serve.invalid_request"
    li = await at_desk("li")
    assert await li.refused("POST", "/api/case-types/check", PERMIT, status=403) == "serve.not_permitted"


async def test_a_case_that_is_tried_out_is_due_after_the_holiday(at_desk: Signs) -> None:
    op = await at_desk("op")
    opening = {"at": BEFORE_HOLIDAY, "fields": {"text": "x"}, "department": "roads"}
    steps = [
        {"after": "1h", "move": "accept", "facts": {"by": "li"}},
        {"after": "1d", "move": "finish", "facts": {"answer": "好"}},
        {"after": "1h", "verb": "suspend", "facts": {"reason": "等料"}},
        {"after": "2026-10-08T09:00:00+08:00", "verb": "resume"},
        {"after": "5d"},
        {"after": "1min", "move": "finish", "facts": {"answer": "好", "fields": {"cause": "x"}}},
    ]
    body = {"definition": PERMIT, "opening": opening, "steps": steps}
    stages = await op.ask("POST", "/api/case-types/test-run", body, status=200)
    assert [each["state"] for each in stages] == ["new", "working", "working", "waiting", "working", "working", "done"]
    assert [each["step"] for each in stages] == list(range(7))
    opened, accepted, refused, waiting, resumed, late, done = stages
    assert opened["due_at"].startswith("2026-10-09T")
    assert [(each["kind"], each["clock"]) for each in opened["alarms"]] == [("warn", "handle"), ("escalate", "handle")]
    assert opened["moves"] == ["accept", "dispatch", "refuse"]
    assert (accepted["assignee"], accepted["refused"]) == ("li", None)
    assert refused["refused"]["code"] == "kernel.case_something_missing"
    assert refused["refused"]["facts"]["missing"] == ["cause"]
    assert (waiting["due_at"], waiting["alarms"]) == (None, [])
    assert resumed["due_at"] > opened["due_at"], "it stood still for a working day"
    assert [each["kind"] for each in late["rang"]] == ["warn", "escalate"]
    assert (done["phase"], done["clocks"]["handle"]["ended_at"]) == ("closed", done["at"])
    assert "permit" not in {each["id"] for each in await op.ask("GET", "/api/case-types")}, "nothing is written"
    assert (await op.ask("GET", "/api/work"))["counts"] == []


async def test_a_trial_goes_neither_back_in_time_nor_on_a_definition_that_cannot_work(at_desk: Signs) -> None:
    op = await at_desk("op")
    body: dict[str, Any] = {"definition": PERMIT, "opening": {"at": BEFORE_HOLIDAY, "fields": {"text": "x"}}}
    wrong: dict[str, Any]
    for after in ("2026-09-01T00:00:00Z", "2026-10-01T00:00:00", "2026-99-01"):
        wrong = {**body, "steps": [{"after": after}]}
        code = await op.refused("POST", "/api/case-types/test-run", wrong, status=400)
        assert code == "kernel.trial_time_unusable", after
    wrong = {**body, "steps": [{"after": "soon"}]}
    assert await op.refused("POST", "/api/case-types/test-run", wrong, status=400) == "kernel.length_unreadable"
    wrong = {**body, "definition": {**PERMIT, "initial": "nowhere"}}
    assert await op.refused("POST", "/api/case-types/test-run", wrong, status=400) == "kernel.case_type_unusable"
    wrong = {**body, "opening": {"fields": {}}}
    assert await op.refused("POST", "/api/case-types/test-run", wrong, status=400) == "kernel.case_fields_refused"


async def test_of_two_who_change_a_type_the_second_is_told_of_the_newer_version(at_desk: Signs) -> None:
    op = await at_desk("op")
    first = await op.ask("POST", "/api/case-types", PERMIT, status=201)
    assert first["version"] == 1
    second = await op.ask("POST", "/api/case-types", {**first, "rating": True}, status=201)
    assert second["version"] == 2
    stale = await op.ask("POST", "/api/case-types", {**first, "name": {"zh": "甲", "en": "A"}}, status=409)
    assert stale["code"] == "kernel.case_type_changed"
    assert (stale["facts"]["version"], stale["facts"]["by"]) == (2, "op")
    (permit,) = [each for each in await op.ask("GET", "/api/case-types") if each["id"] == "permit"]
    assert [each["version"] for each in permit["versions"]] == [1, 2]
    assert permit["versions"][0]["valid_to"] == permit["versions"][1]["valid_from"]
    assert (await op.ask("GET", "/api/case-types/permit/1"))["rating"] is False
    assert await op.refused("GET", "/api/case-types/permit/9", status=404) == "kernel.no_such_case_type"
    never = {**second, "valid_to": "2020-01-01T00:00:00Z"}
    assert await op.refused("POST", "/api/case-types", never, status=400) == "kernel.case_type_never_valid"


PROCESS = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">
  <process id="p" isExecutable="true">
    <startEvent id="start"/><userTask id="look" name="Look"/><endEvent id="end"/>
    <sequenceFlow id="a" sourceRef="start" targetRef="look"/><sequenceFlow id="b" sourceRef="look" targetRef="end"/>
  </process>
</definitions>"""


async def test_a_version_gets_its_process_once_and_its_cases_go_through_it(at_desk: Signs) -> None:
    op, li = await at_desk("op"), await at_desk("li")
    path = "/api/case-types/ticket/1/process"
    assert await op.refused("GET", path, status=404) == "kernel.no_such_process"
    broken = await op.http.put(path, content=PROCESS.replace("userTask", "scriptTask"))
    assert (broken.status_code, broken.json()["code"]) == (400, "kernel.process_unusable")
    told = await op.http.post("/api/case-types/process-check", content=PROCESS.replace("userTask", "scriptTask"))
    assert [each["facts"]["element"] for each in told.json()] == ["look"]
    assert (await op.http.post("/api/case-types/process-check", content=PROCESS)).json() == []
    assert (await li.http.post("/api/case-types/process-check", content=PROCESS)).status_code == 403
    assert (await op.http.put(path, content=b"\xff\xfe")).json()["code"] == "serve.not_text"
    assert (await op.http.put(path, content=PROCESS)).status_code == 204
    assert (await op.http.put(path, content=PROCESS)).status_code == 409
    told = await op.http.get(path)
    assert (told.text, told.headers["content-type"].partition(";")[0]) == (PROCESS, "application/xml")
    case = await li.open()
    standing = await li.ask("POST", f"/api/cases/{case['id']}/process", status=201)
    (task,) = standing["tasks"]
    detail = await li.ask("GET", f"/api/cases/{case['id']}")
    assert (detail["process"]["tasks"][0]["name"], "task" in detail["verbs"]) == ("Look", True)
    await li.act(case, "task", task=task["task"], data={"seen": True})
    assert (await li.ask("GET", f"/api/cases/{case['id']}"))["process"]["is_over"] is True
