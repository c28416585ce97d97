# SPDX-License-Identifier: Apache-2.0
"""`citybrain pool`: the history into files and out of them, and how long it is kept."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Invalid, Unavailable
from citybrain.kernel.pool import exports, imports, retention
from citybrain.kernel.pool.duration import read_duration
from citybrain.kernel.pool.table_rows import Refused
from citybrain.kernel.pool.temporal_reading import Given
from citybrain.kernel.pool.temporal_write import TemporalWriting
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store, open_store
from citybrain.serve import contributions
from citybrain.serve.pool_remote import Remote

app = typer.Typer(no_args_is_help=True, help=__doc__)
out, err = Console(), Console(stderr=True)

SHOWN_REFUSALS = 20
IN_USE = "kernel.data_folder_in_use"

Tenant = Annotated[str, typer.Option(help="Tenant; the default one if not said.")]
Types = Annotated[list[str] | None, typer.Option("--type", help="Only entities of this type; may be said again.")]
Names = Annotated[list[str] | None, typer.Option("--attribute", help="Only this attribute; may be said again.")]
Attribute = Annotated[str, typer.Option(help="Attribute; * for all without a policy of their own.")]
Url = Annotated[str | None, typer.Option(help="A running city, e.g. http://127.0.0.1:8000: go through its API.")]
Token = Annotated[str, typer.Option(help="Token of a service that may write there.", envvar="CITYBRAIN_TOKEN")]


class CityRuns(Unavailable):
    """A city works on the data folder; the facts say how to go through it."""


@app.command("export")
def export_file(
    file: Annotated[Path, typer.Argument(help="What to write: .parquet, .csv or .jsonl.")],
    type: Types = None,
    attribute: Names = None,
    since: Annotated[str | None, typer.Option(help="From this time on, ISO 8601 with zone.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    tenant: Tenant = "",
) -> None:
    """Write the history, or a part of it, to a file."""
    what = exports.What(tenant=tenant, types=type or (), names=attribute or (), since=_time(since), until=_time(until))
    exports.kind_of(file)

    async def work() -> int:
        async with _opened() as store:
            with _progress() as progress:
                task = progress.add_task(file.name, total=None)
                return await exports.export(
                    store.db, what, file, progress=lambda rows: progress.update(task, completed=rows)
                )

    out.print(_say("serve.pool_exported", rows=asyncio.run(work()), file=str(file)), soft_wrap=True)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A .csv, .parquet or .jsonl file.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row, take none.")] = False,
    again: Annotated[bool, typer.Option("--again", help="From the first row, also after an interruption.")] = False,
    tenant: Tenant = "",
    url: Url = None,
    token: Token = "",
) -> None:
    """Take a file into the history. The same file twice changes nothing; an interrupted one goes on where it was.

    Refused rows stand in FILE.refused.jsonl with their lines and reasons.
    """
    refused_file = file.with_name(file.name + ".refused.jsonl")
    if dry_run:
        done = asyncio.run(_read_all(file, refused_file, take=None, bookmarks=None, start=None))
    elif url:
        done = asyncio.run(_through(file, refused_file, Remote(url, token=token, tenant=tenant)))
    else:
        done = asyncio.run(_into_folder(file, refused_file, tenant, again=again))
    code = "serve.pool_checked" if dry_run else "serve.pool_imported"
    out.print(_say(code, taken=done.taken, refused=done.refused, file=str(file)), soft_wrap=True)
    if done.refused:
        err.print(_say("serve.pool_refused", file=str(refused_file)), soft_wrap=True)
        raise typer.Exit(1)
    refused_file.unlink(missing_ok=True)


@app.command()
def keep(
    type: Annotated[str, typer.Argument(help="Entity type.")],
    days: Annotated[int, typer.Argument(help="Days that single values are kept.")],
    attribute: Attribute = "*",
    then_every: Annotated[str | None, typer.Option(help="Then keep figures of periods, e.g. PT1H.")] = None,
    then_days: Annotated[int | None, typer.Option(help="For so many days in all; for ever if not said.")] = None,
    tenant: Tenant = "",
) -> None:
    """Say how long the history of a type is kept."""
    policy = retention.Policy(
        tenant=tenant,
        type=type,
        attribute=attribute,
        raw_days=days,
        period_s=int(read_duration(then_every).exact.total_seconds()) if then_every else None,
        figures_days=then_days,
    )

    async def work() -> None:
        async with _opened() as store:
            await retention.set_policy(store.db, policy)

    asyncio.run(work())
    policies()


@app.command()
def keep_forever(
    type: Annotated[str, typer.Argument(help="Entity type.")], attribute: Attribute = "*", tenant: Tenant = ""
) -> None:
    """Take a policy back: from now on nothing of it goes."""

    async def work() -> None:
        async with _opened() as store:
            await retention.remove_policy(store.db, tenant=tenant, type=type, attribute=attribute)

    asyncio.run(work())
    policies()


@app.command()
def policies(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False) -> None:
    """Show how long the history is kept."""

    async def work() -> list[retention.Policy]:
        async with _opened() as store:
            return list(await retention.policies(store.db))

    found = asyncio.run(work())
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
        return
    table = Table("tenant", "type", "attribute", "days", "then every", "for days")
    for each in found:
        then = f"{each.period_s} s" if each.period_s else "-"
        table.add_row(each.tenant, each.type, each.attribute, str(each.raw_days), then, str(each.figures_days or "-"))
    out.print(table)


async def _into_folder(file: Path, refused_file: Path, tenant: str, *, again: bool) -> imports.Progress:
    async with _opened() as store:
        writing = TemporalWriting(store.temporal, store.documents)
        bookmarks = imports.Bookmarks(store.db, file, tenant)
        start = None if again else await bookmarks.found()
        if start:
            err.print(_say("serve.pool_goes_on", line=start.line), soft_wrap=True)

        async def take(given: Sequence[Given]) -> None:
            await writing.add_all(tenant, given, at=utc_now())

        done = await _read_all(file, refused_file, take=take, bookmarks=bookmarks, start=start)
        await bookmarks.end()
        return done


async def _through(file: Path, refused_file: Path, remote: Remote) -> imports.Progress:
    async with remote:
        return await _read_all(file, refused_file, take=remote.take, bookmarks=None, start=None)


async def _read_all(
    file: Path,
    refused_file: Path,
    *,
    take: imports.Take | None,
    bookmarks: imports.Bookmarks | None,
    start: imports.Bookmark | None,
) -> imports.Progress:
    done = imports.Progress(line=0, taken=0, refused=0)
    with _progress() as progress, refused_file.open("ab" if start else "wb") as told:
        task = progress.add_task(file.name, total=None)
        async for done in imports.read_in(file, take, at=utc_now(), start=start):
            for each in done.refusals:
                told.write(_refused_line(each))
            if done.refused - len(done.refusals) < SHOWN_REFUSALS:
                for each in done.refusals[:SHOWN_REFUSALS]:
                    progress.console.print(f"{each.line}: {_sentence(each, load_settings().lang)}", highlight=False)
            if bookmarks:
                told.flush()
                await bookmarks.lay(done, utc_now())
            progress.update(task, completed=done.line)
    return done


def _refused_line(refused: Refused) -> bytes:
    """A refused row for people and programs: line, code, and the sentence in both languages."""
    told = {
        "line": refused.line,
        "code": refused.code,
        "zh": _sentence(refused, "zh"),
        "en": _sentence(refused, "en"),
    }
    return msgspec.json.encode(told) + b"\n"


def _sentence(refused: Refused, lang: str) -> str:
    return contributions.words().sentence(refused.code, refused.facts, lang)


@asynccontextmanager
async def _opened() -> AsyncIterator[Store]:
    """The store of the data folder. When a city works on it, what to do is said."""
    try:
        async with open_store(
            load_settings(),
            types=contributions.entity_types(),
            migrations=contributions.migrations(),
            permissions=contributions.permissions(),
        ) as store:
            yield store
    except Unavailable as refusal:
        if refusal.code == IN_USE:
            raise CityRuns("serve.pool_city_runs", refusal.facts) from refusal
        raise


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}"),
        TimeElapsedColumn(),
        console=err,
    )


def _time(given: str | None) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError as problem:
        raise Invalid("kernel.row_bad_time", {"given": given}) from problem
    if at.tzinfo is None:
        raise Invalid("kernel.row_time_without_zone", {"given": given})
    return at.astimezone(UTC)


def _say(code: str, **facts: object) -> str:
    return contributions.words().sentence(code, facts, load_settings().lang)
