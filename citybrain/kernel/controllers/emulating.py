# SPDX-License-Identifier: Apache-2.0
"""A signal of the city as an emulated controller is set up after it. Pure."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

import msgspec

from citybrain.kernel.controllers import lamps
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Entity, Facts, Json

SIGNAL = "urn:ngsi-ld:TrafficSignalController:"

BACKUP_S = 20
"""After so much silence an emulated controller goes back to its own plan."""

HOST = "127.0.0.1"


class NoSignal(Invalid):
    """The entity says of itself neither stages nor times."""


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """One signal: `group_of` is the group (from 1) of lamps that each lamp belongs to, 0 where it is never green;
    `letters` what each group shows in each stage. `cycle` is its shipped plan as (stage, seconds of green).
    """

    entity: str
    stages: tuple[str, ...]
    min_green_s: tuple[int, ...]
    yellow_s: int
    all_red_s: float
    cycle: tuple[tuple[int, int], ...]
    group_of: tuple[int, ...]
    letters: tuple[str, ...]

    @property
    def change_s(self) -> int:
        """Whole seconds from the end of a green to the next one."""
        return math.ceil(self.yellow_s + self.all_red_s)

    @property
    def yields(self) -> tuple[tuple[int, int], ...]:
        """(lamp, stage) of every green that gives way."""
        return lamps.yields_of(self.stages)

    @property
    def green_in(self) -> tuple[frozenset[int], ...]:
        """The stages in which each group is green, whether it gives way or not."""
        return tuple(frozenset(at for at, letter in enumerate(each) if letter in lamps.GREENS) for each in self.letters)


def blueprint(entity: Entity) -> Blueprint:
    """What a signal's attributes say; times are rounded up to the seconds that controllers count in."""
    facts: Mapping[str, Json] = entity.attributes
    try:
        stages = tuple(facts["stages"])
        group_of, letters = lamps.groups_of(stages)
        least_s = tuple(math.ceil(seconds) for seconds in facts["min_green_s"])
        return Blueprint(
            entity=entity.id,
            stages=stages,
            min_green_s=least_s,
            yellow_s=math.ceil(facts["yellow_s"]),
            all_red_s=float(facts["all_red_s"]),
            cycle=_cycle(facts["plan"], stages, least_s),
            group_of=group_of,
            letters=letters,
        )
    except (KeyError, IndexError, TypeError) as error:
        raise NoSignal("kernel.signal_without_stages", {"entity_id": entity.id}) from error


class Emulation(msgspec.Struct, frozen=True, kw_only=True):
    """One emulated controller. `plan` is what it is set up with, and belongs into the file `plan_path`; then
    `arguments` start it. `mapped` is its part of the mapping file, `outside` tells a simulator where its lamps are.
    """

    entity: str
    plan: bytes
    plan_path: Path
    mapped: Mapping[str, Json]
    outside: Facts
    arguments: tuple[str, ...]

    @property
    def command(self) -> list[str]:
        """The whole command line."""
        return [sys.executable, "-m", *self.arguments]


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a door makes of a blueprint for a controller at a port, which is told at the next port that time passes."""

    plan: bytes
    lamps: tuple[int, ...]
    mapped: Mapping[str, Json]
    arguments: tuple[str, ...]


Emulate = Callable[[Blueprint, Path, int], Made]
"""How a door sets an emulated controller up: after a signal, with its file at a path, at a port and the next one."""


def emulation(emulate: Emulate, entity: Entity, folder: Path, *, number: int, port: int) -> Emulation:
    """A controller for one signal. Refuses an entity that has no stages."""
    signal = blueprint(entity)
    name = f"signal-{number}"
    path = folder / f"{name}.json"
    made = emulate(signal, path, port)
    mapped = {"name": name, "entity": entity.id, "commands": True, "lamps": made.lamps, "yields": signal.yields}
    local = unquote(entity.id.removeprefix(SIGNAL))
    return Emulation(
        entity=entity.id,
        plan=made.plan,
        plan_path=path,
        mapped={**mapped, **made.mapped},
        outside={"signal": local, "lamps": made.lamps, "control": f"{HOST}:{port + 1}"},
        arguments=made.arguments,
    )


def mapping_file(emulations: Sequence[Emulation]) -> str:
    """The mapping file of the door, in TOML."""
    lines = ["look_s = 1.0"]
    for each in emulations:
        lines += ["", "[[controller]]"]
        lines += [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in each.mapped.items()]
    return "\n".join(lines) + "\n"


def outside_file(emulations: Sequence[Emulation]) -> bytes:
    """The signals whose lamps are shown outside, as the simulator's option `outside` has them."""
    return msgspec.json.format(msgspec.json.encode([each.outside for each in emulations])) + b"\n"


def _cycle(plan: Json, stages: tuple[str, ...], least_s: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """Green phases of the shipped plan in their order; one that follows itself is one."""
    found: list[tuple[int, int]] = []
    for phase in plan:
        if phase["state"] in stages:
            stage, seconds = stages.index(phase["state"]), math.ceil(phase["duration_s"])
            before = found.pop()[1] if found and found[-1][0] == stage else 0
            found.append((stage, max(before + seconds, least_s[stage])))
    return tuple(found)
