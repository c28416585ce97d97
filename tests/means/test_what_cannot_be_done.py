# SPDX-License-Identifier: Apache-2.0
"""Means that nobody could carry out say why, and an order that was not done is never said to be done."""

import asyncio

import pytest

from citybrain.apps.operations.control.means import BY_NAME, CATALOGUE, ROLES
from citybrain.apps.operations.control.means.acts import Command, Message, Task
from citybrain.apps.operations.service.carrying.book import DEVICES, ContactUnusable
from citybrain.apps.operations.store import contacts
from citybrain.apps.operations.store.contacts import Contact, ContactChanged, NoSuchContact, Way
from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.access.departments import NoSuchDepartment
from citybrain.kernel.access.policy import Department
from citybrain.kernel.audit.recording import MACHINE
from citybrain.kernel.clock import utc_now
from citybrain.kernel.orders import StandingOrder
from citybrain.kernel.records import Order, Outcome, OutcomeState
from tests.means.town import PLACE, Town, contacts_of, device_of, example, put

NAME = {"zh": "电台", "en": "Station"}
SIGN = BY_NAME["information.sign_text"]


async def radio(town: Town, channel: Way = Way.WEBHOOK, address: str = "") -> Contact:
    """The one contact of a role, as it is written."""
    known = town.desk.book.of("station")
    contact = Contact(
        id="station",
        role="radio",
        name=NAME,
        channel=channel,
        address=address or f"{town.url}/station",
        version=known.version if known else 0,
    )
    await town.desk.book.put(contact, by=MACHINE, now=utc_now())
    return contact


async def carried(town: Town, order: Order) -> Outcome:
    """An order that is given once more, beside the city's loop; the loop may be who hears of its outcome."""
    outcomes = list(await town.desk.obey([order], town.city.now))
    async with asyncio.timeout(10):
        while True:
            if outcomes:
                return outcomes[0]
            await asyncio.sleep(0.01)
            outcomes += await town.desk.obey([], town.city.now)


def outcome(order: StandingOrder) -> tuple[OutcomeState, str]:
    assert order.outcome is not None
    return order.outcome.state, order.outcome.code


@pytest.mark.parametrize("name", [each.means.name for each in CATALOGUE if isinstance(each.how, Message)])
async def test_a_message_without_a_contact_cannot_be_executed_and_says_so(bare: Town, name: str) -> None:
    lack = bare.city.lacks(name)
    assert lack is not None
    assert lack.code == "operations.no_contact"


@pytest.mark.parametrize("name", [each.means.name for each in CATALOGUE if isinstance(each.how, Command)])
async def test_a_command_without_a_device_cannot_be_executed_and_says_so(bare: Town, name: str) -> None:
    lack = bare.city.lacks(name)
    assert lack is not None
    assert lack.code == "operations.no_device"


@pytest.mark.parametrize("name", [each.means.name for each in CATALOGUE if isinstance(each.how, Task)])
async def test_work_has_a_department_from_the_first_start(bare: Town, name: str) -> None:
    assert bare.city.lacks(name) is None


async def test_a_message_that_nobody_can_take_is_refused(bare: Town) -> None:
    order = await bare.done("information.television", {"text": "绕行"})
    assert outcome(order) == (OutcomeState.REFUSED, "operations.no_contact")


async def test_a_contact_by_a_way_that_the_city_has_not_lacks_that_way(bare: Town) -> None:
    await radio(bare, Way.EMAIL, "station@city.example")
    ways = dict(bare.store.casework.ways)
    bare.store.casework.ways.clear()  # type: ignore[attr-defined]
    lack = bare.city.lacks("information.radio")
    assert lack is not None
    assert (lack.code, lack.facts["channels"]) == ("operations.no_way", ["email"])
    bare.store.casework.ways.update(ways)  # type: ignore[attr-defined]
    assert bare.city.lacks("information.radio") is None


async def test_a_webhook_that_is_broken_fails_the_order_and_is_not_told_later(bare: Town) -> None:
    await radio(bare)
    bare.web.status = 500
    order = await bare.done("information.radio", {"text": "绕行"})
    assert outcome(order) == (OutcomeState.FAILED, "operations.told_nobody")
    bare.web.status = 204
    tries = len(bare.web.at("/station"))
    assert tries == 2, "each pause is one try"
    (message,) = await contacts.messages(bare.store.db, bare.store.keys, order.id)
    assert (message.state, message.problem) == ("dead", "500")
    assert await bare.desk.delivery.deliver(order.id)
    assert len(bare.web.at("/station")) == tries


