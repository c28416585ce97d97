# SPDX-License-Identifier: Apache-2.0
"""`citybrain audit`: whether the log is as it was written, and taking it out. A running city is not disturbed."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from citybrain.kernel import audit, embedded
from citybrain.kernel.audit import Finding, Report
from citybrain.kernel.clock import utc_now
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.migrate import migrate
from citybrain.kernel.settings import Settings, load_settings
from citybrain.serve import contributions

app = typer.Typer(no_args_is_help=True, help=__doc__)
out, err = Console(), Console(stderr=True)

BROKEN = 1


@app.command()
def verify(as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False) -> None:
    """Read the whole log: each entry, link and seal is made anew and compared. Exit code 1 if anything was changed."""
    settings = load_settings()

    async def work() -> Report:
        async with _opened(settings) as db:
            return await audit.verify(db, _keys(settings), beside=settings.data / "seals.jsonl")

    report = asyncio.run(work())
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    else:
        _tell(report)
    if not report.whole:
        raise typer.Exit(BROKEN)


@app.command()
def export(file: Annotated[Path, typer.Argument(help="Where to write the entries, as JSON lines.")]) -> None:
    """Write all chained entries with their hashes to a file, for keeping or verifying elsewhere."""
    settings = load_settings()

    async def work() -> int:
        count = 0
        async with _opened(settings) as db:
            with file.open("wb") as opened:
                async for part in audit.export(db):
                    count += opened.write(part) and part.count(b"\n")
        return count

    out.print(_say("serve.audit_exported", count=asyncio.run(work()), file=str(file)), soft_wrap=True)


@app.command("public-key")
def public_key() -> None:
    """Print the public key of the seals (Ed25519, hex), for those who verify elsewhere."""
    out.print(_keys(load_settings()).public_key().hex(), soft_wrap=True)


def _tell(report: Report) -> None:
    if report.whole:
        facts = {"entries": report.entries, "sealed": report.sealed, "seals": report.seals, "waiting": report.waiting}
        out.print(_say("serve.audit_whole", **facts), soft_wrap=True)
        return
    err.print(_say("serve.audit_broken", flaws=report.flaws, entries=report.entries), style="red", soft_wrap=True)
    for each in report.findings[:10]:
        err.print("  " + _sentence(each), soft_wrap=True)
    err.print(_say("serve.audit_what_to_do"), soft_wrap=True)


def _sentence(finding: Finding) -> str:
    position = "?" if finding.position is None else finding.position
    return _say(f"kernel.audit_flaw_{finding.flaw}", position=position, entry=finding.entry or "?")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    """The database to look at: by its address, or the running city's, or that of a folder on which nothing works."""
    server = None if settings.database_url else embedded.running(settings.data)
    url = settings.database_url or (server and server.url)
    db = await Database.connect(url) if url else await Database.open(settings)
    try:
        if not url:
            await migrate(db, contributions.migrations())
        yield db
    finally:
        await db.close()


def _keys(settings: Settings) -> KeyRing:
    """The city's keys; without the file nothing is made, and each seal is told to have lost its key."""
    now = utc_now()
    if not settings.key_file.exists():
        return KeyRing.new(now=now, first=NOBODYS)
    return KeyRing.open(settings.key_file, now=now, family=settings.cipher)


NOBODYS = 1_000_000_000  # keys from this number on belong to no file


def _say(code: str, **facts: object) -> str:
    return contributions.words().sentence(code, facts, load_settings().lang)
