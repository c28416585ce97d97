# SPDX-License-Identifier: Apache-2.0
"""A case goes to a department that is there and to somebody who may work on it; a dissolved department leaves none."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from citybrain.kernel.access import Access, Actor, Kind
from citybrain.kernel.access.acts import NoSuchAccount
from citybrain.kernel.access.departments import NoSuchDepartment
from citybrain.kernel.access.grants import NewMembership
from citybrain.kernel.cases.case import Case, MoveFacts, Opening
from citybrain.kernel.cases.case_type import CaseType, Move, Need, Phase, State, TransferRule
from citybrain.kernel.cases.query import CaseQuery
from citybrain.kernel.cases.refusals import AssigneeElsewhere, NoSuchCase
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store

PASSWORD = "correct horse battery"
ERRAND = CaseType(
    id="errand",
    name={"zh": "事项", "en": "Errand"},
    initial="new",
    states={"new": State(), "done": State(phase=Phase.CLOSED)},
    moves=(
        Move(name="send", from_=("new",), to="new", needs=(Need.DEPARTMENT,)),
        Move(name="give", from_=("new",), to="new", needs=(Need.ASSIGNEE,)),
        Move(name="finish", from_=("new",), to="done"),
    ),
    transfers=TransferRule(at_most=9),
)


class Town:
    """Three departments, of which sewers is below water, and who works there."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def actor(self, name: str, *roles: str) -> Actor:
        return self.access.policy.actor(name, Kind.STAFF, roles, utc_now())


@pytest.fixture
async def town(store: Store) -> AsyncIterator[Town]:
    access, now = store.access, utc_now()
    await store.db.write("TRUNCATE department, post, role, membership, delegation CASCADE")
    town = Town(access)
    people = {"admin-1": ("admin",), "security-1": ("security",), "boss": ("operator",), "closed": ()}
    for name in ("wang", "zhao", "li", "sun"):
        people[name] = ()
    for name, roles in people.items():
        await access.add_account(name, PASSWORD, roles=roles, now=now)
    admin, security = town.actor("admin-1", "admin"), town.actor("security-1", "security")
    for id, parent in (("water", None), ("sewers", "water"), ("roads", None)):
        await access.departments.add(admin, id, name={"zh": id, "en": id}, parent=parent, now=now)
    for account, department, below in (
        ("wang", "water", True),
        ("zhao", "sewers", False),
        ("li", "roads", False),
        ("closed", "water", False),
    ):
        granted = NewMembership(account=account, department=department, role="head", below=below)
        await access.grants.give(security, granted, now=now)
    await access.accounts.close(admin, "closed", now=now)
    await store.cases.types.put(ERRAND, by="city", now=now - timedelta(hours=1))
    yield town
    await store.db.write("TRUNCATE department, post, role, membership, delegation CASCADE")
    await access.refresh()


async def errand(store: Store, town: Town, department: str = "water") -> Case:
    opening = Opening(type="errand", title="x", department=department)
    return await store.cases.open(town.actor("boss", "operator"), opening)


async def test_a_case_goes_only_to_a_department_that_is_there(store: Store, town: Town) -> None:
    case, wang = await errand(store, town), town.actor("wang")
    with pytest.raises(NoSuchDepartment):
        await store.cases.transfer(wang, case.id, "waters", "不归我们")
    with pytest.raises(NoSuchDepartment):
        await store.cases.join(wang, case.id, "road", "请协助")
    with pytest.raises(NoSuchDepartment):
        await store.cases.move(wang, case.id, "send", MoveFacts(department="nowhere"))
    assert (await store.cases.get(wang, case.id)).version == 1
    assert (await store.cases.transfer(wang, case.id, "roads", "不归我们")).department == "roads"


# fmt: off
ASSIGNED = [
    ("wang",   None,              "belongs there"),
    ("boss",   None,              "reaches the whole city"),
    ("li",     AssigneeElsewhere, "belongs elsewhere"),
    ("zhao",   AssigneeElsewhere, "belongs below, and does not reach up"),
    ("sun",    AssigneeElsewhere, "belongs nowhere"),
    ("closed", NoSuchAccount,     "has left"),
    ("nobody", NoSuchAccount,     "never was"),
]
# fmt: on


@pytest.mark.parametrize(("name", "refused", "why"), ASSIGNED)
async def test_a_case_is_given_only_to_who_may_work_on_it(
    store: Store, town: Town, name: str, refused: type[Exception] | None, why: str
) -> None:
    case, wang = await errand(store, town), town.actor("wang")
    if refused is None:
        assert (await store.cases.assign(wang, case.id, name)).assignee == name, why
        await store.cases.to_pool(town.actor("boss", "operator"), case.id)
        assert (await store.cases.move(wang, case.id, "give", MoveFacts(assignee=name))).assignee == name, why
        return
    with pytest.raises(refused):
        await store.cases.assign(wang, case.id, name)
    with pytest.raises(refused):
        await store.cases.move(wang, case.id, "give", MoveFacts(assignee=name))


async def test_who_reaches_from_above_may_be_given_what_lies_below(store: Store, town: Town) -> None:
    case = await errand(store, town, "sewers")
    assert (await store.cases.assign(town.actor("wang"), case.id, "wang")).assignee == "wang"
    assert (await store.cases.assign(town.actor("wang"), case.id, "zhao")).assignee == "zhao"


async def test_a_dissolved_department_leaves_its_open_cases_to_its_successor(store: Store, town: Town) -> None:
    case, done = await errand(store, town), await errand(store, town)
    await store.cases.assign(town.actor("wang"), case.id, "wang")
    await store.cases.move(town.actor("boss", "operator"), done.id, "finish")
    with pytest.raises(NoSuchCase):
        await store.cases.get(town.actor("li"), case.id)
    admin = town.actor("admin-1", "admin")
    await town.access.departments.dissolve(admin, "water", successor="roads", now=utc_now())
    li = town.actor("li")
    assert (await store.cases.get(li, case.id)).department == "water", "seen at once"
    hand_over = next(do for name, _, do in store.casework.chores if name == "case_heirs")
    assert await hand_over(utc_now()) not in (0, None)
    assert await hand_over(utc_now()) == 0
    handed = await store.cases.get(li, case.id)
    assert (handed.department, handed.assignee) == ("roads", None)
    assert case.id in [each.id for each in (await store.cases.find(li, CaseQuery(departments=("roads",)))).cases]
    assert (await store.cases.get(li, done.id)).department == "water", "what is done stays where it was done"
    with pytest.raises(AssigneeElsewhere):
        await store.cases.assign(li, case.id, "sun")
    assert (await store.cases.take(li, case.id)).assignee == "li"
    assert (await store.cases.move(li, case.id, "finish")).phase is Phase.CLOSED
