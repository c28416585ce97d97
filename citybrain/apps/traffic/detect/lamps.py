# SPDX-License-Identifier: Apache-2.0
"""Which lamps of a signal show something to which approach, and where that changed."""

from collections.abc import Iterator, Mapping, Sequence

from citybrain.apps.traffic.index import Places
from citybrain.apps.traffic.model import RANK, SIGNAL
from citybrain.kernel.records import Entity


class Lamps:
    """The lamps of each approach lane. `states` is what each signal showed when it was last told."""

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        place_of = {
            (one.attributes.get("controller"), one.attributes.get("lane")): place
            for place, one in enumerate(places.entities)
            if one.attributes.get("role") == "approach"
        }
        self.states: dict[str, str] = {}
        self._lamps: dict[str, dict[int, list[int]]] = {}
        for one in entities:
            for link in one.attributes.get("links") or () if one.type == SIGNAL else ():
                place = place_of.get((one.id, link["approach"]))
                if place is not None:
                    self._lamps.setdefault(one.id, {}).setdefault(place, []).append(link["index"])

    def of(self, signal: str) -> Mapping[int, Sequence[int]]:
        """The lamps of a signal by approach."""
        return self._lamps.get(signal, {})

    def changed(self, states: Mapping[str, str]) -> Iterator[tuple[int, list[int]]]:
        """Each approach whose signal shows something else than before, with the rank of each of its lamps."""
        for name, state in states.items():
            if self.states.get(name) == state:
                continue
            self.states[name] = state
            for place, lamps in self.of(name).items():
                yield place, [RANK.get(state[lamp : lamp + 1], 0) for lamp in lamps]
