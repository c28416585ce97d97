# SPDX-License-Identifier: Apache-2.0
"""Who is sent where: never worse than taking the nearest again and again, and nobody is replaced for little."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.apps.operations.choice.sending import (
    BETTER_S,
    BETTER_SHARE,
    LOAD_S,
    Candidate,
    NobodyFree,
    NobodyHasSkill,
    NobodyReaches,
    Task,
    assign,
    better,
    candidates,
    has_arrived,
)
from citybrain.apps.operations.choice.teams import BUSY, FREE, OFF, Team, teams
from citybrain.apps.operations.decide.planning import Context, plan
from citybrain.apps.operations.tests import playing
from citybrain.kernel.records import Entity
from citybrain.kernel.routing import START_S, Roads, Times

AT = datetime(2026, 3, 1, tzinfo=UTC)
KMH = 36.0  # ten metres per second, and roads of a hundred metres: ten seconds each when nothing holds up


def _road(number: int, onward: Sequence[int]) -> Entity:
    return Entity(
        id=f"r{number}",
        type="RoadSegment",
        source="test",
        observed_at=AT,
        geometry={"type": "LineString", "coordinates": [[number * 0.001, 0.0], [(number + 1) * 0.001, 0.0]]},
        attributes={"length": 100.0, "maximumAllowedSpeed": KMH, "leadsTo": [f"r{after}" for after in onward]},
    )


STREET = Roads([_road(0, [1]), _road(1, [2]), _road(2, [3]), _road(3, [4]), _road(4, []), _road(9, [])])
FLOWING = Times(STREET, {f"r{number}": KMH for number in range(5)})


def team(
    id: str, road: str | None = "r0", *, skills: Sequence[str] = ("tow",), load: int = 0, capacity: int = 1
) -> Team:
    return Team(id=id, skills=frozenset(skills), road=road, load=load, capacity=capacity)


def task(id: str = "t", road: str = "r4", *, what: str = "tow", number: int = 1) -> Task:
    return Task(id=id, what=what, roads=(road,), number=number)


def test_the_nearest_by_the_time_that_roads_take_now_comes_first() -> None:
    near, far = team("near", "r3"), team("far", "r1")
    found = candidates(task(), [far, near], STREET, FLOWING.ordinary_s)
    assert [(each.team, each.eta_s) for each in found] == [("near", START_S + 20.0), ("far", START_S + 40.0)]


def test_a_road_that_stands_makes_who_is_near_far() -> None:
    jammed = Times(STREET, {"r0": KMH, "r1": KMH, "r2": KMH, "r3": 0.0, "r4": KMH})
    free = candidates(task(road="r3"), [team("a", "r3")], STREET, FLOWING.ordinary_s)[0].eta_s
    stuck = candidates(task(road="r3"), [team("a", "r3")], STREET, jammed.ordinary_s)[0].eta_s
    assert stuck > 10 * free


def test_a_task_that_somebody_has_already_counts_like_time_on_the_road() -> None:
    loaded, empty = team("loaded", "r4", load=1, capacity=3), team("empty", "r0")
    first, second = candidates(task(), [loaded, empty], STREET, FLOWING.ordinary_s)
    assert (first.team, second.team) == ("empty", "loaded")
    assert second.score_s == second.eta_s + LOAD_S


def test_when_there_is_nobody_it_is_said_why() -> None:
    with pytest.raises(NobodyHasSkill):
        candidates(task(what="crane"), [team("a")], STREET, FLOWING.ordinary_s)
    with pytest.raises(NobodyFree):
        candidates(task(), [team("a", load=1), Team(id="b", skills=frozenset({"tow"}), status=OFF)], STREET, len)
    with pytest.raises(NobodyReaches):
        candidates(task(road="r9"), [team("a")], STREET, FLOWING.ordinary_s)


def test_entities_of_the_pool_tell_who_can_go_and_where_they_are() -> None:
    def entity(id: str, type: str = "Vehicle", **attributes: object) -> Entity:
        return Entity(id=id, type=type, source="s", observed_at=AT, attributes=attributes)

    known = [
        entity("a", skill="tow", status="free", load=1, capacity=2, road="r2"),
        entity("b", vehicleType="tow", serviceStatus="broken"),
        entity("c", "Team", skill=["pump", "tow"], status="busy", load=1),
        entity("d", "Road", skill="tow"),
        entity("e", skill="tow", status="nobody knows"),
    ]
    newer = {"c": {"location": {"type": "Point", "coordinates": [0.0035, 0.0001]}}}
    a, b, c, e = teams(known, newer, STREET)
    assert (a.road, a.status, a.can_go, a.load) == ("r2", FREE, True, 1)
    assert (b.status, b.can_go) == (OFF, False)
    assert (c.road, c.status, c.can_go, c.skills) == ("r3", BUSY, False, frozenset({"pump", "tow"}))
    assert e.status == OFF, "what is not understood is not relied on"


scores = st.lists(
    st.lists(st.one_of(st.just(inf), st.floats(1.0, 1e5)), min_size=5, max_size=5), min_size=1, max_size=5
)


def _found(table: Sequence[Sequence[float]]) -> tuple[list[Task], dict[str, list[Candidate]]]:
    tasks = [task(f"t{row}") for row in range(len(table))]
    found = {
        one.id: [
            Candidate(team=f"c{column}", task=one.id, eta_s=score, load=0, score_s=score)
            for column, score in enumerate(table[row])
        ]
        for row, one in enumerate(tasks)
    }
    return tasks, found


def _greedy(tasks: Sequence[Task], found: dict[str, list[Candidate]]) -> list[Candidate]:
    taken: set[str] = set()
    chosen = []
    for one in tasks:
        free = [each for each in found[one.id] if each.team not in taken and each.score_s < inf]
        if free:
            best = min(free, key=lambda each: each.score_s)
            taken.add(best.team)
            chosen.append(best)
    return chosen


@given(scores)
@settings(deadline=None)  # the solver is loaded by the first
def test_together_is_never_worse_than_the_nearest_for_one_after_the_other(table: list[list[float]]) -> None:
    tasks, found = _found(table)
    together, greedy = assign(tasks, found), _greedy(tasks, found)
    assert len({each.team for each in together}) == len(together), "each team once"
    assert len({each.task for each in together}) == len(together), "each task once"
    assert all(each.score_s < inf for each in together)
    assert len(together) >= len(greedy)
    if len(together) == len(greedy):
        assert sum(each.score_s for each in together) <= sum(each.score_s for each in greedy) * (1 + 1e-9)


def test_a_task_for_several_gets_several() -> None:
    _, found = _found([[5.0, 1.0, 3.0, inf, 9.0]])
    chosen = assign([task("t0", number=3)], found)
    assert sorted(each.team for each in chosen) == ["c0", "c1", "c2"]


@given(scores, st.lists(st.floats(1.0, 1e5), min_size=5, max_size=5))
def test_nobody_is_replaced_for_less_than_both_margins(table: list[list[float]], current: list[float]) -> None:
    tasks, found = _found(table)
    under_way = [
        Candidate(team=f"now{row}", task=one.id, eta_s=current[row], load=0, score_s=current[row])
        for row, one in enumerate(tasks)
    ]
    changes = better(under_way, found)
    assert len({each.after.team for each in changes}) == len(changes)
    for change in changes:
        now = next(each for each in under_way if each.task == change.task)
        assert now.eta_s - change.after.eta_s == change.sooner_s >= BETTER_S
        assert change.sooner_s >= BETTER_SHARE * now.score_s - 1e-6
    kept = {each.task for each in under_way} - {each.task for each in changes}
    taken = {each.after.team for each in changes}
    for now in under_way:
        if now.task in kept:
            assert all(
                now.eta_s - other.eta_s < max(BETTER_S, BETTER_SHARE * now.score_s)
                for other in found[now.task]
                if other.team not in taken
            ), "a gain that is big enough is taken"


def test_who_is_near_or_on_the_road_of_the_task_has_arrived() -> None:
    assert has_arrived(team("a", "r4"), task(), None)
    assert not has_arrived(team("a", "r3"), task(), None)
    assert has_arrived(team("a", None), task(), 59.0)
    assert not has_arrived(team("a", "r4"), task(), 61.0)


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    unit: str = ""


def test_a_line_for_somebody_near_goes_to_the_event_and_names_the_unit() -> None:
    means = {each.name: each for each in (playing.means("people.tow", parameters=Crew), playing.means("people.call"))}
    context = Context(means=means, executed=frozenset(means), nearest=lambda what, _: f"urn:{what}:7")
    lines = [
        playing.line(1, "people.tow", target="nearest:tow"),
        playing.line(2, "people.call", target="nearest:tow"),
        playing.line(3, "people.tow", target="nearest:tow", parameters={"unit": "urn:tow:chosen"}),
    ]
    happened = playing.event()
    planned = plan(happened, [playing.version(playing.playbook("one", *lines))], context)
    assert planned is not None
    assert [(each.entity_id, dict(each.parameters)) for each in planned.lines] == [
        (happened.entity_id, {"unit": "urn:tow:7"}),
        ("urn:tow:7", {}),
        (happened.entity_id, {"unit": "urn:tow:chosen"}),
    ]
