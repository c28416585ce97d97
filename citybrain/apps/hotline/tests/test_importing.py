# SPDX-License-Identifier: Apache-2.0
"""Old tickets: bad rows told one by one, begun again where it stopped, nothing there twice."""

import csv
import io
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from citybrain.apps.hotline.service import importing
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.importing import FileUnreadable, RowUnusable, read_row, rows_of
from citybrain.apps.hotline.store import kept, tickets
from citybrain.apps.hotline.store.kept import Progress

COLUMNS = ("number", "text", "category", "department", "created_at", "closed_at", "answer", "satisfaction", "phone")
GOOD = {
    "number": "A1",
    "text": "小区停水",
    "category": "water.supply.outage",
    "created_at": "2025-03-01 08:00",
    "closed_at": "2025-03-02 08:00",
    "answer": "已修复",
    "satisfaction": "satisfied",
    "phone": "13800138000",
}
# fmt: off
BAD = [
    ({"text": ""},                         "text"),
    ({"number": " "},                      "number"),
    ({"created_at": "yesterday"},          "created_at"),
    ({"created_at": ""},                   "created_at"),
    ({"closed_at": "2025-02-01 08:00"},    "closed_at"),
    ({"satisfaction": "5"},                "satisfaction"),
    ({"urgency": "soon"},                  "urgency"),
    ({"longitude": "east"},                "longitude"),
]
# fmt: on


def file_of(rows: list[dict[str, str]]) -> bytes:
    written = io.StringIO()
    table = csv.DictWriter(written, COLUMNS)
    table.writeheader()
    table.writerows(rows)
    return written.getvalue().encode("utf-8-sig")


@pytest.mark.parametrize(("more", "field"), BAD)
def test_a_row_that_cannot_be_a_ticket_is_refused_by_its_field(more: dict[str, str], field: str) -> None:
    with pytest.raises(RowUnusable) as refused:
        read_row({**GOOD, **more})
    assert refused.value.facts == {"field": field}


def test_times_without_a_zone_are_the_citys() -> None:
    assert read_row(GOOD).closed_at == datetime(2025, 3, 2, tzinfo=UTC)


@given(some.binary(max_size=400), some.sampled_from(["a.csv", "a.jsonl"]))
def test_any_file_is_read_or_refused(content: bytes, name: str) -> None:
    try:
        rows = list(rows_of(name, content))
    except FileUnreadable:
        return
    for row in rows:
        try:
            read_row(row)
        except RowUnusable as refused:
            assert set(refused.facts) == {"field"}


def test_files_of_windows_and_json_lines_are_read_too() -> None:
    assert next(rows_of("a.csv", "number,text\n1,停水".encode("gb18030")))["text"] == "停水"
    lines = b'{"number": 7, "text": "a"}\nnot json\n'
    assert [importing.BROKEN in row for row in rows_of("a.jsonl", lines)] == [False, True]


def many(count: int) -> list[dict[str, str]]:
    """Old tickets of which every 33rd is bad."""
    return [
        {**GOOD, "number": f"B{number}", "text": "" if number % 33 == 0 else f"第{number}号楼停水"}
        for number in range(1, count + 1)
    ]


