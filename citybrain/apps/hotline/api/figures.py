# SPDX-License-Identifier: Apache-2.0
"""Routes of figures: 三率 with the rows behind, hot spots, bursts, the report of a month, an export."""

import asyncio
import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.params import FromQuery

from citybrain.apps.hotline.api.desk import hotline_of
from citybrain.apps.hotline.choice import ZONE
from citybrain.apps.hotline.detect import bursts, hotspots
from citybrain.apps.hotline.detect.bursts import Burst
from citybrain.apps.hotline.detect.hotspots import Density
from citybrain.apps.hotline.measure import promises, report, report_pdf
from citybrain.apps.hotline.measure.rates import Department, Rate, is_due_soon, is_late, rates, rows_behind
from citybrain.apps.hotline.measure.report import Month
from citybrain.apps.hotline.model import Ticket
from citybrain.apps.hotline.service import desk
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.kernel.access import Actor
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Invalid
from citybrain.kernel.i18n import load_words

Asking = Request[Any, Any, Any]
FIGURES = {"permission": "hotline.figures"}
WORDS = load_words([Path(__file__).parents[1]])
MOST_ROWS = 5_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
EXPORTED = ("number", "category", "department", "channel", "urgency", "state", "text", "answer", "created_at", "due_at")


class FigureUnusable(Invalid):
    """A time, box or name of a figure that makes no sense."""


@get("/api/hotline/rates", opt=FIGURES)
async def rates_of(
    state: State, request: Asking, since: FromQuery[datetime], until: FromQuery[datetime]
) -> list[Department]:
    """三率 and counts of each department that one sees, over tickets that came in a time."""
    hotline, now = hotline_of(state), utc_now()
    shown = promises.rates_of(await desk.promises(hotline, now))
    return rates(await desk.rows(hotline, request.state.actor, since, until), now, shown)


@get("/api/hotline/rows", opt=FIGURES)
async def rows(
    state: State, request: Asking, since: FromQuery[datetime], until: FromQuery[datetime], page: FromQuery[bool] = False
) -> Response[Any]:
    """The tickets behind a number: query `department`, `rate` (with `good`), `only`, `category` (`-`: none), `channel`,
    `day`, `ids`."""
    hotline, query = hotline_of(state), dict(request.query_params)
    department = str(query.get("department", "")) or None
    found = await desk.rows(hotline, request.state.actor, since, until, department=department)
    found = narrowed(found, query, utc_now())[:MOST_ROWS]
    if not page:
        return Response(found)
    lang = _lang(str(query.get("lang", "zh")))
    title = WORDS.sentence("hotline.report_rows", {"count": len(found)}, lang)
    words = WORDS.of(lang)
    text = report.rows_page(
        title, found, lambda key: words[f"hotline.{key}"], lambda id: hotline.tree.name(id, lang), lang
    )
    return Response(text, media_type=MediaType.HTML)


def narrowed(found: Sequence[Ticket], query: dict[str, Any], now: datetime) -> list[Ticket]:
    """The rows of a figure, by the same rules that made it."""
    kept = list(found)
    if query.get("rate"):
        if query["rate"] not in set(Rate):
            raise FigureUnusable("hotline.figure_unusable", {"what": "rate"})
        good = {"true": True, "false": False}.get(str(query.get("good", "")))
        kept = rows_behind(kept, Rate(query["rate"]), good=good, now=now)
    only = str(query.get("only", ""))
    tests: Mapping[str, Callable[[Ticket], bool]] = {
        "open": lambda each: each.phase != "closed",
        "late": lambda each: is_late(each, now),
        "due_soon": lambda each: is_due_soon(each, now),
        "sent_back": lambda each: each.sent_back > 0,
        "reopened": lambda each: each.reopened > 0,
        "supervised": lambda each: each.supervised,
    }
    if only in tests:
        kept = [each for each in kept if tests[only](each)]
    category, channel, day = (str(query.get(name, "")) for name in ("category", "channel", "day"))
    ids = frozenset(str(query.get("ids", "")).split(",")) - {""}
    return [
        each
        for each in kept
        if (not category or _is_of(each, category))
        and (not channel or each.channel == channel)
        and (not day or report.day_of(each) == day)
        and (not ids or str(each.case_id) in ids)
    ]


def _is_of(ticket: Ticket, category: str) -> bool:
    """Whether it is of a category or of one below it."""
    wanted = "" if category == report.NONE else category
    return ticket.category == wanted or (bool(wanted) and ticket.category.startswith(f"{wanted}."))


