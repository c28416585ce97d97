# SPDX-License-Identifier: Apache-2.0
"""The graph of the roads: the same ways forwards and backwards, and what lies around."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.records import Entity
from citybrain.kernel.routing import Roads

AT = datetime(2026, 3, 1, tzinfo=UTC)
COUNT = 8

graphs = st.lists(st.lists(st.integers(0, COUNT - 1), max_size=3, unique=True), min_size=COUNT, max_size=COUNT)
costs = st.lists(st.floats(1.0, 100.0), min_size=COUNT, max_size=COUNT)


def _roads(onward: list[list[int]]) -> Roads:
    return Roads(
        [
            Entity(
                id=f"r{number}",
                type="RoadSegment",
                source="test",
                observed_at=AT,
                geometry={"type": "LineString", "coordinates": [[number, 0], [number + 1, 0]]},
                attributes={
                    "length": 100.0,
                    "maximumAllowedSpeed": 50.0,
                    "leadsTo": [f"r{after}" for after in afters],
                },
            )
            for number, afters in enumerate(onward)
        ]
    )


@given(graphs, costs, st.integers(0, COUNT - 1))
def test_who_reaches_a_road_takes_the_time_of_the_fastest_way(
    onward: list[list[int]], seconds: list[float], end: int
) -> None:
    roads = _roads(onward)

    def cost_s(road: str) -> float:
        return seconds[int(road[1:])]

    reached = roads.reached(f"r{end}", cost_s)
    for start in range(COUNT):
        way = roads.fastest(f"r{start}", f"r{end}", cost_s)
        assert (way is None) == (f"r{start}" not in reached)
        if way is not None:
            assert roads.time_s(way, cost_s) == pytest.approx(reached[f"r{start}"])


@given(graphs, costs, st.integers(0, COUNT - 1), st.floats(0.0, 300.0))
def test_nobody_farther_than_asked_is_reached(
    onward: list[list[int]], seconds: list[float], end: int, within_s: float
) -> None:
    roads = _roads(onward)

    def cost_s(road: str) -> float:
        return seconds[int(road[1:])]

    near, all_ = roads.reached(f"r{end}", cost_s, within_s=within_s), roads.reached(f"r{end}", cost_s)
    assert {road for road, time_s in all_.items() if time_s <= within_s} | {f"r{end}"} == set(near)


def test_around_a_road_lies_what_leads_to_it_and_what_it_leads_to() -> None:
    roads = _roads([[1], [2], [3], [4], [5], [6], [7], []])
    assert roads.around(["r3", "unknown"], upstream=2, downstream=1) == {"r1", "r2", "r3", "r4"}
