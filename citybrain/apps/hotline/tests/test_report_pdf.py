# SPDX-License-Identifier: Apache-2.0
"""The report of a month as a PDF file, read by a parser that others wrote."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pypdf import PdfReader

from citybrain.apps.hotline.api import figures
from citybrain.apps.hotline.choice import ZONE
from citybrain.apps.hotline.measure import report, report_pdf
from citybrain.apps.hotline.measure.rates import rates
from citybrain.apps.hotline.measure.report import Month
from citybrain.apps.hotline.model import Ticket
from citybrain.kernel.i18n import load_words

SINCE = datetime(2026, 10, 1, tzinfo=ZONE)
UNTIL = datetime(2026, 11, 1, tzinfo=ZONE)
MADE = datetime(2026, 11, 2, 9, 30, tzinfo=ZONE)
NAMES = {"water": "市供水集团", "roads": "道路养护中心", "parks": "园林绿化局"}
CALLS = {"report_calls_all": "1840", "report_calls_in_time": "1702 (≤ 15 s, 95.1 %)"}
WORDS = load_words([Path(__file__).parents[1]])
ADDRESS = "https://city.example"


def ticket(id: int, **said: object) -> Ticket:
    """A ticket of that month."""
    at = SINCE + timedelta(hours=7 * id % 700)
    plain = Ticket(
        case_id=id,
        number=f"C-{id}",
        category=("water.supply", "traffic.road", "noise")[id % 3],
        department=("water", "roads", "parks")[id % 3],
        first_department="water",
        channel=("phone", "web", "app")[id % 3],
        urgency="general",
        state="answered",
        phase="open",
        text="停水了",
        created_at=at,
        changed_at=at,
        due_at=at + timedelta(days=7),
        answered_at=at + timedelta(days=id % 9),
        satisfaction=("satisfied", "dissatisfied")[id % 2],
    )
    return msgspec.structs.replace(plain, **said)


def month_of(tickets: Sequence[Ticket], lang: str = "zh", **names: str) -> Month:
    """The month they came in."""
    return Month(
        label="2026-10",
        since=SINCE,
        until=UNTIL,
        tickets=tickets,
        departments=rates(tickets, MADE),
        calls=CALLS,
        lang=lang,
        names={**NAMES, **names},
    )


def file_of(month: Month, address: str = ADDRESS) -> bytes:
    """Its file, in the words of the hotline."""
    words = WORDS.of(month.lang)
    return report_pdf.document(month, lambda key: words[f"hotline.{key}"], str, address=address, made_at=MADE)


def text_of(file: bytes) -> str:
    """What a reader finds in it, without its line breaks."""
    return "".join(page.extract_text() for page in PdfReader(BytesIO(file)).pages).replace("\n", "")


def links_of(file: bytes) -> list[str]:
    """Where the links lead."""
    marks = [mark.get_object() for page in PdfReader(BytesIO(file)).pages for mark in page.annotations or ()]
    return [str(mark["/A"]["/URI"]) for mark in marks]


MONTH = month_of([ticket(id) for id in range(1, 91)])


def test_names_of_departments_figures_and_times_are_in_it() -> None:
    text = text_of(file_of(MONTH))
    assert "12345 热线月报 2026-10" in text
    assert "2026-10-01 至 2026-10-31" in text
    assert "2026-11-02 09:30" in text
    for name in NAMES.values():
        assert name in text
    for each in MONTH.departments:
        share = each.shares["response"]
        assert f"({share.good}/{share.of})" in text
    assert "1702 (≤ 15 s, 95.1 %)" in text
    assert "满意率" in text
    assert "移动端" in text


def test_in_english_it_says_the_same() -> None:
    text = text_of(file_of(msgspec.structs.replace(MONTH, lang="en")))
    for words in ("12345 hotline report 2026-10", "Satisfaction", "Generated at: 2026-11-02 09:30", "Telephone", "90"):
        assert words in text


def test_every_number_opens_the_rows_that_the_page_opens() -> None:
    links = set(links_of(file_of(MONTH)))
    which = [{}, *({each.field: id} for each in report.counted(MONTH) for id, _ in each.lines)]
    for each in MONTH.departments:
        which += [{"department": each.department, "only": column} for column in report.COLUMNS]
        which += [{"department": each.department, "rate": str(rate)} for rate in report.rates_shown(MONTH)]
    assert links == {f"{ADDRESS}{report.rows_address(MONTH, **each)}" for each in which}
    asked = parse_qs(urlsplit(max(links)).query)
    assert (asked["since"], asked["until"]) == ([SINCE.isoformat()], [UNTIL.isoformat()])


def test_tickets_without_category_open_themselves_alone() -> None:
    file = file_of(month_of([ticket(1, category="")]))
    assert f"{ADDRESS}{report.rows_address(MONTH, category=report.NONE)}" in links_of(file)
    found = figures.narrowed([ticket(1, category=""), ticket(2)], {"category": report.NONE}, MADE)
    assert [each.case_id for each in found] == [1]


def test_a_link_lies_on_the_number_it_is_of() -> None:
    page = PdfReader(BytesIO(file_of(MONTH))).pages[0]
    boxes = [mark.get_object()["/Rect"] for mark in page.annotations or ()]
    assert all(0 <= left < right <= 596 and 0 <= low < high <= 842 for left, low, right, high in boxes)


def test_the_same_month_is_the_same_file() -> None:
    assert file_of(MONTH) == file_of(MONTH)


def test_markup_in_a_name_stays_text() -> None:
    evil = '<b>甲</b> & <a href="https://evil.example">局</a> <img src="file:///etc/passwd"/>'
    file = file_of(month_of([ticket(1, department="evil", category="<i>x", channel="<u>y")], evil=evil))
    text = text_of(file).replace(" ", "")
    for words in (evil, "<i>x", "<u>y"):
        assert words.replace(" ", "") in text
    assert all(link.startswith(f"{ADDRESS}/api/hotline/rows?") for link in links_of(file))


@pytest.mark.parametrize("lang", ["zh", "en"])
@given(name=some.text(max_size=300))
@settings(max_examples=30, deadline=None)
def test_any_name_can_be_set(name: str, lang: str) -> None:
    made = month_of([ticket(1, department="any", category=name)], lang, any=name)
    assert len(PdfReader(BytesIO(file_of(made))).pages) >= 1


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_month_without_tickets_has_a_report(lang: str) -> None:
    file = file_of(month_of([], lang))
    assert len(links_of(file)) == 1 + len(report.COLUMNS) + 4, "the line of the whole city, in which all is 0"
    assert ("全市" if lang == "zh" else "All") in text_of(file)


def test_a_city_of_many_departments_goes_on_on_further_pages_which_are_numbered() -> None:
    many = [ticket(id, department=f"d{id}") for id in range(120)]
    names = {f"d{id}": f"第{id}街道办事处" for id in range(120)}
    pages = PdfReader(BytesIO(file_of(month_of(many, **names)))).pages
    assert len(pages) > 2
    for at, page in enumerate(pages, 1):
        assert f"{at} / {len(pages)}" in page.extract_text()
    assert "部门" in pages[1].extract_text(), "the head of the table stands on each page"


def test_numbers_of_a_large_city_stay_in_their_columns() -> None:
    many = 1_234_567
    large = msgspec.structs.replace(MONTH.departments[0], tickets=many, open=many, late=many)
    share = msgspec.structs.replace(large.shares["response"], good=many, of=many, value=1.0)
    large = msgspec.structs.replace(large, shares=dict.fromkeys(large.shares, share))
    page = PdfReader(BytesIO(file_of(msgspec.structs.replace(MONTH, departments=[large])))).pages[0]
    assert str(many) in page.extract_text()
    widths = [right - left for left, _, right, _ in (mark.get_object()["/Rect"] for mark in page.annotations or ())]
    assert max(widths) <= report_pdf.RATE