@get("/api/hotline/hot-spots", opt=FIGURES)
async def hot_spots(
    state: State,
    request: Asking,
    since: FromQuery[datetime],
    until: FromQuery[datetime],
    box: FromQuery[str] = "",
    category: FromQuery[str] = "",
) -> Density | None:
    """Where tickets lie close together: a grid over a box (west,south,east,north) and its tops with their tickets.

    Without a box it is the one that holds most of them; null where none says where it is.
    """
    found = await desk.rows(hotline_of(state), request.state.actor, since, until)
    found = narrowed(found, {"category": category}, utc_now())
    where = _box(box) if box else hotspots.box_of(found)
    return where and hotspots.density(found, where)


def _box(box: str) -> hotspots.Box:
    try:
        west, south, east, north = (float(each) for each in box.split(","))
    except ValueError:
        raise FigureUnusable("hotline.figure_unusable", {"what": "box"}) from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise FigureUnusable("hotline.figure_unusable", {"what": "box"})
    return west, south, east, north


@get("/api/hotline/bursts", opt=FIGURES)
async def bursts_now(state: State, request: Asking) -> list[Burst]:
    """Far more calls than usual about one thing near one place, now."""
    now = utc_now()
    return bursts.bursts(await desk.rows(hotline_of(state), request.state.actor, now - bursts.USUAL.before, now), now)


@get("/api/hotline/export.csv", opt=FIGURES)
async def export(
    state: State, request: Asking, since: FromQuery[datetime], until: FromQuery[datetime]
) -> Response[bytes]:
    """Tickets as a table for spreadsheets, without callers. What would be a formula there is text."""
    found = await desk.rows(hotline_of(state), request.state.actor, since, until)
    headers = {"Content-Disposition": 'attachment; filename="hotline.csv"'}
    return Response(as_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


def as_csv(found: Sequence[Ticket]) -> bytes:
    """Rows as CSV. A cell that begins like a formula gets an apostrophe before it (OWASP: CSV injection)."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(EXPORTED)
    table.writerows([harmless(getattr(each, name)) for name in EXPORTED] for each in found)
    return written.getvalue().encode("utf-8-sig")


def harmless(value: object) -> str:
    """A value as a cell that no spreadsheet carries out."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u3000").startswith(FORMULA) or text.startswith(FORMULA) else text


@get("/api/hotline/report", opt=FIGURES)
async def month(state: State, request: Asking, month: FromQuery[str], lang: FromQuery[str] = "zh") -> Response[str]:
    """The report of a month (`2026-10`) as a page to read and to print; its numbers open rows."""
    hotline, lang = hotline_of(state), _lang(lang)
    made, words = await _month(hotline, request.state.actor, month, lang, utc_now()), WORDS.of(lang)
    text = report.page(made, lambda key: words[f"hotline.{key}"], lambda id: hotline.tree.name(id, lang))
    return Response(text, media_type=MediaType.HTML)


@get("/api/hotline/report.pdf", opt=FIGURES)
async def month_pdf(
    state: State, request: Asking, month: FromQuery[str], lang: FromQuery[str] = "zh"
) -> Response[bytes]:
    """The report of a month (`2026-10`) as a PDF file: the figures and links of the page, at the city's address."""
    hotline, lang, now = hotline_of(state), _lang(lang), utc_now()
    made, words = await _month(hotline, request.state.actor, month, lang, now), WORDS.of(lang)
    file = await asyncio.to_thread(
        report_pdf.document,
        made,
        lambda key: words[f"hotline.{key}"],
        lambda id: hotline.tree.name(id, lang),
        address=state.get("address") or "",
        made_at=now,
    )
    headers = {"Content-Disposition": f'attachment; filename="12345-{made.since:%Y-%m}-{lang}.pdf"'}
    return Response(file, media_type="application/pdf", headers=headers)


async def _month(hotline: Hotline, actor: Actor, label: str, lang: str, now: datetime) -> Month:
    try:
        since = datetime.strptime(label, "%Y-%m").replace(tzinfo=ZONE)
        until = (since + timedelta(days=32)).replace(day=1)
    except (ValueError, OverflowError):
        raise FigureUnusable("hotline.figure_unusable", {"what": "month"}) from None
    found = await desk.rows(hotline, actor, since, until)
    promised = await desk.promises(hotline, now)
    departments = await hotline.store.access.departments.all()
    return Month(
        label=f"{since:%Y-%m}",
        since=since,
        until=until,
        tickets=found,
        departments=rates(found, now, promises.rates_of(promised)),
        calls=promises.told(await desk.calls(hotline, since, until, promised)),
        lang=lang,
        names={each.id: each.name.get(lang) or each.id for each in departments},
    )


@get("/api/hotline/report.css", opt={"permission": "hotline.public"})
async def report_css() -> Response[str]:
    """How reports look on screen and paper."""
    return Response(report.CSS, media_type="text/css")


def _lang(lang: str) -> str:
    if lang not in ("zh", "en"):
        raise FigureUnusable("hotline.figure_unusable", {"what": "lang"})
    return lang


ROUTES: Sequence[Any] = (rates_of, rows, hot_spots, bursts_now, export, month, month_pdf, report_css)
