# SPDX-License-Identifier: Apache-2.0
"""Made-up tickets, and the departments of a new city: in every state, with all that hangs on them."""

from datetime import timedelta

import msgspec
import pytest

from citybrain.apps.hotline.model import Category
from citybrain.apps.hotline.service import desk, example
from citybrain.apps.hotline.service.example import TicketsThere, Wanted
from citybrain.apps.hotline.service.example_lives import Script
from citybrain.apps.hotline.service.hotline import MACHINE, PLANTER, SEED, Hotline
from citybrain.kernel.access.policy import Department
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store


async def test_made_up_tickets_stand_in_every_state_with_all_that_hangs_on_them(hotline: Hotline) -> None:
    now = utc_now()
    made = await example.make(hotline, Wanted(tickets=40, more=True), now=now)
    assert set(made.states) >= {
        "new", "dispatched", "working", "waiting", "answered", "closed", "refused", "merged",
    }  # fmt: skip
    rows = await desk.rows(hotline, MACHINE, now - timedelta(days=61), now)
    assert all(row.created_at <= row.changed_at <= now for row in rows)
    assert any(row.satisfaction for row in rows)
    assert any(row.reopened for row in rows)
    assert any(row.supervised for row in rows)
    for table in ("hotline_call", "hotline_caller", "hotline_follow_up", "case_share", "case_comment", "case_link"):
        assert await hotline.db.rows(f"SELECT 1 FROM {table} LIMIT 1"), table  # noqa: S608 our own names
    queued = await hotline.db.rows("SELECT 1 FROM notice WHERE topic LIKE 'hotline.%' AND channel = 'email'")
    assert not queued, "nobody is written to"


async def test_a_city_with_tickets_gets_made_up_ones_only_when_that_is_meant(hotline: Hotline) -> None:
    await example.make(hotline, Wanted(tickets=1, more=True), now=utc_now())
    with pytest.raises(TicketsThere):
        await example.make(hotline, Wanted(tickets=1), now=utc_now())


def test_there_are_words_for_every_category_of_the_seed() -> None:
    script = msgspec.json.decode((SEED / "example.json").read_bytes(), type=Script)
    tree = msgspec.json.decode((SEED / "categories.json").read_bytes(), type=list[Category])
    assert set(script.texts) == {each.id for each in tree if each.id.count(".") == 2}
    assert set(script.answers) == {each.id for each in tree if "." not in each.id}


async def test_a_new_city_has_the_departments_that_its_categories_name(store: Store, hotline: Hotline) -> None:
    there = {each.id for each in await store.access.departments.all()}
    named = {each.department for each in hotline.tree.categories.values() if each.department}
    assert named | {rule.department for rule in hotline.rules} | {"hotline"} <= there
    assert all(each.name["zh"] and each.name["en"] for each in await store.access.departments.all())


async def test_a_tree_that_is_there_is_never_touched(store: Store) -> None:
    planted = await store.access.departments.plant(PLANTER, [Department(id="other")], now=utc_now())
    assert not planted
    assert "other" not in {each.id for each in await store.access.departments.all()}
