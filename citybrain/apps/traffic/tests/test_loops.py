# SPDX-License-Identifier: Apache-2.0
"""A junction with loops only is told of by what loops can tell, and its queues are said to be an estimate."""

from typing import Any

import numpy as np
import pytest

from citybrain.apps.traffic.choice.mind import Tracks
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.measure.loops import SAMPLE_S, WINDOW_S, Loops
from citybrain.apps.traffic.model import junctions
from citybrain.apps.traffic.tests.test_control import CITY

(JUNCTION,) = junctions(CITY)
LANES = [lane.detector_id for lane in JUNCTION.approaches]
IDS = ["another", *reversed(LANES)]
BEGIN_S = 1_000 * WINDOW_S
STANDS = np.array([[1.0, 0.0, 9.0, 1.0], [8.5, 0.0, 5.0, 1.0], [40.0, 9.0, 0.0, 1.0]])
NOBODY = np.zeros((0, 4))


def look(*, count: float = 1.0, occupancy: float = 0.5, by_loops: bool = True) -> Look:
    figures = {
        "count": np.array([99.0] + [count] * len(LANES)),
        "occupancy": np.array([1.0] + [occupancy] * len(LANES)),
        "advance_count": np.zeros(len(IDS)),
        "advance_occupancy": np.zeros(len(IDS)),
    }
    nothing: Any = np.empty(0, np.int64)
    heard = np.ones(len(IDS), dtype=bool)
    return Look(seconds=1.0, heard=heard, by_loops=by_loops, table=NOBODY, detector=nothing, **figures)


def tracks(*, standing: str | None) -> Tracks:
    return Tracks({lane: STANDS if lane == standing else NOBODY for lane in LANES})


def test_counts_occupancy_and_an_estimate_of_queues_are_told_by_quarters_of_an_hour() -> None:
    loops = Loops([JUNCTION], IDS)
    for second in range(WINDOW_S + 10):
        is_full = second < WINDOW_S / 2
        loops.step(look(), tracks(standing=LANES[0] if is_full else None), BEGIN_S + second)
    report = loops.report(0)
    assert report is not None
    assert report.is_estimate
    (ended,) = report.windows
    assert (ended.seconds, ended.vehicles) == (WINDOW_S, WINDOW_S * len(LANES)), "another junction's are not counted"
    assert ended.occupancy == 0.5
    assert ended.queue == pytest.approx(1.0, abs=SAMPLE_S / WINDOW_S * 2), "two stood for half of the time"
    assert (ended.queue_most, report.now.seconds, report.now.queue) == (2.0, 10, 0.0)


def test_a_loop_that_does_not_report_is_no_loop_that_nobody_is_on() -> None:
    loops = Loops([JUNCTION], IDS)
    loops.step(look(count=np.nan, occupancy=np.nan), tracks(standing=None), BEGIN_S)
    report = loops.report(0)
    assert report is not None
    assert (report.now.vehicles, report.now.occupancy) == (0.0, None)


def test_where_detectors_tell_places_nothing_is_added_up() -> None:
    loops = Loops([JUNCTION], IDS)
    loops.step(look(by_loops=False), tracks(standing=LANES[0]), BEGIN_S)
    loops.step(None, tracks(standing=None), BEGIN_S + 1)
    assert loops.report(0) is None
