# SPDX-License-Identifier: Apache-2.0
"""Those whom orders sent, as screens draw them: where each is, whose order and mission it follows, how far it is."""

from collections.abc import Sequence

import msgspec

from citybrain.kernel.app import Values
from citybrain.kernel.records import Entity, Facts

FLEET, SENT = "VehicleFleet", "sentVehicles"
"""Entities whose attribute is a JSON list of the vehicles that orders sent: the history keeps texts."""


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """A vehicle that an order sent. `lon` and `lat` are None before it drives off; `state` is its crew's own word."""

    vehicle: str
    kind: str = ""
    mission: str = ""
    order: str = ""
    destination: str = ""
    state: str = ""
    road: str = ""
    lon: float | None = None
    lat: float | None = None
    kmh: float = 0.0


_decode = msgspec.json.Decoder(list[Crew]).decode


class Crews:
    """What screens draw of crews, live and in replay alike."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._ids = tuple(one.id for one in entities if one.type == FLEET)

    def __call__(self, values: Values) -> Facts:
        """`crews`: all that are out, those of each fleet in the order in which they were sent."""
        told = values(SENT, self._ids) if self._ids else ()
        return {"crews": [crew for text in told if isinstance(text, str) for crew in _decode(text)]}
