# SPDX-License-Identifier: Apache-2.0
"""`citybrain import`: a city out of other programs' files, with a report; a dry run writes nothing."""

import asyncio
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console

from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Invalid
from citybrain.kernel.importing import Importer, Level, Report, Wish
from citybrain.kernel.settings import load_settings
from citybrain.serve import catalog, contributions, import_remote

# An error of the files stops an import like a refusal.
STOPPED = 1

COLOURS = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "dim"}
LEVELS = {
    Level.ERROR: "serve.import_error",
    Level.WARNING: "serve.import_warning",
    Level.NOTE: "serve.import_note",
}
# The words of a figure end in its name.
FIGURE = "serve.import_figure_{}"

out, err = Console(), Console(stderr=True)

Name = Annotated[str, typer.Option(help="Name of the city: a-z, 0-9, - _ . If not said, one made of the files' names.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what the city would be; write nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON for machines.")]
Replace = Annotated[bool, typer.Option("--replace", help="Put it in the place of an imported city of this name.")]
Attribution = Annotated[str, typer.Option(help="Licence and attribution of the files, shown wherever the city is.")]
Timezone = Annotated[str, typer.Option(help="The city's time zone, e.g. Asia/Shanghai.")]
Place = Annotated[str, typer.Option(help="LON,LAT of the files' origin, where they have no place on earth.")]
Demand = Annotated[int, typer.Option(min=0, help="Vehicles per hour to make up where the files have no demand.")]
ToPool = Annotated[bool, typer.Option("--to-pool", help="Also put its entities into a running city, at once.")]
Url = Annotated[str, typer.Option(help="The running city, for --to-pool; the one of this machine if not said.")]
Token = Annotated[str, typer.Option(help="Token of a service that may write there.", envvar="CITYBRAIN_TOKEN")]


class PlaceUnreadable(Invalid):
    """A place is a longitude and a latitude."""


class TimezoneUnknown(Invalid):
    """No such zone in the time zone database."""


OPTIONS: dict[str, tuple[Any, Any]] = {
    "name": (Name, ""),
    "dry_run": (DryRun, False),
    "as_json": (AsJson, False),
    "replace": (Replace, False),
    "attribution": (Attribution, ""),
    "timezone": (Timezone, "UTC"),
    "place": (Place, ""),
    "demand": (Demand, 0),
    "to_pool": (ToPool, False),
    "url": (Url, ""),
    "token": (Token, ""),
}


def typer_app() -> typer.Typer:
    """The group with one command for each format that a door brings cities from."""
    app = typer.Typer(no_args_is_help=True, help=__doc__)
    for door in catalog.doors():
        for importer in door.importers:
            app.command(name=importer.name, help=importer.help)(_command(importer, door.name))
    return app


def _command(importer: Importer, door: str) -> Callable[..., None]:
    """A command that takes the importer's files and all options; its signature is what typer reads."""

    def command(**given: Any) -> None:
        wish = Wish(
            files=tuple(given[name.lower()].expanduser() for name in importer.files),
            at=utc_now(),
            name=given["name"],
            attribution=given["attribution"],
            timezone=_zone(given["timezone"]),
            place=_place(given["place"]) if given["place"] else None,
            demand=given["demand"],
            dry_run=given["dry_run"],
            replace=given["replace"],
        )
        report = _bring(importer, wish, as_json=given["as_json"])
        if given["to_pool"] and report.folder:
            _put_into_pool(door, report.name, given["url"], given["token"])

    files = {name.lower(): Annotated[Path, typer.Argument(metavar=name)] for name in importer.files}
    kind = inspect.Parameter.KEYWORD_ONLY
    options = [
        inspect.Parameter(name, kind, annotation=annotation, default=default)
        for name, (annotation, default) in OPTIONS.items()
    ]
    parameters = [inspect.Parameter(name, kind, annotation=annotation) for name, annotation in files.items()]
    command.__signature__ = inspect.Signature([*parameters, *options])  # type: ignore[attr-defined]
    command.__annotations__ = files | {name: annotation for name, (annotation, _) in OPTIONS.items()}
    return command


def _bring(importer: Importer, wish: Wish, *, as_json: bool) -> Report:
    report = importer.run(wish)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    else:
        _show(report, wish)
    if report.stopped:
        raise typer.Exit(STOPPED)
    return report


def _put_into_pool(door: str, name: str, url: str, token: str) -> None:
    settings = load_settings()
    address = url or f"http://{settings.host}:{settings.port}"
    count = asyncio.run(import_remote.send(door, name, address, token))
    err.print(_say("serve.import_to_pool", count=count, url=address), soft_wrap=True)


def _show(report: Report, wish: Wish) -> None:
    """The report for a person: what it is, then errors, warnings, notes, each with places."""
    out.print(f"[bold]{report.name}[/bold] ({report.kind})")
    for name, value in report.figures.items():
        shown = value if not isinstance(value, dict) else ", ".join(f"{hour} h: {n}" for hour, n in value.items())
        if shown != "":
            out.print(f"  {_say(FIGURE.format(name))}: {shown}", highlight=False, soft_wrap=True)
    for level in Level:
        for finding in report.of(level):
            mark = _say(LEVELS[level])
            colour = COLOURS[level]
            sentence = _say(finding.code, **finding.facts)
            out.print(f"[{colour}]{mark}[/{colour}] {sentence}", highlight=False, soft_wrap=True)
            for place in finding.places:
                out.print(f"    {place}", highlight=False, markup=False, soft_wrap=True)
    out.print(_end(report, wish), soft_wrap=True, highlight=False)


def _end(report: Report, wish: Wish) -> str:
    if report.stopped:
        return _say("serve.import_stopped", errors=len(report.of(Level.ERROR)))
    if wish.dry_run:
        return _say("serve.import_dry_run", warnings=len(report.of(Level.WARNING)))
    return _say("serve.import_done", name=report.name, folder=report.folder)


def _place(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        lon, lat = float("nan"), float("nan")
    if not (-180 <= lon <= 180 and -85 <= lat <= 85):
        raise PlaceUnreadable("serve.import_place_unreadable", {"place": text})
    return lon, lat


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise TimezoneUnknown("serve.import_zone_unknown", {"zone": name}) from error
    return name


def _say(code: str, **facts: object) -> str:
    return contributions.words().sentence(code, facts, load_settings().lang)
