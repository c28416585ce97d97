# SPDX-License-Identifier: Apache-2.0
"""What if: means that are only thought of, who suggests them, and what is seen when a simulated city goes on twice."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from citybrain.kernel.records import Facts


class Thought(msgspec.Struct, frozen=True, kw_only=True):
    """A means that is thought of and not ordered: on what, and with which parameters, `after_s` seconds from now."""

    means: str
    entity_id: str
    parameters: Facts = {}
    after_s: float = 0.0


@runtime_checkable
class Suggesting(Protocol):
    """What an app keeps open (`App.opens`) and that knows what its rules would do now about an event."""

    async def suggested(self, event_id: str) -> Sequence[Thought]:
        """The orders that it would give, whoever had to agree to them; none for an event it has no rule for."""
        ...


class RoadTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge of a simulated city sees on some roads in one second: vehicles, those that stand, the
    vehicle-seconds that it cost against driving at the limit, and the metres that were driven."""

    vehicles: int
    halted: int
    lost_s: float
    driven_m: float


@runtime_checkable
class Witness(Protocol):
    """A field whose judge tells of single roads, so that two branches of one city can be compared there."""

    def traffic(self, road_ids: Sequence[str]) -> RoadTraffic:
        """Of the second that was stepped last."""
        ...
