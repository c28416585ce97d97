# SPDX-License-Identifier: Apache-2.0
"""What detectors remember: how long a condition has lasted, and how events are told apart."""

from datetime import datetime
from hashlib import blake2s

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.index import Numbers
from citybrain.kernel.records import Batch

# A begun count older than this much unseen time starts again. Our convention.
FORGOTTEN_AFTER_S = 60.0

# A feed that paused tells of the moment it returns, not of the pause.
LONGEST_STEP_S = 60.0

# Openings and endings take a minute or more and road speeds are one-minute means: looking more often tells no more.
LOOK_EVERY_S = 5.0

Mask = NDArray[np.bool_]


class Persistence:
    """A condition at many places that must last to count and must be gone as long to end.

    Only seconds that were seen add up. Unseen time neither opens nor closes; after `FORGOTTEN_AFTER_S` of it
    a begun count starts again.
    """

    def __init__(self, count: int, *, opens_after_s: float, closes_after_s: float) -> None:
        self.holds = np.zeros(count, dtype=np.bool_)
        self._on_s, self._off_s, self._unseen_s = np.zeros((3, count))
        self._opens_after_s, self._closes_after_s = opens_after_s, closes_after_s

    def update(self, on: Mask, off: Mask, seconds: float) -> None:
        """Take in `seconds` during which the condition was on, off, or, where neither, unseen."""
        self._unseen_s = np.where(on | off, 0.0, self._unseen_s + seconds)
        forgotten = self._unseen_s > FORGOTTEN_AFTER_S
        self._on_s = np.where(on, self._on_s + seconds, np.where(off | forgotten, 0.0, self._on_s))
        self._off_s = np.where(off, self._off_s + seconds, np.where(on | forgotten, 0.0, self._off_s))
        opens = on & (self._on_s >= self._opens_after_s)
        closes = off & (self._off_s >= self._closes_after_s)
        self.holds = (self.holds | opens) & ~closes

    @property
    def lasted_s(self) -> Numbers:
        """Seconds seen with the condition on, without one off between."""
        return self._on_s

    def drop(self, places: Mask) -> None:
        """Forget the condition at these places without having seen it end."""
        self.holds = self.holds & ~places


class Steps:
    """Which batches a detector looks at, and the seconds from one of these to the next, none before the first."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def is_due(self, at: datetime) -> bool:
        """Whether `LOOK_EVERY_S` have passed since the batch that was looked at last."""
        return self._last is None or (at - self._last).total_seconds() >= LOOK_EVERY_S

    def since_last(self, at: datetime) -> float:
        """Seconds since the batch looked at before; a pause of the feed counts at most `LONGEST_STEP_S`."""
        seconds = (at - self._last).total_seconds() if self._last else 0.0
        self._last = at
        return min(max(seconds, 0.0), LONGEST_STEP_S)


def event_id(kind: str, entity_id: str, batch: Batch) -> str:
    """An id that sorts by time and is the same whenever the same batch is watched again."""
    digest = blake2s(f"{kind} {entity_id} {batch.id}".encode(), digest_size=6).hexdigest()
    return f"{batch.observed_at:%Y%m%dT%H%M%S}-{digest}"
