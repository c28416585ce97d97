# SPDX-License-Identifier: Apache-2.0
"""Which detectors are believed, from what they say alone."""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.apps.traffic.detect.symptoms import FROZEN_S, STUCK_S
from citybrain.apps.traffic.detect.trust import HEALTHY_S, TROUBLES, Trouble, Trust

from .street import CITY, Columns, Street, batch

Lie = Callable[[Columns, int], Columns]
BUSY = {"north": 6.0, "east": 8.0}

FROM_S, UNTIL_S = 600, 1200


def troubles(trust: Trust) -> dict[str, Trouble]:
    return {
        one.id: TROUBLES[number]
        for one, number in zip(trust.places.entities, trust.trouble.tolist(), strict=True)
        if number
    }


def doubts(lie: Lie, *, by_loops: bool, seed: int = 1) -> list[dict[str, Trouble]]:
    """Per second the doubts, with a lie from `FROM_S` to `UNTIL_S`."""
    street, trust = Street(seed=seed, every_s=BUSY), Trust(CITY)
    found = []
    for second in range(UNTIL_S + 120):
        columns = street.step(by_loops=by_loops)
        trust.watch(batch(street, lie(columns, second) if FROM_S <= second < UNTIL_S else columns))
        found.append(troubles(trust))
    return found


def dark(columns: Columns, _: int) -> Columns:
    columns.get("tracks", {}).pop("north", None)
    for values in columns.values():
        if "north" in values:
            values["north"] = float("nan")
    return columns


def frozen() -> Lie:
    kept: dict[str, object] = {}

    def lie(columns: Columns, _: int) -> Columns:
        for name, values in columns.items():
            values["north"] = kept.setdefault(name, values["north"])
        return columns

    return lie


def jumping() -> Lie:
    chance = Random(3)

    def lie(columns: Columns, _: int) -> Columns:
        if "tracks" not in columns:
            for name in columns:
                columns[name]["north"] = float(chance.randint(0, 5)) if name.endswith("Count") else chance.random()
            return columns
        rows = sorted([chance.uniform(0, 150), chance.uniform(0, 40), 0.0, 1.0] for _ in range(chance.randint(0, 12)))
        columns["tracks"]["north"] = np.array(rows).reshape(-1, 4)
        columns["vehicleCount"]["north"] = float(len(rows))
        return columns

    return lie


def contradictory(columns: Columns, second: int) -> Columns:
    if "tracks" in columns:
        columns["tracks"]["north"] = np.empty((0, 4))
        columns["vehicleCount"]["north"] = 12.0
        return columns
    for name in columns:
        columns[name]["north"] = float(second % 3 > 0) if name.endswith("Count") else 0.0
    return columns


def empty(columns: Columns, _: int) -> Columns:
    for name, values in columns.items():
        values["north"] = np.empty((0, 4)) if name == "tracks" else 0.0
    return columns


def stuck(columns: Columns, _: int) -> Columns:
    columns["vehicleCount"]["north"] = columns["advanceCount"]["north"] = 0.0
    columns["occupancy"]["north"] = columns["advanceOccupancy"]["north"] = 1.0
    return columns


# fmt: off
LIES = [
    ("dark",              lambda: dark,          False, Trouble.SILENT,        0),
    ("dark loops",        lambda: dark,          True,  Trouble.SILENT,        0),
    ("frozen",            frozen,                False, Trouble.FROZEN,        FROZEN_S),
    ("jumping",           jumping,               False, Trouble.JUMPING,       15),
    ("jumping loops",     jumping,               True,  Trouble.JUMPING,       15),
    ("contradictory",     lambda: contradictory, False, Trouble.CONTRADICTORY, 10),
    ("count, no vehicle", lambda: contradictory, True,  Trouble.CONTRADICTORY, 15),
    ("sees nobody",       lambda: empty,         False, Trouble.SEES_NOBODY,   240),
    ("loop sees nobody",  lambda: empty,         True,  Trouble.SEES_NOBODY,   240),
    ("stuck loop",        lambda: stuck,         True,  Trouble.FROZEN,        STUCK_S),
]
# fmt: on


