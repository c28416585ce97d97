# SPDX-License-Identifier: Apache-2.0
"""Each means of the catalogue is ordered in a city that lives, and what it does is seen where it happens."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from citybrain.apps.operations.control.means import BY_NAME
from citybrain.apps.operations.control.means.acts import AUTO, PROGRESS, TAKEN, Command, Message, Task
from citybrain.apps.operations.service.carrying.works import MACHINE
from citybrain.doors.cap import store as warnings
from citybrain.doors.cap.ordered import identifier
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.store import EVERY_SCOPE
from citybrain.kernel.cases.case import MoveFacts
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.records import OutcomeState
from tests.means.town import (
    CATALOGUE,
    EVENT,
    GATEWAY,
    PLACE,
    SECRET,
    Given,
    Town,
    device_of,
    everything,
    furnish,
    officer,
)

NAMES = sorted(act.means.name for act in CATALOGUE)
TASKS = sorted(act.means.name for act in CATALOGUE if isinstance(act.how, Task))
MESSAGES = sorted(act.means.name for act in CATALOGUE if isinstance(act.how, Message))
COMMANDS = sorted(act.means.name for act in CATALOGUE if isinstance(act.how, Command))


@pytest.fixture(scope="module")
async def town(bare: Town) -> Town:
    await furnish(bare)
    return bare


@pytest.fixture(scope="module")
async def given(town: Town) -> dict[str, Given]:
    return await everything(town)


async def until(holds: Callable[[], Any]) -> Any:
    """What holds at last."""
    async with asyncio.timeout(20):
        while True:
            if found := holds():
                return found
            await asyncio.sleep(0.05)


def code(given: Given) -> str:
    assert given.order.outcome is not None
    return given.order.outcome.code


@pytest.mark.parametrize("name", NAMES)
async def test_every_order_is_carried_out_and_says_what_was_done(given: dict[str, Given], name: str) -> None:
    outcome = given[name].order.outcome
    assert outcome is not None
    assert outcome.state is OutcomeState.EXECUTED, outcome
    assert outcome.code, "what was done is said"


@pytest.mark.parametrize("name", TASKS)
async def test_work_is_a_case_for_the_department_that_has_the_role(
    town: Town, given: dict[str, Given], name: str
) -> None:
    order, how = given[name].order, BY_NAME[name].how
    assert isinstance(how, Task)
    assert order.outcome is not None
    case = await town.store.cases.get(MACHINE, order.outcome.facts["case"])
    department = town.desk.book.department(how.role) if how.role else "roads"
    assert (case.type, case.department, case.category) == (how.type, department, name)
    assert case.due_at is not None, "it has a time limit"
    assert (case.fields["order"], case.fields["entity"], case.fields["event"]) == (order.id, PLACE, EVENT)
    assert case.fields["by"] == "wang"
    assert (case.longitude, case.latitude) == (116.35, 39.95)
    if how.role:
        assert case.priority == how.priority
    assert await town.desk.observed(order.id, PROGRESS) is not None


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_message_arrives_by_mail_text_push_and_webhook(town: Town, given: dict[str, Given], name: str) -> None:
    order, how = given[name].order, BY_NAME[name].how
    assert isinstance(how, Message)
    title = town.desk.book.words.of("zh")[f"means.{name}"]
    letters = [each for each in town.mail.got if order.id in str(each["Message-ID"])]
    assert [each["X-To"] for each in letters] == [f"{how.role}@city.example"]
    assert title in str(letters[0]["Subject"])
    key = f"operations-{order.id}-{how.role}"
    for channel, address in (("sms", "13800138000"), ("push", f"{how.role}-list")):
        told = [body for _, body in town.web.at(f"/gateway/{channel}") if body["to"] == address]
        keys = [headers["idempotency-key"] for headers, _ in town.web.at(f"/gateway/{channel}")]
        assert f"{key}-{channel}" in keys
        assert told
    (hook,) = [each for each in town.web.at(f"/{how.role}") if each[1]["order"] == order.id]
    headers, body = hook
    assert headers["idempotency-key"] == f"{key}-hook"
    assert body["means"] == name
    assert body["parameters"].items() >= given[name].parameters.items()
    assert body["entity"]["geometry"] == {"type": "Point", "coordinates": [116.35, 39.95]}
    assert await town.desk.observed(order.id, TAKEN) == 4.0


async def test_what_goes_to_a_webhook_is_signed_with_its_secret(town: Town, given: dict[str, Given]) -> None:
    id = given["information.radio"].order.id
    headers, body = next(each for each in town.web.at("/radio") if each[1]["order"] == id)
    seconds, made = (part.split("=")[1] for part in headers["x-citybrain-signature"].split(","))
    written = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    expected = hmac.new(SECRET.encode(), f"{seconds}.".encode() + written, hashlib.sha256).hexdigest()
    assert made == expected


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_device_is_told_what_to_be_and_its_gateway_hears_of_it(
    town: Town, given: dict[str, Given], name: str
) -> None:
    act, order = BY_NAME[name], given[name].order
    assert isinstance(act.how, Command)
    how, parameters = act.how, given[name].order.parameters
    wanted = parameters[how.parameter] if how.parameter else dict(parameters) or order.id

    def told() -> list[Any]:
        return [
            each
            for _, body in town.web.at(GATEWAY)
            for each in body["data"]
            if each["id"] == device_of(act)
            and each.get(how.desired, {}).get("value") == wanted
            and each[how.desired]["orderedBy"]["value"] == order.id
        ]

    assert await until(told)


async def test_a_device_that_is_released_may_go_by_its_own_control(town: Town, given: dict[str, Given]) -> None:
    pump = town.store.documents.get("", device_of(BY_NAME["drainage.run_pump"]))
    assert pump is not None
    assert pump.attributes["desiredPowerState"][0].value == AUTO
    story, _ = await town.store.orders.get(officer("wang"), given["drainage.run_pump"].order.id)
    assert story.state == "ended", "what the release puts an end to"


async def test_a_recalled_case_is_closed_and_one_that_is_reminded_of_says_so(
    town: Town, given: dict[str, Given]
) -> None:
    recalled = given["people.send_tow"].order.outcome
    reminded = given["people.send_pump"].order.outcome
    assert recalled and reminded
    case = await town.store.cases.get(MACHINE, recalled.facts["case"])
    assert (case.state, case.phase) == ("recalled", Phase.CLOSED)
    story = await town.store.cases.story(MACHINE, reminded.facts["case"])
    assert "flooded" in story.comments[-1].text
    assert await town.desk.observed(given["administration.recall"].order.id, PROGRESS) == -1.0


async def test_an_all_clear_goes_to_all_who_took_the_message(town: Town, given: dict[str, Given]) -> None:
    id = given["information.all_clear"].order.id
    assert [each["X-To"] for each in town.mail.got if id in str(each["Message-ID"])] == ["radio@city.example"]
    assert [each for each in town.web.at("/radio") if each[1]["order"] == id]


async def test_a_warning_is_out_in_cap_and_called_off(town: Town, given: dict[str, Given]) -> None:
    alert, cancel = (given[f"information.cap_{what}"].order for what in ("alert", "cancel"))
    kept = await warnings.find(town.store.db, identifier(alert.id), sender=None, scopes=EVERY_SCOPE)
    assert kept is not None
    said = read(kept.body).alert
    assert (said.status, said.infos[0].event, kept.closed_because) == ("Actual", "event 1", "Cancel")
    assert said.infos[0].areas[0].circles[0].centre == (39.95, 116.35)
    off = await warnings.find(town.store.db, identifier(cancel.id), sender=None, scopes=EVERY_SCOPE)
    assert off is not None
    assert read(off.body).alert.references[0].identifier == identifier(alert.id)


async def test_the_effect_of_work_is_how_far_its_case_is(town: Town, given: dict[str, Given]) -> None:
    order = given["people.send_fire"].order
    assert order.outcome is not None
    id = order.outcome.facts["case"]
    assert await town.desk.observed(order.id, PROGRESS) == 0.0
    for move, facts, expected in (
        ("accept", MoveFacts(), 1.0),
        ("begin", MoveFacts(), 2.0),
        ("finish", MoveFacts(answer="灭火完毕"), 3.0),
    ):
        await town.store.cases.move(MACHINE, id, move, facts)
        assert await town.desk.observed(order.id, PROGRESS) == expected


async def test_helpers_of_a_joint_case_are_asked(town: Town, given: dict[str, Given]) -> None:
    order = given["administration.joint_case"].order
    assert order.outcome is not None
    story = await town.store.cases.story(MACHINE, order.outcome.facts["case"])
    assert {share.department for share in story.shares} == {"police", "fire"}


async def test_an_order_that_is_given_again_does_nothing_twice(town: Town, given: dict[str, Given]) -> None:
    """As it is when the city dies between what was done and its outcome."""
    mails, hooks = len(town.mail.got), len(town.web.got)
    counted = "SELECT (SELECT count(*) FROM city_case), (SELECT count(*) FROM case_event)"
    before = await town.store.db.rows(counted)
    names = (
        "people.send_tow",
        "information.radio",
        "information.cap_alert",
        "information.cap_cancel",
        "administration.joint_case",
        "administration.recall",
        "administration.remind",
    )
    ids = [given[name].order.id for name in names]
    await town.store.db.write(
        "UPDATE standing_order SET state = 'standing', settled = false WHERE id = ANY(%(ids)s)", {"ids": ids}
    )
    await town.store.db.write("DELETE FROM outcome WHERE order_id = ANY(%(ids)s)", {"ids": ids})
    await town.store.orders.delivery.reopen(town.city.now, saved_at=None)
    for id in ids:
        settled = await town.settled(id)
        assert settled.outcome is not None
        assert settled.outcome.state is OutcomeState.EXECUTED
    assert await town.store.db.rows(counted) == before
    assert (len(town.mail.got), len(town.web.got)) == (mails, hooks)