async def test_an_import_stops_goes_on_and_takes_each_ticket_once(hotline: Hotline, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(file_of(many(200)))
    heard: list[Progress] = []

    def stop_in_the_middle(progress: Progress) -> None:
        heard.append(progress)
        if len(heard) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await importing.import_file(hotline, MACHINE, path, tell=stop_in_the_middle, at_once=50)
    sha, progress = await importing.import_file(hotline, MACHINE, path, tell=heard.append, at_once=50)
    assert [each.done for each in heard] == [50, 100, 150, 200]
    assert (progress.taken, progress.known, progress.refused) == (194, 0, 6)
    assert [each.row for each in await kept.refusals(hotline.db, sha)] == [33, 66, 99, 132, 165, 198]
    told = msgspec.json.encode(await kept.refusals(hotline.db, sha)).decode()
    assert "13800138000" not in told
    # The same tickets in another file: known, and left as they are.
    other = tmp_path / "again.csv"
    other.write_bytes(file_of(many(200)[:40]))
    _, again = await importing.import_file(hotline, MACHINE, other, tell=heard.append)
    assert (again.taken, again.known) == (0, 39)


async def test_an_old_ticket_is_closed_with_its_times_answer_and_rating(hotline: Hotline, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_bytes(file_of([GOOD]))
    await importing.import_file(hotline, MACHINE, path, tell=lambda _: None)
    since = datetime(2025, 3, 1, tzinfo=UTC)
    row = next(
        each for each in await tickets.between(hotline.db, since, since + timedelta(days=1)) if each.number == "A1"
    )
    assert (row.phase, row.answer, row.satisfaction, row.department) == ("closed", "已修复", "satisfied", "water")
    assert row.answered_at == datetime(2025, 3, 2, tzinfo=UTC)


async def test_an_open_ticket_goes_on_here_and_is_handed_on(hotline: Hotline, tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_bytes(file_of([{**GOOD, "number": "O1", "closed_at": "", "answer": "", "satisfaction": ""}]))
    await importing.import_file(hotline, MACHINE, path, tell=lambda _: None)
    since = datetime(2025, 3, 1, tzinfo=UTC)
    found = await tickets.between(hotline.db, since, since + timedelta(days=1))
    row = next(each for each in found if each.number == "O1")
    assert (row.state, row.department, row.phase) == ("dispatched", "water", "open")
    assert row.due_at is not None, "its time limit is that of any other"
    story = await hotline.cases.story(MACHINE, row.case_id)
    assert [event.verb for event in story.events] == ["open", "move"]
    assert (await tickets.caller_of(hotline.db, hotline.keys, row.case_id)).phone == "13800138000"


async def test_ratings_of_another_system_are_ratings_here_and_nobody_must_look_into_them(
    hotline: Hotline, tmp_path: Path
) -> None:
    path = tmp_path / "rated.csv"
    path.write_bytes(file_of([{**GOOD, "number": "R1", "satisfaction": "very_dissatisfied"}]))
    await importing.import_file(hotline, MACHINE, path, tell=lambda _: None)
    (id,) = await hotline.db.read("SELECT case_id FROM hotline_ticket WHERE number = 'R1'", as_=int)
    (rating,) = await hotline.store.casework.ratings.of_case(id)
    assert (rating.satisfaction, rating.channel) == ("very_dissatisfied", "elsewhere")
    assert rating.rated_at == datetime(2025, 3, 2, tzinfo=UTC)
    rows = await hotline.db.rows("SELECT 1 FROM case_follow_up WHERE case_id = %(id)s", {"id": id})
    assert rows == []


def test_the_report_says_row_column_and_why_in_both_languages() -> None:
    refused = [kept.RefusedRow(row=7, code="hotline.row_time", facts={"field": "created_at"})]
    head, row = csv.reader(io.StringIO(importing.report(refused).decode("utf-8-sig")))
    assert head == ["row", "column", "why_zh", "why_en"]
    assert row[:2] == ["7", "created_at"]
    assert "不是时间" in row[2]
    assert "no time" in row[3]


IMPORTING = (sys.executable, "-m", "citybrain", "hotline", "import")


def test_killed_in_the_middle_it_goes_on_with_nothing_twice_and_nothing_lost(tmp_path: Path) -> None:
    path, data = tmp_path / "old.csv", tmp_path / "data"
    path.write_bytes(file_of(many(5_000)))
    tmp_path.chmod(0o755)
    said = ("-u", "CITYBRAIN_DATABASE_URL", f"CITYBRAIN_DATA={data}", "CITYBRAIN_SCENARIO=none")
    command = ["/usr/bin/env", *said, *IMPORTING, str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr
        told = [first.stderr.readline() for _ in range(2)]
        first.send_signal(signal.SIGKILL)
    assert told[1].startswith("2,000")
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120)
    assert again.returncode == 3, again.stderr
    progress = msgspec.json.decode(again.stdout)["progress"]
    assert (progress["taken"], progress["known"], progress["refused"]) == (4_849, 0, 151)
    assert len(msgspec.json.decode(again.stdout)["refused"]) == 151
    third = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120)
    assert msgspec.json.decode(third.stdout)["progress"]["taken"] == 4_849


async def test_a_dry_run_writes_nothing(hotline: Hotline, tmp_path: Path) -> None:
    path = tmp_path / "dry.csv"
    path.write_bytes(file_of([{**GOOD, "number": "DRY"}, {**GOOD, "number": "DRY2", "category": "no.such"}]))
    good, refused = importing.dry_run(hotline, path)
    assert (good, [(each.row, each.facts) for each in refused]) == (1, [(2, {"field": "category"})])
    rows = await hotline.db.rows("SELECT 1 FROM hotline_ticket WHERE number = 'DRY'")
    assert rows == []