@pytest.mark.parametrize(("name", "make", "by_loops", "trouble", "within_s"), LIES, ids=[one[0] for one in LIES])
def test_each_lie_is_found_out_in_time_and_forgiven_after(
    name: str, make: Callable[[], Lie], by_loops: bool, trouble: Trouble, within_s: float
) -> None:
    found = doubts(make(), by_loops=by_loops)
    assert not any(found[:FROM_S]), f"{name}: no doubt before"
    begun = next(second for second, one in enumerate(found) if one)
    assert begun - FROM_S <= within_s, name
    assert found[begun] == {"north": trouble}
    assert all(set(one) == {"north"} for one in found[begun:UNTIL_S]), f"{name}: nobody else is doubted"
    assert found[UNTIL_S + 5], f"{name}: not believed again at once"
    healed = next(second for second in range(UNTIL_S, len(found)) if not found[second])
    assert healed - UNTIL_S <= HEALTHY_S + 60, name


def test_an_exit_that_froze_empty_is_denied_by_those_who_drive_into_it() -> None:
    street, trust = Street(seed=2, every_s=BUSY), Trust(CITY)
    for second in range(FROM_S + 100):
        columns = street.step(by_loops=False)
        if second >= FROM_S:
            columns["tracks"]["south"], columns["vehicleCount"]["south"] = np.empty((0, 4)), 0.0
        trust.watch(batch(street, columns))
        assert second >= FROM_S or not troubles(trust)
    assert troubles(trust) == {"south": Trouble.SEES_NOBODY}
    assert trust.denied.any()


def test_an_approach_that_froze_empty_is_denied_by_the_exit_that_sees_vehicles_come_out_of_it() -> None:
    street, trust = Street(seed=2, every_s=BUSY), Trust(CITY)
    found_s = None
    for second in range(FROM_S + 120):
        columns = street.step(by_loops=False)
        if second >= FROM_S:
            columns["tracks"]["north"], columns["vehicleCount"]["north"] = np.empty((0, 4)), 0.0
        trust.watch(batch(street, columns))
        assert second >= FROM_S or not troubles(trust)
        found_s = second - FROM_S if found_s is None and troubles(trust) else found_s
    assert found_s is not None and found_s <= 90, "a few vehicles are enough: seventeen come in that time"
    assert troubles(trust) == {"north": Trouble.SEES_NOBODY}
    assert trust.denied.any()


def test_an_exit_that_vanishes_from_sight_is_no_witness_against_the_approach() -> None:
    street, trust = Street(seed=2, every_s=BUSY), Trust(CITY)
    for second in range(FROM_S + 120):
        columns = street.step(by_loops=False)
        if second >= FROM_S:
            columns["tracks"]["north"], columns["vehicleCount"]["north"] = np.empty((0, 4)), 0.0
            columns["tracks"]["south"], columns["vehicleCount"]["south"] = np.empty((0, 4)), 0.0
        trust.watch(batch(street, columns))
    assert not trust.denied.any(), "nobody saw anybody there"


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    north_s=st.floats(4.0, 120.0),
    east_s=st.floats(4.0, 120.0),
    by_loops=st.booleans(),
)
def test_a_sound_street_is_never_doubted(seed: int, north_s: float, east_s: float, by_loops: bool) -> None:
    street, trust = Street(seed=seed, every_s={"north": north_s, "east": east_s}), Trust(CITY)
    for _ in range(400):
        trust.watch(batch(street, street.step(by_loops=by_loops)))
        assert troubles(trust) == {}


def test_a_street_that_ends_its_traffic_is_no_broken_detector() -> None:
    street, trust = Street(seed=4, every_s=BUSY), Trust(CITY)
    for second in range(1500):
        if second == 700:
            street = Street(seed=4, every_s={"north": 1e9, "east": 8.0})
            street.second = second
        trust.watch(batch(street, street.step()))
        if second > 760:
            assert troubles(trust) == {}


def test_a_feed_that_speaks_of_no_detector_changes_nothing() -> None:
    street, trust = Street(seed=1, every_s=BUSY), Trust(CITY)
    for _ in range(30):
        trust.watch(batch(street, street.step()))
    version = trust.version
    trust.watch(batch(street, {}))
    assert (trust.version, trust.look) == (version, None)


def test_what_is_learned_is_the_traffic_of_the_lane() -> None:
    street, trust = Street(seed=1, every_s=BUSY), Trust(CITY)
    for _ in range(1200):
        trust.watch(batch(street, street.step()))
    learned = dict(zip((one.id for one in trust.places.entities), trust.rate_per_s.tolist(), strict=True))
    assert learned["north"] == pytest.approx(1 / 6.0, rel=0.35)
    assert learned["east"] == pytest.approx(1 / 8.0, rel=0.35)
    assert learned["south"] == pytest.approx(learned["north"], rel=0.2)
