# SPDX-License-Identifier: Apache-2.0
"""The report of a month as a PDF file: tables and drawn bars whose numbers open rows. Pure.

The same month gives the same bytes. Chinese stands in the font STSong-Light of Adobe-GB1, which readers bring: it is
not embedded. All that comes from people passes `_text`, since a paragraph of reportlab takes markup.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from html import escape
from io import BytesIO
from typing import Any

from reportlab.graphics.shapes import Drawing, Rect
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from citybrain.apps.hotline.choice import ZONE
from citybrain.apps.hotline.measure.rates import Department
from citybrain.apps.hotline.measure.report import (
    COLUMNS,
    Counted,
    Month,
    Say,
    counted,
    named,
    percent,
    rates_shown,
    rows_address,
)

LATIN, CHINESE = "Helvetica", "STSong-Light"
INK, LINK, BAR, LINE, DIM = (HexColor(each) for each in ("#1a202c", "#0a58a5", "#2b6cb0", "#c5ccd3", "#5a6572"))
SIDE = 15 * mm
WIDTH = A4[0] - 2 * SIDE
COLUMN, RATE = 39.0, 48.0
# What a frame of reportlab keeps free at its sides.
FRAME = 6
BAR_WIDTH, DAYS_HEIGHT = 260.0, 90.0
# Longer than any name of an office; a cell taller than a page could not be set.
LONGEST = 80
# What Helvetica of every reader can show (Windows-1252) against what needs the Chinese font.
RUNS = re.compile(r"(?P<latin>[\x20-\x7e\xa0-\xff–—‘’“”…]+)|[^\x20-\x7e\xa0-\xff–—‘’“”…]+")
HAIRLINES = [
    ("LINEBELOW", (0, 0), (-1, -1), 0.5, LINE),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ("LEFTPADDING", (0, 0), (-1, -1), 2),
    ("LEFTPADDING", (0, 0), (0, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
]


def document(month: Month, say: Say, name_of: Callable[[str], str], *, address: str, made_at: datetime) -> bytes:
    """The file. `name_of` a category; links lead to `address`, where people reach the city; `made_at` is told in it."""
    registerFont(UnicodeCIDFont(CHINESE))
    sheet = _Sheet(month, say, name_of, address)
    _, pages = _built(sheet, made_at, pages=0)
    return _built(sheet, made_at, pages=pages)[0]


def _built(sheet: "_Sheet", made_at: datetime, *, pages: int) -> tuple[bytes, int]:
    """The file and how many pages it has: known only when it was built once."""
    into, title = BytesIO(), f"{sheet.say('report_title')} {sheet.month.label}"
    margins = {"leftMargin": SIDE - FRAME, "rightMargin": SIDE - FRAME, "topMargin": SIDE, "bottomMargin": 18 * mm}
    lang = "zh-CN" if sheet.month.lang == "zh" else "en"
    file = SimpleDocTemplate(into, pagesize=A4, invariant=1, title=title, author="", lang=lang, **margins)

    def foot(canvas: Any, at: Any) -> None:
        canvas.setFillColor(DIM)
        name = Paragraph(_text(title), sheet.dim)
        name.wrapOn(canvas, WIDTH / 2, SIDE)
        name.drawOn(canvas, SIDE, 10 * mm - 2)
        canvas.setFont(LATIN, 7)
        canvas.drawRightString(A4[0] - SIDE, 10 * mm, f"{at.page} / {pages}")

    file.build(sheet.parts(title, made_at), onFirstPage=foot, onLaterPages=foot)
    return into.getvalue(), file.page


class _Sheet:
    """What stands in the file, from top to bottom."""

    def __init__(self, month: Month, say: Say, name_of: Callable[[str], str], address: str) -> None:
        self.month, self.say, self.name_of, self.address = month, say, name_of, address
        wrap = "CJK" if month.lang == "zh" else None
        self.plain = ParagraphStyle("plain", fontName=LATIN, fontSize=8.5, leading=12, textColor=INK, wordWrap=wrap)
        self.title = ParagraphStyle("title", self.plain, fontSize=18, leading=26)
        self.head = ParagraphStyle("head", self.plain, fontSize=12, leading=16, spaceBefore=14, spaceAfter=4)
        self.dim = ParagraphStyle("dim", self.plain, fontSize=6.5, leading=10, textColor=DIM)
        # Numbers hold links and no Chinese, so they break at spaces alone.
        self.number = ParagraphStyle("number", self.plain, alignment=TA_RIGHT, wordWrap=None)
        self.dim_number = ParagraphStyle("dim_number", self.dim, alignment=TA_RIGHT)

    def parts(self, title: str, made_at: datetime) -> list[Any]:
        """All of it, made anew: what was set once cannot be set again."""
        month, say = self.month, self.say
        last = month.until - timedelta(days=1)
        period = f"{month.since:%Y-%m-%d} {say('report_to')} {last.astimezone(month.until.tzinfo):%Y-%m-%d}"
        made = f"{say('report_made_at')} {made_at.astimezone(ZONE):%Y-%m-%d %H:%M}"
        count = f"{_text(say('report_made_of'))} {self._linked(_text(str(len(month.tickets))))}"
        days, *others = counted(month)
        return [
            Paragraph(_text(title), self.title),
            Paragraph(_text(f"{say('report_period')} {period}"), self.plain),
            Paragraph(_text(made), self.plain),
            Paragraph(count, self.plain),
            self._heading("report_by_department"),
            self._departments(),
            KeepTogether([self._heading(days.title), Spacer(1, 4), _Days(month, days, self.address)]),
            *(KeepTogether([self._heading(each.title), self._bars(each)]) for each in others),
            KeepTogether([self._heading("report_calls"), self._calls()]),
            Spacer(1, 10),
            Paragraph(_text(say("report_formulas")), self.dim),
        ]

    def _heading(self, key: str) -> Any:
        return Paragraph(_text(self.say(key)), self.head)

    def _departments(self) -> Any:
        rates = rates_shown(self.month)
        heads = [f"column_{name}" for name in COLUMNS] + [f"rate_{rate}" for rate in rates]
        first = [Paragraph(_text(self.say("column_department")), self.dim)]
        lines = [first + [Paragraph(_text(self.say(key)), self.dim_number) for key in heads]]
        lines += [self._department(each, rates) for each in self.month.departments]
        widths = [COLUMN] * len(COLUMNS) + [RATE] * len(rates)
        style = [*HAIRLINES, ("LINEABOVE", (0, -1), (-1, -1), 1, INK)]
        return Table(lines, [WIDTH - sum(widths), *widths], repeatRows=1, style=TableStyle(style))

    def _department(self, of: Department, rates: Sequence[str]) -> list[Any]:
        name = self.month.names.get(of.department, of.department) or self.say("report_all")
        of_it = {"department": of.department}
        cells = [self._linked(_text(str(getattr(of, each))), **of_it, only=each) for each in COLUMNS]
        cells += [self._linked(_share(percent(of.shares[each])), **of_it, rate=str(each)) for each in rates]
        return [Paragraph(_name(name), self.plain), *(Paragraph(each, self.number) for each in cells)]

    def _bars(self, some: Counted) -> Any:
        most = max((count for _, count in some.lines), default=1)
        lines = [self._bar(some, id, count, most) for id, count in some.lines] or [["—", "", ""]]
        return Table(lines, [WIDTH - BAR_WIDTH - 60, BAR_WIDTH + 4, 56], style=TableStyle(HAIRLINES))

    def _bar(self, some: Counted, id: str, count: int, most: int) -> list[Any]:
        drawn = Drawing(BAR_WIDTH, 8)
        drawn.add(Rect(0, 0, max(1, BAR_WIDTH * count / most), 8, fillColor=BAR, strokeColor=None))
        name = Paragraph(_name(named(some.field, id, self.say, self.name_of)), self.plain)
        return [name, drawn, Paragraph(self._linked(_text(str(count)), **{some.field: id}), self.number)]

    def _calls(self) -> Any:
        lines = [
            [Paragraph(_text(self.say(key)), self.plain), Paragraph(_text(value), self.number)]
            for key, value in self.month.calls.items()
        ]
        return Table(lines or [["—", ""]], [WIDTH / 2, WIDTH / 2], style=TableStyle(HAIRLINES))

    def _linked(self, shown: str, **which: str) -> str:
        """Markup: a number, itself markup, that opens its rows."""
        to = escape(f"{self.address}{rows_address(self.month, **which)}", quote=True)
        return f'<a href="{to}" color="#0a58a5">{shown}</a>'


class _Days(Flowable):  # type: ignore[misc]
    """A bar for each day of the month; the bar with its number opens the day's rows."""

    def __init__(self, month: Month, days: Counted, address: str) -> None:
        super().__init__()
        self.width, self.height = WIDTH, DAYS_HEIGHT + 22
        self.month, self.of, self.address = month, dict(days.lines), address

    def draw(self) -> None:
        """Onto the canvas that the page gave; a day without tickets has its date alone."""
        canvas = self.canv
        days = [self.month.since + timedelta(days=at) for at in range((self.month.until - self.month.since).days)]
        step, most = WIDTH / max(1, len(days)), max(self.of.values(), default=1)
        canvas.setStrokeColor(LINE)
        canvas.line(0, 11, WIDTH, 11)
        for at, day in enumerate(days):
            left, count = at * step, self.of.get(f"{day:%m-%d}", 0)
            canvas.setFillColor(DIM)
            canvas.setFont(LATIN, 6.5)
            canvas.drawCentredString(left + step / 2, 2, str(day.day))
            if count:
                self._bar(f"{day:%m-%d}", count, left, step, DAYS_HEIGHT * count / most)

    def _bar(self, day: str, count: int, left: float, step: float, height: float) -> None:
        canvas, shown = self.canv, str(count)
        canvas.setFillColor(BAR)
        canvas.rect(left + step * 0.15, 11, step * 0.7, height, stroke=0, fill=1)
        canvas.setFillColor(LINK)
        size = min(6.5, 6.5 * (step - 1) / stringWidth(shown, LATIN, 6.5))
        canvas.setFont(LATIN, size)
        canvas.drawCentredString(left + step / 2, 13 + height, shown)
        to = f"{self.address}{rows_address(self.month, day=day)}"
        canvas.linkURL(to, (left, 11, left + step, 20 + height), relative=1)


def _text(words: str) -> str:
    """Words as markup that says nothing else, each run of letters in the font that has them."""
    return "".join(
        f'<font name="{LATIN if run.lastgroup else CHINESE}">{escape(run[0], quote=True)}</font>'
        for run in RUNS.finditer(words)
    )


def _name(name: str) -> str:
    """A name as markup, cut when it is too long."""
    return _text(name if len(name) <= LONGEST else f"{name[:LONGEST]}…")


def _share(shown: str) -> str:
    """A share as markup: what it was made of stands below it, as small as its column needs."""
    share, _, made_of = shown.partition(" (")
    if not made_of:
        return _text(share)
    size = min(6.5, 6.5 * (RATE - 5) / stringWidth(f"({made_of}", LATIN, 6.5))
    return f'{_text(share)}<br/><font size="{size:.2f}">{_text(f"({made_of}")}</font>'
