# SPDX-License-Identifier: Apache-2.0
"""Old tickets of another system: read row by row, every refused row told, begun again where it stopped."""

import asyncio
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from citybrain.apps.hotline.choice import ZONE
from citybrain.apps.hotline.model import ARCHIVE, DESK, Caller, Channel, Intake, Tree, Urgency
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.service.intake import TellingUnusable, cleaned, decide, opening
from citybrain.apps.hotline.store import kept, tickets
from citybrain.apps.hotline.store.kept import Progress, RefusedRow
from citybrain.kernel.access import Actor
from citybrain.kernel.cases.case import Case, MoveFacts
from citybrain.kernel.cases.importing import Importing, Outcome, Prepared
from citybrain.kernel.cases.importing import Old as OldCase
from citybrain.kernel.cases.ratings import Rating
from citybrain.kernel.cases.satisfaction import RatingChannel, Satisfaction
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import Invalid, Refusal
from citybrain.kernel.i18n import load_words

AT_ONCE = 1_000
LONGEST_FIELD = 20_000
ENCODINGS = ("utf-8-sig", "gb18030")
_HAN = re.compile("[\u4e00-\u9fff]")
BROKEN = "\0broken"
WORDS = load_words([Path(__file__).parents[1]])


class FileUnreadable(Invalid):
    """A file that is neither CSV with a head nor JSON lines."""


class RowUnusable(Invalid):
    """A row that cannot become a ticket. The facts name the field and never say what stands in it."""


