# SPDX-License-Identifier: Apache-2.0
"""What people do with playbooks: versions, one or two persons who put them in force, trials, suggestions."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from citybrain.apps.operations.decide import trial
from citybrain.apps.operations.decide.trial import TrialRow
from citybrain.apps.operations.service import playbooks as desk
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.service.shipping import ship, shipped_playbooks
from citybrain.apps.operations.tests.playing import ANN, BOB, NOW, Town, event, line, playbook, town
from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Entity

BOT = Actor(name="bot", account="bot", kind=Kind.SERVICE)


@pytest.fixture(scope="module")
async def city(database_url: str, open_folder: Path) -> AsyncIterator[Town]:
    async with town(database_url, open_folder) as found:
        yield found


@pytest.fixture
async def operations(city: Town) -> Operations:
    await city.play()
    return city.operations


async def test_a_new_version_is_a_draft_and_what_is_in_force_stays_so(operations: Operations) -> None:
    first = await desk.put(operations, ANN, "one", playbook("one", line(1)), now=NOW)
    assert (first.state, first.active, first.two_person, first.usable) == ("draft", None, False, True)
    active = await desk.activate(operations, ANN, "one", now=NOW)
    assert (active.state, active.active, active.versions[-1].activated_by) == ("active", active.version, "ann")
    second = await desk.put(operations, BOB, "one", playbook("one", line(1, "street.tow")), now=NOW)
    assert (second.version, second.state, second.active) == (active.version + 1, "draft", active.version)
    assert [each.version for each in operations.active] == [active.version]
    replaced = await desk.activate(operations, BOB, "one", now=NOW)
    assert [each.state for each in replaced.versions][-2:] == ["retired", "active"]
    again = await desk.activate(operations, ANN, "one", version=active.version, now=NOW)
    assert (again.active, again.body.lines[0].means) == (active.version, "street.sign"), "an old one may come back"
    with pytest.raises(Refusal, match="playbook_active"):
        await desk.activate(operations, ANN, "one", version=active.version, now=NOW)
    retired = await desk.retire(operations, ANN, "one", now=NOW)
    assert (retired.active, retired.versions[-2].retired_by) == (None, "ann")
    assert operations.active == ()
    with pytest.raises(Refusal, match="playbook_not_active"):
        await desk.retire(operations, ANN, "one", now=NOW)


async def test_a_marked_playbook_takes_two_different_people_within_a_day(operations: Operations) -> None:
    await desk.put(operations, ANN, "two", playbook("two", line(1, approval="two")), now=NOW)
    with pytest.raises(Refusal, match="playbook_needs_persons"):
        await desk.activate(operations, BOT, "two", now=NOW)
    proposed = await desk.activate(operations, ANN, "two", now=NOW)
    assert (proposed.state, proposed.two_person) == ("draft", True)
    assert proposed.activation is not None
    assert (proposed.activation.by, proposed.activation.until) == ("ann", NOW + timedelta(hours=24))
    with pytest.raises(Refusal, match="playbook_needs_other_person"):
        await desk.activate(operations, ANN, "two", now=NOW)
    late = NOW + timedelta(hours=25)
    first_again = await desk.activate(operations, BOB, "two", now=late)
    assert first_again.activation is not None
    assert first_again.activation.by == "bob", "who comes after a day is the first one again"
    active = await desk.activate(operations, ANN, "two", now=late)
    assert (active.state, active.versions[-1].proposed_by, active.versions[-1].activated_by) == ("active", "bob", "ann")


async def test_what_makes_no_sense_is_refused(operations: Operations) -> None:
    with pytest.raises(Refusal, match="another_playbook"):
        await desk.put(operations, ANN, "one", playbook("other", line(1)), now=NOW)
    with pytest.raises(Refusal, match="line_twice"):
        await desk.put(operations, ANN, "one", playbook("one", line(1), line(1)), now=NOW)
    with pytest.raises(Refusal, match="no_such_playbook"):
        await desk.activate(operations, ANN, "nothing", now=NOW)
    await desk.put(operations, ANN, "one", playbook("one", line(1)), now=NOW)
    with pytest.raises(Refusal, match="no_such_version"):
        desk.look(operations, "one", 99, NOW)


async def test_a_trial_over_the_events_that_were_orders_nothing(city: Town, operations: Operations) -> None:
    told = [event(at=city.at + timedelta(minutes=number)) for number in range(3)]
    await city.store.journal.tell([*told, event("operations.flood", at=city.at)])
    found = await desk.dry_run(
        operations,
        playbook("tried", line(1, target="junction"), line(2, "street.tow", approval="officer")),
        since=city.at,
        until=city.at + timedelta(minutes=1),
    )
    assert (found.events, found.matched, found.won, found.would_wait) == (3, 2, 2, 2)
    assert found.orders_by_means == {"street.sign": 2, "street.tow": 2}
    await city.step()
    assert city.ordered() == []


async def test_suggestions_say_what_would_be_done_and_which_playbook_counts(city: Town) -> None:
    wide = playbook("wide", line(1), kinds=["traffic.*"])
    narrow = playbook("narrow", line(1, target="junction"), line(2, "street.fly"))
    await city.play(wide, narrow)
    await desk.put(city.operations, ANN, "drafted", playbook("drafted", line(1)), now=NOW)
    jam = event(at=city.at)
    await city.store.journal.tell([jam])
    found = await desk.suggestions(city.operations, jam.id)
    names = [(each.playbook, each.state, each.wins) for each in found if each.playbook in ("wide", "narrow", "drafted")]
    assert names == [("narrow", "active", True), ("wide", "active", False), ("drafted", "draft", False)]
    assert [(each.means, each.code) for each in found[0].lines] == [
        ("street.sign", ""),
        ("street.fly", "operations.means_unknown"),
    ]
    with pytest.raises(Refusal, match="no_such_event"):
        await desk.suggestions(city.operations, "nothing")


async def test_shipped_playbooks_come_once_and_what_people_made_of_them_stays(city: Town) -> None:
    operations = city.operations
    await ship(operations, now=NOW)
    shipped = {each.id for each in shipped_playbooks()}
    assert shipped <= {each.playbook.id for each in operations.active}
    versions = len(operations.versions)
    one, other = sorted(shipped)[:2]
    await desk.retire(operations, ANN, one, now=NOW)
    mine = msgspec.structs.replace(desk.look(operations, other, None, NOW).body, lines=(line(1),))
    await desk.put(operations, ANN, other, mine, now=NOW)
    await desk.activate(operations, ANN, other, now=NOW)
    await ship(operations, now=NOW)
    assert len(operations.versions) == versions + 1
    assert one not in {each.playbook.id for each in operations.active}
    assert desk.look(operations, other, None, NOW).body == mine
    listed = {each.id: each for each in await desk.listed(operations, NOW)}
    assert (listed[one].shipped, listed[one].usable, listed[one].active) == (True, False, None)


async def test_a_playbook_is_put_and_retired_by_one_at_a_time(operations: Operations) -> None:
    """Whoever changes a playbook while another one does waits, so memory is never behind the tables."""
    await desk.put(operations, ANN, "one", playbook("one", line(1)), now=NOW)
    await desk.activate(operations, ANN, "one", now=NOW)
    acts = (
        desk.put(operations, BOB, "one", playbook("one", line(1)), now=NOW),
        desk.retire(operations, BOB, "one", now=NOW),
    )
    async with operations.changing:
        tasks = [asyncio.create_task(act) for act in acts]
        done, _ = await asyncio.wait(tasks, timeout=0.3)
        assert not done
    await asyncio.gather(*tasks)
    assert operations.active == ()


async def test_a_trial_over_times_without_a_zone_or_the_wrong_way_round_is_refused(operations: Operations) -> None:
    naive = NOW.replace(tzinfo=None)
    for since, until in ((naive, NOW), (NOW, naive)):
        with pytest.raises(Refusal, match="time_without_zone"):
            await desk.dry_run(operations, playbook("tried", line(1)), since=since, until=until)
    with pytest.raises(Refusal, match="times_reversed"):
        await desk.dry_run(operations, playbook("tried", line(1)), since=NOW, until=NOW)


async def test_the_city_goes_on_while_a_playbook_is_tried(
    city: Town, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "YIELD_EVERY", 10)
    at = city.at + timedelta(days=9)
    await city.store.journal.tell([event(at=at + timedelta(seconds=number)) for number in range(100)])
    turns, turns_at = 0, list[int]()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def tried_on(*args: Any) -> TrialRow | None:
        turns_at.append(turns)
        return trial.tried_on(*args)

    monkeypatch.setattr(desk, "tried_on", tried_on)
    task = asyncio.create_task(others())
    found = await desk.dry_run(operations, playbook("tried", line(1)), since=at, until=at + timedelta(hours=1))
    task.cancel()
    assert (found.events, found.matched) == (100, 100)
    assert len(set(turns_at)) > 5


async def test_a_place_has_its_name_in_the_language_that_is_asked_for(city: Town) -> None:
    named = [("both", {"zh": "北门", "en": "North gate"}), ("one", {"en": "Gate"}), ("none", {})]
    await city.store.pool.register(
        [
            Entity(id=f"urn:ngsi-ld:Gate:{id}", type="Gate", source="test", observed_at=NOW, name=name)
            for id, name in named
        ]
    )
    names = city.operations.around.context().names
    found = [(names(f"urn:ngsi-ld:Gate:{id}", "zh"), names(f"urn:ngsi-ld:Gate:{id}", "en")) for id, _ in named]
    assert found == [("北门", "North gate"), ("Gate", "Gate"), ("urn:ngsi-ld:Gate:none", "urn:ngsi-ld:Gate:none")]


async def test_hours_of_a_playbook_are_told_in_the_zone_of_the_city(city: Town) -> None:
    for timezone in ("America/Lima", "Asia/Urumqi"):
        store = msgspec.structs.replace(city.store, timezone=timezone)
        assert Operations(store).around.context().zone == ZoneInfo(timezone)
