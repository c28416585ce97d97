# SPDX-License-Identifier: Apache-2.0
"""Vehicles that no sensor sees: what betrays them, and which lanes are called up for them."""

import numpy as np
import pytest

from citybrain.apps.traffic.detect.unseen import RECALL_ALL_S, RECALL_S, Unseen, recalled

NOBODY = np.zeros((0, 4))
AT_THE_LINE = np.array([[1.0, 0.0, 15.0, 1.0]])
BEHIND_A_HOLE = np.array([[8.5, 0.0, 15.0, 1.0]])
FAR_AWAY = np.array([[60.0, 0.0, 15.0, 1.0]])
ROLLING = np.array([[8.5, 3.0, 0.0, 1.0]])


def after(*queues: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> Unseen:
    """One lane whose reds ended in these queues, a minute apart."""
    unseen = Unseen()
    for number, rows in enumerate(queues):
        seen = {0: rows}
        for second in range(60):
            unseen.watch(np.array([60.0 * number]), seen.__getitem__, 60.0 * number + second)
    return unseen


@pytest.mark.parametrize(
    ("queues", "misses"),
    [
        ((AT_THE_LINE,) * 5, False),
        ((NOBODY,) * 5, False),
        ((BEHIND_A_HOLE, AT_THE_LINE), False),
        ((BEHIND_A_HOLE, BEHIND_A_HOLE), True),
        ((FAR_AWAY, FAR_AWAY), False),
        ((ROLLING, ROLLING), False),
    ],
)
def test_whoever_stands_first_but_not_at_the_line_stands_behind_somebody_unseen(
    queues: tuple["np.ndarray[tuple[int, int], np.dtype[np.float64]]", ...], misses: bool
) -> None:
    assert after(*queues).misses is misses


def test_holes_are_forgotten_after_an_hour() -> None:
    unseen = after(BEHIND_A_HOLE, BEHIND_A_HOLE)
    unseen.watch(np.array([np.inf]), lambda _: NOBODY, 4_000.0)
    assert not unseen.misses


def test_a_red_lane_is_called_up_early_where_sensors_miss_vehicles_and_late_where_they_do_not() -> None:
    red_since_s = np.array([0.0, np.inf])
    for unseen, at_s in ((after(BEHIND_A_HOLE, BEHIND_A_HOLE), RECALL_S), (Unseen(), RECALL_ALL_S)):
        assert list(unseen.overdue(red_since_s, at_s - 1.0)) == []
        assert list(unseen.overdue(red_since_s, at_s)) == [(0, at_s)]
    assert list(Unseen().overdue(red_since_s, RECALL_S, by_loops=True)) == [(0, RECALL_S)]


def test_whoever_is_called_up_stands_at_the_line_unless_somebody_is_seen_there() -> None:
    assert recalled(NOBODY, 200.0).tolist() == [[1.0, 0.0, 80.0, 1.0]]
    assert recalled(FAR_AWAY, 200.0)[:, 0].tolist() == [1.0, 60.0]
    assert recalled(AT_THE_LINE, 200.0) is AT_THE_LINE
