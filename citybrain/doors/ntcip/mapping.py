# SPDX-License-Identifier: Apache-2.0
"""Which controllers there are and what they are in the city: a file that the operator writes, read and checked once."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from citybrain.doors.ntcip.codec import Version
from citybrain.doors.ntcip.link import Address
from citybrain.kernel.errors import Invalid

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Phase = Annotated[int, msgspec.Meta(ge=1, le=64)]
VERSIONS = {"v1": Version.V1, "v2c": Version.V2C}


class UnusableMapping(Invalid):
    """The mapping file cannot be used; the facts say where and why."""


class Mapped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One controller: where it is, and the TrafficSignalController that it is.

    `stages` are the brain's stages 0, 1 … as sets of phases; without them all sets that the controller allows.
    `backs_up`: a ring may go back to a phase before the one that is green while the other ring stays green.
    `enable_spat` switches the SPaT broadcast on at makers whose private object is known.
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
    try:
        given: Any = tomllib.loads(path.read_text("utf-8"))
        plan = msgspec.convert(given, Plan)
    except OSError as error:
        raise UnusableMapping("ntcip.file_unreadable", {"path": str(path), "why": error.strerror or ""}) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UnusableMapping("ntcip.file_unusable", {"path": str(path), "why": str(error)}) from error
    for what in (
        _twice(each.name for each in plan.controller),
        _twice(each.entity for each in plan.controller),
        _twice(f"{each.host}:{each.port}" for each in plan.controller),
    ):
        if what is not None:
            raise UnusableMapping("ntcip.controller_twice", {"path": str(path), "what": what})
    return plan


def _twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
