# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from citybrain.kernel.access import Access, Actor, NotPermitted, Reach, TwoPowers, UnknownPermission, reach, require
from citybrain.kernel.access.accounts import AccountExists, PowerHeld
from citybrain.kernel.access.acts import NoSuchAccount
from citybrain.kernel.access.departments import (
    BadId,
    DepartmentExists,
    DepartmentLoop,
    NoSuchDepartment,
    Post,
    PostHeld,
)
from citybrain.kernel.access.entrance import NotDelegated
from citybrain.kernel.access.grants import BadPeriod, GrantToOneself, NewDelegation, NewMembership, NoSuchGrant, Reason
from citybrain.kernel.access.passwords import PasswordTooWeak
from citybrain.kernel.access.policy import RoleRight
from citybrain.kernel.access.powers import POWERS, PowerPermission
from citybrain.kernel.access.roles import RoleChanged, RoleInUse, RoleTaken, UnknownRole
from citybrain.kernel.access.tests.scene import DAY, DECLARED, HOUR, NOON, PASSWORD, acting, staff
from citybrain.kernel.db import Database, Transaction

NAME = {"zh": "水务局", "en": "Water"}
CLEAN = "TRUNCATE account, department, post, role, membership, delegation, sign_in_attempt CASCADE"


@pytest.fixture
async def access(db: Database) -> AsyncIterator[Access]:
    await db.write(CLEAN)
    made = Access(db, DECLARED, clock=lambda: NOON)
    await made.load(NOON)
    yield made


@pytest.fixture
async def admin(access: Access) -> Actor:
    return await staff(access, "admin-1", "admin")


@pytest.fixture
async def security(access: Access) -> Actor:
    return await staff(access, "security-1", "security")


async def tree(access: Access, admin: Actor) -> None:
    """city ── water ── pipes, city ── roads."""
    for id, parent in (("city", None), ("water", "city"), ("pipes", "water"), ("roads", "city")):
        await access.departments.add(admin, id, name=NAME, parent=parent, now=NOON)


async def test_a_role_given_in_a_department_holds_from_the_next_request_until_it_is_taken(
    access: Access, admin: Actor, security: Actor
) -> None:
    await tree(access, admin)
    await staff(access, "li")
    number = await access.grants.give(security, NewMembership(account="li", department="water", role="clerk"), now=NOON)
    assert reach(acting(access, "li"), "case.view") == Reach(departments=frozenset({"water"}))
    await access.grants.take(security, number, now=NOON + HOUR)
    assert not reach(acting(access, "li", now=NOON + HOUR), "case.view")
    with pytest.raises(NoSuchGrant):
        await access.grants.take(security, number, now=NOON + HOUR)


async def test_rights_are_there_again_after_a_restart(
    access: Access, admin: Actor, security: Actor, db: Database
) -> None:
    await tree(access, admin)
    await staff(access, "li")
    await access.roles.save(
        security, "inspector", shown_name=NAME, permissions={"case.move": RoleRight()}, expected_version=0, now=NOON
    )
    new = NewMembership(account="li", department="water", role="inspector", below=True)
    await access.grants.give(security, new, now=NOON)
    again = Access(db, DECLARED, clock=lambda: NOON)
    await again.load(NOON)
    assert reach(acting(again, "li"), "case.move").departments == {"water", "pipes"}
    less = Access(db)
    await less.load(NOON)
    assert not reach(acting(less, "li"), "case.move"), "what no part of the city declares any more is given by no role"


async def test_a_post_brings_its_roles_to_whoever_holds_it(access: Access, admin: Actor, security: Actor) -> None:
    await tree(access, admin)
    await staff(access, "li")
    desk = Post(id="desk-1", department="water", name=NAME, roles=("clerk",))
    await access.departments.save_post(admin, desk, now=NOON, roles=await access.roles.names())
    with pytest.raises(NoSuchDepartment):
        await access.grants.give(security, NewMembership(account="li", department="roads", post="desk-1"), now=NOON)
    await access.grants.give(security, NewMembership(account="li", department="water", post="desk-1"), now=NOON)
    require(acting(access, "li"), "case.view", department="water")
    with pytest.raises(PostHeld):
        await access.departments.remove_post(admin, "desk-1")
    for role in ("admin", "unheard"):
        bad = Post(id="desk-2", department="water", name=NAME, roles=(role,))
        with pytest.raises(PowerPermission):
            await access.departments.save_post(admin, bad, now=NOON, roles=await access.roles.names())


