# SPDX-License-Identifier: Apache-2.0
"""Passwords: those that others try first are refused, all others are taken as they are and never grow old."""

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from citybrain.kernel.access import Access, Actor, SignInRefused, passwords
from citybrain.kernel.access.passwords import PasswordTooWeak
from citybrain.kernel.access.tests.scene import DAY, DECLARED, NOON, staff
from citybrain.kernel.db import Database


@pytest.fixture
async def access(db: Database) -> Access:
    await db.write("TRUNCATE account, sign_in_attempt CASCADE")
    made = Access(db, DECLARED, clock=lambda: NOON)
    await made.load(NOON)
    return made


@pytest.fixture
async def admin(access: Access) -> Actor:
    return await staff(access, "admin-1", "admin")


# fmt: off
USUAL = [
    ("1qaz2wsx3edc", "a row of keys, among the most usual ones"),
    ("password1234", "a usual one with a number"),
    ("qwertyqwerty", "a usual one twice"),
    ("123456789012", "digits in a row"),
    ("P@ssw0rd2026!", "letters in disguise"),
    ("citybrain2026", "a word of this place with a year"),
    ("城市大脑城市大脑", "the same in Chinese, and short"),
    ("城市大脑城市大脑城市大脑", "the same in Chinese"),
    ("zhang.wei2026", "the account's own name"),
    ("woaini5201314", "what people love to write"),
]
GOOD = [
    ("correct horse battery", "three words"),
    (" Zwei  Räder, ein Haus ", "spaces and capitals are taken as they are"),
    ("我家门前有两棵枣树还有一棵树", "Chinese"),
    ("😀🚲🌧️ over the bridge", "any character"),
    ("x" + "correct horse battery staple " * 34, "very long"),
]
# fmt: on


@pytest.mark.parametrize(("password", "why"), USUAL)
async def test_passwords_that_others_try_first_are_refused(
    access: Access, admin: Actor, password: str, why: str
) -> None:
    with pytest.raises(PasswordTooWeak):
        await access.accounts.open(admin, "zhang.wei", password, now=NOON)


def test_the_usual_passwords_are_many_and_all_of_them_are_refused() -> None:
    usual = FREQUENCY_LISTS["passwords"]
    assert len(usual) >= 3_000
    for password in usual[:3_000:10]:
        assert passwords._score(password, ()) < passwords.SAFELY_UNGUESSABLE, password


@pytest.mark.parametrize(("password", "why"), GOOD)
async def test_a_good_password_is_taken_as_it_is_and_lasts(
    access: Access, admin: Actor, password: str, why: str
) -> None:
    await access.accounts.open(admin, "zhang.wei", password, now=NOON)
    years = NOON + 3_650 * DAY
    person, _ = await access.sign_in("zhang.wei", password, now=years)
    assert person.name == "zhang.wei", why
    for changed in (password.swapcase(), password.strip() + "!", password[:-1]):
        if changed != password:
            with pytest.raises(SignInRefused):
                await access.sign_in("zhang.wei", changed, now=years)
