# SPDX-License-Identifier: Apache-2.0
"""The history as a file: Parquet, CSV or JSON lines, written in portions, whatever its length."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import polars as pl

from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid
from citybrain.kernel.pool.series import SQL

SCHEMA = pl.Schema({
    "id": pl.String(),
    "type": pl.String(),
    "attribute": pl.String(),
    "dataset_id": pl.String(),
    "observed_at": pl.Datetime("us", "UTC"),
    "is_observed": pl.Boolean(),
    "number": pl.Float64(),
    "text": pl.String(),
    "detail": pl.String(),
})  # fmt: skip
"""Columns of a file: `detail` is JSON of an instance that is more than its number or text. Types stand with commas."""


class Kind(StrEnum):
    """Files that are written and read, by the ending of their names."""

    PARQUET = ".parquet"
    CSV = ".csv"
    JSON_LINES = ".jsonl"


class UnknownFile(Invalid):
    """The ending of the file's name says nothing that is known."""


class What(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the history; what is empty or None asks for all."""

    tenant: str = ""
    types: Sequence[str] = ()
    names: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    def params(self) -> dict[str, Any]:
        """As the query takes it."""
        return {
            "tenant": self.tenant,
            "types": list(self.types) or None,
            "names": list(self.names) or None,
            "since": self.since or "-infinity",
            "until": self.until or "infinity",
        }


def kind_of(path: Path) -> Kind:
    """The kind of a file; refuses an ending that is not known."""
    try:
        return Kind(path.suffix.lower())
    except ValueError as problem:
        raise UnknownFile("kernel.file_unknown", {"name": path.name, "known": ", ".join(Kind)}) from problem


async def export(db: Database, what: What, path: Path, *, progress: Callable[[int], None] = lambda rows: None) -> int:
    """Write a part of the history to a file; answers with the number of rows. `progress` is told how many so far.

    The file appears under its name when it is whole.
    """
    writer = _WRITERS[kind_of(path)]
    written = 0
    with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        portions = Path(folder)
        async for text in db.copy_out(SQL.kept, what.params()):
            frame = await asyncio.to_thread(_frame, text)
            await asyncio.to_thread(writer.portion, frame, portions, written)
            written += frame.height
            progress(written)
        whole = await asyncio.to_thread(writer.whole, portions)
        whole.replace(path)
    return written


def _frame(text: bytes) -> pl.DataFrame:
    """Copied rows as columns: what is truth there stands as t and f, times as microseconds."""
    raw = pl.read_csv(
        text,
        has_header=False,
        schema={**SCHEMA, "observed_at": pl.Int64(), "is_observed": pl.String()},
    )
    return raw.with_columns(
        pl.col("observed_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), pl.col("is_observed") == "t"
    )


class _Writer(msgspec.Struct, frozen=True):
    """How portions are laid down in a folder, and how they become one file there."""

    portion: Callable[[pl.DataFrame, Path, int], None]
    whole: Callable[[Path], Path]


def _parquet_portion(frame: pl.DataFrame, folder: Path, number: int) -> None:
    frame.write_parquet(folder / f"{number:012}.parquet", compression="lz4")


def _parquet_whole(folder: Path) -> Path:
    whole = folder / "whole"
    portions = sorted(folder.glob("*.parquet"))
    frames = pl.scan_parquet(portions) if portions else pl.LazyFrame(schema=SCHEMA)
    frames.sink_parquet(whole, compression="zstd")
    return whole


def _csv_portion(frame: pl.DataFrame, folder: Path, number: int) -> None:
    with (folder / "whole").open("ab") as file:
        frame.with_columns(_times()).write_csv(file, include_header=number == 0)


def _json_portion(frame: pl.DataFrame, folder: Path, number: int) -> None:
    with (folder / "whole").open("ab") as file:
        frame.with_columns(_times()).write_ndjson(file)


def _csv_whole(folder: Path) -> Path:
    whole = folder / "whole"
    if not whole.exists():
        whole.write_text(",".join(SCHEMA) + "\n", "utf-8")
    return whole


def _json_whole(folder: Path) -> Path:
    whole = folder / "whole"
    whole.touch()
    return whole


def _times() -> pl.Expr:
    return pl.col("observed_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


_WRITERS: Mapping[Kind, _Writer] = {
    Kind.PARQUET: _Writer(_parquet_portion, _parquet_whole),
    Kind.CSV: _Writer(_csv_portion, _csv_whole),
    Kind.JSON_LINES: _Writer(_json_portion, _json_whole),
}
