# SPDX-License-Identifier: Apache-2.0
"""What the controller sees: believed tracks, an estimate where few are not, and who steers where many are not."""

from collections.abc import Mapping, Sequence, Set
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.choice.mind import Tracks
from citybrain.apps.traffic.detect.estimate import Estimate
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.detect.trust import Trust
from citybrain.apps.traffic.detect.unseen import Unseen, recalled
from citybrain.apps.traffic.index import Numbers
from citybrain.apps.traffic.model import Junction
from citybrain.kernel.records import Batch, Entity, Facts

FILLED_MAX = 0.5
"""From this share of blind approaches on the brain no longer trusts what it would have to make up (m)."""


class Steered(StrEnum):
    """Who steers a junction as far as its sensors allow: the brain, actuated control with what sees, or its plan."""

    BRAIN = "brain"
    ACTUATED = "actuated"
    PLAN = "plan"


CODES = {
    Steered.BRAIN: "traffic.steered_by_brain",
    Steered.ACTUATED: "traffic.steered_by_actuated",
    Steered.PLAN: "traffic.steered_by_plan",
}


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A signal some of whose detectors are not believed, and what follows."""

    code: str
    facts: Facts
    steered: Steered
    blind: tuple[str, ...]


class Seen(dict[str, Numbers]):
    """The believed tracks by detector; for all others those of the estimate, worked out when they are asked for."""

    def __init__(self, estimate: Estimate) -> None:
        super().__init__()
        self._estimate = estimate

    def __missing__(self, detector_id: str) -> Numbers:
        found = self[detector_id] = self._estimate.tracks(detector_id)
        return found


class Sight:
    """Watches every batch once for all who decide."""

    def __init__(self, entities: Sequence[Entity], junctions: Sequence[Junction]) -> None:
        self.trust = Trust(entities)
        self.estimate = Estimate(entities, self.trust.places)
        self.unseen = Unseen()
        self.version = 0
        self._junctions = junctions
        self._ids = [one.id for one in self.trust.places.entities]
        places = {name: place for place, name in enumerate(self._ids)}
        self._approaches = [_places(places, [lane.detector_id for lane in one.approaches]) for one in junctions]
        self._lanes = [_places(places, [lane.detector_id for lane in one.lanes]) for one in junctions]
        self._doubts: dict[str, Doubt] = {}
        self._is_seen = False
        self._judged = -1
        self.tracks = Tracks({})

    def watch(self, batch: Batch, states: Mapping[str, str], now_s: float) -> None:
        """Take in a batch and what the signals show; `tracks` is then what to believe."""
        self.trust.watch(batch)
        self.estimate.lamps.watch(states, now_s)
        look = self.trust.look
        self._judge(look)
        seen = Seen(self.estimate)
        self.tracks = Tracks(seen)
        if look is None:
            return
        self.estimate.watch(look, now_s, blind=self.trust.blind, rate_per_s=self.trust.rate_per_s, flow=self.trust.flow)
        if not look.by_loops:
            for column in batch.columns:
                if column.attribute == "tracks":
                    seen.update(zip(column.entity_ids, column.values, strict=True))
            for place in self.trust.blind.nonzero()[0].tolist():
                seen.pop(self.trust.places.entities[place].id, None)
        ids, red_since_s = self._ids, self.estimate.lamps.red_since_s
        self.unseen.watch(red_since_s, lambda place: seen[ids[place]], now_s)
        for place, red_s in self.unseen.overdue(red_since_s, now_s, by_loops=look.by_loops):
            seen[ids[place]] = recalled(seen[ids[place]], red_s)

    def doubt(self, signal_id: str) -> Doubt | None:
        """What is not believed at a signal; None where all is well."""
        return self._doubts.get(signal_id)

    @property
    def doubted(self) -> Set[str]:
        """The signals of which something is not believed."""
        return self._doubts.keys()

    def thinks(self, junction: Junction) -> bool:
        """Whether enough is seen of a junction for the brain to decide."""
        doubt = self._doubts.get(junction.signals[0])
        return self._is_seen and (doubt is None or doubt.steered is Steered.BRAIN)

    def steered(self, by: Steered) -> list[tuple[str, Doubt]]:
        """The signals that are steered so because of doubts."""
        return [(name, doubt) for name, doubt in self._doubts.items() if doubt.steered is by]

    def _judge(self, look: Look | None) -> None:
        """Again only when a detector is newly doubted or believed."""
        is_seen = look is not None
        if (self.trust.version, is_seen) == (self._judged, self._is_seen):
            return
        self._judged, self._is_seen = self.trust.version, is_seen
        self.version += 1
        self._doubts = {}
        blind = self.trust.blind
        if not blind.any():
            return
        for junction, approaches, lanes in zip(self._junctions, self._approaches, self._lanes, strict=True):
            if blind[lanes].any():
                doubt = self._doubt(junction, lanes[blind[lanes]], int(blind[approaches].sum()), len(approaches))
                self._doubts.update(dict.fromkeys(junction.signals, doubt))

    def _doubt(self, junction: Junction, blind: NDArray[np.int64], approaches: int, of: int) -> Doubt:
        steered = Steered.BRAIN
        if approaches == of:
            steered = Steered.PLAN
        elif approaches >= FILLED_MAX * of:
            steered = Steered.ACTUATED
        return Doubt(
            code=CODES[steered],
            facts={"blind": len(blind), "approaches": approaches, "of": of},
            steered=steered,
            blind=tuple(self.trust.places.entities[place].id for place in blind.tolist()),
        )


def _places(place_of: Mapping[str, int], ids: Sequence[str]) -> NDArray[Any]:
    return np.array(sorted({place_of[one] for one in ids}), dtype=np.int64)
