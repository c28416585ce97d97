# SPDX-License-Identifier: Apache-2.0
"""Which controllers there are and what they are in the city: a file that the operator writes, read and checked once."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from citybrain.doors.ntcip.codec import Version
from citybrain.doors.ntcip.link import Address
from citybrain.kernel.controllers.mapping import read, refuse_twice

DOOR = "ntcip"

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Phase = Annotated[int, msgspec.Meta(ge=1, le=64)]
Channel = Annotated[int, msgspec.Meta(ge=0, le=255)]
Lamp = Annotated[int, msgspec.Meta(ge=0, le=999)]
VERSIONS = {"v1": Version.V1, "v2c": Version.V2C}


class Mapped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One controller: where it is, and the TrafficSignalController that it is.

    `stages` are the brain's stages 0, 1 … as sets of phases; without them all sets that the controller allows.
    `backs_up`: a ring may go back to a phase before the one that is green while the other ring stays green.
    `lamps` are the lamps 0, 1 … of the signal by the channel that drives each (0: none); without them lamp 0 is phase 1
    and so on. `yields` are pairs of a lamp and a stage in which its green gives way. With `commands` the city's orders
    are carried out; else the controller is only looked at. `enable_spat` switches the SPaT broadcast on at makers whose
    private object is known.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+$")]
    host: str
    entity: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:.+")]
    port: Port = 161
    version: Literal["v1", "v2c"] = "v1"
    read_community: str = "public"
    write_community: str = "public"
    timeout_s: Annotated[float, msgspec.Meta(ge=0.05, le=30)] = 1.0
    tries: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    stages: tuple[tuple[Phase, ...], ...] = ()
    lamps: tuple[Channel, ...] = ()
    yields: tuple[tuple[Lamp, Lamp], ...] = ()
    commands: bool = False
    backs_up: bool = False
    enable_spat: Literal["", "econolite"] = ""

    @property
    def address(self) -> Address:
        """How to ask it."""
        return Address(
            host=self.host,
            port=self.port,
            read_community=self.read_community,
            write_community=self.write_community,
            version=VERSIONS[self.version],
            timeout_s=self.timeout_s,
            tries=self.tries,
        )


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole mapping file. Each controller is looked at every `look_s`; SPaT is heard at UDP port `spat_port`."""

    controller: tuple[Mapped, ...]
    look_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 1.0
    spat_port: Port | None = None
    spat_host: str = "0.0.0.0"


def load(path: Path) -> Plan:
    """Read a mapping file (TOML). Refuses with the place of what does not fit."""
    plan = read(path, Plan, DOOR)
    refuse_twice(
        path,
        DOOR,
        (each.name for each in plan.controller),
        (each.entity for each in plan.controller),
        (f"{each.host}:{each.port}" for each in plan.controller),
    )
    return plan
