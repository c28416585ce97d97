# SPDX-License-Identifier: Apache-2.0
"""Definitions of case types: what cannot work is refused with the reason, and versions stay what they were."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.case_type import CaseType, Move, Phase, State, TransferRule
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.definition import faults
from citybrain.kernel.cases.numbering import fixed_part, number_of
from citybrain.kernel.cases.refusals import MoveNotInTable, NoSuchCaseType, UnusableCaseType
from citybrain.kernel.cases.rights import PERMISSIONS
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import MOVES, NOON, ROADS, ROADS_HEAD, TICKET, operator, pothole
from citybrain.kernel.db import Database


def with_move(**changes: object) -> CaseType:
    move = {"name": "extra", "from_": ("new",), "to": "done", **changes}
    return replace(TICKET, moves=(*MOVES, Move(**move)))  # type: ignore[arg-type]


def with_state(name: str, state: State) -> CaseType:
    return replace(TICKET, states={**TICKET.states, name: state})


# fmt: off
WRONG = [
    (replace(TICKET, id="Bad Id"), "case_type_id_unusable", {"type": "Bad Id"}),
    (replace(TICKET, numbering="HT{seq:4}x"), "case_numbering_unusable", {"numbering": "HT{seq:4}x"}),
    (replace(TICKET, initial="nowhere"), "case_state_unknown", {"move": "initial", "state": "nowhere"}),
    (with_move(to="gone"), "case_state_unknown", {"move": "extra", "state": "gone"}),
    (with_move(from_=("gone",)), "case_state_unknown", {"move": "extra", "state": "gone"}),
    (with_move(name="accept"), "case_move_twice", {"move": "accept", "state": "new"}),
    (with_move(assignee="any"), "case_move_assignee_unknown", {"move": "extra", "assignee": "any"}),
    (with_move(permission="fly"), "case_move_for_nobody", {"move": "extra", "permission": "fly", "roles": ""}),
    (with_move(roles=("king",)), "case_move_for_nobody",
        {"move": "extra", "permission": "case.work", "roles": "king"}),
    (with_move(fields=("colour",)), "case_field_unknown", {"move": "extra", "field": "colour"}),
    (replace(TICKET, searched=("colour",)), "case_field_unknown", {"move": "search", "field": "colour"}),
    (replace(TICKET, merges_into="new"), "case_merges_into_open", {"state": "new"}),
    (replace(TICKET, transfers=TransferRule(to_state="gone")), "case_state_unknown",
        {"move": "transfers", "state": "gone"}),
    (with_state("island", State(phase=Phase.CLOSED)), "case_state_unreachable", {"state": "island"}),
    (replace(with_move(to="trap"), states={**TICKET.states, "trap": State()}), "case_never_closed", {"state": "trap"}),
]
# fmt: on


@pytest.mark.parametrize(("definition", "code", "facts"), WRONG)
def test_what_cannot_work_is_told_by_name(definition: CaseType, code: str, facts: dict[str, str]) -> None:
    found = faults(definition, permissions=PERMISSIONS, roles=("clerk", "head"))
    assert [(each.code, each.facts) for each in found] == [(f"kernel.{code}", facts)]


def test_a_form_must_be_a_json_schema() -> None:
    (fault,) = faults(replace(TICKET, form={"type": "thing"}))
    assert (fault.code, fault.facts["where"]) == ("kernel.case_form_unusable", "$.type")


def test_a_definition_that_works_has_no_faults() -> None:
    assert faults(TICKET, permissions=PERMISSIONS, roles=("clerk", "head")) == []


def test_a_move_of_the_city_itself_needs_nobody() -> None:
    assert faults(with_move(permission="", automatic=True), permissions=PERMISSIONS, roles=()) != []
    assert faults(with_move(automatic=True, roles=("king",)), roles=("head",)) == []


def test_numbers_are_counted_anew_for_each_day_of_the_city() -> None:
    evening_in_utc = NOON.replace(hour=17)  # 01:00 of the next day in Shanghai
    assert fixed_part("{type}{yyyymmdd}-{seq:4}", "ticket", evening_in_utc) == "TICKET20260303-"
    assert number_of("A{seq:4}", "A", 12) == "A0012"
    assert number_of("A{seq:4}", "A", 123456) == "A123456"


async def test_a_case_keeps_the_version_it_began_with(cases: Cases, db: Database) -> None:
    old = await cases.open(ROADS, pothole())
    newer = replace(TICKET, rating=True)
    await cases.types.put(newer, by="operator", now=NOON + timedelta(seconds=1))
    fresh = await cases.open(ROADS, pothole())
    assert (old.type_version, fresh.type_version) == (1, 2)
    assert (await cases.get(ROADS, old.id)).type_version == 1
    moved = await cases.convert(ROADS_HEAD, old.id, 2)
    assert (moved.type_version, moved.state) == (2, old.state)
    assert [each.version for each in await cases.types.versions("ticket")] == [1, 2]


async def test_a_version_that_does_not_know_its_state_takes_no_case(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    other = replace(
        TICKET,
        initial="fresh",
        states={"fresh": State(), "done": State(phase=Phase.CLOSED)},
        moves=(Move(name="finish", from_=("fresh",), to="done"),),
        transfers=TransferRule(),
    )
    newest = await cases.types.put(other, by="operator", now=NOON + timedelta(seconds=2))
    assert await cases.types.states_without_place("ticket", version=case.type_version, to=newest.version) == ["new"]
    with pytest.raises(MoveNotInTable, match="state_not_in_version"):
        await cases.convert(ROADS_HEAD, case.id, newest.version)


async def test_only_who_may_edit_types_publishes_one_that_works(db: Database) -> None:
    types = CaseTypes(db)
    with pytest.raises(NotPermitted):
        await types.publish(ROADS, TICKET, now=NOON)
    with pytest.raises(UnusableCaseType) as refused:
        await types.publish(operator(), replace(TICKET, initial="nowhere"), now=NOON)
    assert refused.value.facts["faults"][0]["code"] == "kernel.case_state_unknown"
    with pytest.raises(NoSuchCaseType):
        await types.current("unheard_of", NOON)


async def test_what_comes_with_the_city_is_published_once(db: Database) -> None:
    types = CaseTypes(db)
    own = replace(TICKET, id="own")
    first = await types.put(own, by="city", now=NOON)
    assert await types.put(own, by="city", now=NOON + timedelta(days=1)) == first
    changed = await types.put(replace(own, rating=True), by="city", now=NOON + timedelta(days=1))
    assert (changed.version, (await types.get("own", 1)).rating) == (2, False)
    assert await types.current("own", NOON) == msgspec.structs.replace(first, valid_to=changed.valid_from)
    assert list((await types.get("own", 2)).states) == list(TICKET.states)
