# SPDX-License-Identifier: Apache-2.0
"""Filters of the list of alarms kept under a name: whose they are, who else has them, what the log has."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from citybrain.kernel import embedded
from citybrain.kernel.access.actor import Actor, DepartmentGrant, Kind
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Refusal
from citybrain.kernel.handling import KeptFilter, KeptFilters
from citybrain.kernel.handling.filters import AT_MOST, NAME_LENGTH
from citybrain.kernel.migrate import migrate
from citybrain.kernel.tests.older import database_before

MINE = KeptFilter(name="my own", query={"mine": "1", "severity": "I,II"})
SHARED = replace(MINE, name="the worst", department="duty")


def officer(name: str, *departments: str) -> Actor:
    grants = tuple(DepartmentGrant(department=each, role="operator") for each in departments)
    return Actor(name=name, account=name, kind=Kind.STAFF, departments=grants)


LIN, WU, ROADS = officer("lin", "duty"), officer("wu", "duty"), officer("zhao", "roads")


@pytest.fixture
async def filters(db: Database) -> KeptFilters:
    await db.write("DELETE FROM kept_question")
    return KeptFilters(db)


async def test_a_filter_is_its_owners_until_it_is_shared_and_only_the_owner_changes_it(filters: KeptFilters) -> None:
    own, shared = await filters.keep(LIN, MINE), await filters.keep(LIN, SHARED)
    assert [(each.id, each.may_change, dict(each.query)) for each in await filters.of(LIN)] == [
        (own.id, True, MINE.query),
        (shared.id, True, SHARED.query),
    ]
    assert [(each.id, each.owner, each.may_change) for each in await filters.of(WU)] == [(shared.id, "lin", False)]
    assert await filters.of(ROADS) == []
    for who in (WU, ROADS):
        for act in (filters.forget(who, shared.id), filters.change(who, replace(shared, name="mine now"))):
            with pytest.raises(Refusal) as refused:
                await act
            assert refused.value.code == "kernel.no_such_alarm_filter"
    alone = await filters.change(LIN, replace(shared, department=None))
    assert (alone.version, await filters.of(WU)) == (2, [])
    await filters.forget(LIN, own.id)
    assert [each.id for each in await filters.of(LIN)] == [shared.id]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (replace(MINE, name=" "), "kernel.alarm_filter_name"),
        (replace(MINE, name="x" * (NAME_LENGTH + 1)), "kernel.alarm_filter_name"),
        (replace(MINE, query={"password": "x"}), "kernel.alarm_filter_part"),
        (replace(MINE, query={"q": "x" * 5000}), "kernel.alarm_filter_part"),
        (replace(MINE, department="roads"), "kernel.alarm_filter_department"),
    ],
)
async def test_what_no_list_could_show_is_not_kept(filters: KeptFilters, given: KeptFilter, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        await filters.keep(LIN, given)
    assert (refused.value.code, await filters.of(LIN)) == (code, [])


async def test_of_two_windows_the_second_is_told_and_nobody_keeps_without_end(filters: KeptFilters) -> None:
    kept = await filters.keep(LIN, MINE)
    await filters.change(LIN, replace(kept, name="nights"))
    with pytest.raises(Refusal) as refused:
        await filters.change(LIN, replace(kept, name="days"))
    assert refused.value.code == "kernel.alarm_filter_changed"
    assert refused.value.facts["version"] == 2
    for _ in range(AT_MOST - 1):
        await filters.keep(LIN, MINE)
    with pytest.raises(Refusal) as refused:
        await filters.keep(LIN, MINE)
    assert refused.value.code == "kernel.alarm_filters_too_many"


async def test_each_write_stands_in_the_log_and_filters_are_no_queues_of_cases(
    filters: KeptFilters, db: Database
) -> None:
    kept = await filters.keep(LIN, SHARED)
    await filters.change(LIN, replace(kept, name="nights"))
    await filters.forget(LIN, kept.id)
    asked = "SELECT act FROM audit_entry WHERE object = %(object)s ORDER BY id"
    acts = await db.read(asked, {"object": f"alarm_filter:{kept.id}"}, as_=str)
    assert acts == ["alarm_filter.keep", "alarm_filter.change", "alarm_filter.forget"]
    await db.write("INSERT INTO kept_question (owner, name, query) VALUES ('lin', 'cases', '{}')")
    assert await filters.of(LIN) == []


async def test_what_an_older_city_kept_are_queues_of_cases_and_no_filters(
    server: embedded.Postgres, tmp_path: Path
) -> None:
    async with database_before("0023", server, tmp_path) as older:
        await older.write("INSERT INTO case_queue (owner, name, query) VALUES ('lin', 'mine', '{}')")
        assert "kernel/0023_kept_questions.sql" in await migrate(older, {})
        assert await older.rows("SELECT list, name FROM kept_question") == [("cases", "mine")]
        assert await KeptFilters(older).of(LIN) == []
