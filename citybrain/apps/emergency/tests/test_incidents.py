# SPDX-License-Identifier: Apache-2.0
"""An incident from its declaration to its report, on the real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.control import Wish, apply
from citybrain.apps.emergency.model import Act, Level, MessageKind, State
from citybrain.apps.emergency.service import incidents, tasks
from citybrain.apps.emergency.service.desk import MACHINE, EmergencyDesk, PlanChanged, put_plan
from citybrain.apps.emergency.service.incidents import (
    Declaration,
    EventHasIncident,
    IncidentAct,
    IncidentChanged,
    NewFact,
    NewMessage,
    NewPost,
    NewRole,
)
from citybrain.apps.emergency.service.opening import opened
from citybrain.apps.emergency.service.reporting import report
from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.cases.case import MoveFacts
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.errors import Refusal
from citybrain.kernel.i18n import load_words
from citybrain.kernel.records import Because, Event, Json, Severity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

FOLDER = Path(__file__).parents[1]
NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
HERE = {"type": "Point", "coordinates": [120.1, 30.2]}


def officer(name: str) -> Actor:
    rights = {f"case.{verb}": Right(reach=EVERYTHING) for verb in ("view", "open", "work")}
    more = {"people.departments": Right(reach=EVERYTHING)}
    return Actor(name=name, account=name, kind=Kind.STAFF, rights={**rights, **more})


ANN, BOB = officer("ann"), officer("bob")


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path) -> AsyncIterator[Store]:
    settings = Settings(data=open_folder / f"emergency-{new_id()}", database_url=database_url)
    async with open_store(settings, words=load_words([FOLDER])) as found:
        for id in ("roads", "traffic_police", "water", "emergency"):
            await found.access.departments.add(
                officer("root"), id, name={"zh": id, "en": id}, parent=None, now=utc_now()
            )
        yield found


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[EmergencyDesk]:
    async with opened(store) as found:
        yield found


def declaration(level: Level = Level.III, **more: object) -> Declaration:
    return msgspec.convert(
        {"plan": "flood", "level": level, "reason": "cloudburst", "title": "Flood", "geometry": HERE, **more},
        Declaration,
    )


async def happened(desk: EmergencyDesk, kind: str, entity_id: str, *, geometry: Json = None) -> Event:
    event = Event(
        id=f"event-{new_id()}",
        kind=kind,
        severity=Severity.II,
        at=NOW,
        entity_id=entity_id,
        because=Because(code="x"),
        geometry=geometry,
    )
    await desk.store.journal.tell([event])
    return event


async def begun(desk: EmergencyDesk, level: Level = Level.III, **more: object) -> str:
    return (await incidents.declare(desk, ANN, declaration(level, **more), now=NOW)).id


async def act(desk: EmergencyDesk, actor: Actor, id: str, act: Act, minutes: int, level: Level | None = None) -> State:
    wanted = IncidentAct(act=act, level=level, reason="so it is")
    return (await incidents.act(desk, actor, id, wanted, now=NOW + timedelta(minutes=minutes))).state


async def test_plans_are_shipped_once_and_a_new_version_holds_for_what_is_declared_afterwards(
    desk: EmergencyDesk,
) -> None:
    await desk.ship(NOW)
    assert {each.id: each.version for each in await kept.plans(desk.db)} == dict.fromkeys(
        ("air", "crowd", "flood", "general"), 1
    )
    before = await begun(desk, title="before")
    plan = await kept.plan(desk.db, "flood")
    after = await put_plan(desk, ANN, "flood", msgspec.structs.replace(plan, basis="ours"), now=NOW)
    assert (after.version, after.basis) == (2, "ours")
    with pytest.raises(PlanChanged):
        await put_plan(desk, BOB, "flood", plan, now=NOW)
    assert (await kept.incident(desk.db, before)).plan_version == 1
    assert (await kept.incident(desk.db, await begun(desk, title="after"))).plan_version == 2


async def test_a_version_holds_from_when_it_is_valid_and_the_one_before_until_then(desk: EmergencyDesk) -> None:
    first = await kept.plan(desk.db, "crowd")
    later = NOW + timedelta(days=30)
    second = await put_plan(desk, ANN, "crowd", msgspec.structs.replace(first, valid_from=later), now=NOW)
    assert ((await kept.plan(desk.db, "crowd", at=NOW)).version, second.version) == (first.version, first.version + 1)
    for at, in_force in ((NOW, first.version), (later, second.version)):
        found = await kept.plan_versions(desk.db, "crowd", at=at)
        assert [each.version for each in found if each.in_force] == [in_force]
        assert [each.version for each in await kept.plans(desk.db, at=at) if each.id == "crowd"] == [in_force]
    assert [each.version for each in await kept.plans(desk.db) if each.id == "crowd"] == [second.version]
    other = msgspec.structs.replace(first, id="new", valid_from=later, version=0)
    await put_plan(desk, ANN, "new", other, now=NOW)
    with pytest.raises(kept.NoSuchPlan):
        await incidents.declare(desk, ANN, Declaration(plan="new", level=Level.IV, title="x", reason="x"), now=NOW)
    declared = Declaration(plan="new", level=Level.IV, title="x", reason="x")
    assert (await incidents.declare(desk, ANN, declared, now=later)).plan_version == 1


async def test_the_tasks_of_a_level_are_given_at_once_as_cases(desk: EmergencyDesk) -> None:
    id = await begun(desk, Level.III)
    found = await tasks.stand(desk, id, NOW)
    assert [(each.line, each.department) for each in found] == [
        ("IV:1", "roads"),
        ("IV:2", "traffic_police"),
        ("III:1", "water"),
        ("III:2", "traffic_police"),
    ]
    case = await desk.store.cases.get(MACHINE, found[0].case_id)
    assert (case.type, case.department, case.longitude) == ("emergency_task", "roads", 120.1)
    assert case.due_at == NOW + timedelta(minutes=60)


async def test_a_city_that_stopped_between_a_level_and_its_tasks_gives_them_when_it_opens(desk: EmergencyDesk) -> None:
    id = await begun(desk, Level.IV)
    async with desk.db.transaction() as transaction:
        before = await kept.locked(transaction, id)
        raised = apply(before, Wish(act=Act.RAISE, by="ann", at=NOW, level=Level.III, reason="worse"))
        await kept.change(transaction, before, raised, at=NOW)
    assert len(await tasks.stand(desk, id, NOW)) == 2
    for _ in range(2):
        async with opened(desk.store):
            assert len(await tasks.stand(desk, id, NOW)) == 4


async def test_grave_levels_begin_at_three_until_a_second_person_agrees_and_then_add_tasks(
    desk: EmergencyDesk,
) -> None:
    id = await begun(desk, Level.I)
    first = await kept.incident(desk.db, id)
    assert (first.level, first.proposal is not None) == (Level.III, True)
    with pytest.raises(Refusal, match="other_person"):
        await act(desk, ANN, id, Act.CONFIRM, 1)
    await act(desk, BOB, id, Act.CONFIRM, 2)
    after = await kept.incident(desk.db, id)
    assert (after.level, after.level_at) == (Level.I, NOW + timedelta(minutes=2))
    lines = {each.line for each in await tasks.stand(desk, id, NOW)}
    assert {"II:1", "II:2"} <= lines
    missing = [each.text for each in await kept.messages(desk.db, id)]
    assert any("power" in text for text in missing), "the city has no such department, and that is said"


async def test_one_event_has_one_open_incident_and_gives_it_its_place(desk: EmergencyDesk) -> None:
    event = await happened(desk, "operations.flood", "urn:gauge", geometry=HERE)
    wanted = Declaration(plan="flood", level=Level.IV, reason="deep", event_id=event.id, key=f"key-{event.id}")
    first = await incidents.declare(desk, ANN, wanted, now=NOW)
    assert (first.entity_id, first.geometry) == ("urn:gauge", HERE)
    assert (await incidents.declare(desk, ANN, wanted, now=NOW)).id == first.id
    with pytest.raises(EventHasIncident):
        await incidents.declare(desk, BOB, msgspec.structs.replace(wanted, key=None), now=NOW)
    await act(desk, ANN, first.id, Act.STAND_DOWN, 5)
    again = await incidents.declare(desk, BOB, msgspec.structs.replace(wanted, key=None), now=NOW)
    assert again.id != first.id
    with pytest.raises(EventHasIncident):
        await act(desk, ANN, first.id, Act.RESUME, 6)


async def test_who_looked_at_an_older_version_is_told(desk: EmergencyDesk) -> None:
    id = await begun(desk)
    seen = (await kept.incident(desk.db, id)).version
    await act(desk, ANN, id, Act.LOWER, 1, Level.IV)
    with pytest.raises(IncidentChanged):
        wanted = IncidentAct(act=Act.STAND_DOWN, reason="dry", version=seen)
        await incidents.act(desk, BOB, id, wanted, now=NOW)


async def test_the_board_shows_the_newest_of_a_subject_by_when_it_was_true(desk: EmergencyDesk) -> None:
    id = await begun(desk)

    async def say(subject: str, text: str, minutes: int) -> int:
        fact = NewFact(subject=subject, text=text, source="gauge", at=NOW + timedelta(minutes=minutes))
        return (await incidents.say(desk, ANN, id, fact, now=NOW + timedelta(hours=1))).number

    first = await say("depth", "0.3 m", 10)
    newest = await say("depth", "0.5 m", 30)
    late = await say("depth", "0.4 m", 20)
    people = await say("trapped", "3", 5)
    replaced = {each.number: each.replaced_by for each in await kept.facts(desk.db, id)}
    assert replaced == {first: late, late: newest, newest: None, people: None}


@pytest.mark.parametrize("table", ["message", "fact", "act"])
@pytest.mark.parametrize("change", ["UPDATE emergency_{} SET by = 'x'", "DELETE FROM emergency_{}"])
async def test_what_was_written_down_stays(desk: EmergencyDesk, table: str, change: str) -> None:
    id = await begun(desk)
    await incidents.say(desk, ANN, id, NewFact(subject="a", text="b", source="c"), now=NOW)
    note = NewMessage(kind=MessageKind.ORDER, from_="ann", to="water", text="pump", at=NOW)
    await incidents.log(desk, ANN, id, note, now=NOW)
    with pytest.raises(Exception, match="stays as it is"):
        await desk.db.write(change.format(table))


async def test_roles_pass_on_and_posts_close(desk: EmergencyDesk) -> None:
    id = await begun(desk)
    assert set((await incidents.whole(desk, id, now=NOW)).missing_roles) == {"commander", "operations", "traffic"}
    for name in ("Wang", "Li"):
        await incidents.assign(desk, ANN, id, NewRole(role="commander", name=name), now=NOW)
    post = await incidents.open_post(desk, ANN, id, NewPost(name="school", geometry=HERE), now=NOW)
    await incidents.close_post(desk, ANN, id, post.number, now=NOW)
    found = await incidents.whole(desk, id, now=NOW)
    assert [(each.name, each.until) for each in found.roles] == [("Wang", NOW), ("Li", None)]
    assert found.posts[0].until == NOW
    assert "commander" not in found.missing_roles
    with pytest.raises(Refusal, match="no_such_role"):
        await incidents.assign(desk, ANN, id, NewRole(role="king", name="x"), now=NOW)
    with pytest.raises(Refusal, match="no_such_post"):
        await incidents.close_post(desk, ANN, id, post.number, now=NOW)


async def test_the_report_says_how_it_went_and_what_was_late(desk: EmergencyDesk) -> None:
    id = await begun(desk, Level.III)
    given = (await tasks.stand(desk, id, NOW))[0]
    note = NewMessage(kind=MessageKind.REPORT, from_="water", to="command", text="pumps run")
    await incidents.log(desk, ANN, id, note, now=NOW + timedelta(minutes=9))
    found = await incidents.whole(desk, id, now=NOW)
    assert found.next_report_at == NOW + timedelta(minutes=69)
    await desk.store.cases.move(MACHINE, given.case_id, "recall", MoveFacts(reason="done otherwise"))
    await act(desk, ANN, id, Act.RAISE, 10, Level.II)
    await act(desk, BOB, id, Act.CONFIRM, 20)
    await act(desk, ANN, id, Act.LOWER, 50, Level.IV)
    await act(desk, BOB, id, Act.CONFIRM, 60)
    await act(desk, ANN, id, Act.STAND_DOWN, 90)
    told = await report(desk, ANN, id, lang="en", now=NOW + timedelta(minutes=100))
    assert [(each.level, each.minutes, each.second_by) for each in told.levels] == [
        (Level.III, 20, None),
        (Level.II, 40, "bob"),
        (Level.IV, 30, "bob"),
    ]
    assert (told.summary["worst_level"], told.summary["minutes"]) == (Level.II, 90)
    assert [line.at for line in told.timeline] == sorted(line.at for line in told.timeline)
    assert {line.kind for line in told.timeline} == {"act", "message", "task"}
    assert any("was 55 min late" in each.text for each in told.late), [each.text for each in told.late]
    assert any(text.startswith("Nobody was") for text in told.missing)
    chinese = await report(desk, ANN, id, lang="zh", now=NOW + timedelta(minutes=100))
    assert chinese.title == "应急处置总结：Flood"
    assert [line.at for line in chinese.timeline] == [line.at for line in told.timeline]


async def test_a_closed_incident_takes_nothing_more(desk: EmergencyDesk) -> None:
    id = await begun(desk, Level.IV)
    await act(desk, ANN, id, Act.STAND_DOWN, 1)
    assert await act(desk, ANN, id, Act.CLOSE, 2) is State.CLOSED
    with pytest.raises(Refusal, match="not_now"):
        await incidents.say(desk, ANN, id, NewFact(subject="a", text="b", source="c"), now=NOW)
    with pytest.raises(Refusal, match="not_now"):
        asked = tasks.Asked(title="x", department="roads", minutes=5)
        await tasks.ask(desk, ANN, await kept.incident(desk.db, id), asked, now=NOW)


async def test_of_two_officers_who_act_at_once_one_is_told_that_the_other_was_faster(desk: EmergencyDesk) -> None:
    id = await begun(desk, Level.IV)
    seen = (await kept.incident(desk.db, id)).version
    wishes = (
        (ANN, IncidentAct(act=Act.RAISE, level=Level.III, reason="worse", version=seen)),
        (BOB, IncidentAct(act=Act.STAND_DOWN, reason="dry", version=seen)),
    )
    done = await asyncio.gather(
        *(incidents.act(desk, who, id, wish, now=NOW) for who, wish in wishes), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["Incident", "IncidentChanged"]
    acts = [each.act for each in await kept.acts(desk.db, id)]
    assert len(acts) == 2, "what was refused is not written down"


async def test_an_event_that_many_declare_at_once_has_one_incident(desk: EmergencyDesk) -> None:
    event = await happened(desk, "operations.crowd", "urn:square")
    wanted = Declaration(plan="crowd", level=Level.IV, reason="full", event_id=event.id)
    done = await asyncio.gather(
        *(incidents.declare(desk, who, wanted, now=NOW) for who in (ANN, BOB, ANN, BOB)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in done) == ["EventHasIncident"] * 3 + ["Incident"]
