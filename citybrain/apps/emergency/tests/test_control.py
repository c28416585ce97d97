# SPDX-License-Identifier: Apache-2.0
"""Levels and states: what one person may do, what takes two, and what does not fit."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from citybrain.apps.emergency.choice import nearest
from citybrain.apps.emergency.control import (
    CONFIRM_WITHIN,
    NEXT,
    NotNow,
    OtherPersonNeeded,
    SomethingMissing,
    Wish,
    apply,
    begins_at,
    new_tasks,
    possible,
    wanted_roles,
)
from citybrain.apps.emergency.model import Act, Incident, Level, Plan, PlanRole, PlanTask, Response, State
from citybrain.apps.emergency.service.desk import PlanUnusable, check
from citybrain.kernel.records import Entity, Json

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def incident(level: Level = Level.III, state: State = State.ACTIVE) -> Incident:
    return Incident(
        id="i",
        number=1,
        title="t",
        plan="flood",
        plan_version=1,
        level=level,
        state=state,
        declared_by="ann",
        declared_at=NOW,
        level_at=NOW,
    )


def wish(act: Act, level: Level | None = None, by: str = "ann", reason: str = "rain", at: datetime = LATER) -> Wish:
    return Wish(act=act, by=by, at=at, level=level, reason=reason)


@pytest.mark.parametrize(
    ("level", "begins"),
    [(Level.I, Level.III), (Level.II, Level.III), (Level.III, Level.III), (Level.IV, Level.IV)],
)
def test_one_person_declares_up_to_level_three(level: Level, begins: Level) -> None:
    assert begins_at(level) is begins


@pytest.mark.parametrize(
    ("level", "act", "to", "two"),
    [
        (Level.IV, Act.RAISE, Level.III, False),
        (Level.IV, Act.RAISE, Level.II, True),
        (Level.III, Act.RAISE, Level.I, True),
        (Level.III, Act.LOWER, Level.IV, False),
        (Level.II, Act.LOWER, Level.III, True),
        (Level.III, Act.STAND_DOWN, None, False),
        (Level.I, Act.STAND_DOWN, None, True),
    ],
)
def test_levels_one_and_two_take_two_persons_in_and_out(level: Level, act: Act, to: Level | None, two: bool) -> None:
    made = apply(incident(level), wish(act, to))
    assert (made.incident.proposal is not None) is two
    if not two:
        assert made.act is act
        return
    assert (made.act, made.incident.level, made.incident.state) == (Act.PROPOSE, level, State.ACTIVE)
    with pytest.raises(OtherPersonNeeded):
        apply(made.incident, wish(Act.CONFIRM))
    confirmed = apply(made.incident, wish(Act.CONFIRM, by="bob"))
    assert (confirmed.act, confirmed.by, confirmed.second_by) == (act, "ann", "bob")
    assert confirmed.incident.level is (to or level)
    assert confirmed.incident.proposal is None


def test_whoever_acts_for_the_first_person_is_not_the_second_one_and_no_program_is() -> None:
    waiting = apply(incident(), wish(Act.RAISE, Level.I)).incident
    deputy = msgspec.structs.replace(wish(Act.CONFIRM, by="bob"), for_whom="ann")
    program = msgspec.structs.replace(wish(Act.CONFIRM, by="bot"), is_person=False)
    for each in (deputy, program):
        with pytest.raises(OtherPersonNeeded):
            apply(waiting, each)
    with pytest.raises(OtherPersonNeeded):
        apply(incident(), msgspec.structs.replace(wish(Act.RAISE, Level.I), is_person=False))
    by_program = msgspec.structs.replace(wish(Act.RAISE, Level.III), is_person=False)
    assert apply(incident(Level.IV), by_program).incident.level is Level.III, "one may be a program"


def test_while_something_waits_only_that_can_be_decided_and_after_half_an_hour_it_is_forgotten() -> None:
    waiting = apply(incident(), wish(Act.RAISE, Level.I)).incident
    assert possible(waiting, LATER) == (Act.CONFIRM, Act.WITHDRAW)
    with pytest.raises(NotNow):
        apply(waiting, wish(Act.STAND_DOWN))
    late = LATER + CONFIRM_WITHIN
    with pytest.raises(NotNow):
        apply(waiting, wish(Act.CONFIRM, by="bob", at=late))
    assert apply(waiting, wish(Act.STAND_DOWN, at=late)).incident.state is State.ENDED
    assert apply(waiting, wish(Act.WITHDRAW)).incident.proposal is None


@pytest.mark.parametrize(
    ("level", "act", "to"),
    [
        (Level.III, Act.RAISE, Level.III),
        (Level.III, Act.RAISE, Level.IV),
        (Level.III, Act.LOWER, Level.II),
        (Level.I, Act.RAISE, Level.I),
        (Level.IV, Act.LOWER, Level.IV),
        (Level.III, Act.CONFIRM, None),
        (Level.III, Act.DECLARE, None),
    ],
)
def test_what_does_not_fit_is_refused(level: Level, act: Act, to: Level | None) -> None:
    with pytest.raises(NotNow):
        apply(incident(level), wish(act, to))


def test_a_reason_and_a_level_are_needed() -> None:
    with pytest.raises(SomethingMissing):
        apply(incident(), wish(Act.RAISE, Level.II, reason=" "))
    with pytest.raises(SomethingMissing):
        apply(incident(), wish(Act.LOWER))


def test_an_incident_ends_is_taken_up_again_and_is_closed_for_ever() -> None:
    ended = apply(incident(), wish(Act.STAND_DOWN)).incident
    assert (ended.state, ended.ended_at) == (State.ENDED, LATER)
    again = apply(ended, wish(Act.RESUME)).incident
    assert (again.state, again.ended_at) == (State.ACTIVE, None)
    closed = apply(ended, wish(Act.CLOSE)).incident
    assert (closed.state, closed.closed_at, closed.ended_at) == (State.CLOSED, LATER, LATER)
    assert possible(closed, LATER) == ()
    assert set(NEXT) == set(State)


def plan() -> Plan:
    def response(*roles: str, numbers: tuple[int, ...] = ()) -> Response:
        tasks = tuple(
            PlanTask(number=number, title={"zh": "t", "en": "t"}, department="fire", minutes=5) for number in numbers
        )
        return Response(condition={}, roles=roles, tasks=tasks)

    return Plan(
        id="p",
        name={"zh": "p", "en": "p"},
        roles=tuple(PlanRole(id=role, name={}) for role in ("commander", "deputy", "medical")),
        responses={
            "I": response("medical", numbers=(1,)),
            "II": response("deputy", numbers=(1, 2)),
            "IV": response("commander", numbers=(1,)),
        },
    )


@pytest.mark.parametrize(
    ("before", "level", "added"),
    [
        (None, Level.IV, [("IV", 1)]),
        (None, Level.II, [("IV", 1), ("II", 1), ("II", 2)]),
        (Level.III, Level.I, [("II", 1), ("II", 2), ("I", 1)]),
        (Level.II, Level.I, [("I", 1)]),
        (Level.IV, Level.III, []),
    ],
)
def test_a_level_adds_its_tasks_to_those_below(
    before: Level | None, level: Level, added: list[tuple[Level, int]]
) -> None:
    assert new_tasks(plan(), before, level) == added


def test_a_level_wants_the_roles_of_those_below_too() -> None:
    assert wanted_roles(plan(), Level.III) == ("commander",)
    assert set(wanted_roles(plan(), Level.I)) == {"commander", "deputy", "medical"}


@pytest.mark.parametrize(
    "strange",
    [
        {"responses": {}},
        {"responses": {"V": Response(condition={})}},
        {"responses": {"IV": Response(condition={}, roles=("nobody",))}},
        {"roles": (PlanRole(id="commander", name={}), *plan().roles)},
        {"name": {"zh": "p"}},
        {"responses": {"IV": Response(condition={}, tasks=(plan().responses["IV"].tasks[0],) * 2)}},
    ],
)
def test_a_plan_that_could_not_be_followed_is_refused(strange: dict[str, Json]) -> None:
    check(plan())
    with pytest.raises(PlanUnusable):
        check(msgspec.structs.replace(plan(), **strange))


def test_the_nearest_with_room_comes_first() -> None:
    def shelter(name: str, longitude: float, capacity: float | None, used: float = 0, kind: str = "school") -> Entity:
        facts = {"kind": kind, "used": used} | ({} if capacity is None else {"capacity": capacity})
        return Entity(
            id=name,
            type="EmergencyShelter",
            source="test",
            observed_at=NOW,
            geometry={"type": "Point", "coordinates": [longitude, 30]},
            attributes=facts,
        )

    known = [shelter("far", 120.3, 500), shelter("full", 120.1, 100, 100), shelter("near", 120.11, 200, 50)]
    known += [shelter("unknown", 120.1, None), shelter("park", 120.1, 900, kind="park")]
    found = nearest(known, at=(120.1, 30.0), kind="school", free=100)
    assert [(each.id, each.free) for each in found] == [("near", 150), ("far", 500)]
    assert found[0].distance_m == 963
    assert [each.id for each in nearest(known, at=None)] == ["far", "full", "near", "park", "unknown"]
