# SPDX-License-Identifier: Apache-2.0
"""The model of queues counts who comes, keeps who waits, and tells brain and plan apart."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from citybrain.apps.traffic.control.modes import Mode
from citybrain.apps.traffic.control.signals import SignalControl
from citybrain.apps.traffic.measure.queues import Arrivals, Lamps, Queues, Stops, parts
from citybrain.apps.traffic.measure.shadow import ENOUGH_S, WINDOW_S, Window, gain_of
from citybrain.apps.traffic.measure.twin import DrivenTwin, PlannedTwin, between
from citybrain.apps.traffic.model import junctions
from citybrain.apps.traffic.tests.test_control import CITY, CROSS, EASTERN, NORTH, Vehicles, batch, detectors
from citybrain.apps.traffic.tests.test_modes import NEW
from citybrain.kernel.records import Batch, Column

(JUNCTION,) = junctions(CITY)
NORTH_LANE, EAST_LANE = 0, 1


def see(arrivals: Arrivals, *seconds: Vehicles) -> list[tuple[float, float]]:
    """Who came and who passed in each second at the northern lane."""
    told = []
    for second, north in enumerate(seconds):
        arrivals.see(batch(CITY, {"cross": "Gr"}, {NORTH: north}, second=second))
        told.append((float(arrivals.came[NORTH_LANE]), float(arrivals.passed[NORTH_LANE])))
    return told


# fmt: off
FLOWS: list[tuple[Sequence[Vehicles], float, float, str]] = [
    ([[], [(95.0, 10.0, 0.0)], [(85.0, 10.0, 0.0)]],                             1, 0, "one comes into reach"),
    ([[(5.0, 10.0, 0.0)], [(-5.0, 10.0, 0.0)], []],                              0, 1, "one passes the line"),
    ([[(2.0, 8.0, 0.0), (12.0, 8.0, 0.0)], [(4.0, 8.0, 0.0)]],                   0, 1, "the next is another one"),
    ([[(2.0, 8.0, 0.0)], [(95.0, 13.0, 0.0)]],                                   1, 1, "one passes, one comes"),
    ([[(2.0, 0.0, 5.0), (9.5, 0.0, 5.0)], [(2.0, 0.0, 6.0), (9.5, 0.0, 6.0)]],   0, 0, "who stands does neither"),
    ([[(9.0, 0.0, 5.0), (30.0, 3.0, 0.0)], [(9.0, 0.0, 5.0)]],                   0, 0, "one changes lanes"),
    ([[(9.0, 0.0, 5.0), (30.0, 0.0, 5.0)], [(9.0, 0.0, 5.0)], [(9.0, 0.0, 5.0), (30.0, 0.0, 5.0)]],
                                                                                 0, 0, "one is not seen for a second"),
]
# fmt: on


@pytest.mark.parametrize(("seconds", "came", "passed", "why"), FLOWS)
def test_who_comes_and_who_passes_is_told_without_names(
    seconds: Sequence[Vehicles], came: float, passed: float, why: str
) -> None:
    told = see(Arrivals(Stops([JUNCTION])), *seconds)
    assert sum(one for one, _ in told[1:]) == came, why
    assert sum(one for _, one in told[1:]) == passed, why


def test_a_detector_that_is_missing_leaves_its_lane_unseen() -> None:
    arrivals = Arrivals(Stops([JUNCTION]))
    arrivals.see(batch([one for one in CITY if one.id != EASTERN], {}, {}, second=0))
    assert arrivals.seen.tolist() == [True, False]


def test_a_queue_waits_under_red_and_leaves_under_green_at_its_flow() -> None:
    stops = Stops([JUNCTION])
    queues, lamps = Queues(stops), Lamps(stops, [JUNCTION])
    flow, drive = np.full(2, 0.5), np.zeros(2, dtype=np.int64)
    lamps.show(0, "rG")
    for second in range(10):
        lamps.second()
        queues.step(np.array([1.0, 0.0]), drive, lamps, flow, second)
    assert queues.queue[NORTH_LANE] == 10
    tracks = queues.tracks(NORTH_LANE, 13.9, 10.0)
    assert len(tracks) == 10
    assert [track[1] for track in tracks] == [0.0] * 10
    assert tracks[0][2] > tracks[9][2], "whoever is first waited longest"
    lamps.show(0, "Gr")
    for second in range(10, 20):
        lamps.second()
        queues.step(np.zeros(2), drive, lamps, flow, second)
    assert queues.queue[NORTH_LANE] == pytest.approx(5.0)


def test_a_free_lane_lets_one_through_without_delay() -> None:
    stops = Stops([JUNCTION])
    queues, lamps = Queues(stops), Lamps(stops, [JUNCTION])
    lamps.show(0, "Gr")
    for second in range(5):
        lamps.second()
        queues.step(np.zeros(2), np.zeros(2, dtype=np.int64), lamps, np.full(2, 0.5), second)
    queues.step(np.array([1.0, 0.0]), np.full(2, 3), lamps, np.full(2, 0.5), 5)
    assert queues.driving()[NORTH_LANE] == 1
    for second in range(6, 10):
        lamps.second()
        queues.step(np.zeros(2), np.zeros(2, dtype=np.int64), lamps, np.full(2, 0.5), second)
        assert queues.queue[NORTH_LANE] == 0


def test_a_permissive_green_counts_half_and_yellow_nothing() -> None:
    assert parts(JUNCTION, "gr").tolist() == [0.5, 0.0]
    assert parts(JUNCTION, "yG").tolist() == [0.0, 1.0]


def test_a_driven_twin_keeps_least_green_and_change() -> None:
    twin = DrivenTwin(JUNCTION, "Gr", 0.0)
    seen = SignalControl(CITY).sight.tracks
    shown = []
    for second in range(30):
        crowd = batch(CITY, {}, {EASTERN: [(1.0 + 7.5 * at, 0.0, 30.0) for at in range(6)]}, second=second)
        seen = type(seen)({name: value for column in crowd.columns[1:] for name, value in _pairs(column)})
        shown.append(twin.step(seen, float(second)))
    changed = shown.index("yr")
    assert changed >= 5
    assert shown[changed : changed + 4] == ["yr", "yr", "yr", "rG"]


def _pairs(column: Column) -> list[tuple[str, Any]]:
    return list(zip(column.entity_ids, column.values, strict=True))


def test_a_planned_twin_goes_round_its_plan() -> None:
    phases = [("Gr", 3), ("yr", 1), ("rG", 2), ("ry", 1)]
    twin = PlannedTwin([[{"state": state, "duration_s": lasts} for state, lasts in phases]])
    assert [twin.step(float(second)) for second in range(8)] == ["Gr", "Gr", "Gr", "yr", "rG", "rG", "ry", "Gr"]


def test_in_a_change_only_what_is_green_before_and_after_stays_so() -> None:
    assert between("GGgr", "Ggry") == "Ggyr"


def day(control: SignalControl, seconds: int) -> None:
    """The east comes all the time, the north never; the real lamps give each half of every minute."""
    position = [90.0, 70.0, 50.0]
    entities = [NEW, *detectors(NEW)]
    for second in range(seconds):
        lamps = "Gr" if second % 60 < 30 else "rG"
        east: list[tuple[float, float, float]] = []
        if lamps == "Gr":
            east = [(1.0 + 7.5 * at, 0.0, float(second % 60)) for at in range(min(second % 60, 30) // 6)]
        east += [(position[second % 3], 13.0, 0.0)]
        control(batch(entities, {"cross": lamps}, {EASTERN: east}, second=second), (), ())


def test_a_junction_in_shadow_is_compared_and_gives_windows() -> None:
    control = SignalControl([NEW, *detectors(NEW)])
    day(control, WINDOW_S + 1)
    (window,) = control.shadow.take()
    assert window.signals == ("cross",)
    assert window.acting == Mode.PLAN
    assert window.seconds >= ENOUGH_S
    assert window.came > 0
    assert window.brain_s < window.plan_s, "nobody comes from the north, yet the plan serves it"
    assert control.shadow.take() == []
    assert control.shadow.lamps(0) == "rG", "the brain would leave the east its green"


def test_what_somebody_else_steers_is_not_compared() -> None:
    control = SignalControl([NEW, *detectors(NEW)])
    seen: Batch = batch([NEW, *detectors(NEW)], {"cross": "Gr"}, {}, second=0)
    for _ in range(5):
        control.shadow.step(seen, control.sight.tracks, {"cross"}, 0.0)
    assert control.shadow.now(0) is None


def window(number: int, plan_s: float, brain_s: float, measured_s: float = 100.0) -> Window:
    return Window(
        signals=("cross",),
        begins_at=datetime(2026, 5, 4, tzinfo=UTC) + timedelta(seconds=WINDOW_S * number),
        seconds=WINDOW_S,
        acting=Mode.PLAN,
        came=10.0,
        plan_s=plan_s,
        brain_s=brain_s,
        measured_s=measured_s,
    )


def test_the_gain_is_a_ratio_of_sums_with_an_interval_from_three_windows_on() -> None:
    two = gain_of([window(0, 100.0, 50.0), window(1, 100.0, 70.0)])
    assert (two.gain, two.low) == (0.4, None)
    three = gain_of([window(0, 100.0, 50.0), window(1, 100.0, 70.0), window(2, 100.0, 60.0)])
    assert three.gain == 0.4
    assert three.low is not None
    assert three.low < 0.4 < (three.high or 0.0)
    assert three.plan_s_per_vehicle == 10.0
    # Student: 4.30 times the standard error of 10, 0 and -10 about their mean, over 100.
    assert three.high == pytest.approx(0.4 + 4.30 * (200 / 6) ** 0.5 / 100, abs=0.001)


def test_the_model_says_how_far_it_is_from_what_was_measured() -> None:
    assert gain_of([window(0, 110.0, 50.0)]).model_error == 0.1
    nobody = gain_of([])
    assert (nobody.gain, nobody.model_error, nobody.plan_s_per_vehicle) == (None, None, None)


def test_equal_cities_are_compared_equally() -> None:
    told = []
    for _ in range(2):
        control = SignalControl([NEW, *detectors(NEW)])
        day(control, WINDOW_S + 1)
        told.append(control.shadow.take())
    assert told[0] == told[1]
    assert CROSS.id == "cross"
