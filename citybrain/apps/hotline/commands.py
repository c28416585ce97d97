# SPDX-License-Identifier: Apache-2.0
"""`citybrain hotline train | evaluate | import`: what is done with files at the command line."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from citybrain.apps.hotline import learn
from citybrain.apps.hotline.learn import USUAL_THRESHOLD, Figures
from citybrain.apps.hotline.service import example as making
from citybrain.apps.hotline.service import importing, models
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline, opened
from citybrain.apps.hotline.store import kept, tickets
from citybrain.apps.hotline.store.kept import Progress
from citybrain.kernel.clock import utc_now
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import open_store

SOME_REFUSED = 3

commands = typer.Typer(no_args_is_help=True, help="The 12345 hotline: its classifier and its old tickets.")
out = Console()
err = Console(stderr=True)
Result = TypeVar("Result")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
Seed = Annotated[int, typer.Option(help="Equal seeds give equal models.")]
Threshold = Annotated[float, typer.Option(min=0, max=1, help="Below this probability the classifier abstains.")]


@commands.command()
def evaluate(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8 with the columns text and category.")],
    seed: Seed = 1,
    threshold: Threshold = USUAL_THRESHOLD,
    as_json: AsJson = False,
) -> None:
    """Measure the classifier on a file by five folds: every text is judged by one that never saw it."""
    figures = learn.evaluate(models.read_examples(file), seed=seed, threshold=threshold)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(figures) + b"\n")
    else:
        _print(figures)


@commands.command()
def train(
    file: Annotated[Path | None, typer.Argument(help="CSV in UTF-8 with the columns text and category.")] = None,
    from_tickets: Annotated[bool, typer.Option("--from-tickets", help="Learn from the city's closed tickets.")] = False,
    level: Annotated[int, typer.Option(min=1, max=3, help="Level of the tree, with --from-tickets.")] = 1,
    seed: Seed = 1,
    threshold: Threshold = USUAL_THRESHOLD,
    as_json: AsJson = False,
) -> None:
    """Train the classifier; the running city takes the new model within seconds. With --from-tickets the city must
    not be running: it does the same by itself once a month."""
    if (file is None) is not from_tickets:
        raise typer.BadParameter("give either a file or --from-tickets")

    async def closed(hotline: Hotline) -> list[learn.Example]:
        now = utc_now()
        return models.examples_of(await tickets.between(hotline.db, now - timedelta(days=3_650), now), level=level)

    examples = models.read_examples(file) if file else _with_city(closed)
    folder, source = load_settings().data / "hotline", file.name if file else "tickets"
    card = models.train(examples, folder, now=utc_now(), source=source, seed=seed, threshold=threshold)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(card) + b"\n")
        return
    _print(card.figures)
    out.print(f"{folder / 'model.json'}\n{folder / 'model-card.json'}", highlight=False, soft_wrap=True)


@commands.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with a head, or JSON lines; see the README for the columns.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which rows could not be taken in.")] = False,
    refusals: Annotated[
        Path | None, typer.Option(help="Where to write every refused row: number, column, why. CSV, or .jsonl.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in tickets of another system. It may be stopped and begun again; nothing is there twice. The city must not
    be running."""

    async def tried(hotline: Hotline) -> tuple[Progress, list[kept.RefusedRow]]:
        good, bad = importing.dry_run(hotline, file)
        return Progress(done=good + len(bad), taken=good, refused=len(bad)), bad

    async def taken(hotline: Hotline) -> tuple[Progress, list[kept.RefusedRow]]:
        sha, progress = await importing.import_file(hotline, MACHINE, file, tell=_tell)
        return progress, await kept.refusals(hotline.db, sha)

    progress, refused = _with_city(tried if dry_run else taken)
    if refusals:
        lines = refusals.suffix == ".jsonl"
        told = b"".join(msgspec.json.encode(each) + b"\n" for each in refused) if lines else importing.report(refused)
        refusals.write_bytes(told)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode({"progress": progress, "refused": refused}) + b"\n")
    else:
        table = Table("rows", "taken", "known", "refused")
        table.add_row(*(str(each) for each in (progress.done, progress.taken, progress.known, progress.refused)))
        out.print(table)
        for each in refused[:20]:
            out.print(f"{each.row}: {importing.why(each, load_settings().lang)}", highlight=False, soft_wrap=True)
    if refused:
        raise typer.Exit(SOME_REFUSED)


@commands.command()
def example(
    number: Annotated[int, typer.Option("--tickets", min=1, max=20_000, help="How many tickets.")] = 400,
    seed: Seed = 1,
    more: Annotated[bool, typer.Option("--more", help="Also in a city that has tickets already.")] = False,
    password: Annotated[str, typer.Option(help="Password of the clerks and heads that come with it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Fill a city with made-up tickets of the last sixty days, for trying out. The city must not be running."""

    wanted = making.Wanted(tickets=number, seed=seed, more=more, password=password)

    async def made(hotline: Hotline) -> making.Made:
        return await making.make(hotline, wanted, now=utc_now(), tell=_tell_day)

    done = _with_city(made)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        return
    table = Table("state", "tickets")
    for state, tickets_there in done.states.items():
        table.add_row(state, str(tickets_there))
    out.print(table)


def _tell_day(at: datetime) -> None:
    if err.is_terminal:
        err.print(f"{at:%Y-%m-%d}", end="\r", highlight=False)


def _tell(progress: Progress) -> None:
    err.print(f"{progress.done:,} ({progress.refused:,} ✗)", end="\r" if err.is_terminal else "\n", highlight=False)


def _with_city(do: Callable[[Hotline], Awaitable[Result]]) -> Result:
    """Open the city's store and the hotline in it, do one thing, close them."""

    async def inside() -> Result:
        folder = Path(__file__).parent / "migrations"
        async with open_store(load_settings(), migrations={"hotline": folder}) as store, opened(store) as hotline:
            return await do(hotline)

    return asyncio.run(inside())


def _print(figures: Figures) -> None:
    table = Table("category", "examples", "precision", "recall", "F1")
    for each in figures.classes:
        table.add_row(each.category, str(each.examples), *(f"{x:.4f}" for x in (each.precision, each.recall, each.f1)))
    out.print(table)
    folds = " ".join(f"{each:.4f}" for each in figures.macro_f1_by_fold)
    out.print(f"macro-F1 {figures.macro_f1:.4f} ({figures.folds} folds: {folds}), accuracy {figures.accuracy:.4f}")
    out.print(
        f"covered {figures.covered:.4f}, accuracy when sure {figures.accuracy_when_sure:.4f}, "
        f"calibration error {figures.calibration_error:.4f}"
    )
