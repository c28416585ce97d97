# SPDX-License-Identifier: Apache-2.0
"""Clerks at their desks, over HTTP: what each sees, does and is refused."""

import asyncio

import msgspec

from citybrain.kernel.cases.tests.city import TICKET
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store
from citybrain.serve.tests.conftest import POTHOLE, Signs


async def test_a_desk_has_types_departments_colleagues_and_counts_of_what_is_reached(at_desk: Signs) -> None:
    li, chen = await at_desk("li"), await at_desk("chen")
    await li.open()
    desk = await li.ask("GET", "/api/work")
    assert [type["id"] for type in desk["types"]] == ["ticket"]
    assert {each["id"]: each["name"]["en"] for each in desk["departments"]} == {"roads": "Roads", "water": "Water"}
    assert [each["account"] for each in desk["colleagues"]] == ["li", "wang", "zhao"]
    (count,) = desk["counts"]
    assert count == {
        "department": "roads",
        "type": "ticket",
        "state": "new",
        "phase": "open",
        "assignee": "",
        "count": count["count"],
    }
    assert (await chen.ask("GET", "/api/work"))["counts"] == []


async def test_a_case_of_another_department_is_not_there(at_desk: Signs) -> None:
    li, chen = await at_desk("li"), await at_desk("chen")
    case = await li.open()
    assert await chen.refused("GET", f"/api/cases/{case['id']}", status=404) == "kernel.no_such_case"
    assert await chen.refused("GET", f"/api/cases/by-number/{case['number']}", status=404) == "kernel.no_such_case"
    refused = await chen.act(case, "take", status=404)
    assert refused["code"] == "kernel.no_such_case"
    assert case["id"] not in {each["id"] for each in (await chen.ask("GET", "/api/cases"))["cases"]}
    assert await li.ask("GET", f"/api/cases/by-number/{case['number']}") == {"id": case["id"]}


async def test_a_list_is_narrowed_by_its_address_and_has_no_forms(at_desk: Signs) -> None:
    li = await at_desk("li")
    made = [await li.open(title=f"井盖{number}", category="lid") for number in range(3)]
    await li.act(made[0], "move", move="accept")
    page = await li.ask("GET", "/api/cases?category=lid&state=new&state=working&limit=2&order=oldest")
    assert [each["id"] for each in page["cases"]] == [made[0]["id"], made[1]["id"]]
    assert not {"fields", "clocks", "key"} & set(page["cases"][0])
    rest = await li.ask("GET", f"/api/cases?category=lid&limit=2&order=oldest&after={page['next']}")
    assert ([each["id"] for each in rest["cases"]], rest["next"]) == ([made[2]["id"]], None)
    assert (await li.ask("GET", "/api/cases?words=井盖2&order=newest"))["cases"][0]["id"] == made[2]["id"]
    assert (await li.ask("GET", "/api/cases?scope=mine"))["total"] >= 1
    await li.act(made[0], "move", move="finish", answer="修好了", fields={"cause": "x"})
    closed = await li.ask("GET", "/api/cases?phase=closed&category=lid")
    assert [each["id"] for each in closed["cases"]] == [made[0]["id"]]
    for wrong in ("colour=red", "box=1,2,3", "limit=x", "due_before=2026-01-01T00:00:00", "words=%00"):
        assert await li.refused("GET", f"/api/cases?{wrong}", status=400) == "serve.case_query_unusable", wrong


async def test_a_case_says_what_its_reader_may_do_with_it(at_desk: Signs) -> None:
    li, zhao, wang = await at_desk("li"), await at_desk("zhao"), await at_desk("wang")
    case = await li.open()
    mine = await li.ask("GET", f"/api/cases/{case['id']}")
    assert set(mine["verbs"]) == {"move", "take", "transfer", "edit", "comment", "join", "link", "merge", "split"}
    assert [move["name"] for move in mine["moves"]] == ["accept", "dispatch"]
    heads = await zhao.ask("GET", f"/api/cases/{case['id']}")
    assert {"assign", "plan"} <= set(heads["verbs"])
    assert "refuse" in [move["name"] for move in heads["moves"]]
    await li.act(case, "move", move="accept")
    detail = await li.ask("GET", f"/api/cases/{case['id']}")
    assert {"to_pool", "suspend"} <= set(detail["verbs"])
    assert "take" not in detail["verbs"]
    assert not {"take", "to_pool", "assign"} & set((await wang.ask("GET", f"/api/cases/{case['id']}"))["verbs"])
    await li.act(case, "move", move="finish", answer="好了", fields={"cause": "x"})
    assert "reopen" in (await li.ask("GET", f"/api/cases/{case['id']}"))["verbs"]


