# SPDX-License-Identifier: Apache-2.0
"""The command line: `citybrain up | run | whatif | scenarios | import | doctor | status | pool | audit | keys`."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Facts
from citybrain.kernel.settings import Settings, load_settings
from citybrain.serve import catalog, experiment, report, scenarios
from citybrain.serve.experiment import BRAIN, FIXED, Died, Finished, Task
from citybrain.serve.new_app import NewAppRefused, write_app

# Exit codes: 0 done, 1 refused or failed with a message, 2 wrong use of the command (typer's own), 3 some runs died,
# 4 a run showed lamps what they never may.
REFUSED = 1
SOME_DIED = 3
UNSAFE = 4

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
new = typer.Typer(no_args_is_help=True, help="Write the skeleton of something new.")
app.add_typer(new, name="new")

# Loaded only when they may be meant: what they need takes longer to load than most commands take.
PARTS = {
    "emulate": ("emulate_command", "emulate"),
    "whatif": ("whatif_command", "whatif"),
    "pool": ("pool_commands", "app"),
    "audit": ("audit_command", "app"),
    "keys": ("keys_command", "app"),
}

out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]


@app.command()
def up(
    scenario: Annotated[str | None, typer.Option(help="Scenario name or SUMO configuration.")] = None,
    speed: Annotated[str | None, typer.Option(help="City seconds per second, or `max`.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the operation centre.")] = None,
    incidents: Annotated[str | None, typer.Option(help="What goes wrong: per hour, JSON or a file.")] = None,
    new_password: Annotated[bool, typer.Option("--new-password", help="Give the operator a new password.")] = False,
) -> None:
    """Start the city: database, simulated streets under the brain and under fixed plans, operation centre."""
    from citybrain.serve import up as start_up

    settings = start_up.with_options(_settings(), scenario=scenario, speed=speed, port=port, incidents=incidents)
    uvloop.run(start_up.serve(settings, err, new_password=new_password))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(
    context: typer.Context,
    scenario: Annotated[str, typer.Argument(help="Scenario name (see `citybrain scenarios`) or SUMO configuration.")],
    compare: Annotated[str | None, typer.Option(help="Also run under this: `fixed`, the shipped plans.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from 1.")] = 1,
    at_once: Annotated[int, typer.Option(min=1, help="Runs side by side.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Run a scenario under the brain without a screen, and compare.

    What is simulated differently from the shipped city follows as further options, here of SUMO: `--demand 1.2`,
    `--program actuated|delay_based`, `--yellow resco`, `--sensors loops`, `--missed 0.05`, `--noise-m 2`, `--dead 0.1`,
    `--incidents 12` (per hour, or JSON, or a file).
    """
    options = _options(context.args)
    if compare not in (None, FIXED):
        _refuse_use(f"--compare takes `{FIXED}`, not `{compare}`.")
    found = scenarios.find(scenario)
    arms = (BRAIN,) if compare is None else (FIXED, BRAIN)
    tasks = [
        Task(door=found.door, scenario=found.scenario, arm=arm, seed=seed, options=options)
        for seed in range(1, seeds + 1)
        for arm in arms
    ]
    with report.progress(err, tasks) as progress:
        results = experiment.run_all(tasks, at_once=at_once, progress=progress)
    finished = [result for result in results if isinstance(result, Finished)]
    died = [result for result in results if isinstance(result, Died)]
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(report.as_facts(found.scenario, finished, died)) + b"\n")
    else:
        out.print(report.table(found.scenario, finished))
    unsafe = [_unsafe(each) for each in finished if each.summary.get("violations")]
    for one in (*died, *unsafe):
        err.print(f"[red]{one.arm}, seed {one.seed}:[/red] {_sentence(one.code, one.facts)}", soft_wrap=True)
    if died or unsafe:
        raise typer.Exit(UNSAFE if unsafe else SOME_DIED)


@app.command(name="scenarios")
def list_scenarios(as_json: AsJson = False) -> None:
    """List the simulated cities that are installed."""
    found = scenarios.installed()
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode([each.scenario for each in found]) + b"\n")
        return
    table = Table("name", "中文", "English", "signals", "attribution")
    for each in found:
        scenario = each.scenario
        signals = "?" if scenario.signals is None else str(scenario.signals)
        table.add_row(
            scenario.id, scenario.name.get("zh", ""), scenario.name.get("en", ""), signals, scenario.attribution
        )
    out.print(table)
    out.print("Bring your own: citybrain run PATH/TO/your.sumocfg", style="dim")


