# SPDX-License-Identifier: Apache-2.0
import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from citybrain.kernel.access import (
    FAILURES_ALLOWED,
    LOCKED_FOR,
    SESSION_LASTS,
    Access,
    NoSuchService,
    PermissionTwice,
    SignInLocked,
    SignInRefused,
    UnknownPermission,
    passwords,
)
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same algorithm at a cost that lets tests sign in a hundred times."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def access(db: Database) -> Access:
    return Access(db, [{"library.lend": ("librarian",)}, {"library.search": ("public",)}])


# fmt: off
GRANTS = [
    ("library.lend",     ("librarian",),          True,  "the role has it"),
    ("library.lend",     ("reader", "librarian"), True,  "one role is enough"),
    ("library.lend",     ("reader",),             False, "another role has it not"),
    ("library.lend",     (),                      False, "nobody has it not"),
    ("library.search",   (),                      True,  "the public needs no sign-in"),
    ("library.search",   ("reader",),             True,  "who signs in loses nothing"),
    ("library.burn",     ("librarian",),          False, "what nobody declared is denied"),
    ("city.view",        (),                      True,  "everybody may see the city"),
    ("city.control",     (),                      False, "not everybody may control it"),
    ("city.control",     ("operator",),           True,  "the operator may"),
    ("city.acknowledge", ("public",),             False, "nor take note in its name"),
]
# fmt: on


@pytest.mark.parametrize(("permission", "roles", "granted", "why"), GRANTS, ids=[row[3] for row in GRANTS])
def test_what_is_not_granted_is_denied(
    access: Access, permission: str, roles: tuple[str, ...], granted: bool, why: str
) -> None:
    assert access.allowed(permission, roles) is granted, why
    assert (permission in access.permissions_of(roles)) is granted


def test_a_permission_has_one_owner(db: Database) -> None:
    with pytest.raises(PermissionTwice):
        Access(db, [{"city.view": ("reader",)}])


async def test_the_first_operator_gets_a_password_that_is_said_once(access: Access, db: Database) -> None:
    password = await access.ensure_operator(now=NOON)
    assert password is not None
    assert len(password) >= 20
    assert await access.ensure_operator(now=NOON) is None
    person, _ = await access.sign_in("operator", password, now=NOON)
    assert (person.name, person.roles) == ("operator", ("operator",))
    (kept,) = await db.read("SELECT password_hash FROM account WHERE name = 'operator'", as_=str)
    assert kept.startswith("$argon2id$")


async def test_the_operator_is_made_though_others_were_there_first(access: Access, db: Database) -> None:
    await db.write("DELETE FROM account WHERE name = 'operator'")
    await access.add_account("clerk", "a long enough password", roles=(), now=NOON)
    assert await access.ensure_operator(now=NOON) is not None
    assert await access.ensure_operator(now=NOON) is None


async def test_an_operator_who_lost_the_password_gets_a_new_one(access: Access) -> None:
    lost = await access.ensure_operator(now=NOON)
    renewed = await access.ensure_operator(now=NOON, renew=True)
    assert renewed is not None
    await access.sign_in("operator", renewed, now=NOON)
    with pytest.raises(SignInRefused):
        await access.sign_in("operator", str(lost), now=NOON)


async def test_a_session_lasts_while_it_is_used_and_ends_by_signing_out(access: Access, db: Database) -> None:
    await access.add_account("li", "secret one", roles=["reader"], now=NOON)
    person, token = await access.sign_in("li", "secret one", now=NOON)
    assert await access.session(token, NOON) == person
    assert await access.session("not a token", NOON) is None
    used = NOON + SESSION_LASTS - SECOND
    assert await access.session(token, used) == person, "use extends it"
    assert await access.session(token, used + SESSION_LASTS - SECOND) == person
    assert await access.session(token, used + 3 * SESSION_LASTS) is None, "unused it ends"
    (kept,) = await db.read("SELECT encode(token_hash, 'hex') FROM session WHERE account = 'li'", as_=str)
    assert kept == hashlib.sha256(token.encode()).hexdigest(), "the token itself is nowhere"
    await access.sign_out(token)
    assert await access.session(token, NOON) is None
    await access.sign_out(token)


async def test_a_new_password_ends_the_sessions_of_the_old_one(access: Access) -> None:
    await access.add_account("wu", "old password", roles=["reader"], now=NOON)
    _, token = await access.sign_in("wu", "old password", now=NOON)
    await access.add_account("wu", "new password", roles=["reader", "librarian"], now=NOON)
    assert await access.session(token, NOON) is None
    with pytest.raises(SignInRefused):
        await access.sign_in("wu", "old password", now=NOON)
    person, _ = await access.sign_in("wu", "new password", now=NOON)
    assert person.roles == ("reader", "librarian")


