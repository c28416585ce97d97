# SPDX-License-Identifier: Apache-2.0
"""Which registrations an operation concerns, which may stand side by side, and that they are kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.registrations.conflicts import RegistrationConflict
from citybrain.kernel.registrations.discovery import Period, Timerel, as_document, is_in_period, read_period
from citybrain.kernel.registrations.index import Index, Wanted, match_of
from citybrain.kernel.registrations.model import EntityInfo, Information, Mode, Registration
from citybrain.kernel.registrations.registrations import (
    AlreadyExists,
    RegistrationChange,
    Registrations,
    ResourceNotFound,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def registration(id: str = "urn:r:1", **fields: Any) -> Registration:
    information = fields.pop("information", (Information(entities=(EntityInfo(types=("Road",)),)),))
    return Registration(id=id, endpoint="http://north.example", information=information, **fields)


def about(*, properties: tuple[str, ...] = (), **info: Any) -> tuple[Information, ...]:
    return (Information(entities=(EntityInfo(**info),), properties=properties),)


ROAD_1 = about(id="urn:road:1", types=("Road",), properties=("speed",))
# fmt: off
MATCHES = [
    (about(types=("Road",)),               Wanted(types=("Road",)),                    True,  "its type"),
    (about(types=("Road",)),               Wanted(types=("Lane",)),                    False, "another type"),
    (about(types=("Road",)),               Wanted(ids=("urn:x",)),                     True,  "a group holds any id"),
    (about(id="urn:x", types=("Road",)),   Wanted(ids=("urn:x",)),                     True,  "its id"),
    (about(id="urn:x", types=("Road",)),   Wanted(ids=("urn:y",)),                     False, "another id"),
    (about(id="urn:x", types=("Road",)),   Wanted(ids=("urn:x",), types=("Lane",)),    False, "in another type"),
    (about(id_pattern="^urn:a"),           Wanted(ids=("urn:ab",)),                    True,  "its pattern"),
    (about(id_pattern="^urn:a"),           Wanted(ids=("urn:ba",)),                    False, "an anchored pattern"),
    (about(id_pattern="b"),                Wanted(ids=("urn:ab",)),                    True,  "found anywhere"),
    (about(id_pattern="^urn:a"),           Wanted(id_pattern="z$"),                    True,  "both may meet"),
    (about(id="urn:az"),                   Wanted(id_pattern="z$"),                    True,  "its id fits"),
    (ROAD_1,                               Wanted(attributes=frozenset({"speed"})),    True,  "its attribute"),
    (ROAD_1,                               Wanted(attributes=frozenset({"width"})),    False, "another attribute"),
    (about(types=("Road",)),               Wanted(attributes=frozenset({"width"})),    True,  "it limits none"),
    ((Information(properties=("speed",)),), Wanted(types=("Lane",)),                   True,  "any entity with it"),
]
# fmt: on


@pytest.mark.parametrize(("information", "wanted", "does", "why"), MATCHES)
def test_a_registration_matches_what_its_source_could_hold(
    information: tuple[Information, ...], wanted: Wanted, does: bool, why: str
) -> None:
    index = Index()
    index.add(registration(information=information))
    assert bool(index.find(wanted)) is does, why


names = st.sampled_from(["a", "b", "c"])
types = st.lists(names, max_size=2, unique=True).map(tuple)
infos = st.one_of(
    st.builds(EntityInfo, types=types, id=st.sampled_from(["", "urn:a", "urn:b"])),
    st.builds(EntityInfo, types=types, id_pattern=st.sampled_from(["a$", "^urn"])),
)
informations = st.builds(
    Information, entities=st.lists(infos, max_size=2).map(tuple), properties=st.lists(names, max_size=2).map(tuple)
)
wanteds = st.builds(
    Wanted,
    ids=st.lists(st.sampled_from(["urn:a", "urn:b", "urn:c"]), max_size=2, unique=True).map(tuple),
    id_pattern=st.sampled_from(["", "b$"]),
    types=st.lists(names, max_size=2, unique=True).map(tuple),
    attributes=st.frozensets(names, max_size=2),
)


@given(st.lists(st.lists(informations, min_size=1, max_size=2).map(tuple), max_size=6), wanteds)
def test_the_index_finds_what_walking_through_all_would_find(all_of: list[Any], wanted: Wanted) -> None:
    index = Index()
    registrations = [registration(f"urn:r:{number}", information=each) for number, each in enumerate(all_of)]
    for each in registrations:
        index.add(each)
    found = {match.registration.id for match in index.find(wanted)}
    assert found == {each.id for each in registrations if match_of(each, wanted) is not None}
    for each in registrations:
        index.remove(each.id)
    assert index.find(wanted) == []


def test_only_what_is_wanted_and_registered_is_asked_of_a_source() -> None:
    index = Index()
    index.add(registration(information=about(types=("Road", "Lane"), properties=("speed", "width"))))
    [match] = index.find(Wanted(types=("Road",), attributes=frozenset({"speed", "name"})))
    assert (match.types, match.attributes) == (("Road",), frozenset({"speed"}))
    [everything] = index.find(Wanted(types=("Road",)))
    assert everything.attributes == frozenset({"speed", "width"})


def test_expired_registrations_count_as_deleted_and_sources_of_the_past_need_a_time() -> None:
    past = registration(members={"observationInterval": {"startAt": "2020-01-01T00:00:00Z"}})
    assert not is_in_period(past, None)
    assert is_in_period(past, read_period({"timerel": "before", "timeAt": "2021-01-01T00:00:00Z"}))
    assert not is_in_period(past, read_period({"timerel": "before", "timeAt": "2019-01-01T00:00:00Z"}))
    managed = Period(timerel=Timerel.AFTER, at=NOON, timeproperty="modifiedAt")
    assert not is_in_period(past, managed)


def test_a_registration_can_be_asked_like_an_entity() -> None:
    shown = as_document(registration(scopes=("/north",), properties={"department": {"type": "Property", "value": 3}}))
    assert shown.scopes == ("/north",)
    assert shown.attributes["department"][0].value == 3
    assert shown.attributes["endpoint"][0].value == "http://north.example"


def nobody(info: EntityInfo) -> list[Document]:
    return []


def road(*attributes: str) -> Document:
    value = (Instance(type=AttributeType.PROPERTY, value=1),)
    return Document(id="urn:road:1", types=("Road",), attributes=dict.fromkeys(attributes, value))


# fmt: off
SIDE_BY_SIDE = [
    (Mode.EXCLUSIVE, Mode.EXCLUSIVE, False),
    (Mode.EXCLUSIVE, Mode.REDIRECT,  False),
    (Mode.REDIRECT,  Mode.EXCLUSIVE, False),
    (Mode.REDIRECT,  Mode.REDIRECT,  True),
    (Mode.EXCLUSIVE, Mode.INCLUSIVE, True),
    (Mode.INCLUSIVE, Mode.EXCLUSIVE, True),
]
# fmt: on


@pytest.mark.parametrize(("first", "second", "may"), SIDE_BY_SIDE)
async def test_nothing_else_may_hold_what_is_exclusive(db: Database, first: Mode, second: Mode, may: bool) -> None:
    tenant = f"{first}-{second}"
    registrations = await Registrations.open(db)
    await registrations.create(tenant, registration("urn:r:1", mode=first, information=ROAD_1), nobody, NOON)
    try:
        await registrations.create(tenant, registration("urn:r:2", mode=second, information=ROAD_1), nobody, NOON)
    except RegistrationConflict:
        assert not may
    else:
        assert may


async def test_what_is_held_here_cannot_be_given_to_a_source_alone(db: Database) -> None:
    registrations = await Registrations.open(db)
    exclusive, redirect = registration(mode=Mode.EXCLUSIVE, information=ROAD_1), registration(mode=Mode.REDIRECT)
    with pytest.raises(RegistrationConflict):
        await registrations.create("held", exclusive, lambda info: [road("speed")], NOON)
    with pytest.raises(RegistrationConflict):
        await registrations.create("held", redirect, lambda info: [road("width")], NOON)
    await registrations.create("held", exclusive, lambda info: [road("width")], NOON)


async def test_registrations_are_kept_in_order_and_changes_are_told_in_their_transaction(db: Database) -> None:
    told: list[RegistrationChange] = []

    async def watch(change: RegistrationChange, transaction: Transaction) -> None:
        told.append(change)

    registrations = await Registrations.open(db)
    registrations.watchers.append(watch)
    for number in (2, 1, 3):
        await registrations.create("t", registration(f"urn:r:{number}"), nobody, NOON)
    with pytest.raises(AlreadyExists):
        await registrations.create("t", registration("urn:r:1"), nobody, NOON)
    await registrations.update("t", registration("urn:r:2", alias="north"), nobody, NOON)
    await registrations.delete("t", "urn:r:3", NOON)
    with pytest.raises(ResourceNotFound):
        await registrations.delete("t", "urn:r:3", NOON)
    again = await Registrations.open(db)
    assert [one.id for one in again.all("t", NOON)] == ["urn:r:2", "urn:r:1"]
    assert again.get("t", "urn:r:2", NOON).alias == "north"
    assert [(bool(change.before), bool(change.after)) for change in told] == [
        (False, True), (False, True), (False, True), (True, True), (True, False),
    ]  # fmt: skip


async def test_a_change_that_a_watcher_cannot_write_is_no_change(db: Database) -> None:
    class Full(Exception):
        pass

    async def watch(change: RegistrationChange, transaction: Transaction) -> None:
        raise Full

    registrations = await Registrations.open(db)
    registrations.watchers.append(watch)
    with pytest.raises(Full):
        await registrations.create("lost", registration(), nobody, NOON)
    assert not (await Registrations.open(db)).any("lost")
    assert not registrations.any("lost")


async def test_an_expired_registration_makes_room_for_a_new_one(db: Database) -> None:
    registrations = await Registrations.open(db)
    await registrations.create("old", registration(expires_at="2026-11-25T13:00:00Z"), nobody, NOON)
    later = NOON + timedelta(hours=2)
    assert registrations.find("old", Wanted(types=("Road",)), later) == []
    with pytest.raises(ResourceNotFound):
        registrations.get("old", "urn:r:1", later)
    await registrations.create("old", registration(), nobody, later)
    assert len(registrations.find("old", Wanted(types=("Road",)), later)) == 1


def test_ten_thousand_registrations_are_not_walked_through() -> None:
    index = Index()
    for number in range(10_000):
        index.add(registration(f"urn:r:{number}", information=about(types=(f"Type{number // 34}",))))
    assert len(index.find(Wanted(types=("Type7",)))) == 34
    assert len(index._candidates(Wanted(types=("Type7",)))) == 34