async def test_a_dissolved_department_hands_on_its_members_posts_and_rows(
    access: Access, admin: Actor, security: Actor
) -> None:
    await tree(access, admin)
    await staff(access, "li")
    await staff(access, "wu")
    await access.grants.give(security, NewMembership(account="li", department="water", role="clerk"), now=NOON)
    lent = NewDelegation(of_account="li", to_account="wu", department="water", ends_at=NOON + DAY, reason=Reason.LEAVE)
    await access.grants.delegate(acting(access, "li"), lent, now=NOON)
    told: list[tuple[str, str]] = []

    async def watcher(_transaction: Transaction, _actor: Actor, department: str, successor: str) -> None:
        told.append((department, successor))

    access.departments.watchers.append(watcher)
    await access.departments.dissolve(admin, "water", successor="roads", now=NOON + HOUR)
    assert told == [("water", "roads")]
    later = NOON + 2 * HOUR
    for who in ("li", "wu"):
        assert reach(acting(access, who, now=later), "case.view").departments == {"water", "roads"}, who
    assert {(each.account, each.department) for each in await access.grants.memberships(later)} == {("li", "roads")}
    assert {each.id: each.parent for each in await access.departments.all()}["pipes"] == "roads"
    with pytest.raises(NoSuchDepartment):
        await access.grants.give(security, NewMembership(account="wu", department="water", role="clerk"), now=later)


async def test_what_a_watcher_refuses_dissolves_nothing(access: Access, admin: Actor) -> None:
    await tree(access, admin)

    async def watcher(_transaction: Transaction, _actor: Actor, department: str, _successor: str) -> None:
        raise NoSuchDepartment("kernel.no_such_department", {"id": department})

    access.departments.watchers.append(watcher)
    with pytest.raises(NoSuchDepartment):
        await access.departments.dissolve(admin, "water", successor="roads", now=NOON)
    assert all(each.dissolved_at is None for each in await access.departments.all())


async def test_a_successor_from_below_takes_the_place_in_the_tree(access: Access, admin: Actor) -> None:
    await tree(access, admin)
    await access.departments.dissolve(admin, "city", successor="pipes", now=NOON)
    parents = {each.id: each.parent for each in await access.departments.all() if each.dissolved_at is None}
    assert parents == {"pipes": None, "water": "pipes", "roads": "pipes"}
    assert access.policy.within("pipes") == {"city", "pipes", "water", "roads"}


async def test_the_tree_has_no_loops(access: Access, admin: Actor) -> None:
    await tree(access, admin)
    with pytest.raises(DepartmentLoop):
        await access.departments.change(admin, "city", name=NAME, parent="pipes")
    with pytest.raises(DepartmentLoop):
        await access.departments.dissolve(admin, "water", successor="water", now=NOON)
    with pytest.raises(DepartmentExists):
        await access.departments.add(admin, "water", name=NAME, parent=None, now=NOON)
    with pytest.raises(NoSuchDepartment):
        await access.departments.add(admin, "air", name=NAME, parent="nowhere", now=NOON)
    with pytest.raises(BadId):
        await access.departments.add(admin, "a/b", name=NAME, parent=None, now=NOON)
    await access.departments.change(admin, "pipes", name=NAME, parent="roads")
    assert access.policy.within("roads") == {"roads", "pipes"}


async def test_a_delegation_is_made_by_its_owner_and_ended_by_either_side(
    access: Access, admin: Actor, security: Actor
) -> None:
    await tree(access, admin)
    for name in ("li", "wu", "sun"):
        await staff(access, name)
    await access.grants.give(security, NewMembership(account="li", department="water", role="clerk"), now=NOON)
    new = NewDelegation(of_account="li", to_account="wu", ends_at=NOON + DAY, reason=Reason.SHIFT, note="night")
    with pytest.raises(NotPermitted):
        await access.grants.delegate(acting(access, "sun"), new, now=NOON)
    mine = NewDelegation(of_account="li", to_account="security-1", ends_at=NOON + DAY, reason=Reason.OTHER)
    with pytest.raises(GrantToOneself):
        await access.grants.delegate(security, mine, now=NOON)
    number = await access.grants.delegate(acting(access, "li"), new, now=NOON)
    assert reach(acting(access, "wu"), "case.view").departments == {"water"}
    assert not reach(acting(access, "wu", now=NOON + DAY), "case.view"), "it ends by itself"
    with pytest.raises(NotPermitted):
        await access.grants.revoke(acting(access, "sun"), number, now=NOON)
    await access.grants.revoke(acting(access, "wu"), number, now=NOON)
    assert not reach(acting(access, "wu"), "case.view")


