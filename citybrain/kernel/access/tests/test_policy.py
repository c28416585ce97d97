# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.access import NotPermitted, Policy, fields, reach, require
from citybrain.kernel.access.actor import NOTHING, Actor, Kind, Reach, Shown
from citybrain.kernel.access.policy import Delegation, Department, Membership, RoleRight, Snapshot

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
VIEW = "case.view"

ROLES: Mapping[str, Mapping[str, RoleRight]] = {
    "public": {"city.view": RoleRight()},
    "staff": {"people.view": RoleRight()},
    "citizen": {"case.own": RoleRight()},
    "clerk": {VIEW: RoleRight(), "case.move": RoleRight(own=True)},
    "head": {VIEW: RoleRight(fields={"phone": Shown.CLEAR})},
    "watcher": {VIEW: RoleRight(otherwise=Shown.HIDDEN)},
    "admin": {"people.accounts": RoleRight()},
}
#  city ── water ── pipes
#       └─ roads            old (dissolved, carried on by roads)
DEPARTMENTS = {
    "city": Department(id="city"),
    "water": Department(id="water", parent="city"),
    "pipes": Department(id="pipes", parent="water"),
    "roads": Department(id="roads", parent="city"),
    "old": Department(id="old", parent="city", dissolved_at=NOON, successor="roads"),
}


def member(account: str, department: str, role: str = "clerk", **more: object) -> Membership:
    return Membership(account=account, department=department, role=role, begins_at=NOON - HOUR, **more)  # type: ignore[arg-type]


def policy(*memberships: Membership, delegations: tuple[Delegation, ...] = ()) -> Policy:
    return Policy(Snapshot(roles=ROLES, departments=DEPARTMENTS, memberships=memberships, delegations=delegations))


def acting(made: Policy, account: str, *roles: str, now: datetime = NOON, behalf: str | None = None) -> Actor:
    return made.actor(account, Kind.STAFF, roles, now, on_behalf_of=behalf)


# fmt: off
PLACES = [
    (member("li", "water"), {"water"}, "a role holds in its department"),
    (member("li", "water", below=True), {"water", "pipes"}, "and with `below` in those under it"),
    (member("li", "city", below=True), {"city", "water", "pipes", "roads", "old"}, "the top reaches all"),
    (member("li", "roads"), {"roads", "old"}, "an heir reaches what it carries on"),
    (member("li", "old"), {"roads", "old"}, "a dissolved one's member is its heir's"),
    (member("li", "nowhere"), {"nowhere"}, "an unknown department is itself alone"),
    (member("li", "water", ends_at=NOON + HOUR), {"water"}, "until it ends"),
    (member("li", "water", ends_at=NOON), set(), "at its end it is over"),
    (Membership(account="li", department="water", role="clerk", begins_at=NOON + HOUR), set(), "not yet"),
    (member("li", "water", role="unheard of"), set(), "an unknown role gives nothing"),
    (member("wu", "water"), set(), "somebody else's is not mine"),
]
# fmt: on


@pytest.mark.parametrize(("membership", "departments", "why"), PLACES, ids=[row[2] for row in PLACES])
def test_a_role_reaches_its_department_and_no_further(membership: Membership, departments: set[str], why: str) -> None:
    assert reach(acting(policy(membership), "li"), VIEW) == Reach(departments=frozenset(departments)), why


def test_what_nobody_gave_reaches_nothing() -> None:
    actor = acting(policy(), "li")
    assert reach(actor, VIEW) == NOTHING
    assert not reach(actor, "no such permission")
    with pytest.raises(NotPermitted) as refusal:
        require(actor, VIEW)
    assert refusal.value.facts == {"permission": VIEW, "name": "li", "department": None}
    assert fields(actor, VIEW).of("phone") is Shown.HIDDEN


def test_a_permission_in_one_department_is_none_in_another() -> None:
    actor = acting(policy(member("li", "water")), "li")
    require(actor, VIEW)
    require(actor, VIEW, department="water")
    with pytest.raises(NotPermitted):
        require(actor, VIEW, department="roads")


def test_a_role_of_the_whole_city_reaches_every_row() -> None:
    actor = acting(policy(member("li", "water")), "li", "clerk")
    assert reach(actor, VIEW) == Reach(all=True)
    require(actor, VIEW, department="anything")


def test_a_citizen_reaches_what_is_their_own_and_sees_it_in_clear() -> None:
    actor = policy().actor("citizen-1", Kind.CITIZEN, (), NOON)
    assert reach(actor, "case.own") == Reach(own_only=True)
    assert fields(actor, "case.own").of("phone") is Shown.CLEAR
    assert not reach(actor, VIEW)
    assert not reach(actor, "people.view"), "what every member of staff may is not for citizens"