@app.command(name="doctor")
def examine(as_json: AsJson = False) -> None:
    """Check what the city needs on this machine; each check says what to do."""
    from citybrain.serve import doctor

    checks = asyncio.run(doctor.examine(_settings()))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(checks) + b"\n")
    else:
        for check in checks:
            mark = "[green]ok[/green]  " if check.ok else "[red]bad[/red] "
            out.print(f"{mark} {check.name}: {check.found}")
            if not check.ok:
                out.print(f"     → {check.remedy}")
    if not all(check.ok for check in checks):
        raise typer.Exit(REFUSED)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Ask the running city how it is."""
    from citybrain.serve import doctor

    facts = doctor.ask_running(_settings())
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(facts) + b"\n")
        return
    out.print(report.status_table(facts))


@new.command("app")
def new_app(
    name: Annotated[str, typer.Argument(help="Lower-case word, a Python identifier.")],
    folder: Annotated[Path | None, typer.Option(help="Where to write it; the project's own apps by default.")] = None,
) -> None:
    """Write the skeleton of an app: one folder that ends in one value `APP`."""
    try:
        written = write_app(name, folder) if folder else write_app(name)
    except NewAppRefused as refusal:
        _refuse(refusal)
    out.print(f"Written: {written}. Next: read its README.md, then `make check`.")


def main() -> None:
    """The entry point: a refusal is one clear message and exit code 1, anything else a bug that shows itself."""
    try:
        commands_for(sys.argv[1:])()
    except Refusal as refusal:
        _refuse(refusal)


def commands_for(arguments: Sequence[str]) -> typer.Typer:
    """The commands that these words may mean: the one that is named first if it is the city's, else all there are.

    Apps stand under their names, and are not loaded for a command that is none of theirs.
    """
    asked = arguments[0] if arguments else ""
    own = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    own |= {group.name or "" for group in app.registered_groups}
    if asked in own:
        return app
    for name in [asked] if asked in PARTS else PARTS:
        module, part = PARTS[name]
        _add(name, getattr(import_module(f"citybrain.serve.{module}"), part))
    if asked in PARTS:
        return app
    _add("import", import_module("citybrain.serve.import_command").typer_app())
    for each in catalog.apps():
        if each.commands is not None and each.name not in own | PARTS.keys():
            _add(each.name, each.commands)
    return app


def _add(name: str, part: Callable[..., None] | typer.Typer) -> None:
    if isinstance(part, typer.Typer):
        app.add_typer(part, name=name)
    else:
        app.command(name=name)(part)


def _unsafe(finished: Finished) -> Died:
    """A run in which lamps showed what they never may."""
    facts = {"violations": finished.summary["violations"], "first": finished.summary["first_violations"][0]}
    return Died(arm=finished.arm, seed=finished.seed, code="serve.run_unsafe", facts=facts)


def _options(words: list[str]) -> Facts:
    """The options of an opening: `--name value` pairs, whose names and values the door knows and checks."""
    names, values = words[::2], words[1::2]
    for name in names:
        if not name.startswith("--") or len(names) != len(values):
            _refuse_use(f"Options of the simulator are `--name value` pairs, not `{' '.join(words)}`.")
    return {name[2:].replace("-", "_"): _value(value) for name, value in zip(names, values, strict=True)}


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _settings() -> Settings:
    return load_settings()


def _sentence(code: str, facts: object) -> str:
    assert isinstance(facts, dict)
    words = catalog.own_words() if code.startswith(("kernel.", "serve.")) else catalog.words()
    return words.sentence(code, facts, load_settings().lang)


def _refuse(refusal: Refusal) -> NoReturn:
    err.print(f"[red]✗[/red] {_sentence(refusal.code, dict(refusal.facts))}", highlight=False, soft_wrap=True)
    raise SystemExit(REFUSED)


def _refuse_use(sentence: str) -> NoReturn:
    raise typer.BadParameter(sentence)
