# SPDX-License-Identifier: Apache-2.0
import csv
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citybrain.kernel.access.actor import Actor, Fields, Reach, Right, Shown
from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.case import Case, MoveFacts
from citybrain.kernel.cases.export import Export, ExportRefused, Marked, on_many
from citybrain.kernel.cases.query import CaseQuery
from citybrain.kernel.cases.rights import EXPORT, VIEW
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tables import Form, Row, cell, is_formula, write_csv, write_xlsx
from citybrain.kernel.cases.tests.city import NOON, ROADS, TICKET, WATER, clerk, pothole
from citybrain.kernel.db import Database
from citybrain.kernel.i18n import load_words
from citybrain.kernel.privacy.people import ReasonMissing

ZONE = ZoneInfo("Asia/Shanghai")
WORDS = load_words()
PERSONAL = replace(
    TICKET,
    id="personal",
    form={
        "type": "object",
        "x-purpose": "report",
        "properties": {
            "text": {"type": "string", "x-title": {"zh": "内容", "en": "Text"}},
            "phone": {"type": "string", "x-personal": True, "x-title": {"zh": "电话", "en": "Phone"}},
            "wish": {"type": "string", "x-personal": True},
            "cause": {"type": "string"},
        },
    },
    personal=tuple(
        {"name": name, "purpose": "report", "legal_basis": "duty", "retention": {"keep": "P365D"}, "sort": sort}
        for name, sort in (("phone", "phone"), ("wish", "other"))
    ),
)
EVIL = [
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x")',
]


def may_export(actor: Actor, *, shown: Shown) -> Actor:
    right = Right(reach=Reach(departments=frozenset({"roads"})), fields=Fields(otherwise=shown))
    return replace(actor, rights={**actor.rights, VIEW: right, EXPORT: right})


TAKER = may_export(clerk("li", "roads"), shown=Shown.MASKED)


@pytest.fixture(scope="module")
async def export(db: Database, cases: Cases, tmp_path_factory: pytest.TempPathFactory) -> Export:
    await cases.types.put(PERSONAL, by="city", now=NOON - timedelta(days=1))
    return Export(db, cases, WORDS, tmp_path_factory.mktemp("exports"), lambda: NOON)


async def table(
    export: Export, actor: Actor, query: CaseQuery, *columns: str, form: Form = Form.CSV, reason: str = ""
) -> list[list[Any]]:
    pieces = await export.write(actor, query, columns, form=form, lang="zh", reason=reason)
    data = b"".join([piece async for piece in pieces])
    if form is Form.CSV:
        return [list(row) for row in csv.reader(StringIO(data.decode("utf-8-sig"), newline=""))]
    sheet = openpyxl.load_workbook(BytesIO(data)).active
    return [[each.value for each in row] for row in sheet.iter_rows()]


async def test_a_list_is_taken_along_as_far_as_it_is_seen_and_with_masks(export: Export, cases: Cases) -> None:
    facts = {"text": "路灯", "phone": "13800138000", "wish": "秘密"}
    await cases.open(ROADS, pothole(type="personal", fields=facts))
    await cases.open(WATER, pothole(type="personal", department="water", fields=facts))
    query = CaseQuery(types=("personal",))
    columns = ("title", "state", "created_at", "fields.text", "fields.phone", "fields.wish")
    heading, *rows = await table(export, TAKER, query, *columns)
    assert heading[3:] == ["内容", "电话", "wish"]
    assert len(rows) == 1, "another department's case is not there"
    assert rows[0][3:] == ["路灯", "138****8000", "***"]
    clear = may_export(clerk("li", "roads"), shown=Shown.CLEAR)
    assert (await table(export, clear, query, *columns))[1][4:] == ["138****8000", "***"], "no reason, no look"
    assert (await table(export, clear, query, *columns, reason="移交法院"))[1][4:] == ["13800138000", "秘密"]
    assert (await table(export, TAKER, query, *columns, reason="移交法院"))[1][4:] == ["138****8000", "***"]
    with pytest.raises(ReasonMissing):
        await table(export, clear, query, *columns, reason="x")
    hidden = may_export(clerk("li", "roads"), shown=Shown.HIDDEN)
    assert (await table(export, hidden, query, *columns))[1][4:] == ["", ""]


async def test_what_looks_like_a_formula_is_text_in_both_forms(export: Export, cases: Cases) -> None:
    for text in EVIL:
        await cases.open(ROADS, pothole(title=text, category="evil"))
    query = CaseQuery(categories=("evil",))
    _, *rows = await table(export, TAKER, query, "title")
    assert {row[0] for row in rows} == {f"'{text}" for text in EVIL}
    pieces = await export.write(TAKER, query, ["title"], form=Form.XLSX, lang="en")
    sheet = openpyxl.load_workbook(BytesIO(b"".join([piece async for piece in pieces]))).active
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {each.data_type for each in cells} == {"s"}
    assert len(cells) == len(EVIL)