async def test_a_webhook_that_refuses_for_good_is_asked_once(bare: Town) -> None:
    await radio(bare)
    before = len(bare.web.at("/station"))
    bare.web.status = 410
    order = await bare.done("information.radio", {"text": "绕行"})
    bare.web.status = 204
    assert outcome(order) == (OutcomeState.FAILED, "operations.told_nobody")
    assert len(bare.web.at("/station")) == before + 1


async def test_who_was_missed_is_named_when_others_were_told(bare: Town) -> None:
    await radio(bare)
    closed = Contact(id="gone", role="radio", name=NAME, channel=Way.WEBHOOK, address="http://127.0.0.1:9/x")
    await bare.desk.book.put(closed, by=MACHINE, now=utc_now())
    order = await bare.done("information.radio", {"text": "绕行"})
    assert outcome(order) == (OutcomeState.EXECUTED, "operations.told")
    assert order.outcome is not None
    assert order.outcome.facts == {"count": 1, "of": 2, "missed": ["gone"]}
    await bare.desk.book.remove("gone", by=MACHINE)


async def test_an_order_on_a_device_that_is_not_there_is_refused_when_it_is_given(bare: Town) -> None:
    with pytest.raises(Exception, match="order_for_nothing"):
        await bare.give("drainage.run_pump", {"state": "on"}, on="urn:ngsi-ld:Pump:none")


async def test_a_device_that_nobody_commands_is_left_alone_and_the_order_refused(bare: Town) -> None:
    await put(bare.store, device_of(SIGN), "VariableMessageSign", displayedText="")
    order = await bare.done("information.sign_text", {"text": "前方积水"}, on=device_of(SIGN))
    assert outcome(order) == (OutcomeState.REFUSED, "operations.nobody_listens")
    sign = bare.store.documents.get("", device_of(SIGN))
    assert sign is not None
    assert "desiredDisplayedText" not in sign.attributes


async def test_a_gateway_among_the_contacts_takes_commands_by_webhook(bare: Town) -> None:
    gateway = Contact(id="gateway", role=DEVICES, name=NAME, channel=Way.WEBHOOK, address=f"{bare.url}/gateway/devices")
    await bare.desk.book.put(gateway, by=MACHINE, now=utc_now())
    order = await bare.done("information.sign_text", {"text": "前方积水"}, on=device_of(SIGN))
    assert outcome(order) == (OutcomeState.EXECUTED, "operations.commanded")
    (told,) = [body for _, body in bare.web.at("/gateway/devices") if body["order"] == order.id]
    assert told["command"] == {
        "attribute": "displayedText",
        "desired": "desiredDisplayedText",
        "value": "前方积水",
    }
    bare.web.status = 500
    failed = await bare.done("information.sign_text", {"text": "慢行"}, on=device_of(SIGN))
    bare.web.status = 204
    assert outcome(failed) == (OutcomeState.FAILED, "operations.told_nobody")
    (standing,) = [
        each for each in await bare.store.orders.delivery.reopen(bare.city.now, saved_at=None) if each.id == failed.id
    ]
    assert (await carried(bare, standing)).state is OutcomeState.EXECUTED, "what failed is tried again while it stands"
    await bare.desk.book.remove("gateway", by=MACHINE)


async def test_what_was_never_ordered_cannot_be_taken_back(bare: Town) -> None:
    for name, code in (
        ("administration.recall", "operations.no_case_of_order"),
        ("administration.remind", "operations.no_case_of_order"),
        ("information.all_clear", "operations.no_message_of_order"),
        ("information.cap_cancel", "cap.not_in_force"),
    ):
        order = await bare.done(name, {"order": "never"})
        assert outcome(order) == (OutcomeState.REFUSED, code)


async def test_work_that_is_over_cannot_be_recalled(bare: Town) -> None:
    given = await bare.done("people.send_tow", example(BY_NAME["people.send_tow"].means.parameters))
    await bare.done("administration.recall", {"order": given.id})
    again = await bare.done("administration.recall", {"order": given.id, "text": "重复"})
    assert outcome(again) == (OutcomeState.REFUSED, "operations.case_over")


