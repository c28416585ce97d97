# SPDX-License-Identifier: Apache-2.0
"""Tracks made of counts: never more than came, never out of order, and put right when the loops are empty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.apps.traffic.detect.estimate import QUEUE_MAX, SPACE_M, Estimate, VirtualQueue
from citybrain.apps.traffic.detect.trust import Trust
from citybrain.apps.traffic.model import Track

from .street import ADVANCE_LOOP_M, CITY, NOON, Columns, Street, batch

ACTS = st.lists(st.sampled_from(["arrive", "depart", "clear", "stands", "covered", "wait"]), max_size=120)


def act(queue: VirtualQueue, what: str, now_s: float) -> None:
    acts = {
        "arrive": queue.arrive,
        "depart": queue.depart,
        "clear": queue.none_stands,
        "stands": queue.one_stands,
        "covered": queue.reaches_advance,
    }
    if what in acts:
        acts[what](now_s)


@given(ACTS)
def test_whatever_loops_say_vehicles_stay_in_order_and_have_room(acts: list[str]) -> None:
    queue = VirtualQueue(50.0, 13.9)
    for second, what in enumerate(acts):
        act(queue, what, float(second))
        rows = queue.tracks(float(second))
        places_m = [row[0] for row in rows]
        assert places_m == sorted(places_m)
        assert len(rows) <= QUEUE_MAX + 1
        assert all(place_m >= 1.0 for place_m in places_m)
        assert all((speed > 0.0) == (waited_s == 0.0) for _, speed, waited_s, _ in rows)


@given(ACTS)
def test_when_the_line_is_clear_for_long_nobody_is_left(acts: list[str]) -> None:
    queue = VirtualQueue(50.0, 13.9)
    for second, what in enumerate(acts):
        act(queue, what, float(second))
    queue.none_stands(len(acts) + 60.0)
    assert queue.tracks(len(acts) + 60.0) == []


def test_a_queue_at_red_stands_one_behind_the_other_and_leaves_one_by_one() -> None:
    queue = VirtualQueue(50.0, 13.9)
    for at_s in (0.0, 3.0, 6.0):
        queue.arrive(at_s)
    assert [row[0] for row in queue.tracks(20.0)] == [1.0, 1.0 + SPACE_M, 1.0 + 2 * SPACE_M]
    assert all(row[1] == 0.0 for row in queue.tracks(20.0))
    queue.depart(21.0)
    first, second = queue.tracks(22.0)
    assert first[1] > 0.0, "the start wave is past the first"
    assert second[0] == 1.0 + SPACE_M


class Watched:
    """A street seen by loops or with blind detectors, and what is made of it."""

    def __init__(self, *, seed: int = 1, every_s: float = 6.0) -> None:
        self.street = Street(seed=seed, every_s={"north": every_s, "east": 9.0})
        self._trust = Trust(CITY)
        self._estimate = Estimate(CITY, self._trust.places)
        self._by_loops = False

    def step(self, *, by_loops: bool, blind: str = "") -> None:
        self._by_loops = by_loops
        columns: Columns = self.street.step(by_loops=by_loops)
        if blind:
            columns["tracks"].pop(blind)
            columns["vehicleCount"][blind] = float("nan")
        self._trust.watch(batch(self.street, columns))
        now_s = NOON.timestamp() + self.street.second
        self._estimate.lamps.watch({"cross": self.street.lamps}, now_s)
        assert self._trust.look is not None
        self._estimate.watch(
            self._trust.look,
            now_s,
            blind=self._trust.blind,
            rate_per_s=self._trust.rate_per_s,
            flow=self._trust.flow,
        )

    def made(self, lane: str) -> list[Track]:
        return list(self._estimate.tracks(lane).tolist())

    def real(self, lane: str) -> list[float]:
        return sorted(-at for at, _, _ in self.street.at[lane] if at <= 0.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), every_s=st.floats(5.0, 60.0))
def test_loops_tell_how_many_are_near_within_one_or_two(seed: int, every_s: float) -> None:
    watched = Watched(seed=seed, every_s=every_s)
    off = []
    for _ in range(600):
        watched.step(by_loops=True)
        near = sum(place_m <= ADVANCE_LOOP_M for place_m in watched.real("north"))
        off.append(abs(sum(row[0] <= ADVANCE_LOOP_M for row in watched.made("north")) - near))
    assert np.mean(off) < 1.5


def test_a_street_that_empties_is_seen_empty_by_loops() -> None:
    watched = Watched()
    for _ in range(300):
        watched.step(by_loops=True)
    watched.street.at = {"north": [], "east": []}
    watched.street._every_s = {"north": 1e9, "east": 1e9}
    for _ in range(30):
        watched.step(by_loops=True)
    assert watched.made("north") == watched.made("east") == []


def test_a_blind_lane_has_about_as_many_as_it_always_had() -> None:
    watched = Watched()
    for _ in range(900):
        watched.step(by_loops=False)
    made, real = [], []
    for _ in range(900):
        watched.step(by_loops=False, blind="north")
        made.append(len(watched.made("north")))
        real.append(len([one for one in watched.real("north") if one <= ADVANCE_LOOP_M]))
    assert np.mean(made) == pytest.approx(np.mean(real), rel=0.5)
    assert min(made) == 0, "green empties it"


def test_an_exit_whose_loop_is_covered_has_little_room_and_then_none() -> None:
    trust = Trust(CITY)
    estimate = Estimate(CITY, trust.places)
    street = Street(seed=1, every_s={"north": 1e9, "east": 1e9})
    rooms = []
    for second in range(15):
        columns = street.step(by_loops=True)
        columns["occupancy"]["south"] = 1.0
        trust.watch(batch(street, columns))
        assert trust.look is not None
        estimate.watch(trust.look, float(second), blind=trust.blind, rate_per_s=trust.rate_per_s, flow=trust.flow)
        rooms.append([row[0] for row in estimate.tracks("south").tolist()])
    assert rooms[0] == []
    assert rooms[5] == [25.0]
    assert rooms[14] == [12.5]
