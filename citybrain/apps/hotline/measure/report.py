# SPDX-License-Identifier: Apache-2.0
"""The report of a month as one page for screen and print: tables and bars whose numbers open rows. Pure.

It is HTML with rules for paper; `report_pdf` makes a file of the same figures and links. All that comes from people is
escaped here, once, by `_text`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from urllib.parse import urlencode

import msgspec

from citybrain.apps.hotline.choice import ZONE
from citybrain.apps.hotline.measure.rates import Department, Rate, Share
from citybrain.apps.hotline.model import Channel, Ticket

Say = Callable[[str], str]
"""The words of a key in the language of the report."""
BAR = 260
MOST = 15
NONE = "-"
"""Asks for the tickets that have no category yet."""
COLUMNS = ("tickets", "open", "late", "sent_back", "reopened", "supervised")
"""What is counted of each department."""


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is made of: `calls` are figures of the telephone by their words' key, `names` of departments."""

    label: str
    since: datetime
    until: datetime
    tickets: Sequence[Ticket]
    departments: Sequence[Department]
    calls: Mapping[str, str]
    lang: str
    names: Mapping[str, str] = {}


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many tickets there are of each id; `field` is what `/api/hotline/rows` finds them by."""

    title: str
    field: str
    lines: Sequence[tuple[str, int]]


def page(month: Month, say: Say, name_of: Callable[[str], str]) -> str:
    """The whole page."""
    title = f"{say('report_title')} {month.label}"
    return "\n".join(
        [
            _head(title, month.lang),
            f"<h1>{_text(title)}</h1><p>{_text(say('report_made_of'))} {len(month.tickets)}</p>",
            _departments(month, say),
            *(_bars(each, month, say, name_of) for each in counted(month)),
            _calls(month, say),
            f"<p>{_text(say('report_formulas'))}</p></main></body></html>",
        ]
    )


def rows_page(title: str, tickets: Sequence[Ticket], say: Say, name_of: Callable[[str], str], lang: str) -> str:
    """The tickets behind a number, as a table."""
    names = ("number", "category", "department", "state", "created_at", "due_at", "answered_at")
    head = "".join(f'<th scope="col">{_text(say(f"column_{name}"))}</th>' for name in names)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{_text(name_of(each.category) if name == 'category' else _shown(getattr(each, name)))}</td>"
            for name in names
        )
        + "</tr>"
        for each in tickets
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"{_head(title, lang)}<h1>{_text(title)}</h1>{table}</main></body></html>"


def counted(month: Month) -> tuple[Counted, ...]:
    """Tickets by day, by the top of their category (the most frequent ones) and by channel."""
    days = Counter(day_of(each) for each in month.tickets)
    tops = Counter(each.category.partition(".")[0] or NONE for each in month.tickets)
    channels = Counter(each.channel for each in month.tickets)
    return (
        Counted(title="report_by_day", field="day", lines=sorted(days.items())),
        Counted(title="report_by_category", field="category", lines=tops.most_common(MOST)),
        Counted(title="report_by_channel", field="channel", lines=channels.most_common()),
    )


def named(field: str, id: str, say: Say, name_of: Callable[[str], str]) -> str:
    """What people read for one of `counted`."""
    if field == "category":
        return "—" if id == NONE else name_of(id) or id
    return say(f"channel_{id}") if field == "channel" and id in set(Channel) else id or "—"


def rates_shown(month: Month) -> list[Rate]:
    """The rates that every department is measured by."""
    return [rate for rate in Rate if all(rate in each.shares for each in month.departments)]


def rows_address(month: Month, **which: str) -> str:
    """Where the tickets behind a number are, below the city's address; not escaped."""
    span = {"since": month.since.isoformat(), "until": month.until.isoformat(), "lang": month.lang, "page": "true"}
    return f"/api/hotline/rows?{urlencode({**span, **{name: value for name, value in which.items() if value}})}"


def percent(share: Share) -> str:
    """A share and what it was made of; a dash where nothing counts."""
    return "—" if share.value is None else f"{100 * share.value:.1f} % ({share.good}/{share.of})"


def day_of(ticket: Ticket) -> str:
    """The day of the city on which a ticket came."""
    return f"{ticket.created_at.astimezone(ZONE):%m-%d}"


CSS = """
@page { size: A4; margin: 18mm 15mm; }
body { font: 12px/1.5 "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif; }
main { max-width: 780px; margin: 0 auto; }
h1 { font-size: 20px; } h2 { font-size: 15px; margin-top: 24px; break-after: avoid; }
table { border-collapse: collapse; width: 100%; break-inside: auto; }
th, td { border-bottom: 1px solid #c5ccd3; padding: 3px 6px; text-align: left; font-variant-numeric: tabular-nums; }
tr, figure { break-inside: avoid; } thead { display: table-header-group; }
a { color: #0a58a5; } rect { fill: #2b6cb0; } figure { margin: 0; }
@media print { a { color: inherit; text-decoration: none; } }
"""


def _head(title: str, lang: str) -> str:
    return (
        f'<!doctype html><html lang="{_text(lang)}"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        '<link rel="stylesheet" href="/api/hotline/report.css"></head><body><main>'
    )


def _departments(month: Month, say: Say) -> str:
    rates = rates_shown(month)
    heads = [
        *(f"column_{name}" for name in ("department", *COLUMNS)),
        *(f"rate_{rate}" for rate in rates),
    ]
    head = "".join(f'<th scope="col">{_text(say(key))}</th>' for key in heads)
    rows = []
    for each in month.departments:
        name = month.names.get(each.department, each.department) or say("report_all")
        cells = [
            _link(month, str(getattr(each, column)), department=each.department, only=column) for column in COLUMNS
        ]
        cells += [
            _link(month, percent(each.shares[rate]), department=each.department, rate=str(rate)) for rate in rates
        ]
        rows.append(f'<tr><th scope="row">{_text(name)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    title = _text(say("report_by_department"))
    return f"<h2>{title}</h2><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _bars(some: Counted, month: Month, say: Say, name_of: Callable[[str], str]) -> str:
    """Bars as lines of a table, each a drawing and a number that opens its rows."""
    most = max((count for _, count in some.lines), default=1)
    rows = []
    for id, count in some.lines:
        width = max(1, round(BAR * count / most))
        drawn = (
            f'<svg width="{BAR}" height="12" role="img" aria-label="{count}"><rect width="{width}" height="12"/></svg>'
        )
        name, number = _text(named(some.field, id, say, name_of)), _link(month, str(count), **{some.field: id})
        rows.append(f'<tr><th scope="row">{name}</th><td>{drawn}</td><td>{number}</td></tr>')
    return f"<h2>{_text(say(some.title))}</h2><figure><table><tbody>{''.join(rows)}</tbody></table></figure>"


def _calls(month: Month, say: Say) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_text(say(key))}</th><td>{_text(value)}</td></tr>' for key, value in month.calls.items()
    )
    return f"<h2>{_text(say('report_calls'))}</h2><table><tbody>{rows}</tbody></table>"


def _link(month: Month, shown: str, **which: str) -> str:
    return f'<a href="{_text(rows_address(month, **which))}">{_text(shown)}</a>'


def _shown(value: object) -> str:
    return (
        f"{value.astimezone(ZONE):%Y-%m-%d %H:%M}"
        if isinstance(value, datetime)
        else str(value if value is not None else "")
    )


def _text(value: str) -> str:
    return escape(value, quote=True)
