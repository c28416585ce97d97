# SPDX-License-Identifier: Apache-2.0
"""Which controllers there are and what they are in the city: a file that the operator writes, read and checked once."""

from pathlib import Path
from typing import Annotated

import msgspec

from citybrain.doors.gbt20999.client import Line
from citybrain.doors.gbt20999.codec import USUAL, Dialect
from citybrain.doors.gbt20999.controller import BACKUP_S
from citybrain.doors.gbt20999.link import Peer, UnusableAddress
from citybrain.kernel.controllers.mapping import UnusableMapping, read, refuse_twice

DOOR = "gbt20999"

Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]
Lamp = Annotated[int, msgspec.Meta(ge=0, le=999)]


class Mapped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One junction: where its controller is, and the TrafficSignalController that it is.

    `centre`, `id` and `junction` are the numbers in every frame. `stages` are the brain's stages 0, 1 … by the
    controller's numbers; without them all in their order. `backup_s` is after how much silence the controller goes
    back to its own plan, as it is set there. `lamps` are the lamps 0, 1 … of the signal by the lamp group that each
    belongs to (0: none); without them lamp 0 is phase 1 and so on. `yields` are pairs of a lamp and a stage in which
    its green gives way. With `commands` the city's orders are carried out; else the controller is only looked at.
    With `stops` it may be set to all red and to flashing: the operator knows that it leaves both by itself after
    `backup_s` of silence, which no object tells either.
    `dialect` is where makers differ.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+$")]
    address: str
    entity: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:.+")]
    centre: Byte = 1
    id: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)] = 1
    junction: Byte = 1
    local_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    timeout_s: Annotated[float, msgspec.Meta(ge=0.05, le=30)] = 1.0
    tries: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    stages: tuple[Annotated[int, msgspec.Meta(ge=1, le=255)], ...] = ()
    backup_s: Annotated[float, msgspec.Meta(gt=0, le=3600)] = BACKUP_S
    lamps: tuple[Byte, ...] = ()
    yields: tuple[tuple[Lamp, Lamp], ...] = ()
    commands: bool = False
    stops: bool = False
    dialect: Dialect = USUAL

    @property
    def line(self) -> Line:
        """How to speak with it."""
        return Line(
            peer=Peer.of(self.address, local_port=self.local_port),
            centre=self.centre,
            controller=self.id,
            junction=self.junction,
            dialect=self.dialect,
            timeout_s=self.timeout_s,
            tries=self.tries,
        )


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole mapping file. Each controller is looked at every `look_s`, and at once when it reports something."""

    controller: tuple[Mapped, ...]
    look_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 1.0


def load(path: Path) -> Plan:
    """Read a mapping file (TOML). Refuses with the place of what does not fit."""
    plan = read(path, Plan, DOOR)
    for each in plan.controller:
        try:
            Peer.of(each.address)
        except UnusableAddress as refusal:
            raise UnusableMapping("gbt20999.file_unusable", {"path": str(path), "why": each.address}) from refusal
    refuse_twice(
        path,
        DOOR,
        (each.name for each in plan.controller),
        (each.entity for each in plan.controller),
        (f"{each.address} {each.junction}" for each in plan.controller),
    )
    return plan