async def test_contacts_are_written_over_the_version_that_was_read(bare: Town) -> None:
    await radio(bare)
    stale = Contact(id="station", role="radio", name=NAME, channel=Way.WEBHOOK, address=bare.url, version=99)
    with pytest.raises(ContactChanged):
        await bare.desk.book.put(stale, by=MACHINE, now=utc_now())
    with pytest.raises(NoSuchContact):
        await bare.desk.book.remove("nobody", by=MACHINE)


@pytest.mark.parametrize(
    ("channel", "address"),
    [("email", "no address"), ("sms", "123"), ("webhook", "ftp://city.example"), ("webhook", "javascript:x")],
)
async def test_a_contact_that_could_never_be_reached_is_refused(bare: Town, channel: str, address: str) -> None:
    wrong = Contact(id="wrong", role="radio", name=NAME, channel=Way(channel), address=address)
    with pytest.raises(ContactUnusable):
        await bare.desk.book.put(wrong, by=MACHINE, now=utc_now())


async def test_addresses_and_secrets_lie_encrypted(bare: Town) -> None:
    for contact in contacts_of("leader", bare.url):
        await bare.desk.book.put(contact, by=MACHINE, now=utc_now())
    await bare.done("administration.notify_leader", {"text": "水位超过警戒"})
    kept = await bare.store.db.rows(
        "SELECT string_agg(encode(address, 'escape'), ',') FROM operations_contact"
        " UNION ALL SELECT string_agg(encode(content, 'escape'), ',') FROM operations_message"
    )
    text = "".join(str(row[0]) for row in kept)
    assert "leader@city.example" not in text
    assert "between us" not in text
    assert "水位" not in text
    assert await bare.store.renewal.renew(utc_now()), "what is encrypted follows the newest key"


async def test_a_role_whose_department_is_dissolved_lacks_one_until_somebody_names_another(bare: Town) -> None:
    rights = {"people.departments": Right(reach=EVERYTHING)}
    planter = Actor(name="p", account="p", kind=Kind.SERVICE, rights=rights)
    tree = [Department(id="rescue", name={"zh": "救援局", "en": "Rescue"})]
    await bare.store.access.departments.plant(planter, tree, now=utc_now())
    await bare.store.access.refresh()
    lack = bare.city.lacks("people.send_fire")
    assert lack is not None
    assert lack.code == "operations.no_department"
    order = await bare.done("people.send_fire", {"kind": "fire"})
    assert outcome(order) == (OutcomeState.REFUSED, "operations.no_department")
    seeded = bare.desk.book.of("fire-case")
    assert seeded is not None
    with pytest.raises(NoSuchDepartment):
        wrong = Contact(id="w", role="fire", name=NAME, channel=Way.CASE, address="nowhere")
        await bare.desk.book.put(wrong, by=MACHINE, now=utc_now())
    right = Contact(id="fire-case", role="fire", name=NAME, channel=Way.CASE, address="rescue", version=seeded.version)
    await bare.desk.book.put(right, by=MACHINE, now=utc_now())
    assert bare.city.lacks("people.send_fire") is None
    done = await bare.done("people.send_fire", {"kind": "fire"}, on=PLACE)
    assert done.outcome is not None
    assert done.outcome.facts["department"] == "rescue"


def test_every_role_has_a_name_in_both_languages(bare: Town) -> None:
    for role in (*ROLES, DEVICES):
        name = bare.desk.book.role(role)
        assert all(said and "means.role" not in said for said in name.values()), role


async def test_a_command_that_stands_is_given_again_at_each_start_and_told_once(bare: Town) -> None:
    gateway = Contact(id="again", role=DEVICES, name=NAME, channel=Way.WEBHOOK, address=f"{bare.url}/again")
    await bare.desk.book.put(gateway, by=MACHINE, now=utc_now())
    order = await bare.done("information.sign_text", {"text": "减速慢行"}, on=device_of(SIGN))
    before = bare.store.documents.get("", device_of(SIGN))
    given = await bare.store.orders.delivery.reopen(bare.city.now, saved_at=None)
    mine = [each for each in given if each.id == order.id]
    assert mine, "one that lasts is given again when the city opens"
    assert (await carried(bare, mine[0])).state is OutcomeState.EXECUTED
    assert bare.store.documents.get("", device_of(SIGN)) == before
    assert len(bare.web.at("/again")) == 1
