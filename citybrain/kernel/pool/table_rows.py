# SPDX-License-Identifier: Apache-2.0
"""Rows of tables that people bring: each becomes an attribute instance of an entity, or a reason why not."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from citybrain.kernel.entities.attribute_reading import ALWAYS_GEO
from citybrain.kernel.entities.document import NULL, AttributeType, Instance
from citybrain.kernel.entities.fragment import read_attribute, read_attribute_name
from citybrain.kernel.entities.names import check_uri
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.values import check_type_name
from citybrain.kernel.errors import Invalid, Refusal
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.pool.exports import Kind, kind_of
from citybrain.kernel.pool.temporal_reading import Given, read_evolution
from citybrain.kernel.records import Facts, Json

NEEDED = ("id", "type", "attribute", "observed_at")
VALUES = ("value", "number", "text", "detail")
AT_ONCE = 10_000
REMEMBERED = 100_000

_detail = msgspec.json.Decoder(Instance).decode
_TRUTH: Mapping[str, bool] = {"true": True, "false": False}


class BadRow(Invalid):
    """A row that cannot become an attribute instance."""


class BadTable(Invalid):
    """The file as a whole cannot be read."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not taken: its line (the first is 1; a head counts), and why."""

    line: int
    code: str
    facts: Facts


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was taken."""

    line: int
    given: Given


def rows_of(path: Path, at: str, *, after: int = 0) -> Iterator[Taken | Refused]:
    """The rows of a file behind line `after`, in order. `at` is when they come in, for what says no time.

    Tables have columns id, type, attribute, observed_at and value (or number, text, detail as an export writes them),
    and may have dataset_id and unit_code. A JSON line is such a row, or an NGSI-LD entity, its attributes single
    instances or arrays of them. Refuses a file that cannot be read or lacks a column.
    """
    return _READERS[kind_of(path)](path, at, after)


def _csv_rows(path: Path, at: str, after: int) -> Iterator[Taken | Refused]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            _check_columns(path, table.fieldnames or ())
            for row in table:
                line = table.line_num
                if line > after:
                    yield _taken(line, lambda row=row: _read(row, _value_of_text))  # type: ignore[misc]
    except UnicodeDecodeError as problem:
        raise BadTable("kernel.table_not_utf8", {"name": path.name}) from problem


def _parquet_rows(path: Path, at: str, after: int) -> Iterator[Taken | Refused]:
    try:
        frame = pl.scan_parquet(path)
        _check_columns(path, frame.collect_schema().names())
    except pl.exceptions.PolarsError as problem:
        raise BadTable("kernel.table_unreadable", {"name": path.name, "why": str(problem)[:200]}) from problem
    line = after
    while rows := frame.slice(line, AT_ONCE).collect().to_dicts():
        for row in rows:
            line += 1
            yield _taken(line, lambda row=row: _read(row, _value_as_is))  # type: ignore[misc]


def _json_rows(path: Path, at: str, after: int) -> Iterator[Taken | Refused]:
    with path.open("rb") as file:
        for line, text in enumerate(file, 1):
            if line > after and text.strip():
                yield _taken(line, lambda text=text: _read_json(text, at))  # type: ignore[misc]


_READERS: Mapping[Kind, Callable[[Path, str, int], Iterator[Taken | Refused]]] = {
    Kind.CSV: _csv_rows,
    Kind.PARQUET: _parquet_rows,
    Kind.JSON_LINES: _json_rows,
}


def _taken(line: int, read: Callable[[], Given]) -> Taken | Refused:
    try:
        return Taken(line=line, given=read())
    except Refusal as refusal:
        return Refused(line=line, code=refusal.code, facts=refusal.facts)


def _check_columns(path: Path, names: Iterable[str]) -> None:
    there = set(names)
    missing = [name for name in NEEDED if name not in there]
    if not there & set(VALUES):
        missing.append("value")
    if missing:
        raise BadTable("kernel.table_lacks_columns", {"name": path.name, "columns": ", ".join(missing)})


def _read_json(text: bytes, at: str) -> Given:
    try:
        row = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise BadRow("kernel.row_not_json", {"why": str(problem)[:100]}) from problem
    if isinstance(row, dict) and "attribute" in row:
        return _read(row, _value_as_is)
    return read_evolution(row, CORE, at, whole=True)


def _read(row: Mapping[str, Any], value_of: Callable[[str], Json]) -> Given:
    """One row; every refusal names the column."""
    for name in NEEDED:
        if row.get(name) in (None, ""):
            raise BadRow("kernel.row_lacks", {"column": name})
    types = row["type"]
    name = _name(str(row["attribute"]))
    dataset_id = row.get("dataset_id") or ""
    instance = msgspec.structs.replace(
        _instance(name, row, value_of),
        dataset_id=_uri("dataset_id", dataset_id) if dataset_id else "",
        observed_at=_time(row["observed_at"]) if row.get("is_observed") not in (False, "false") else "",
    )
    return Given(id=_uri("id", str(row["id"])), types=_types(str(types)), instances=((name, instance),))


# Tables say the same few names again and again.
@lru_cache(maxsize=REMEMBERED)
def _types(text: str) -> tuple[str, ...]:
    return tuple(check_type_name("type", each.strip(), CORE) for each in text.split(","))


@lru_cache(maxsize=REMEMBERED)
def _name(text: str) -> str:
    return read_attribute_name(text, CORE)


@lru_cache(maxsize=REMEMBERED)
def _uri(column: str, text: str) -> str:
    return check_uri(column, text)


def _instance(name: str, row: Mapping[str, Any], value_of: Callable[[str], Json]) -> Instance:
    value = row.get("value") if row.get("value") is not None else row.get("number")
    if value in (None, ""):
        value = row.get("text")
    elif isinstance(value, str):
        value = value_of(value)
    if row.get("detail"):
        return _of_detail(str(row["detail"]), value)
    if value in (None, ""):
        raise BadRow("kernel.row_lacks", {"column": "value"})
    if isinstance(value, int | float | str) and name not in ALWAYS_GEO and value != NULL:
        return Instance(type=AttributeType.PROPERTY, value=value, unit_code=str(row.get("unit_code") or ""))
    unit = {"unitCode": str(row["unit_code"])} if row.get("unit_code") else {}
    return read_attribute(name, {"type": "Property", "value": value, **unit}, CORE, "")[0]


def _of_detail(detail: str, value: Json) -> Instance:
    try:
        instance = _detail(detail.encode())
    except (msgspec.DecodeError, RecursionError) as problem:
        raise BadRow("kernel.row_not_json", {"why": str(problem)[:100]}) from problem
    return instance if instance.value is not None else msgspec.structs.replace(instance, value=value)


def _value_of_text(text: str) -> Json:
    """What a cell of a CSV file means: a number, true or false, JSON of an object or array, else a text."""
    bare = text.strip()
    if bare in _TRUTH:
        return _TRUTH[bare]
    if bare[:1] in ("{", "["):
        try:
            return msgspec.json.decode(bare)
        except msgspec.DecodeError:
            return text
    return _number(bare, text)


def _number(bare: str, text: str) -> Json:
    try:
        return int(bare)
    except ValueError:
        pass
    try:
        number = float(bare)
    except ValueError:
        return text
    return number if number - number == 0 else text


def _value_as_is(text: str) -> Json:
    return text


def _time(given: Any) -> str:
    """A time with its zone; one that does not say which is refused."""
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given.strip())
        except ValueError as problem:
            raise BadRow("kernel.row_bad_time", {"given": str(given)[:50]}) from problem
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise BadRow("kernel.row_time_without_zone", {"given": str(given)[:50]})
    return text_of(given.astimezone(UTC))
