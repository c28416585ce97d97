# SPDX-License-Identifier: Apache-2.0
"""Which detectors are believed: doubts come from the data alone, and go when it has been sound for a while."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from citybrain.apps.traffic.detect.answers import Answers
from citybrain.apps.traffic.detect.overlaps import Overlaps
from citybrain.apps.traffic.detect.symptoms import Contradictory, Frozen, Jumping, Look, Mask, Reports, SeesNobody
from citybrain.apps.traffic.index import Numbers, Places
from citybrain.apps.traffic.model import DETECTOR
from citybrain.kernel.records import Batch, Entity

HEALTHY_S = 30.0
"""A detector is believed again after so long without a symptom: longer than what any symptom needs to show."""


class Trouble(StrEnum):
    """What is wrong with a detector."""

    NONE = "none"
    SILENT = "silent"
    FROZEN = "frozen"
    JUMPING = "jumping"
    CONTRADICTORY = "contradictory"
    SEES_NOBODY = "sees_nobody"


TROUBLES = tuple(Trouble)


class Trust:
    """Watches every detector every second, all at once: some thirty passes over as many numbers as there are.

    `trouble` has the number in `TROUBLES` of each place, `version` changes whenever one of them does, `denied` are
    those that are known to see nobody by every single vehicle.
    """

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.places = Places(entities, DETECTOR)
        size = len(self.places.entities)
        signs = np.array([-1.0 if one.attributes.get("role") == "exit" else 1.0 for one in self.places.entities])
        controllers = [str(one.attributes.get("controller", one.id)) for one in self.places.entities]
        number = {name: at for at, name in enumerate(dict.fromkeys(controllers))}
        self._reports = Reports(self.places)
        self._frozen = Frozen(size)
        self._jumping = Jumping(self.places.facts("speed_limit_mps"), signs)
        self._contradictory = Contradictory(size)
        self._nobody = SeesNobody(np.array([number[name] for name in controllers], dtype=np.int64), signs)
        self._answers = Answers(entities, self.places)
        self._overlaps = Overlaps(entities, self.places)
        self.trouble = np.zeros(size, dtype=np.int8)
        self.version = 0
        self.look: Look | None = None
        self._healthy_s = np.zeros(size)
        self.denied = np.zeros(size, dtype=np.bool_)

    @property
    def blind(self) -> Mask:
        """The detectors that are not believed."""
        return self.trouble > 0

    @property
    def rate_per_s(self) -> Numbers:
        """What was learned of the traffic at each detector while it was believed; 0 where nothing was."""
        return self._nobody.rate_per_s

    @property
    def learned_s(self) -> Numbers:
        """For how long it was learned."""
        return self._nobody.learned_s

    @property
    def flow(self) -> Numbers:
        """Vehicles that passed each detector in the last second."""
        return self._nobody.flow

    def watch(self, batch: Batch) -> None:
        """Take in a batch; one that speaks of no detector changes nothing."""
        self.look = self._reports.read(batch)
        if self.look is None:
            return
        now = self._symptoms(self.look)
        sick = now > 0
        self._healthy_s = np.where(sick, 0.0, self._healthy_s + self.look.seconds)
        kept = np.where(self._healthy_s < HEALTHY_S, self.trouble, 0)
        # The first trouble names the doubt: what follows, such as silence after a freeze, is the same one.
        trouble = np.where(kept > 0, kept, now).astype(np.int8)
        if not np.array_equal(trouble, self.trouble):
            self.trouble = trouble
            self.version += 1

    def _denied(self, look: Look) -> Mask:
        """Those whose neighbours say at once that they miss vehicles."""
        unseen = self._overlaps(look, ~self.blind, self._nobody.rate_per_s)
        self.denied = self._answers(look, self._nobody.flow, ~self.blind) | unseen
        return self.denied

    def _symptoms(self, look: Look) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        found = {
            Trouble.SEES_NOBODY: self._nobody(look, ~self.blind) & ~self._overlaps.vouched | self._denied(look),
            Trouble.CONTRADICTORY: self._contradictory(look),
            Trouble.JUMPING: self._jumping(look),
            Trouble.FROZEN: self._frozen(look),
            Trouble.SILENT: ~look.heard,
        }
        now = np.zeros(look.size, dtype=np.int64)
        for trouble, mask in found.items():
            now[mask] = TROUBLES.index(trouble)
        return now
