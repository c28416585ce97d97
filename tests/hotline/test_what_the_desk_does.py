# SPDX-License-Identifier: Apache-2.0
"""The desk, supervisors and editors over HTTP: everything by rights, and callers only with a reason."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from citybrain.apps.hotline.choice import ZONE
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.kernel.clock import utc_now
from tests.hotline.conftest import People, answered

PHONED = {"text": "解放大道路面有个大坑", "channel": "phone", "caller": {"name": "李四", "phone": "13900139000"}}


def span() -> dict[str, Any]:
    """A day around now."""
    now = utc_now()
    return {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=1)).isoformat()}


async def test_a_call_becomes_a_ticket_that_waits_for_its_clerk_and_shows_at_the_next_call(people: People) -> None:
    desk = await people("desk")
    call = {"key": "c-1", "phone": "13900139000", "rang_at": utc_now().isoformat(), "answered_after_s": 6}
    rung = await desk.ask("POST", "/api/hotline/calls", call)
    assert (rung["phone"], rung["tickets"]) == ("139****9000", [])
    receipt = await desk.ask("POST", "/api/hotline/tickets", {**PHONED, "call_id": rung["call_id"]}, status=201)
    full = await desk.ask("GET", f"/api/hotline/tickets/{receipt['case_id']}")
    assert (full["ticket"]["state"], full["ticket"]["category"]) == ("new", "traffic.road.damage")
    assert (full["caller"]["phone"], "dispatch" in full["moves"]) == ("139****9000", True)
    assert "13900139000" not in str(full)
    again = await desk.ask("POST", "/api/hotline/calls", {**call, "key": "c-2"})
    assert [each["number"] for each in again["tickets"]] == [receipt["number"]]


async def test_a_clerk_of_another_department_takes_nothing_in_and_sees_nothing(people: People, case_id: int) -> None:
    zhao = await people("zhao")
    assert await zhao.refused("POST", "/api/hotline/tickets", PHONED, status=403) == "kernel.not_permitted"
    assert await zhao.refused("GET", f"/api/hotline/tickets/{case_id}", status=404) == "kernel.no_such_case"
    for path, body in (("caller", {"reason": "I want to know"}), ("follow-up", {"reached": False})):
        assert await zhao.refused("POST", f"/api/hotline/tickets/{case_id}/{path}", body, status=404)
    assert case_id not in [each["case_id"] for each in await zhao.ask("GET", "/api/hotline/rows", **span())]


async def test_what_the_desk_must_know_of_all_departments_is_for_the_desk_alone(people: People, case_id: int) -> None:
    zhao = await people("zhao")
    asked = {"text": "幸福里小区又停水了"}
    call = {"key": "z-1", "phone": "13800138000", "rang_at": utc_now().isoformat()}
    for path, body in (("suggest", asked), ("calls", call)):
        assert await zhao.refused("POST", f"/api/hotline/{path}", body, status=403) == "kernel.not_permitted"
    assert await zhao.refused("GET", "/api/hotline/calls", status=403)


async def test_who_told_it_is_seen_with_a_reason_alone(people: People, case_id: int) -> None:
    wang = await people("wang")
    path = f"/api/hotline/tickets/{case_id}/caller"
    assert await wang.refused("POST", path, {"reason": " "}, status=400) == "kernel.reveal_reason_missing"
    assert (await wang.ask("POST", path, {"reason": "上门前联系来电人"}))["phone"] == "13800138000"
    text = str(await wang.ask("GET", f"/api/cases/{case_id}"))
    assert "13800138000" not in text


async def test_suggestions_come_while_the_clerk_types(people: People, case_id: int) -> None:
    desk = await people("desk")
    asked = {"text": "幸福里小区又停水了", "longitude": 116.3512, "latitude": 39.9532}
    found = await desk.ask("POST", "/api/hotline/suggest", asked)
    assert found["categories"][0]["category"] == "water.supply.outage"
    assert found["routed"]["department"] == "water"
    assert case_id in [each["case_id"] for each in found["duplicates"]]


async def test_whom_to_call_and_what_they_said_is_a_rating(people: People, case_id: int, hotline: Hotline) -> None:
    await answered(people, case_id)
    wang = await people("wang")
    assert case_id in [each["case_id"] for each in await wang.ask("GET", "/api/hotline/follow-ups")]
    said = {"reached": True, "resolved": True, "satisfaction": "very_satisfied", "note": "谢谢"}
    await wang.ask("POST", f"/api/hotline/tickets/{case_id}/follow-up", said, status=204)
    assert case_id not in [each["case_id"] for each in await wang.ask("GET", "/api/hotline/follow-ups")]
    (rating,) = await hotline.store.casework.ratings.of_case(case_id)
    assert (rating.satisfaction, rating.channel) == ("very_satisfied", "phone")
    row = (await wang.ask("GET", f"/api/hotline/tickets/{case_id}"))["ticket"]
    assert (row["satisfaction"], row["resolved"]) == ("very_satisfied", True)


async def test_only_who_is_above_supervises(people: People, case_id: int) -> None:
    op, wang = await people("op"), await people("wang")
    path, due = f"/api/hotline/tickets/{case_id}/supervision", (utc_now() + timedelta(days=2)).isoformat()
    demand = {"demand": "请在后天前办结", "due_at": due}
    assert await wang.refused("POST", path, demand, status=403)
    assert await op.refused("POST", path, {**demand, "demand": "?"}, status=400) == "hotline.reason_missing"
    await op.ask("POST", path, demand, status=204)
    assert case_id in [each["case_id"] for each in await op.ask("GET", "/api/hotline/supervision")]
    assert await (await people("chief")).ask("GET", "/api/hotline/supervision") == [], "it is of another department"
    await answered(people, case_id)
    assert case_id not in [each["case_id"] for each in await op.ask("GET", "/api/hotline/supervision")]


async def test_the_knowledge_that_is_public_is_found_by_everybody(people: People) -> None:
    desk, citizen = await people("desk"), await people("")
    article = {"title": "停水怎么办", "body": "先看小区公告，再拨打供水热线。", "public": True}
    secret = {"title": "停水内部口径", "body": "不对外。", "public": False}
    for each in (article, secret):
        await desk.ask("POST", "/api/hotline/knowledge", each, status=201)
    assert len(await desk.ask("GET", "/api/hotline/knowledge", words="停水")) == 2
    shown = await citizen.ask("GET", "/api/hotline/public/knowledge", words="停水")
    assert [each["title"] for each in shown] == ["停水怎么办"]
    assert "desk" not in str(shown), "who wrote it stays inside"
    assert (await citizen.http.post("/api/hotline/knowledge", json=article)).status_code in (401, 403)


async def test_each_figure_opens_the_rows_it_was_made_of(people: People, case_id: int) -> None:
    await answered(people, case_id)
    op, wang = await people("op"), await people("wang")
    for person in (op, wang):
        departments = await person.ask("GET", "/api/hotline/rates", **span())
        for each in departments:
            share = each["shares"]["response"]
            behind = {"department": each["department"], "rate": "response"}
            rows = await person.ask("GET", "/api/hotline/rows", **span(), **behind)
            good = await person.ask("GET", "/api/hotline/rows", **span(), **behind, good="true")
            assert (len(good), len(rows)) == (share["good"], share["of"])
    assert {each["department"] for each in departments} == {"water", ""}, "of others wang sees no figures"
    assert await wang.refused("GET", "/api/hotline/rows", status=403, department="roads", **span())
    assert await op.refused("GET", "/api/hotline/rows", status=400, rate="luck", **span()) == "hotline.figure_unusable"


async def test_an_export_carries_nothing_out(people: People) -> None:
    desk, op = await people("desk"), await people("op")
    formula = '=HYPERLINK("http://evil","停水")'
    await desk.ask("POST", "/api/hotline/tickets", {**PHONED, "text": formula, "category": "water.supply.outage"})
    answer = await op.http.get("/api/hotline/export.csv", params=span())
    assert answer.headers["content-disposition"].endswith('filename="hotline.csv"')
    text = answer.content.decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert "13900139000" not in text


async def test_the_report_of_a_month_has_links_that_open_rows(people: People, case_id: int) -> None:
    await answered(people, case_id)
    op = await people("op")
    page = await op.ask("GET", "/api/hotline/report", month=f"{utc_now():%Y-%m}", lang="en")
    assert "/api/hotline/rows?" in page
    assert "Share answered" in page
    assert "≤ 15 s" in page
    assert await op.refused("GET", "/api/hotline/report", status=400, month="soon") == "hotline.figure_unusable"
    assert (await op.http.get("/api/hotline/report.css")).headers["content-type"].startswith("text/css")


async def test_the_report_of_a_month_is_a_file_too(people: People, reported: tuple[str, str], case_id: int) -> None:
    await answered(people, case_id)
    op, wang = await people("op"), await people("wang")
    await (await people("desk")).ask("POST", "/api/hotline/tickets", PHONED, status=201)
    month, path = f"{utc_now().astimezone(ZONE):%Y-%m}", "/api/hotline/report.pdf"
    for person, others in ((op, True), (wang, False)):
        answer = await person.http.get(path, params={"month": month, "lang": "zh"})
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.headers["content-disposition"] == f'attachment; filename="12345-{month}-zh.pdf"'
        (page, *_) = PdfReader(BytesIO(answer.content)).pages
        assert "供水" in page.extract_text()
        links = [mark.get_object()["/A"]["/URI"] for mark in page.annotations or ()]
        link = next(each for each in links if "department=water" in each and "rate=response" in each)
        assert reported[0] in (await person.http.get(link)).text
        assert any("department=hotline" in each for each in links) is others
    assert (await op.http.get(path, params={"month": "2001-02", "lang": "en"})).content.startswith(b"%PDF")
    for wrong in ({"month": "soon"}, {"month": "9999-12"}, {"month": month, "lang": "../x"}):
        assert await op.refused("GET", path, status=400, **wrong) == "hotline.figure_unusable"
    assert (await (await people("")).http.get(path, params={"month": month})).status_code in (401, 403)


async def test_figures_of_calls_go_by_what_is_promised(people: People) -> None:
    desk = await people("desk")
    for key, after_s in (("f-1", 6), ("f-2", 40), ("f-3", None)):
        call = {"key": key, "rang_at": utc_now().isoformat(), "answered_after_s": after_s}
        await desk.ask("POST", "/api/hotline/calls", call)
    figures = await desk.ask("GET", "/api/hotline/call-figures", **span())
    assert figures["answer_within_s"] == 15
    assert figures["connect_share"] == 0.95
    assert figures["calls"] - figures["answered"] == 1
    assert figures["answered"] - figures["in_time"] == 1
    wider = await desk.ask("GET", "/api/hotline/call-figures", within_s=60, **span())
    assert wider["in_time"] == wider["answered"]


async def test_two_editors_do_not_overwrite_each_other_and_clerks_do_not_edit(people: People) -> None:
    op, desk = await people("op"), await people("desk")
    rules = await op.ask("GET", "/api/hotline/rules")
    more = {**rules, "rules": [*rules["rules"], {"number": 88, "department": "parks", "category": "traffic.road"}]}
    assert await desk.refused("PUT", "/api/hotline/rules", more, status=403)
    diff = await op.ask("POST", "/api/hotline/rules/dry-run", more)
    assert diff["looked"] > 0
    assert (await op.ask("PUT", "/api/hotline/rules", more))["version"] == rules["version"] + 1
    assert await op.refused("PUT", "/api/hotline/rules", more, status=409) == "hotline.version_taken"
    wrong = {"version": rules["version"] + 1, "rules": [{"number": 1, "department": "nobody"}]}
    assert await op.refused("PUT", "/api/hotline/rules", wrong, status=400) == "hotline.rule_department"
    tree = await op.ask("GET", "/api/hotline/categories")
    tree["categories"][0]["department"] = "nobody"
    assert await op.refused("PUT", "/api/hotline/categories", tree, status=400) == "hotline.tree_department"
    assert await op.ask("GET", "/api/hotline/model") is None


async def test_hot_spots_and_bursts_are_of_what_one_sees(people: People, case_id: int) -> None:
    wang, op = await people("wang"), await people("op")
    found = await wang.ask("GET", "/api/hotline/hot-spots", box="116.2,39.8,116.5,40.1", **span())
    assert found["spots"]
    assert await op.refused("GET", "/api/hotline/hot-spots", status=400, box="1,2,3", **span())
    assert isinstance(await wang.ask("GET", "/api/hotline/bursts"), list)