async def test_every_verb_that_is_told_can_be_done(at_desk: Signs) -> None:
    zhao = await at_desk("zhao")
    other = await zhao.open()
    facts = {
        "take": {},
        "to_pool": {"reason": "忙"},
        "assign": {"assignee": "li", "reason": "x"},
        "edit": {"title": "新标题"},
        "plan": {"due_at": "2030-01-01T00:00:00Z", "reason": "x"},
        "comment": {"kind": "internal", "text": "x"},
        "join": {"department": "water", "task": "看水管"},
        "leave": {"department": "water", "answer": "看过了"},
        "link": {"to": other["id"], "kind": "follows"},
        "split": {"openings": [{"type": "ticket", "title": "a", "department": "roads", "fields": {"text": "a"}}]},
        "suspend": {"reason": "等料"},
        "resume": {"reason": "料到"},
        "merge": {"ids": [other["id"]], "reason": "重复"},
        "move": {"move": "finish", "answer": "好", "fields": {"cause": "x"}},
        "reopen": {"reason": "又坏"},
        "transfer": {"department": "water", "reason": "水管"},
    }
    case = await zhao.open()
    await zhao.act(case, "move", move="accept")
    await zhao.act(case, "to_pool")
    for verb, given in facts.items():
        told = (await zhao.ask("GET", f"/api/cases/{case['id']}"))["verbs"]
        assert verb in told, f"{verb} not in {told}"
        await zhao.act(case, verb, **given)
    detail = await (await at_desk("op")).ask("GET", f"/api/cases/{case['id']}")
    assert {each["verb"] for each in detail["events"]} >= set(facts)
    links = {(each["kind"], each["number"]) for each in detail["links"]}
    assert ("follows", other["number"]) in links


async def test_of_two_clerks_the_second_is_told_what_the_case_is_now_and_loses_nothing(at_desk: Signs) -> None:
    li, wang = await at_desk("li"), await at_desk("wang")
    case = await li.open()
    place = f"/api/drafts/case:{case['id']}:answer"
    typed = {"answer": "已派人前往现场" * 20}
    await wang.ask("PUT", place, {"values": typed})
    await li.act(case, "move", move="accept", expected_version=case["version"])
    refused = await wang.act(case, "move", status=409, move="accept", expected_version=case["version"])
    assert refused["code"] == "kernel.case_changed"
    facts = refused["facts"]
    assert (facts["by"], facts["verb"], facts["case"]["state"]) == ("li", "move", "working")
    assert (facts["case"]["assignee"], facts["case"]["version"]) == ("li", 2)
    assert facts["at"]
    assert (await wang.ask("GET", place))["values"] == typed
    path, edit = f"/api/cases/{case['id']}/acts", {"verb": "edit", "title": "同时改", "expected_version": 2}
    done = await asyncio.gather(*(each.http.post(path, json=edit) for each in (li, wang)))
    assert sorted(answer.status_code for answer in done) == [200, 409]


async def test_a_draft_outlives_the_session_in_which_it_was_written(at_desk: Signs, staffed: Store) -> None:
    wang = await at_desk("wang")
    place = "/api/drafts/open:ticket"
    await wang.ask("PUT", place, {"values": {"text": "写了一半"}})
    await staffed.db.write("UPDATE session SET expires_at = now() - interval '1 second' WHERE account = 'wang'")
    assert await wang.refused("PUT", place, {"values": {"text": "写完了"}}, status=401) == "serve.session_over"
    assert await wang.refused("POST", "/api/cases", {}, status=401) == "serve.session_over"
    await wang.sign_in()
    assert (await wang.ask("GET", place))["values"] == {"text": "写了一半"}
    assert place.rpartition("/")[2] in {each["place"] for each in await wang.ask("GET", "/api/drafts")}
    await wang.ask("DELETE", place, status=204)
    assert await wang.refused("GET", place, status=404) == "kernel.no_such_draft"


async def test_a_draft_is_its_writers_alone(at_desk: Signs) -> None:
    li, wang = await at_desk("li"), await at_desk("wang")
    await li.ask("PUT", "/api/drafts/own", {"values": {"a": 1}})
    assert await wang.refused("GET", "/api/drafts/own", status=404) == "kernel.no_such_draft"


