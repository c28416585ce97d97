# SPDX-License-Identifier: Apache-2.0
"""Tables for people to take along, as CSV and Excel: nothing in a cell is ever a formula. Pure, piece by piece."""

import asyncio
import csv
import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection), also behind blanks it throws away.
FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")
NEVER_IN_CELLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")
CELL_LENGTH = 32_767  # of Excel
ROWS_OF_SHEET = 1_048_575  # of Excel, without the heading
MARK = "﻿"  # without it Excel takes UTF-8 for an older coding
READ_BYTES = 256 * 1024
SENT_BYTES = 32 * 1024

Row = Sequence[Json]


class Form(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """What it is called on the web."""
        return {
            Form.CSV: "text/csv; charset=utf-8",
            Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }[self]


class TooManyRows(Invalid):
    """More rows than a sheet holds."""


def is_formula(text: str) -> bool:
    """Whether a spreadsheet could take a text for a formula."""
    return bool(FORMULA.match(text))


def cell(value: Json, zone: ZoneInfo) -> str | int | float | bool | None:
    """A value as it stands in a cell: times as a clock on the wall shows them, everything else as text or number."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return NEVER_IN_CELLS.sub("", text)[:CELL_LENGTH]


async def write_csv(heading: Row, rows: AsyncIterable[Row], zone: ZoneInfo) -> AsyncIterator[bytes]:
    """CSV (RFC 4180) in UTF-8, piece by piece. A text that could be a formula has an apostrophe before it."""
    yield (MARK + _line(heading, zone)).encode()
    async for row in rows:
        yield _line(row, zone).encode()


async def gathered(pieces: AsyncIterable[bytes], *, at_least: int = SENT_BYTES) -> AsyncIterator[bytes]:
    """Small pieces put together, so that not every row is a message of its own."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        if len(waiting) >= at_least:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _line(row: Row, zone: ZoneInfo) -> str:
    out = StringIO()
    csv.writer(out).writerow([_plain(cell(value, zone)) for value in row])
    return out.getvalue()


def _plain(value: str | float | bool | None) -> str | float | None:
    return f"'{value}" if isinstance(value, str) and is_formula(value) else value


async def write_xlsx(
    heading: Row, rows: AsyncIterable[Row], zone: ZoneInfo, *, into: Path, title: str = "1"
) -> AsyncIterator[bytes]:
    """An Excel file, first written to `into` row by row, then read from there; `into` is deleted at the end.

    Text is text, also when it looks like a formula: the kind of each cell is said. Refuses `TooManyRows`.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", title)[:31] or "1")
    sheet.freeze_panes = "A2"
    sheet.append([_typed(sheet, cell(value, zone), bold=True) for value in heading])
    count = 0
    try:
        async for row in rows:
            count += 1
            if count > ROWS_OF_SHEET:
                raise TooManyRows("kernel.export_too_many_rows", {"limit": ROWS_OF_SHEET})
            sheet.append([_typed(sheet, cell(value, zone)) for value in row])
        await asyncio.to_thread(book.save, into)
        with into.open("rb") as file:
            while piece := file.read(READ_BYTES):
                yield piece
    finally:
        await asyncio.to_thread(into.unlink, missing_ok=True)


def _typed(sheet: object, value: str | float | bool | None, *, bold: bool = False) -> WriteOnlyCell:
    made = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        made.data_type = "s"
        made.quotePrefix = is_formula(value)
    if bold:
        made.font = Font(bold=True)
    return made