def test_an_own_grant_reaches_own_rows_and_a_wider_one_replaces_it() -> None:
    assert reach(acting(policy(member("li", "water")), "li"), "case.move") == Reach(own_only=True)


def test_nobody_in_particular_may_what_the_public_may() -> None:
    nobody = policy().anonymous
    assert reach(nobody, "city.view") == Reach(all=True)
    assert not nobody.signed_in
    assert not reach(nobody, "people.view")


def test_a_service_may_what_its_token_names() -> None:
    service = policy(member("gauges", "water")).service("gauges", ["case.move"])
    assert reach(service, "case.move") == Reach(all=True)
    assert not reach(service, VIEW), "a person of the same name is somebody else"


# fmt: off
VIEWS = [
    ([member("li", "water")], "masked", "masked is usual"),
    ([member("li", "water", role="head")], "clear", "a role may say more"),
    ([member("li", "water", role="watcher")], "hidden", "or less"),
    ([member("li", "water"), member("li", "water", role="head")], "clear", "in one place the wider counts"),
    ([member("li", "water", role="head"), member("li", "roads")], "masked", "not clear there"),
    ([member("li", "roads"), member("li", "water", role="head")], "masked", "in whatever order"),
    ([member("li", "water", role="head"), member("li", "city", below=True)], "masked", "what reaches all decides"),
    ([member("li", "water", role="watcher"), member("li", "roads", role="head")], "hidden", "the narrower"),
]
# fmt: on


@pytest.mark.parametrize(("memberships", "shown", "why"), VIEWS, ids=[row[2] for row in VIEWS])
def test_a_personal_field_is_never_clearer_than_a_rows_own_grant(
    memberships: list[Membership], shown: str, why: str
) -> None:
    assert fields(acting(policy(*memberships), "li"), VIEW).of("phone") == shown, why


def lends(**more: object) -> Delegation:
    usual = {"of_account": "wu", "to_account": "li", "begins_at": NOON - HOUR, "ends_at": NOON + HOUR}
    return Delegation(**{**usual, **more})  # type: ignore[arg-type]


# fmt: off
LENT = [
    (lends(),                                                 {"water", "pipes"}, "all of somebody's departments"),
    (lends(department="pipes"),                               {"pipes"},          "or one of them alone"),
    (lends(department="roads"),                               set(),              "nobody lends what they do not have"),
    (lends(ends_at=NOON),                                     set(),              "at its end it is over"),
    (lends(begins_at=NOON + HOUR / 2),                        set(),              "not yet"),
    (lends(to_account="sun"),                                 set(),              "somebody else's is not mine"),
]
# fmt: on


@pytest.mark.parametrize(("delegation", "departments", "why"), LENT, ids=[row[2] for row in LENT])
def test_a_delegation_lends_what_its_giver_has(delegation: Delegation, departments: set[str], why: str) -> None:
    made = policy(member("wu", "water", below=True), delegations=(delegation,))
    actor = acting(made, "li")
    assert reach(actor, VIEW) == Reach(departments=frozenset(departments)), why
    assert {grant.delegated_by for grant in actor.departments} <= {"wu"}


def test_what_was_delegated_is_not_lent_on() -> None:
    chain = (lends(), lends(of_account="li", to_account="sun"))
    assert not reach(acting(policy(member("wu", "water"), delegations=chain), "sun"), VIEW)


def test_a_delegation_ends_with_the_membership_it_rests_on() -> None:
    made = policy(member("wu", "water", ends_at=NOON + HOUR / 2), delegations=(lends(),))
    assert reach(acting(made, "li"), VIEW)
    assert not reach(acting(made, "li", now=NOON + HOUR / 2), VIEW)


def test_acting_for_somebody_leaves_only_what_that_one_lent() -> None:
    made = policy(member("wu", "water"), member("li", "roads"), delegations=(lends(),))
    assert reach(acting(made, "li"), VIEW).departments == {"water", "roads", "old"}
    deputy = acting(made, "li", "clerk", behalf="wu")
    assert reach(deputy, VIEW).departments == {"water"}
    assert deputy.on_behalf_of == "wu"
    assert not reach(acting(made, "li", behalf="sun"), VIEW)


def test_a_power_is_held_in_the_whole_city_or_not_at_all() -> None:
    made = policy(member("wu", "water", role="admin"), delegations=(lends(),))
    assert not reach(acting(made, "wu"), "people.accounts")
    assert not reach(acting(made, "li"), "people.accounts")
    assert reach(acting(made, "wu", "admin"), "people.accounts")
    lent = policy(member("wu", "water"), delegations=(lends(),))
    assert not reach(acting(lent, "li", "admin", behalf="wu"), "people.accounts"), "acting for another, one's own rests"