async def test_more_than_a_page_is_taken_along_whole(export: Export, cases: Cases) -> None:
    for number in range(205):
        await cases.open(ROADS, pothole(title=f"{number}", category="many"))
    for form in Form:
        _, *rows = await table(export, TAKER, CaseQuery(categories=("many",)), "title", form=form)
        assert sorted(int(row[0]) for row in rows) == list(range(205))


async def test_taking_along_is_written_down_without_what_was_typed(export: Export, db: Database) -> None:
    await table(export, TAKER, CaseQuery(words="王小明", types=("personal",)), "number", "fields.phone")
    found = await db.rows("SELECT facts::text FROM audit_entry WHERE act = 'case.export' ORDER BY 1")
    assert found
    assert all("王小明" not in facts for (facts,) in found)
    assert any("fields.phone" in facts for (facts,) in found)


async def test_who_may_not_or_asks_for_what_there_is_not_gets_nothing(export: Export) -> None:
    with pytest.raises(NotPermitted):
        await export.write(ROADS, CaseQuery(), ["number"], form=Form.CSV, lang="zh")
    for columns in ([], ["password"], ["fields.phone"], ["fields.none"], ["opened_by.x"]):
        with pytest.raises(ExportRefused):
            await export.write(TAKER, CaseQuery(), columns, form=Form.CSV, lang="zh")


async def test_an_act_on_many_says_what_became_of_each(export: Export, cases: Cases) -> None:
    mine = await cases.open(ROADS, pothole())
    others = await cases.open(WATER, pothole(department="water"))
    again = await cases.open(ROADS, pothole())

    async def accept(id: int) -> Case:
        return await cases.move(ROADS, id, "accept", MoveFacts())

    found = await on_many([mine.id, others.id, again.id, mine.id], accept)
    assert [(each.id, each.done) for each in found] == [(mine.id, True), (others.id, False), (again.id, True)]
    told = b"".join([piece async for piece in export.results(found, Form.CSV, "en")])
    lines = told.decode("utf-8-sig").splitlines()
    assert lines[1] == f"{mine.number},done,"
    assert str(others.id) in lines[2]
    with pytest.raises(ExportRefused):
        await on_many(range(501), accept)


CELLS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=5))
async def test_whatever_is_in_a_cell_comes_back_and_no_text_is_a_formula(rows: list[list[Any]]) -> None:
    async def given_rows() -> AsyncIterator[Row]:
        for row in rows:
            yield row

    data = b"".join([piece async for piece in write_csv(["a"], given_rows(), ZONE)])
    read = list(csv.reader(StringIO(data.decode("utf-8-sig"), newline="")))[1:]
    expected = [[cell(value, ZONE) for value in row] for row in rows]
    for got, row in zip(read, expected, strict=True):
        for text, value in zip(got, row, strict=True):
            if isinstance(value, str):
                assert not is_formula(text)
                assert text in (value, f"'{value}")


async def test_a_file_that_was_sent_is_gone(tmp_path: Path) -> None:
    async def rows() -> AsyncIterator[Row]:
        yield [1, "a", None, True]

    into = tmp_path / "a.xlsx"
    data = b"".join([piece async for piece in write_xlsx(["x"], rows(), ZONE, into=into, title="a/b[c]")])
    assert openpyxl.load_workbook(BytesIO(data)).sheetnames == ["a b c "]
    assert not into.exists()


async def test_more_marked_cases_than_a_page_are_taken_along_and_too_many_are_refused(
    export: Export, cases: Cases, db: Database
) -> None:
    ids = [(await cases.open(ROADS, pothole(title=f"{number}"))).id for number in range(205)]
    pieces = await export.write(TAKER, Marked(ids=tuple(reversed(ids))), ["title"], form=Form.CSV, lang="zh")
    rows = list(csv.reader(StringIO(b"".join([piece async for piece in pieces]).decode("utf-8-sig"), newline="")))
    assert [int(row[0]) for row in rows[1:]] == list(reversed(range(205)))
    told = await db.rows("SELECT facts::jsonb -> 'query' -> 'ids' FROM audit_entry WHERE act = 'case.export'")
    assert sorted(ids) in [sorted(each) for (each,) in told if each], "which were marked is written down"
    with pytest.raises(ExportRefused):
        await export.write(TAKER, Marked(ids=tuple(range(1_001))), ["title"], form=Form.CSV, lang="zh")
