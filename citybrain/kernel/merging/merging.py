# SPDX-License-Identifier: Apache-2.0
"""All of it in order: flapping is damped, then signs are merged, then storms are grouped."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from citybrain.kernel.merging.flapping import Flapping
from citybrain.kernel.merging.nearness import Nearness
from citybrain.kernel.merging.rules import STORMS, Damp, Merge, Storm
from citybrain.kernel.merging.signs import Signs
from citybrain.kernel.merging.storms import Storms
from citybrain.kernel.records import Entity, Event


class Merging:
    """From what the detectors of a city found to its events. It keeps what it must remember, and reads no clock.

    Equal events at equal times give equal answers. Rules of apps come before those for all kinds.
    """

    def __init__(
        self,
        entities: Sequence[Entity] = (),
        merges: Sequence[Merge] = (),
        damps: Sequence[Damp] = (),
        storms: Sequence[Storm] = (),
    ) -> None:
        self._nearness = Nearness(entities)
        self._flapping = Flapping(damps)
        self._signs = Signs(merges, self._nearness)
        self._storms = Storms((*storms, *STORMS), self._nearness)

    def meet(self, entities: Iterable[Entity]) -> None:
        """Things that doors brought in since."""
        self._nearness.meet(entities)

    def __call__(self, found: Iterable[Event], at: datetime) -> tuple[Event, ...]:
        """What is to be told at a city time of what was found, and of what was held until then."""
        return tuple(self._storms(self._signs(self._flapping(found, at), at)))
