# SPDX-License-Identifier: Apache-2.0
"""The history goes into files and comes out of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.journal import Journal
from citybrain.kernel.pool import Pool, imports
from citybrain.kernel.pool.duration import read_duration
from citybrain.kernel.pool.exports import UnknownFile, What, export
from citybrain.kernel.pool.imports import Bookmarks, Progress, read_in
from citybrain.kernel.pool.series import SeriesOf
from citybrain.kernel.pool.table_rows import BadTable, Refused, Taken, rows_of
from citybrain.kernel.pool.temporal import Temporal
from citybrain.kernel.pool.temporal_reading import Given
from citybrain.kernel.pool.temporal_write import TemporalWriting

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEAD = "id,type,attribute,observed_at,value,unit_code,dataset_id\n"
GOOD = "urn:sensor:1,Sensor,temperature,2026-05-01T12:00:00Z,21.5,CEL,\n"

# fmt: off
REFUSED = [
    ("sensor one,Sensor,temperature,2026-05-01T12:00:00Z,1,,",          "kernel.not_a_uri"),
    ("urn:sensor:1,Sensor,,2026-05-01T12:00:00Z,1,,",                   "kernel.row_lacks"),
    ("urn:sensor:1,Sensor,temperature,yesterday,1,,",                   "kernel.row_bad_time"),
    ("urn:sensor:1,Sensor,temperature,2026-05-01T12:00:00,1,,",         "kernel.row_time_without_zone"),
    ("urn:sensor:1,Sensor,temperature,2026-05-01T12:00:00Z,,,",         "kernel.row_lacks"),
    ("urn:sensor:1,Sensor,tempe(rature,2026-05-01T12:00:00Z,1,,",       "kernel.name_invalid"),
    ("urn:sensor:1,Sensor,temperature,2026-05-01T12:00:00Z,1,,data set", "kernel.not_a_uri"),
]
# fmt: on


class Files:
    """A history, and what writes into it."""

    def __init__(self, db: Database, documents: Documents) -> None:
        self.db = db
        self.temporal = Temporal(db)
        self.series = SeriesOf(self.temporal)
        self._writing = TemporalWriting(self.temporal, documents)

    async def take(self, given: list[Given]) -> None:
        await self._writing.add_all("", given, at=NOON)

    async def read(self, path: Path) -> Progress:
        return [each async for each in read_in(path, self.take, at=NOON)][-1]  # type: ignore[arg-type]

    async def values(self, name: str = "temperature", id: str = "urn:sensor:1") -> list[object]:
        return [each.instance.value for each in await self.series.last(id, name, 100)]


@pytest.fixture
async def files(db: Database) -> AsyncIterator[Files]:
    await db.write("DELETE FROM history")
    await db.write("DELETE FROM document")
    documents = await Documents.open(db)
    journal = await Journal.open(db, await Pool.open(db, (), documents))
    yield Files(db, documents)
    await journal.close()


def file(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("row", "code"), REFUSED)
def test_a_row_that_cannot_be_taken_is_named_by_its_line_with_the_reason(tmp_path: Path, row: str, code: str) -> None:
    found = list(rows_of(file(tmp_path, HEAD + GOOD + row + "\n"), "2026-01-01T00:00:00Z"))
    assert isinstance(found[0], Taken)
    assert isinstance(found[1], Refused)
    assert (found[1].line, found[1].code) == (3, code)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("21", 21), ("21.5", 21.5), ("true", True), ("wet", "wet"), ('"[1, 2]"', [1, 2]), ("nan", "nan"), ("1e3", 1000.0)],
)
def test_a_cell_is_what_it_looks_like(tmp_path: Path, cell: str, value: object) -> None:
    row = f"urn:sensor:1,Sensor,x,2026-05-01T20:00:00+08:00,{cell},,\n"
    (taken,) = rows_of(file(tmp_path, HEAD + row), "")
    assert isinstance(taken, Taken)
    ((name, instance),) = taken.given.instances
    assert (name, instance.value, instance.observed_at) == ("x", value, "2026-05-01T12:00:00Z")


@pytest.mark.parametrize(
    ("name", "text"), [("rows.csv", "id,type,value\n"), ("rows.csv", ""), ("rows.parquet", "no parquet at all")]
)
def test_a_file_that_is_no_such_table_is_refused_as_a_whole(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BadTable):
        list(rows_of(file(tmp_path, text, name), ""))


def test_an_ending_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFile):
        rows_of(file(tmp_path, "", "rows.xlsx"), "")


def test_json_lines_are_rows_or_entities(tmp_path: Path) -> None:
    row = '{"id":"urn:s:1","type":"S","attribute":"x","observed_at":"2026-05-01T12:00:00Z","value":{"a":1}}'
    entity = '{"id":"urn:s:1","type":"S","x":[{"type":"Property","value":2,"observedAt":"2026-05-01T12:01:00Z"}]}'
    found = list(rows_of(file(tmp_path, f"{row}\n{entity}\nnothing\n", "rows.jsonl"), "2026-05-01T13:00:00Z"))
    assert [type(each) for each in found] == [Taken, Taken, Refused]
    assert [each.given.instances[0][1].value for each in found if isinstance(each, Taken)] == [{"a": 1}, 2]


async def test_the_same_file_twice_changes_nothing(files: Files, tmp_path: Path) -> None:
    path = file(tmp_path, HEAD + GOOD + "urn:sensor:1,Sensor,temperature,2026-05-01T12:01:00Z,22,CEL,\nbad\n")
    first = await files.read(path)
    assert (first.taken, first.refused) == (2, 1)
    await files.read(path)
    assert await files.values() == [21.5, 22]


async def test_a_trial_takes_nothing(files: Files, tmp_path: Path) -> None:
    path = file(tmp_path, HEAD + GOOD)
    checked = [each async for each in read_in(path, None, at=NOON)][-1]
    assert (checked.taken, checked.refused) == (1, 0)
    assert await files.db.rows("SELECT FROM history") == []


async def test_what_was_interrupted_goes_on_where_it_was(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "PORTION", 2)
    rows = [f"urn:sensor:1,Sensor,temperature,2026-05-01T12:0{i}:00Z,{i},," for i in range(5)]
    path = file(tmp_path, HEAD + "\n".join(rows) + "\n")
    bookmarks = Bookmarks(files.db, path, "")
    async for progress in read_in(path, files.take, at=NOON):  # type: ignore[arg-type]
        await bookmarks.lay(progress, NOON)
        break
    assert await files.values() == [0, 1]
    start = await Bookmarks(files.db, path, "").found()
    assert start is not None
    rest = [each async for each in read_in(path, files.take, at=NOON, start=start)]  # type: ignore[arg-type]
    assert (rest[-1].taken, rest[-1].line) == (5, 6)
    assert await files.values() == [0, 1, 2, 3, 4]
    await bookmarks.end()
    assert await bookmarks.found() is None


@pytest.mark.parametrize("name", ["history.parquet", "history.csv", "history.jsonl"])
async def test_what_is_written_to_a_file_comes_back_the_same(files: Files, tmp_path: Path, name: str) -> None:
    rows = [
        '{"id":"urn:s:1","type":["S","T"],"x":[{"type":"Property","value":1.5,"observedAt":"2026-05-01T12:00:00Z"}]}',
        '{"id":"urn:s:1","type":"S","to":[{"type":"Relationship","object":"urn:o:1","observedAt":"2026-05-01T12:00:00Z"}]}',
        '{"id":"urn:s:2","type":"S","x":[{"type":"Property","value":"wet","unitCode":"P1","observedAt":"2026-05-01T12:00:00.5Z"}]}',
    ]
    await files.read(file(tmp_path, "\n".join(rows), "rows.jsonl"))
    told: list[int] = []
    assert await export(files.db, What(), tmp_path / name, progress=told.append) == 3
    assert told[-1] == 3
    before = await files.db.rows(
        "SELECT entity, attribute, observed_at, number, word, detail FROM history ORDER BY 1, 2"
    )
    await files.db.write("DELETE FROM history")
    again = await files.read(tmp_path / name)
    assert (again.taken, again.refused) == (3, 0)
    after = await files.db.rows(
        "SELECT entity, attribute, observed_at, number, word, detail FROM history ORDER BY 1, 2"
    )
    assert after == before


async def test_a_part_of_the_history_is_chosen_by_type_attribute_and_time(files: Files, tmp_path: Path) -> None:
    text = (
        HEAD
        + GOOD
        + GOOD.replace("12:00", "13:00")
        + GOOD.replace("temperature", "wind")
        + GOOD.replace("Sensor", "Bus")
    )
    await files.read(file(tmp_path, text.replace("urn:sensor:1,Bus", "urn:bus:1,Bus")))
    what = What(types=("Sensor",), names=("temperature",), since=NOON, until=NOON + MINUTE)
    assert await export(files.db, what, tmp_path / "part.parquet") == 1
    frame = pl.read_parquet(tmp_path / "part.parquet")
    assert frame.select("id", "attribute", "number").rows() == [("urn:sensor:1", "temperature", 21.5)]
    assert await export(files.db, What(types=("Nothing",)), tmp_path / "none.parquet") == 0
    assert pl.read_parquet(tmp_path / "none.parquet").columns == frame.columns


async def test_series_are_read_without_http(files: Files, tmp_path: Path) -> None:
    rows = [f"urn:sensor:{s},Sensor,x,2026-05-01T12:0{i}:00Z,{10 * s + i},," for s in (1, 2) for i in range(6)]
    await files.read(file(tmp_path, HEAD + "\n".join(rows)))
    last = await files.series.last("urn:sensor:1", "x", 2)
    assert [each.instance.value for each in last] == [14, 15]
    between = await files.series.between("urn:sensor:1", "x", NOON + MINUTE, NOON + 3 * MINUTE)
    assert [each.instance.value for each in between] == [11, 12]
    figures = await files.series.figures(
        "urn:sensor:2", "x", since=NOON, until=NOON + 6 * MINUTE, every=read_duration("PT3M")
    )
    assert [(each.total, each.sum, each.low, each.high) for each in figures] == [(3, 63, 20, 22), (3, 72, 23, 25)]
    newest = [row async for rows in files.series.newest(["Sensor"], "x", at=NOON + 4 * MINUTE) for row in rows]
    assert sorted((row[0], row[2]) for row in newest) == [("urn:sensor:1", 14), ("urn:sensor:2", 24)]
