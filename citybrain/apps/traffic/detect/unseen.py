# SPDX-License-Identifier: Apache-2.0
"""Whoever may wait unseen: how it shows that sensors miss vehicles, and which red lanes are called up because of it."""

from collections import deque
from collections.abc import Callable, Iterable
from math import inf

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.choice.worth import STANDING_MPS
from citybrain.apps.traffic.index import Numbers

LOOK_AFTER_S = 20.0
"""So long after a lane turned red its first vehicle stands at the line, if anybody is there."""

SETTLED_S = 2.0
"""Who stands for less may still be rolling up."""

HOLE_M = (6.0, 40.0)
"""Whoever stands first, but one car's length and more from the line (HBS 2015: a car takes 6 to 7.5 m), stands behind
somebody who is not seen. Farther away other causes are likelier."""

REMEMBER_S = 3600.0
HOLES_LEAST, HOLES_SHARE = 2, 0.01
"""With so many holes of an hour, and in so many of its queues, the sensors miss vehicles (m: without faults 0 to 1 of
100 queues on four networks, with 5 % of vehicles missed 3 to 6)."""

RECALL_S = 180.0
"""Where sensors miss vehicles a lane that is red for so long has somebody at its line. The cabinet serves those it sees
after as long."""

RECALL_ALL_S = 240.0
"""Where nothing shows that they do, a lane is called up after this all the same: a minute is left until 300 s, which no
red may last while somebody waits. With 900 s grid4x4 had seven such reds in an hour in which 15 % of the vehicles were
never seen; with 240 s none, at 18.5 s of delay in place of 17.9 s where all are seen (seed 1 each)."""

FIRST_M = 1.0
UNSEEN_S = 120.0
"""Whoever is called up so counts as one who came after these seconds of red."""

Rows = Callable[[int], Numbers]


class Unseen:
    """Looks at each lane once in each red, and tells which lanes to call up."""

    def __init__(self) -> None:
        self._queues: deque[tuple[float, bool]] = deque()
        self._holes = 0
        self._looked_s = -inf

    @property
    def misses(self) -> bool:
        """Whether the queues of the last hour show that vehicles are missed."""
        return self._holes >= max(HOLES_LEAST, HOLES_SHARE * len(self._queues))

    def watch(self, red_since_s: NDArray[np.float64], rows: Rows, now_s: float) -> None:
        """Look at the lanes that are red for long enough since the last call."""
        due_s = now_s - LOOK_AFTER_S
        since_s, self._looked_s = self._looked_s, due_s
        if since_s > -inf:
            for place in ((red_since_s > since_s) & (red_since_s <= due_s)).nonzero()[0].tolist():
                self._note(rows(place), now_s)
        while self._queues and self._queues[0][0] < now_s - REMEMBER_S:
            self._holes -= self._queues.popleft()[1]

    def overdue(
        self, red_since_s: NDArray[np.float64], now_s: float, *, by_loops: bool = False
    ) -> Iterable[tuple[int, float]]:
        """The lanes that are red for too long for nobody to be there, and for how long. Loops see no queue."""
        red_s = now_s - red_since_s
        least_s = RECALL_S if by_loops or self.misses else RECALL_ALL_S
        return [(place, float(red_s[place])) for place in (red_s >= least_s).nonzero()[0].tolist()]

    def _note(self, rows: Numbers, now_s: float) -> None:
        before = rows[rows[:, 0] >= 0.0] if len(rows) else rows
        if not len(before) or before[0, 1] >= STANDING_MPS or before[0, 2] < SETTLED_S:
            return
        is_hole = bool(HOLE_M[0] < before[0, 0] < HOLE_M[1])
        self._queues.append((now_s, is_hole))
        self._holes += is_hole


def recalled(rows: Numbers, red_s: float) -> Numbers:
    """The tracks of a lane that is red for so long, with somebody at the line where nobody is seen to wait."""
    if len(rows) and bool(((rows[:, 0] >= 0.0) & (rows[:, 0] <= 2 * HOLE_M[0]) & (rows[:, 2] > 0.0)).any()):
        return rows
    return np.concatenate(
        (rows[rows[:, 0] < FIRST_M], [[FIRST_M, 0.0, red_s - UNSEEN_S, 1.0]], rows[rows[:, 0] >= FIRST_M])
    )
