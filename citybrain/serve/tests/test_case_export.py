# SPDX-License-Identifier: Apache-2.0
"""Lists that are taken along, over HTTP: as far as they are seen, masked, and without formulas."""

import csv
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

import msgspec
import openpyxl

from citybrain.kernel.cases.tests.city import TICKET
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store
from citybrain.serve.tests.conftest import Clerk, Signs

EVIL = "=cmd|' /C calc'!A0"
TOLD = msgspec.structs.replace(
    TICKET,
    id="told",
    form={
        "type": "object",
        "x-purpose": "report",
        "properties": {
            "text": {"type": "string"},
            "cause": {"type": "string"},
            "phone": {"type": "string", "x-personal": "phone", "x-title": {"zh": "电话", "en": "Phone"}},
        },
    },
    personal=(
        {
            "name": "phone",
            "purpose": "report",
            "legal_basis": "duty",
            "retention": {"keep": "P365D"},
            "sort": "phone",
        },
    ),
)


async def table(clerk: Clerk, path: str, body: Any) -> Sequence[Sequence[str]]:
    """The rows of a table that came as CSV."""
    answer = await clerk.http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert "content-encoding" not in answer.headers, "it leaves as it comes"
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_a_formula_in_a_list_is_text(at_desk: Signs) -> None:
    li, zhao = await at_desk("li"), await at_desk("zhao")
    await li.open(title=EVIL, category="evil")
    body = {"query": {"category": "evil"}, "columns": ["title"], "lang": "en"}
    assert await table(zhao, "/api/cases/export", body) == [["Title"], [f"'{EVIL}"]]
    answer = await zhao.http.post("/api/cases/export", json={**body, "format": "xlsx"})
    cell = openpyxl.load_workbook(BytesIO(answer.content)).active["A2"]
    assert (cell.value, cell.data_type) == (EVIL, "s")
    assert await li.refused("POST", "/api/cases/export", body, status=403) == "serve.not_permitted"


async def test_a_list_holds_what_is_seen_closed_cases_too_and_no_other(at_desk: Signs) -> None:
    li, zhao, chen = await at_desk("li"), await at_desk("zhao"), await at_desk("chen")
    closed, mine = await li.open(category="all"), await li.open(category="all")
    await li.act(closed, "move", move="accept")
    await li.act(closed, "move", move="finish", answer="好", fields={"cause": "x"})
    other = await chen.open(category="all", department="water")
    heading, *rows = await table(zhao, "/api/cases/export", {"query": {"category": ["all"]}})
    assert heading[0] == "编号"
    assert {row[0] for row in rows} == {closed["number"], mine["number"]}
    assert other["number"] not in str(rows)
    body = {"query": {"category": "all", "phase": ["closed"]}, "columns": ["number"]}
    assert (await table(zhao, "/api/cases/export", body))[1:] == [[closed["number"]]]
    for wrong, code in (
        ({"columns": ["password"]}, "kernel.export_column_unknown"),
        ({"query": {"x": 1}}, "serve.case_query_unusable"),
    ):
        assert await zhao.refused("POST", "/api/cases/export", wrong, status=400) == code


async def test_personal_fields_are_masked_on_screens_and_in_lists(at_desk: Signs, staffed: Store) -> None:
    await staffed.cases.types.put(TOLD, by="city", now=utc_now())
    li, zhao = await at_desk("li"), await at_desk("zhao")
    case = await li.open(type="told", fields={"text": "x", "phone": "13800138000"})
    assert case["fields"]["phone"] == "138****8000"
    edited = await li.act(case, "edit", fields={"text": "y"})
    assert edited["fields"] == {"text": "y", "phone": "138****8000"}
    detail = await li.http.get(f"/api/cases/{case['id']}")
    assert "13800138000" not in detail.text
    assert "sealed:" not in detail.text
    body = {"query": {"type": "told"}, "columns": ["fields.phone"], "lang": "en"}
    assert await table(zhao, "/api/cases/export", body) == [["Phone"], ["138****8000"]]
    heading, row = await table(zhao, "/api/cases/export", {"query": {"types": ["told"]}, "lang": "en"})
    assert row[heading.index("Phone")] == "138****8000", "of one type its form is taken along too"


async def test_a_part_of_a_case_has_what_came_back_masked_in_clear(at_desk: Signs, staffed: Store) -> None:
    await staffed.cases.types.put(TOLD, by="city", now=utc_now())
    li = await at_desk("li")
    case = await li.open(type="told", title="两件事", fields={"text": "x", "phone": "13900139000"})
    part = {"type": "told", "title": "第二件", "department": "roads", "fields": case["fields"]}
    await li.act(case, "split", openings=[part])
    (link,) = (await li.ask("GET", f"/api/cases/{case['id']}"))["links"]
    reveal = {"fields": ["phone"], "reason": "回电核实情况"}
    told = await li.ask("POST", f"/api/cases/{link['from_id']}/reveal", reveal, status=200)
    assert told == {"values": {"phone": "13900139000"}}


async def test_what_became_of_many_can_be_taken_along(at_desk: Signs) -> None:
    zhao, chen = await at_desk("zhao"), await at_desk("chen")
    mine, other = await zhao.open(), await chen.open(department="water")
    act = {"verb": "comment", "kind": "internal", "text": "x"}
    done = await zhao.ask("POST", "/api/cases/bulk", {"ids": [mine["id"], other["id"]], "act": act}, status=200)
    rows = await table(zhao, "/api/cases/bulk/table", {"results": done, "lang": "en"})
    assert rows[0] == ["Number", "Result", "Why"]
    assert rows[1] == [mine["number"], "done", ""]
    assert rows[2][:2] == [str(other["id"]), "refused"]
    assert "no case" in rows[2][2].lower()


async def test_marked_cases_are_taken_along_in_their_order_and_of_others_none(at_desk: Signs) -> None:
    li, zhao, chen = await at_desk("li"), await at_desk("zhao"), await at_desk("chen")
    first, second, unmarked = [await li.open() for _ in range(3)]
    other = await chen.open(department="water")
    marked = {"ids": [second["id"], other["id"], first["id"], second["id"], 10**9], "columns": ["number"]}
    rows = (await table(zhao, "/api/cases/export", marked))[1:]
    assert rows == [[second["number"]], [first["number"]]], "neither another department's nor one that is not marked"
    assert unmarked["number"] not in str(rows)
    of_type = {"ids": [first["id"]], "query": {"type": "ticket"}, "lang": "en"}
    heading, row = await table(zhao, "/api/cases/export", of_type)
    assert row[heading.index("text")] == "路上有个大坑"
    assert (await table(zhao, "/api/cases/export", {"ids": [], "columns": ["number"]}))[1:] == []
    many = {"ids": list(range(1, 1_002)), "columns": ["number"]}
    assert await zhao.refused("POST", "/api/cases/export", many, status=400) == "kernel.bulk_too_many"
