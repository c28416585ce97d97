# SPDX-License-Identifier: Apache-2.0
"""Old tickets of another system: read row by row, every refused row told, begun again where it stopped."""

import asyncio
import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from citybrain.apps.hotline.choice import ZONE
from citybrain.apps.hotline.model import ARCHIVE, Caller, Channel, Intake, Satisfaction, Urgency
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.service.intake import TellingUnusable, cleaned, opening, take
from citybrain.apps.hotline.store import kept, tickets
from citybrain.apps.hotline.store.kept import Progress, RefusedRow
from citybrain.kernel.access import Actor
from citybrain.kernel.cases.case import CaseChange
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import Invalid, Refusal, Unavailable

AT_ONCE = 500
SIDE_BY_SIDE = 6
LONGEST_FIELD = 20_000
ENCODINGS = ("utf-8-sig", "gb18030")
_HAN = re.compile("[\u4e00-\u9fff]")
BROKEN = "\0broken"


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


def read_row(row: Row) -> Old:
    """A row as a ticket. Refuses `RowUnusable` naming the field."""
    if BROKEN in row:
        raise RowUnusable("hotline.row_unusable", {"field": row[BROKEN]})
    number, text = row.get("number", "").strip(), row.get("text", "").strip()
    for field, value in (("text", text), ("number", number)):
        if not value or len(value) > LONGEST_FIELD:
            raise RowUnusable("hotline.row_unusable", {"field": field})
    created_at, closed_at = _time(row, "created_at"), _time(row, "closed_at")
    if created_at is None or (closed_at and closed_at < created_at):
        raise RowUnusable("hotline.row_unusable", {"field": "closed_at" if created_at else "created_at"})
    urgency, satisfaction = row.get("urgency", "").strip(), row.get("satisfaction", "").strip()
    for field, value, known in (("urgency", urgency, Urgency), ("satisfaction", satisfaction, Satisfaction)):
        if value and value not in set(known):
            raise RowUnusable("hotline.row_unusable", {"field": field})
    intake = Intake(
        text=text,
        channel=Channel.IMPORT,
        caller=Caller(name=row.get("name", "").strip(), phone=row.get("phone", "").strip()),
        category=row.get("category", "").strip(),
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


def _time(row: Row, field: str) -> datetime | None:
    """A time in ISO 8601; without a zone it is the city's."""
    written = row.get(field, "").strip()
    if not written:
        return None
    try:
        found = datetime.fromisoformat(written.replace("/", "-"))
    except ValueError:
        raise RowUnusable("hotline.row_unusable", {"field": field}) from None
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


def _number(row: Row, field: str) -> float | None:
    written = row.get(field, "").strip()
    if not written:
        return None
    try:
        return float(written)
    except ValueError:
        raise RowUnusable("hotline.row_unusable", {"field": field}) from None


def check_rows(hotline: Hotline, rows: Sequence[Row], *, first: int) -> tuple[list[tuple[int, Old]], list[RefusedRow]]:
    """Which rows can be taken in, and which not and why: all that is known without writing anything."""
    good: list[tuple[int, Old]] = []
    refused: list[RefusedRow] = []
    for number, row in enumerate(rows, start=first):
        try:
            old = read_row(row)
            good.append((number, msgspec.structs.replace(old, intake=cleaned(hotline, old.intake))))
        except (RowUnusable, TellingUnusable) as refusal:
            refused.append(RefusedRow(row=number, code=refusal.code, facts=refusal.facts))
    return good, refused


async def take_rows(hotline: Hotline, actor: Actor, sha: str, progress: Progress, rows: Sequence[Row]) -> Progress:
    """Take in the next rows of a file after those that are done, and write down how far it came.

    What is known already (the same source and number) is counted and left as it is: nothing is there twice. When the
    database is lost nothing of these rows is counted as done, so they are read again.
    """
    good, refused = check_rows(hotline, rows, first=progress.done + 1)
    taken = known = 0
    for some in _batched(good, SIDE_BY_SIDE):
        for (number, _), result in zip(some, await _side_by_side(hotline, actor, some), strict=True):
            if isinstance(result, Refusal):
                refused.append(RefusedRow(row=number, code=result.code, facts=result.facts))
            elif result:
                taken += 1
            else:
                known += 1
    progress = Progress(
        done=progress.done + len(rows),
        taken=progress.taken + taken,
        known=progress.known + known,
        refused=progress.refused + len(refused),
    )
    await kept.go_on(hotline.db, sha, progress, refused, now=utc_now())
    return progress


async def _side_by_side(hotline: Hotline, actor: Actor, some: Sequence[tuple[int, Old]]) -> Sequence[bool | Refusal]:
    async def one(old: Old) -> bool | Refusal:
        try:
            return await _take_old(hotline, actor, old)
        except Unavailable:
            raise
        except Refusal as refusal:
            return refusal

    return await asyncio.gather(*(one(old) for _, old in some))


async def _take_old(hotline: Hotline, actor: Actor, old: Old) -> bool:
    """True when it was taken in, False when it was there."""
    if old.closed_at is None:
        return bool((await take(hotline, actor, old.intake, now=utc_now())).secret)
    intake = old.intake
    written = False

    async def also(transaction: Transaction, change: CaseChange) -> None:
        nonlocal written
        written = True
        await tickets.put_caller(transaction, hotline.keys, change.after.id, intake.caller)
        if old.satisfaction:
            rated = {"case_id": change.after.id, "resolved": None, "satisfaction": old.satisfaction}
            await transaction.write(tickets.SQL.rated, {**rated, "at": change.event.at})

    times = {"closed_at": old.closed_at, "answered_at": old.answered_at or old.closed_at}
    more: dict[str, str] = {name: at.isoformat() for name, at in times.items()}
    if old.answer:
        more["answer"] = old.answer
    department = intake.department or hotline.tree.department(intake.category)
    urgency = intake.urgency or hotline.tree.urgency(intake.category)
    begun = opening(msgspec.structs.replace(intake, urgency=urgency), ARCHIVE, more)
    if department:
        begun = msgspec.structs.replace(begun, department=department)
    await hotline.cases.open(actor, begun, also=also)
    return written


async def import_file(
    hotline: Hotline, actor: Actor, path: Path, *, tell: Callable[[Progress], None], at_once: int = AT_ONCE
) -> tuple[str, Progress]:
    """Take a whole file in, from where it stopped before; `tell` hears of progress. Answers with the file's hash."""
    content = await asyncio.to_thread(path.read_bytes)
    sha = sha_of(content)
    progress = await kept.begin_import(hotline.db, sha, path.name, by=actor.account, now=utc_now())
    rows = rows_of(path.name, content)
    for _ in range(progress.done):
        next(rows, None)
    for some in _batched(rows, at_once):
        progress = await take_rows(hotline, actor, sha, progress, some)
        tell(progress)
    progress = msgspec.structs.replace(progress, finished_at=utc_now())
    await kept.go_on(hotline.db, sha, progress, (), now=utc_now())
    await hotline.refresh()
    return sha, progress


def dry_run(hotline: Hotline, path: Path) -> tuple[int, list[RefusedRow]]:
    """How many rows of a file could be taken in, and those that could not. Nothing is written."""
    good = 0
    refused: list[RefusedRow] = []
    first = 1
    for some in _batched(rows_of(path.name, path.read_bytes()), AT_ONCE):
        fine, bad = check_rows(hotline, some, first=first)
        good, first = good + len(fine), first + len(some)
        refused += bad
    return good, refused


def sha_of(content: bytes) -> str:
    """By what a file is known again, however it is called."""
    return hashlib.sha256(content).hexdigest()


Part = TypeVar("Part")


def _batched(parts: Iterable[Part], count: int) -> Iterator[tuple[Part, ...]]:
    left = iter(parts)
    while some := tuple(islice(left, count)):
        yield some