async def test_what_a_verb_does_not_know_is_refused_and_nothing_is_done(at_desk: Signs) -> None:
    li = await at_desk("li")
    case = await li.open()
    for body in ({"verb": "fly"}, {"verb": "take", "colour": "red"}, {"move": "accept"}, {"verb": "move"}):
        path = f"/api/cases/{case['id']}/acts"
        assert await li.refused("POST", path, body, status=400) == "serve.invalid_request"
    assert (await li.ask("GET", f"/api/cases/{case['id']}"))["case"]["version"] == 1
    assert await li.refused("POST", "/api/cases", {"type": "ticket", "number": "1"}, status=400)


async def test_a_case_is_sent_to_no_department_and_nobody_that_there_is_not(at_desk: Signs) -> None:
    zhao = await at_desk("zhao")
    case = await zhao.open()
    nowhere = (("transfer", {"department": "nowhere", "reason": "x"}), ("join", {"department": "", "task": "x"}))
    for verb, given in nowhere:
        assert (await zhao.act(case, verb, status=404, **given))["code"] == "kernel.no_such_department"
    refused = await zhao.act(case, "assign", status=404, assignee="ghost", reason="x")
    assert refused["code"] == "kernel.no_such_account"
    op = await at_desk("op")
    assert await op.refused("POST", "/api/cases", {**POTHOLE, "department": "nowhere"}, status=404)
    li = await at_desk("li")
    given = {**POTHOLE, "assignee": "wang"}
    assert await li.refused("POST", "/api/cases", given, status=403) == "kernel.not_permitted"
    assert (await li.act(await li.open(), "split", status=403, openings=[given]))["code"] == "kernel.not_permitted"
    assert (await li.open(assignee="li"))["assignee"] == "li"
    assert (await zhao.open(assignee="wang"))["assignee"] == "wang"
    part = {**POTHOLE, "assignee": "ghost"}
    assert (await zhao.act(case, "split", status=404, openings=[part]))["code"] == "kernel.no_such_account"


async def test_values_that_no_case_has_are_refused(at_desk: Signs) -> None:
    zhao = await at_desk("zhao")
    case = await zhao.open()
    wrong = ({"title": " "}, {"title": "x" * 301}, {"priority": 0}, {"longitude": 181}, {"latitude": 5}, {"type": 1})
    for each in wrong:
        assert await zhao.refused("POST", "/api/cases", {**POTHOLE, **each}, status=400) == "serve.invalid_request"
    for text in ("a\0", "\0"):
        told = {**POTHOLE, "fields": {"text": text}}
        assert await zhao.refused("POST", "/api/cases", told, status=400) == "kernel.value_unusable"
    for due_at in ("2030-01-01T00:00:00", "9999-12-31T00:00:00Z"):
        refused = await zhao.act(case, "plan", status=400, due_at=due_at, reason="x")
        assert refused["code"] == "serve.invalid_request"
    merged = await zhao.act(case, "merge", status=409, ids=[case["id"]], reason="x")
    assert merged["code"] == "kernel.case_merge_refused"


async def test_a_case_goes_on_under_the_newest_version_when_none_is_named(at_desk: Signs, staffed: Store) -> None:
    zhao = await at_desk("zhao")
    type = msgspec.structs.replace(TICKET, id="changing")
    await staffed.cases.types.put(type, by="city", now=utc_now())
    case = await zhao.open(type="changing")
    assert "convert" not in (await zhao.ask("GET", f"/api/cases/{case['id']}"))["verbs"]
    await staffed.cases.types.put(msgspec.structs.replace(type, rating=True), by="city", now=utc_now())
    assert "convert" in (await zhao.ask("GET", f"/api/cases/{case['id']}"))["verbs"]
    assert (await zhao.act(case, "convert"))["type_version"] == 2


async def test_of_many_cases_the_one_that_is_refused_does_not_hold_up_the_others(at_desk: Signs) -> None:
    li, zhao, chen = await at_desk("li"), await at_desk("zhao"), await at_desk("chen")
    mine = [await li.open() for _ in range(2)]
    other = await chen.open(department="water")
    body = {
        "ids": [mine[0]["id"], other["id"], mine[1]["id"]],
        "act": {"verb": "assign", "assignee": "wang", "reason": "x"},
    }
    results = await zhao.ask("POST", "/api/cases/bulk", body, status=200)
    assert [(each["done"], each["code"]) for each in results] == [
        (True, ""),
        (False, "kernel.no_such_case"),
        (True, ""),
    ]
    assert (await li.ask("GET", f"/api/cases/{mine[1]['id']}"))["case"]["assignee"] == "wang"