def test_rights_change_at_the_moment_a_grant_begins_or_ends() -> None:
    made = policy(member("li", "water", ends_at=NOON + HOUR), delegations=(lends(ends_at=NOON + 2 * HOUR),))
    for _ in range(2):
        assert reach(acting(made, "li"), VIEW)
        assert not reach(acting(made, "li", now=NOON + HOUR), VIEW)


def test_departments_that_point_at_each_other_do_not_hang() -> None:
    looped = {
        "a": Department(id="a", parent="b"),
        "b": Department(id="b", parent="a"),
        "c": Department(id="c", dissolved_at=NOON, successor="d"),
        "d": Department(id="d", dissolved_at=NOON, successor="c"),
    }
    made = Policy(Snapshot(roles=ROLES, departments=looped, memberships=(member("li", "a", below=True),)))
    assert reach(acting(made, "li"), VIEW).departments == {"a", "b"}
    assert made.successor("c") in {"c", "d"}


names = st.sampled_from([f"d{number}" for number in range(8)])
people = st.sampled_from(["li", "wu", "sun"])
moments = st.integers(-3, 3).map(lambda hours: NOON + hours * HOUR)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Department]:
    """Every department stands under an earlier one; some are dissolved into another."""
    found: dict[str, Department] = {}
    for number in range(8):
        parent = draw(st.none() | st.sampled_from(sorted(found))) if found else None
        found[f"d{number}"] = Department(id=f"d{number}", parent=parent)
    for name in draw(st.lists(names, max_size=2, unique=True)):
        heir = draw(st.sampled_from(sorted({*found} - {name})))
        found[name] = Department(id=name, parent=found[name].parent, dissolved_at=NOON, successor=heir)
    return found


memberships = st.builds(
    Membership,
    account=people,
    department=names,
    role=st.sampled_from(["clerk", "head", "admin"]),
    below=st.booleans(),
    begins_at=moments,
    ends_at=st.none() | moments,
)
delegations = st.builds(
    Delegation,
    of_account=people,
    to_account=people,
    begins_at=moments,
    ends_at=moments,
    department=st.none() | names,
)


def heir_of(tree: Mapping[str, Department], name: str) -> str:
    """Naively, step by step."""
    for _ in tree:
        name = tree[name].successor or name
    return name


def stands_under(tree: Mapping[str, Department], name: str, above: str) -> bool:
    """Naively, step by step; a dissolved department stands nowhere."""
    at: str | None = name
    for _ in tree:
        if at is None or tree[at].dissolved_at is not None:
            return False
        if at == above:
            return True
        at = tree[at].parent
    return False


def says_so(tree: Mapping[str, Department], each: Membership, place: str) -> bool:
    """Whether one membership in force gives a reason to see the rows of a department."""
    row, mine = heir_of(tree, place), heir_of(tree, each.department)
    return each.role != "admin" and (row == mine or (each.below and stands_under(tree, row, mine)))


@given(trees(), st.lists(memberships, max_size=6), st.lists(delegations, max_size=4), people, moments)
def test_nobody_reaches_another_departments_rows_unless_a_grant_a_subtree_or_a_delegation_says_so(
    tree: dict[str, Department], given_to: list[Membership], lent: list[Delegation], who: str, now: datetime
) -> None:
    made = Policy(Snapshot(roles=ROLES, departments=tree, memberships=tuple(given_to), delegations=tuple(lent)))
    reached = reach(made.actor(who, Kind.STAFF, (), now), VIEW)
    assert not reached.all
    in_force = [each for each in given_to if each.begins_at <= now and (each.ends_at is None or now < each.ends_at)]
    own = [each for each in in_force if each.account == who]
    for place in reached.departments:
        by_delegation = any(
            each.to_account == who
            and each.begins_at <= now < each.ends_at
            and each.department
            in {None, place, *(name for name in tree if heir_of(tree, name) == heir_of(tree, place))}
            and any(grant.account == each.of_account and says_so(tree, grant, place) for grant in in_force)
            for each in lent
        )
        assert by_delegation or any(says_so(tree, each, place) for each in own), place
    for each in own:
        if each.role != "admin":
            assert heir_of(tree, each.department) in reached.departments


@given(trees(), st.lists(memberships, max_size=6), st.lists(delegations, max_size=4), st.lists(moments, min_size=2))
def test_what_is_remembered_of_rights_is_what_they_are(
    tree: dict[str, Department], given_to: list[Membership], lent: list[Delegation], asked: list[datetime]
) -> None:
    snapshot = Snapshot(roles=ROLES, departments=tree, memberships=tuple(given_to), delegations=tuple(lent))
    remembering = Policy(snapshot)
    for now in asked:
        for who in ("li", "wu"):
            fresh = Policy(snapshot).actor(who, Kind.STAFF, (), now)
            assert remembering.actor(who, Kind.STAFF, (), now).rights == fresh.rights
