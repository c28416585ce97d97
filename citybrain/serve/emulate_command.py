# SPDX-License-Identifier: Apache-2.0
"""`citybrain emulate`: emulated controllers for the signals of a simulated city, so that the whole loop can be seen."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from citybrain.kernel.app import Door, Opening
from citybrain.kernel.controllers.emulating import Emulation, emulation, mapping_file, outside_file
from citybrain.kernel.errors import NotFound
from citybrain.kernel.records import Entity
from citybrain.serve import catalog, scenarios
from citybrain.serve.experiment import UNDATED

SIGNAL = "TrafficSignalController"

FIRST_PORT = 21_000

out = Console()


class NotEmulated(NotFound):
    """No such signal in the scenario, or no door that emulates controllers under this name."""


def emulate(
    scenario: Annotated[str, typer.Argument(help="Scenario name (see `citybrain scenarios`) or SUMO configuration.")],
    folder: Annotated[Path, typer.Option(help="Where the files go.")] = Path("emulated"),
    door: Annotated[str, typer.Option(help="What the controllers speak: ntcip or gbt20999.")] = "ntcip",
    signals: Annotated[list[str] | None, typer.Option("--signal", help="Only these, by their ids.")] = None,
    first_port: Annotated[int, typer.Option(help="Each takes two ports.", min=1024, max=65_000)] = FIRST_PORT,
    start: Annotated[bool, typer.Option(help="Start them too, and keep them until Ctrl-C.")] = False,
) -> None:
    """Set controllers up after the signals of a scenario, each a process of its own that keeps step with SUMO."""
    made = emulations(scenario, door, folder, signals=signals or (), first_port=first_port)
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        each.plan_path.write_bytes(each.plan)
    (folder / f"{door}.toml").write_text(mapping_file(made), "utf-8")
    (folder / "outside.json").write_bytes(outside_file(made))
    for each in made:
        out.print(" ".join(each.command), soft_wrap=True, highlight=False)
    settings = f"CITYBRAIN_{door.upper()}={folder / f'{door}.toml'} CITYBRAIN_OUTSIDE={folder / 'outside.json'}"
    out.print(f"{settings} citybrain up --scenario {scenario} --speed 1", soft_wrap=True, highlight=False)
    if start:
        keep(made)


def emulations(scenario: str, door: str, folder: Path, *, signals: Sequence[str], first_port: int) -> list[Emulation]:
    """One controller per signal of the scenario, or per signal that is named."""
    make = next((each.emulate for each in catalog.doors() if each.name == door), None)
    if make is None:
        raise NotEmulated("serve.no_such_emulator", {"door": door})
    wanted = [entity for entity in _signals(scenario) if not signals or entity.id in signals]
    if missing := set(signals) - {entity.id for entity in wanted}:
        raise NotEmulated("serve.no_such_signal", {"entity_id": min(missing)})
    return [
        emulation(make, entity, folder.absolute(), number=number, port=first_port + 2 * number)
        for number, entity in enumerate(wanted)
    ]


def keep(made: Sequence[Emulation]) -> None:
    """Run them until told to stop."""
    processes = [subprocess.Popen(each.command) for each in made]
    try:
        for process in processes:
            process.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in processes:
            process.terminate()


def _signals(scenario: str) -> list[Entity]:
    found = scenarios.find(scenario)
    door: Door = scenarios.door_of(found.door)
    assert door.open is not None
    field = door.open(Opening(scenario=found.scenario, seed=1, begins_at=UNDATED, obey=False))
    try:
        return [entity for entity in field.entities() if entity.type == SIGNAL]
    finally:
        field.close()