class Old(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket of another system."""

    intake: Intake
    closed_at: datetime | None = None
    answered_at: datetime | None = None
    answer: str = ""
    satisfaction: str = ""


Row = Mapping[str, str]


def rows_of(name: str, content: bytes) -> Iterator[Row]:
    """The rows of a CSV or JSONL file as text by column. A line of JSONL that is broken is a row that says so."""
    text = _decoded(name, content)
    if name.lower().endswith((".jsonl", ".ndjson")):
        for line in text.splitlines():
            if line.strip():
                yield _json_row(line)
        return
    csv.field_size_limit(LONGEST_FIELD)
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""))
        if not rows.fieldnames or "text" not in rows.fieldnames:
            raise FileUnreadable("hotline.file_unreadable", {"file": name, "why": "text"})
        for row in rows:
            extra = None in row  # more fields than the head names
            yield {BROKEN: "columns"} if extra else {column: value or "" for column, value in row.items()}
    except csv.Error as problem:
        raise FileUnreadable("hotline.file_unreadable", {"file": name, "why": str(problem)}) from problem


def _decoded(name: str, content: bytes) -> str:
    """UTF-8, else GB 18030. Short Chinese text in GB can be UTF-8 by chance (停水): then it is the one with Chinese."""
    found = []
    for encoding in ENCODINGS:
        try:
            found.append(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    if not found:
        raise FileUnreadable("hotline.file_unreadable", {"file": name, "why": "encoding"})
    return next((text for text in found if _HAN.search(text)), found[0])


def _json_row(line: str) -> Row:
    try:
        found = msgspec.json.decode(line, type=dict[str, str | int | float | bool | None])
    except msgspec.DecodeError:
        return {BROKEN: "json"}
    return {column: "" if value is None else str(value) for column, value in found.items()}


def read_row(row: Row, tree: Tree | None = None) -> Old:
    """A row as a ticket. Refuses `RowUnusable` naming the field."""
    if BROKEN in row:
        raise RowUnusable("hotline.row_unusable", {"field": row[BROKEN]})
    number, text = row.get("number", "").strip(), row.get("text", "").strip()
    for field, value in (("text", text), ("number", number)):
        if not value:
            raise RowUnusable("hotline.row_empty", {"field": field})
        if len(value) > LONGEST_FIELD:
            raise RowUnusable("hotline.row_too_long", {"field": field})
    created_at, closed_at = _time(row, "created_at"), _time(row, "closed_at")
    if created_at is None:
        raise RowUnusable("hotline.row_empty", {"field": "created_at"})
    if closed_at and closed_at < created_at:
        raise RowUnusable("hotline.row_order", {"field": "closed_at"})
    category = row.get("category", "").strip()
    if category and tree and category not in tree.categories:
        raise RowUnusable("hotline.row_word", {"field": "category"})
    urgency, satisfaction = _word(row, "urgency", Urgency), _word(row, "satisfaction", Satisfaction)
    intake = Intake(
        text=text,
        channel=Channel.IMPORT,
        caller=Caller(name=row.get("name", "").strip(), phone=row.get("phone", "").strip()),
        category=category,
        department=row.get("department", "").strip(),
        urgency=Urgency(urgency) if urgency else None,
        longitude=_number(row, "longitude"),
        latitude=_number(row, "latitude"),
        address=row.get("address", "").strip(),
        key=f"import:{row.get('source', '').strip()}:{number}",
        number=number,
        created_at=created_at,
    )
    answered_at = _time(row, "answered_at") or closed_at
    answer = row.get("answer", "").strip()
    return Old(intake=intake, closed_at=closed_at, answered_at=answered_at, answer=answer, satisfaction=satisfaction)


def _word(row: Row, field: str, known: type[StrEnum]) -> str:
    """One of the words that a column may hold, or nothing."""
    value = row.get(field, "").strip()
    if value and value not in set(known):
        raise RowUnusable("hotline.row_word", {"field": field})
    return value


def _time(row: Row, field: str) -> datetime | None:
    """A time in ISO 8601; without a zone it is the city's."""
    written = row.get(field, "").strip()
    if not written:
        return None
    try:
        found = datetime.fromisoformat(written.replace("/", "-"))
    except ValueError:
        raise RowUnusable("hotline.row_time", {"field": field}) from None
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def _number(row: Row, field: str) -> float | None:
    written = row.get(field, "").strip()
    if not written:
        return None
    try:
        return float(written)
    except ValueError:
        raise RowUnusable("hotline.row_number", {"field": field}) from None


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The next rows of a file: those that can be taken in with their places, as cases, and those that cannot."""

    rows: int
    good: Sequence[tuple[int, Old]]
    cases: Sequence[OldCase]
    refused: Sequence[RefusedRow]


def check_rows(hotline: Hotline, rows: Sequence[Row], *, first: int) -> Checked:
    """Which rows can be taken in, and which not and why: all that is known without writing anything."""
    good: list[tuple[int, Old]] = []
    cases: list[OldCase] = []
    refused: list[RefusedRow] = []
    now = utc_now()
    for number, row in enumerate(rows, start=first):
        try:
            old = read_row(row, hotline.tree)
            old = msgspec.structs.replace(old, intake=cleaned(hotline, old.intake))
        except (RowUnusable, TellingUnusable) as refusal:
            refused.append(RefusedRow(row=number, code=refusal.code, facts=refusal.facts))
            continue
        good.append((number, old))
        cases.append(_closed(hotline, old) if old.closed_at else _open(hotline, old, now))
    return Checked(rows=len(rows), good=good, cases=cases, refused=refused)


def _open(hotline: Hotline, old: Old, now: datetime) -> OldCase:
    """One that is not done yet: taken in like any other, and handed on when it is clear to whom."""
    intake, routed = decide(hotline, old.intake, now)
    if routed.department == DESK:
        return OldCase(opening=opening(intake))
    facts = MoveFacts(department=routed.department, reason=routed.because.code)
    return OldCase(opening=opening(intake), move="dispatch", facts=facts)


def _closed(hotline: Hotline, old: Old) -> OldCase:
    """One that was done elsewhere, with its times and its answer."""
    intake = old.intake
    times = {"closed_at": old.closed_at, "answered_at": old.answered_at or old.closed_at}
    more: dict[str, str] = {name: at.isoformat() for name, at in times.items() if at}
    if old.answer:
        more["answer"] = old.answer
    department = intake.department or hotline.tree.department(intake.category)
    urgency = intake.urgency or hotline.tree.urgency(intake.category)
    begun = opening(msgspec.structs.replace(intake, urgency=urgency), ARCHIVE, more)
    return OldCase(opening=msgspec.structs.replace(begun, department=department or begun.department))


class Ready(msgspec.Struct, frozen=True):
    """The next rows with all that could be done before they are written."""

    checked: Checked
    prepared: Prepared


async def take_rows(hotline: Hotline, importing: Importing, sha: str, progress: Progress, ready: Ready) -> Progress:
    """Take in the next rows of a file after those that are done, and write down how far it came, in one transaction.

    So whenever it is killed, each row is there once or is read again. What is known already (the same source and
    number) is counted and left as it is.
    """
    ended, checked = progress, ready.checked

    async def also(transaction: Transaction, outcomes: Sequence[Outcome]) -> None:
        nonlocal ended
        refused = list(checked.refused)
        taken: dict[int, Old] = {}
        for (number, old), outcome in zip(checked.good, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                refused.append(RefusedRow(row=number, code=outcome.code, facts=outcome.facts))
            elif outcome is not None:
                taken[outcome.id] = old
        await tickets.put_callers(transaction, hotline.keys, {id: old.intake.caller for id, old in taken.items()})
        ratings = [_rating(case, taken[case.id]) for case in outcomes if isinstance(case, Case)]
        await hotline.store.casework.ratings.take_over(transaction, [each for each in ratings if each])
        ended = Progress(
            done=progress.done + checked.rows,
            taken=progress.taken + len(taken),
            known=progress.known + len(outcomes) - len(taken) - (len(refused) - len(checked.refused)),
            refused=progress.refused + len(refused),
        )
        await kept.go_on(transaction, sha, ended, refused, now=utc_now())

    await importing.write(ready.prepared, also=also)
    return ended


def _rating(case: Case, old: Old) -> Rating | None:
    if not old.satisfaction:
        return None
    return Rating(
        case_id=case.id,
        round=1,
        satisfaction=Satisfaction(old.satisfaction),
        indicators=(),
        remark="",
        channel=RatingChannel.ELSEWHERE,
        by_default=False,
        department=case.department,
        rated_at=old.closed_at or old.answered_at or case.created_at,
    )


async def import_file(
    hotline: Hotline, actor: Actor, path: Path, *, tell: Callable[[Progress], None], at_once: int = AT_ONCE
) -> tuple[str, Progress]:
    """Take a whole file in, from where it stopped before; `tell` hears of progress. Answers with the file's hash.

    While the database writes some rows the next ones are read. The index of a hotline that is open learns of them in
    its next round.
    """
    content = await asyncio.to_thread(path.read_bytes)
    sha = sha_of(content)
    progress = await kept.begin_import(hotline.db, sha, path.name, by=actor.account, now=utc_now())
    rows = rows_of(path.name, content)
    for _ in range(progress.done):
        next(rows, None)
    first = progress.done + 1
    importing = Importing(hotline.db, hotline.cases, utc_now)

    def check_next() -> Checked:
        return check_rows(hotline, tuple(islice(rows, at_once)), first=first)

    async def next_ready() -> Ready:
        checked = await asyncio.to_thread(check_next)
        return Ready(checked, await importing.prepare(actor, checked.cases))

    ready = await next_ready()
    while ready.checked.rows:
        first += ready.checked.rows
        following = asyncio.create_task(next_ready())
        try:
            progress = await take_rows(hotline, importing, sha, progress, ready)
            tell(progress)
        finally:
            ready = await following
    progress = msgspec.structs.replace(progress, finished_at=utc_now())
    async with hotline.db.transaction() as transaction:
        await kept.go_on(transaction, sha, progress, (), now=utc_now())
    return sha, progress


def dry_run(hotline: Hotline, path: Path) -> tuple[int, list[RefusedRow]]:
    """How many rows of a file could be taken in, and those that could not. Nothing is written."""
    good = 0
    refused: list[RefusedRow] = []
    first = 1
    for some in _batched(rows_of(path.name, path.read_bytes()), AT_ONCE):
        checked = check_rows(hotline, some, first=first)
        good, first = good + len(checked.good), first + len(some)
        refused += checked.refused
    return good, refused


def report(refused: Sequence[RefusedRow]) -> bytes:
    """Every refused row for whoever mends the file: number, column, and why in both languages; never a value."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(("row", "column", "why_zh", "why_en"))
    for each in refused:
        table.writerow((each.row, each.facts.get("field", ""), why(each, "zh"), why(each, "en")))
    return written.getvalue().encode("utf-8-sig")


def why(refused: RefusedRow, lang: str) -> str:
    """Why a row was refused, as a sentence."""
    return WORDS.sentence(refused.code, refused.facts, lang)


def sha_of(content: bytes) -> str:
    """By what a file is known again, however it is called."""
    return hashlib.sha256(content).hexdigest()


Part = TypeVar("Part")


def _batched(parts: Iterable[Part], count: int) -> Iterator[tuple[Part, ...]]:
    left = iter(parts)
    while some := tuple(islice(left, count)):
        yield some