@pytest.mark.parametrize("name", ["zhao", "nobody of that name"])
async def test_a_name_is_locked_after_five_failures_whether_or_not_it_exists(
    access: Access, db: Database, name: str
) -> None:
    await access.add_account("zhao", "right", roles=[], now=NOON)
    for _ in range(FAILURES_ALLOWED):
        with pytest.raises(SignInRefused):
            await access.sign_in(name, "wrong", now=NOON)
    with pytest.raises(SignInLocked) as refusal:
        await Access(db).sign_in(name, "right", now=NOON + LOCKED_FOR - SECOND)  # another process: the lock is durable
    assert refusal.value.facts == {"until": NOON + LOCKED_FOR}
    with pytest.raises(SignInRefused):
        await access.sign_in(name, "wrong", now=NOON + LOCKED_FOR)
    if name == "zhao":
        await access.sign_in(name, "right", now=NOON + LOCKED_FOR)


async def test_signing_in_forgets_the_failures_before(access: Access) -> None:
    await access.add_account("sun", "right", roles=[], now=NOON)
    for _ in range(3):
        for _ in range(FAILURES_ALLOWED - 1):
            with pytest.raises(SignInRefused):
                await access.sign_in("sun", "wrong", now=NOON)
        await access.sign_in("sun", "right", now=NOON)


async def test_guessing_in_parallel_gains_nothing(access: Access) -> None:
    await access.add_account("qian", "right", roles=[], now=NOON)
    guesses = [access.sign_in("qian", f"guess {n}", now=NOON) for n in range(12)]
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(result, SignInRefused) for result in results) == FAILURES_ALLOWED
    assert sum(isinstance(result, SignInLocked) for result in results) == 12 - FAILURES_ALLOWED


@pytest.mark.parametrize(
    ("name", "password"), [("", "x"), ("x", ""), ("x" * 201, "x"), ("x", "x" * 1001), ("x\0", "x")]
)
async def test_what_cannot_be_a_name_or_password_is_not_tried(access: Access, name: str, password: str) -> None:
    with pytest.raises(Invalid):
        await access.sign_in(name, password, now=NOON)


async def test_old_sessions_and_attempts_are_forgotten(access: Access, db: Database) -> None:
    await access.add_account("zhou", "right", roles=[], now=NOON)
    await access.sign_in("zhou", "right", now=NOON)
    with pytest.raises(SignInRefused):
        await access.sign_in("zhou", "wrong", now=NOON)
    await access.prune(now=NOON + timedelta(days=2))
    assert await db.read("SELECT count(*) FROM session", as_=int) == [0]
    assert await db.read("SELECT count(*) FROM sign_in_attempt", as_=int) == [0]


async def test_a_service_may_what_it_was_given_until_its_time_is_over(access: Access) -> None:
    day = timedelta(days=1)
    token = await access.add_service("gauges", may=("library.lend",), by="operator", now=NOON, expires_at=NOON + day)
    service = await access.service(token, NOON)
    assert service is not None
    assert access.may("library.lend", service)
    assert not access.may("city.control", service), "it was given nothing else"
    assert await access.service(token, NOON + day) is None
    assert await access.service("guessed", NOON) is None


async def test_a_new_token_of_a_service_ends_the_old_one(access: Access) -> None:
    given: Any = {"may": ("library.lend",), "by": "operator", "now": NOON, "expires_at": NOON + timedelta(days=1)}
    old = await access.add_service("pumps", **given)
    assert await access.service(old, NOON) is not None
    new = await access.add_service("pumps", **given)
    assert await access.service(old, NOON) is None
    await access.remove_service("pumps")
    assert await access.service(new, NOON) is None
    with pytest.raises(NoSuchService):
        await access.remove_service("pumps")


async def test_when_a_service_was_last_used_is_known_to_some_minutes(access: Access) -> None:
    token = await access.add_service(
        "lamps", may=("library.lend",), by="operator", now=NOON, expires_at=NOON + timedelta(days=1)
    )

    async def used_at() -> list[Any]:
        return [each.used_at for each in await access.services() if each.name == "lamps"]

    assert await used_at() == [None]
    minutes = [0, 4, 6]
    seen = []
    for minute in minutes:
        await access.service(token, NOON + timedelta(minutes=minute))
        seen += await used_at()
    assert seen == [NOON, NOON, NOON + timedelta(minutes=6)]


async def test_nobody_can_give_a_permission_that_does_not_exist(db: Database, access: Access) -> None:
    with pytest.raises(UnknownPermission):
        await access.add_service("x", may=("library.burn",), by="operator", now=NOON, expires_at=NOON)
    with pytest.raises(UnknownPermission):
        Access(db, public_may=("library.burn",))
    assert Access(db, public_may=("city.control",)).allowed("city.control", ())
