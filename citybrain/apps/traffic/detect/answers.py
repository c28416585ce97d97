# SPDX-License-Identifier: Apache-2.0
"""Whoever leaves a lane that leads to one lane only is seen there.

Looks for detectors of exits that see nobody while such lanes passed `UNSEEN` vehicles on to them. One that froze while
its lane was empty is found so, long before the mean of its traffic is missed. Not the other way round: whoever is seen
in an exit may have begun his trip there.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.detect.persistence import Mask
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.index import Numbers, Places
from citybrain.apps.traffic.model import SIGNAL
from citybrain.kernel.records import Entity

UNSEEN = 4.0
"""Sensors that miss one vehicle in twenty miss four in a row once in 160,000 times; in the box wait two or three."""

SETTLED_S = 20.0
"""Who passed the line is on the exit by then, and a neighbour that makes vehicles up is doubted by then."""

REACH_M = 30.0
"""With a shorter range a vehicle may pass between two looks."""


class Answers:
    """Counts, for each detector, those who must have come by since it last saw anybody."""

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        self._witness, self._silent = _pairs(entities, places)
        size = len(places.entities)
        self._unseen, self._since_s = np.zeros((2, size))
        self._reaches = np.nan_to_num(places.facts("coverage_m"), nan=np.inf) >= REACH_M

    def __call__(self, look: Look, flow: Numbers, trusted: Mask) -> Mask:
        if look.by_loops or not len(self._witness):
            return np.zeros(look.size, dtype=np.bool_)
        busy = np.bincount(look.detector, minlength=look.size) > 0
        lies = np.bincount(self._silent, ~(trusted & look.heard)[self._witness], look.size) > 0
        more = np.bincount(self._silent, flow[self._witness], look.size)
        starts = busy | lies | ~look.heard
        self._unseen = np.where(starts, 0.0, self._unseen + more)
        enough = self._unseen >= UNSEEN
        self._since_s = np.where(enough, self._since_s + look.seconds, 0.0)
        found: Mask = self._reaches & (self._since_s >= SETTLED_S)
        return found


def _pairs(entities: Sequence[Entity], places: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of detectors: whoever the first one passes on the second one must see."""
    place_of = {
        (one.attributes.get("controller"), one.attributes.get("role"), one.attributes.get("lane")): place
        for place, one in enumerate(places.entities)
    }
    found = set()
    for signal in entities:
        links = signal.attributes.get("links") or () if signal.type == SIGNAL else ()
        ways = {(link["approach"], link["exit"]) for link in links}
        for before, after in ways:
            one = place_of.get((signal.id, "approach", before))
            other = place_of.get((signal.id, "exit", after))
            if one is None or other is None:
                continue
            if sum(way[0] == before for way in ways) == 1:
                found.add((one, other))
    table = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
