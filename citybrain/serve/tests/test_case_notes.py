# SPDX-License-Identifier: Apache-2.0
"""Answers that are given often and lists that are kept, over HTTP."""

from typing import Any

from citybrain.serve.tests.conftest import Signs

ANSWER: dict[str, Any] = {
    "title": "路面已修复",
    "body": "{number}：已修复，原因：{fields.cause}",
    "department": "roads",
}


async def test_an_answer_is_written_by_a_head_found_while_typing_and_filled_from_a_case(at_desk: Signs) -> None:
    li, zhao, chen = await at_desk("li"), await at_desk("zhao"), await at_desk("chen")
    assert await li.refused("POST", "/api/answers", ANSWER, status=403) == "serve.not_permitted"
    kept = await zhao.ask("POST", "/api/answers", ANSWER, status=201)
    assert [each["id"] for each in await li.ask("GET", "/api/answers?words=修复")] == [kept["id"]]
    assert await chen.ask("GET", "/api/answers?words=修复") == []
    case = await li.open()
    filled = await li.ask("POST", f"/api/answers/{kept['id']}/use", {"case_id": case["id"]}, status=200)
    assert filled == {"text": f"{case['number']}：已修复，原因：{{fields.cause}}", "open_slots": ["fields.cause"]}
    other = await chen.open(department="water")
    path = f"/api/answers/{kept['id']}/use"
    assert await chen.refused("POST", path, {"case_id": other["id"]}, status=404) == "kernel.no_such_answer"
    assert await li.refused("POST", path, {"case_id": other["id"]}, status=404) == "kernel.no_such_case"


async def test_of_two_who_change_an_answer_the_second_is_told(at_desk: Signs) -> None:
    zhao, op = await at_desk("zhao"), await at_desk("op")
    kept = await zhao.ask("POST", "/api/answers", {**ANSWER, "title": "两人"}, status=201)
    path = f"/api/answers/{kept['id']}"
    changed = await op.ask("PUT", path, {**ANSWER, "title": "新", "version": kept["version"]})
    assert changed["version"] == kept["version"] + 1
    stale = {**ANSWER, "title": "旧", "version": kept["version"]}
    assert await zhao.refused("PUT", path, stale, status=409) == "kernel.answer_changed"
    assert await zhao.refused("DELETE", f"{path}?version=1", status=409) == "kernel.answer_changed"
    await zhao.ask("DELETE", f"{path}?version=2", status=204)
    assert await zhao.refused("PUT", path, stale, status=404) == "kernel.no_such_answer"


async def test_a_list_is_kept_under_a_name(at_desk: Signs) -> None:
    li, zhao = await at_desk("li"), await at_desk("zhao")
    query = {"scope": "held", "states": ["new", "working"], "types": ["ticket"]}
    await li.open()
    as_in_address = {"scope": "held", "state": ["new", "working"], "type": "ticket"}
    body = {"name": "在办", "department": "roads", "query": as_in_address}
    kept = await zhao.ask("POST", "/api/queues", body, status=201)
    (seen,) = await li.ask("GET", "/api/queues")
    assert (seen["query"], seen["department"], seen["owner"], seen["may_change"]) == (query, "roads", "zhao", False)
    listed = await li.ask("GET", "/api/cases?scope=held&state=new&state=working&type=ticket")
    assert seen["count"] == listed["total"] == len(listed["cases"])
    path = f"/api/queues/{kept['id']}"
    assert await li.refused("DELETE", path, status=404) == "kernel.no_such_case_queue"
    narrowed = {"name": "超期", "department": "roads", "query": {"overdue": True}, "version": kept["version"]}
    changed = await zhao.ask("PUT", path, narrowed)
    assert (changed["version"], changed["count"], changed["query"]) == (2, None, {"overdue": True})
    assert await zhao.refused("PUT", path, narrowed, status=409) == "kernel.case_queue_changed"
    await zhao.ask("DELETE", path, status=204)
    assert await li.ask("GET", "/api/queues") == []
    wrong = {"name": "错", "query": {"colour": "red"}}
    assert await li.refused("POST", "/api/queues", wrong, status=400) == "serve.case_query_unusable"


async def test_whoever_writes_answers_sees_how_they_will_read_and_which_are_theirs_to_change(at_desk: Signs) -> None:
    li, zhao, chen, op = [await at_desk(name) for name in ("li", "zhao", "chen", "op")]
    own = await zhao.ask("POST", "/api/answers", {**ANSWER, "title": "试写"}, status=201)
    shared = await op.ask("POST", "/api/answers", {**ANSWER, "title": "全市试写", "department": None}, status=201)
    path = f"/api/answers/{own['id']}"
    assert (own["may_change"], shared["may_change"]) == (True, True)
    seen = {each["id"]: each["may_change"] for each in await zhao.ask("GET", "/api/answers?words=试写&limit=200")}
    assert (seen[own["id"]], seen[shared["id"]]) == (True, False)
    assert (await li.ask("GET", path))["may_change"] is False
    assert await chen.refused("GET", path, status=404) == "kernel.no_such_answer"
    case, other = await li.open(), await chen.open(department="water")
    body = {"body": "{number} {fields.text} {due_at} {nothing}", "case_id": case["id"]}
    filled = await zhao.ask("POST", "/api/answers/preview", body, status=200)
    assert filled == {
        "text": f"{case['number']} 路上有个大坑 {{due_at}} {{nothing}}",
        "open_slots": ["due_at", "nothing"],
    }
    elsewhere = {**body, "case_id": other["id"]}
    assert await zhao.refused("POST", "/api/answers/preview", elsewhere, status=404) == "kernel.no_such_case"
    assert (await li.ask("GET", path))["used"] == 0, "to look is not to use"
    await zhao.refused("GET", "/api/answers?limit=0", status=400)


async def test_fields_that_hold_lists_and_what_no_slot_may_name_stay_open(at_desk: Signs) -> None:
    li = await at_desk("li")
    case = await li.open()
    body = {"body": "{assignee}{department}{opened_by}{clocks}", "case_id": case["id"]}
    filled = await li.ask("POST", "/api/answers/preview", body, status=200)
    assert filled["open_slots"] == ["assignee", "department", "opened_by", "clocks"]