async def test_a_delegation_has_an_end_that_is_not_far(access: Access) -> None:
    li = await staff(access, "li")
    await staff(access, "wu")
    for ends_at in (NOON, NOON - HOUR, NOON + 181 * DAY):
        new = NewDelegation(of_account="li", to_account="wu", ends_at=ends_at, reason=Reason.LEAVE)
        with pytest.raises(BadPeriod):
            await access.grants.delegate(li, new, now=NOON)


async def test_one_acts_only_for_whoever_delegated(access: Access, admin: Actor, security: Actor) -> None:
    await tree(access, admin)
    for name in ("li", "wu"):
        await staff(access, name)
    await access.grants.give(security, NewMembership(account="li", department="water", role="clerk"), now=NOON)
    lent = NewDelegation(of_account="li", to_account="wu", ends_at=NOON + DAY, reason=Reason.LEAVE)
    await access.grants.delegate(acting(access, "li"), lent, now=NOON)
    _, token = await access.sign_in("wu", PASSWORD, now=NOON)
    wu = access.actor_of(await access.sessions.find(token, NOON), NOON)
    with pytest.raises(NotDelegated):
        await access.act_for(wu, "security-1", now=NOON)
    await access.act_for(wu, "li", now=NOON)
    deputy = access.actor_of(await access.sessions.find(token, NOON), NOON)
    assert (deputy.account, deputy.on_behalf_of) == ("wu", "li")
    assert deputy.departments[0].delegated_by == "li"


@pytest.mark.parametrize("second", sorted(POWERS))
@pytest.mark.parametrize("first", sorted(POWERS))
async def test_nobody_holds_two_powers(access: Access, security: Actor, db: Database, first: str, second: str) -> None:
    await staff(access, "wu", first)
    if first == second:
        await access.accounts.appoint(security, "wu", second)
        return
    with pytest.raises(TwoPowers):
        await access.accounts.appoint(security, "wu", second)
    with pytest.raises(TwoPowers):
        await access.add_account("sun", PASSWORD, roles=[first, second], now=NOON)
    with pytest.raises(Exception, match="account_holds_one_power"):
        await db.write("UPDATE account SET roles = %(roles)s WHERE name = 'wu'", {"roles": [first, second]})
    await access.accounts.dismiss(security, "wu", first)
    await access.accounts.appoint(security, "wu", second)
    assert {each.name: each.roles for each in await access.accounts.all()}["wu"] == (second,)


async def test_a_power_comes_by_appointment_and_by_no_other_way(access: Access, admin: Actor, security: Actor) -> None:
    await tree(access, admin)
    await staff(access, "wu")
    for power in POWERS:
        with pytest.raises(PowerPermission):
            await access.grants.give(security, NewMembership(account="wu", department="water", role=power), now=NOON)
        with pytest.raises(PowerPermission):
            await access.accounts.set_roles(security, "wu", [power])
        with pytest.raises(GrantToOneself):
            await access.accounts.appoint(security, "security-1", power)
    for permission in ("people.accounts", "people.roles", "audit.view", "audit.purge"):
        with pytest.raises(PowerPermission):
            await access.roles.save(
                security, "sly", shown_name=NAME, permissions={permission: RoleRight()}, expected_version=0, now=NOON
            )


async def test_the_operator_names_the_first_holder_of_each_power_and_no_other(access: Access) -> None:
    operator = await staff(access, "operator", "operator")
    await access.accounts.appoint_new(operator, "first", PASSWORD, "security", now=NOON)
    await staff(access, "wu")
    with pytest.raises(PowerHeld):
        await access.accounts.appoint(operator, "wu", "security")
    with pytest.raises(NotPermitted):
        await access.accounts.dismiss(operator, "first", "security")
    with pytest.raises(UnknownRole):
        await access.accounts.appoint(operator, "wu", "operator")
    await access.accounts.appoint(acting(access, "first", "security"), "wu", "security")


# fmt: off
ACTS = [
    ("audit",    "open an account"), ("security", "open an account"), ("operator", "open an account"),
    ("audit",    "make a department"), ("security", "make a department"),
    ("admin",    "make a role"), ("audit", "make a role"), ("operator", "make a role"),
    ("admin",    "give a role"), ("audit", "give a role"),
    ("admin",    "end sessions"), ("audit", "end sessions"), ("operator", "end sessions"),
    ("admin",    "appoint"), ("audit", "appoint"), ("clerk", "appoint"),
]
# fmt: on


