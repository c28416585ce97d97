# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta

import pytest

from citybrain.kernel.cases.drafts import ACCOUNT_LASTS, AT_MOST, DraftRefused, Drafts, NoSuchDraft, Owner
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LI = Owner.account("li")
BROWSER = Owner.browser("r4nd0m-r4nd0m-r4nd0m")


@pytest.fixture(scope="module")
def drafts(db: Database) -> Drafts:
    return Drafts(db, KeyRing.new(now=NOON))


async def test_what_was_typed_is_there_again_and_nobody_else_sees_it(drafts: Drafts) -> None:
    await drafts.save(LI, "open:ticket", {"text": "坑"}, now=NOON)
    await drafts.save(LI, "open:ticket", {"text": "一个坑"}, now=NOON + timedelta(seconds=1))
    assert (await drafts.get(LI, "open:ticket", now=NOON)).values == {"text": "一个坑"}
    with pytest.raises(NoSuchDraft):
        await drafts.get(Owner.account("wang"), "open:ticket", now=NOON)


async def test_a_late_copy_of_an_older_state_changes_nothing(drafts: Drafts) -> None:
    await drafts.save(LI, "late", {"n": 2}, now=NOON + timedelta(seconds=2))
    await drafts.save(LI, "late", {"n": 1}, now=NOON)
    assert (await drafts.get(LI, "late", now=NOON)).values == {"n": 2}


async def test_a_draft_lies_encrypted(drafts: Drafts, db: Database) -> None:
    await drafts.save(LI, "secret", {"phone": "13800138000"}, now=NOON)
    rows = await db.rows("SELECT body FROM case_draft WHERE place = 'secret'")
    assert b"13800138000" not in bytes(rows[0][0])


async def test_a_draft_ends_when_its_time_is_over(drafts: Drafts) -> None:
    await drafts.save(LI, "old", {}, now=NOON)
    with pytest.raises(NoSuchDraft):
        await drafts.get(LI, "old", now=NOON + ACCOUNT_LASTS)
    assert await drafts.expire(now=NOON + ACCOUNT_LASTS)


async def test_who_signs_in_takes_along_what_the_browser_kept(drafts: Drafts) -> None:
    chen = Owner.account("chen")
    await drafts.save(BROWSER, "open:ticket", {"text": "灯"}, now=NOON)
    await drafts.save(BROWSER, "mine", {"text": "browser"}, now=NOON)
    await drafts.save(chen, "mine", {"text": "account"}, now=NOON)
    assert await drafts.take_over(BROWSER, chen, now=NOON) == 1
    assert (await drafts.get(chen, "open:ticket", now=NOON)).values == {"text": "灯"}
    assert (await drafts.get(chen, "mine", now=NOON)).values == {"text": "account"}


async def test_nobody_fills_the_table(drafts: Drafts) -> None:
    many = Owner.account("many")
    for number in range(AT_MOST + 3):
        await drafts.save(many, f"open:{number}", {}, now=NOON + timedelta(seconds=number))
    found = await drafts.list(many, now=NOON)
    assert len(found) == AT_MOST
    assert found[0].place == f"open:{AT_MOST + 2}"
    with pytest.raises(DraftRefused):
        await drafts.save(many, "open:x", {"text": "x" * 300_000}, now=NOON)


async def test_a_secret_that_can_be_guessed_is_refused(drafts: Drafts) -> None:
    with pytest.raises(DraftRefused):
        Owner.browser("1234")
    await drafts.discard(LI, "open:ticket")
    with pytest.raises(NoSuchDraft):
        await drafts.get(LI, "open:ticket", now=NOON)