@pytest.mark.parametrize(("role", "act"), ACTS)
async def test_each_power_does_its_own_work_alone(access: Access, admin: Actor, role: str, act: str) -> None:
    await tree(access, admin)
    await staff(access, "wu")
    who = await staff(access, "who", role)
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "open an account": lambda: access.accounts.open(who, "new", PASSWORD, now=NOON),
        "make a department": lambda: access.departments.add(who, "new", name=NAME, parent=None, now=NOON),
        "make a role": lambda: access.roles.save(
            who, "new", shown_name=NAME, permissions={}, expected_version=0, now=NOON
        ),
        "give a role": lambda: access.grants.give(
            who, NewMembership(account="wu", department="water", role="clerk"), now=NOON
        ),
        "end sessions": lambda: access.accounts.end_sessions(who, "wu"),
        "appoint": lambda: access.accounts.appoint(who, "wu", "audit"),
    }
    with pytest.raises(NotPermitted):
        await acts[act]()


async def test_a_role_is_changed_only_by_who_saw_its_newest_version(access: Access, security: Actor) -> None:
    async def save(version: int, *permissions: str) -> int:
        given = dict.fromkeys(permissions, RoleRight())
        return await access.roles.save(
            security, "inspector", shown_name=NAME, permissions=given, expected_version=version, now=NOON
        )

    assert await save(0, "case.view") == 1
    assert await save(1, "case.view", "case.move") == 2
    for stale in (0, 1):
        with pytest.raises(RoleChanged):
            await save(stale)
    with pytest.raises(UnknownPermission):
        await save(2, "case.burn")
    with pytest.raises(RoleTaken):
        await access.roles.save(security, "clerk", shown_name=NAME, permissions={}, expected_version=0, now=NOON)
    await staff(access, "li")
    await access.accounts.set_roles(security, "li", ["inspector"])
    assert reach(acting(access, "li", "inspector"), "case.move") == Reach(all=True)
    with pytest.raises(RoleInUse):
        await access.roles.remove(security, "inspector")
    await access.accounts.set_roles(security, "li", [])
    await access.roles.remove(security, "inspector")
    with pytest.raises(UnknownRole):
        await access.accounts.set_roles(security, "li", ["inspector"])


async def test_nobody_gives_rights_to_themselves(access: Access, admin: Actor, security: Actor) -> None:
    await tree(access, admin)
    with pytest.raises(GrantToOneself):
        await access.grants.give(
            security, NewMembership(account="security-1", department="water", role="clerk"), now=NOON
        )
    with pytest.raises(GrantToOneself):
        await access.accounts.set_roles(security, "security-1", ["operator"])
    with pytest.raises(GrantToOneself):
        await access.accounts.close(admin, "admin-1", now=NOON)


async def test_a_closed_account_has_no_sessions_no_rights_and_lends_none(
    access: Access, admin: Actor, security: Actor
) -> None:
    await tree(access, admin)
    for name in ("li", "wu"):
        await staff(access, name)
    await access.grants.give(security, NewMembership(account="li", department="water", role="clerk"), now=NOON)
    lent = NewDelegation(of_account="li", to_account="wu", ends_at=NOON + DAY, reason=Reason.LEAVE)
    await access.grants.delegate(acting(access, "li"), lent, now=NOON)
    _, token = await access.sign_in("li", PASSWORD, now=NOON)
    await access.accounts.close(admin, "li", now=NOON)
    assert await access.session(token, NOON) is None
    assert not reach(acting(access, "wu"), "case.view")
    with pytest.raises(NoSuchAccount):
        await access.accounts.close(admin, "li", now=NOON)
    with pytest.raises(AccountExists):
        await access.accounts.open(admin, "li", PASSWORD, now=NOON)
    await access.accounts.reopen(admin, "li")
    await access.sign_in("li", PASSWORD, now=NOON)


async def test_a_new_account_may_nothing_and_its_password_is_long(access: Access, admin: Actor) -> None:
    for weak in ("short", "aaaaaaaaaaaaaaaa", "abababababababab"):
        with pytest.raises(PasswordTooWeak):
            await access.accounts.open(admin, "li", weak, now=NOON)
    await access.accounts.open(admin, "li", PASSWORD, shown_name="李", now=NOON)
    _, token = await access.sign_in("li", PASSWORD, now=NOON)
    li = access.actor_of(await access.sessions.find(token, NOON), NOON)
    assert (li.name, li.account, li.roles) == ("李", "li", ())
    assert not reach(li, "case.view")


async def test_every_act_on_people_is_in_the_audit(access: Access, admin: Actor, security: Actor, db: Database) -> None:
    await tree(access, admin)
    await access.accounts.open(admin, "li", PASSWORD, now=NOON)
    await access.grants.give(security, NewMembership(account="li", department="water", role="clerk"), now=NOON)
    acts = await db.read(
        "SELECT act || ' ' || object FROM audit_entry WHERE actor IN ('admin-1', 'security-1')", as_=str
    )
    assert {"people.account_opened account:li", "people.membership_given account:li"} <= set(acts)
