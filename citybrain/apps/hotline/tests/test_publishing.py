# SPDX-License-Identifier: Apache-2.0
"""What everybody sees of the hotline as entities, and what comes in by the door for reports."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from citybrain.apps.hotline.model import Category, Channel, Datatype, Intake, Option, Question
from citybrain.apps.hotline.service import citizens
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import TellingUnusable, take
from citybrain.apps.hotline.service.publishing import OURS, REQUEST, SERVICE, Publisher
from citybrain.apps.hotline.service.told import intake_of
from citybrain.apps.hotline.store import tickets
from citybrain.apps.hotline.tests.people import WATER
from citybrain.kernel.cases.case import MoveFacts
from citybrain.kernel.cases.intake import NobodyTakes, Teller, Telling
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.document import Document, EntityChange
from citybrain.kernel.entities.service import Desk, create

TELLER = Teller(name="张三", phone="13800138000", email="zhang@example.org")
PERSONAL = ("张三", "13800138000", "zhang@example.org", "幸福里", "3 号楼", "alert")
SCRIPT = "<script>alert(1)</script> 停水两天了，我是张三 13800138000"


@pytest.fixture
async def publisher(hotline: Hotline) -> AsyncIterator[Publisher]:
    found = Publisher(hotline)
    with hotline.store.intakes.offered(Channel.OPEN311, intake_of(hotline, found)):
        yield found


def outage(**more: Any) -> Telling:
    given: dict[str, Any] = {
        "channel": "open311",
        "text": SCRIPT,
        "category": "water.supply.outage",
        "longitude": 116.35678,
        "latitude": 39.95432,
        "address": "幸福里小区 3 号楼",
        "teller": TELLER,
    }
    return Telling(**{**given, **more})


def shown(hotline: Hotline, number: str) -> Document | None:
    return hotline.store.documents.get("", f"{OURS[REQUEST]}{number}")


def value(document: Document | None, name: str) -> Any:
    assert document is not None
    return document.attributes[name][0].value


async def case_id_of(hotline: Hotline, number: str) -> int:
    rows = await hotline.db.rows(f"SELECT case_id FROM hotline_ticket WHERE number = '{number}'")  # noqa: S608 a number of ours
    return int(rows[0][0])


async def changes_of(hotline: Hotline, publisher: Publisher) -> list[EntityChange]:
    """What a round changes in the pool."""
    seen: list[EntityChange] = []
    hotline.store.documents.hooks.append(seen.extend)
    try:
        await publisher.round(utc_now())
    finally:
        hotline.store.documents.hooks.remove(seen.extend)
    return seen


async def test_every_public_category_can_be_reported_and_no_other(hotline: Hotline, publisher: Publisher) -> None:
    await publisher.round(utc_now())
    codes = {id.removeprefix(OURS[SERVICE]) for id in hotline.store.documents.ids_of_type("", SERVICE)}
    assert codes == {each for each in hotline.tree.categories if hotline.tree.is_public(each)}
    assert "water.supply.outage" in codes and "health" not in codes
    service = hotline.store.documents.get("", f"{OURS[SERVICE]}water.supply.outage")
    assert value(service, "service_name") == {"zh": "停水", "en": "No water"}
    assert value(service, "group") == {"zh": "供水排水", "en": "Water and drainage"}


async def test_a_report_from_the_door_is_a_ticket_like_any_other_and_shown_at_once(
    hotline: Hotline, publisher: Publisher
) -> None:
    taken = await hotline.store.intakes.take(outage())
    assert taken.due_at is not None
    case = await hotline.cases.get(MACHINE, await case_id_of(hotline, taken.number))
    assert (case.channel, case.category, case.department, case.state) == (
        "open311",
        "water.supply.outage",
        "water",
        "dispatched",
    )
    assert case.fields["text"] == SCRIPT
    document = shown(hotline, taken.number)
    assert (value(document, "status"), value(document, "service_code")) == ("open", "water.supply.outage")
    assert value(document, "status_notes") == {"zh": "已派单", "en": "Handed on"}
    assert document is not None and document.created_at


async def test_neither_caller_nor_words_nor_address_get_into_the_pool(hotline: Hotline, publisher: Publisher) -> None:
    taken = await hotline.store.intakes.take(outage())
    await publisher.round(utc_now())
    pool = b"".join(hotline.store.documents.raw("", id) or b"" for id in hotline.store.documents.ids("")).decode()
    assert taken.number in pool
    assert not [each for each in PERSONAL if each in pool]
    assert value(shown(hotline, taken.number), "location")["coordinates"] == [116.3565, 39.9545]


async def test_who_told_it_lies_encrypted_beside_the_case_and_not_in_it(hotline: Hotline, publisher: Publisher) -> None:
    taken = await hotline.store.intakes.take(outage(text="停水"))
    id = await case_id_of(hotline, taken.number)
    caller = await tickets.caller_of(hotline.db, hotline.keys, id)
    assert (caller.name, caller.phone, caller.email) == (TELLER.name, TELLER.phone, TELLER.email)
    rows = await hotline.db.rows(
        f"SELECT c::text, t::text, p::text FROM city_case c JOIN hotline_ticket t ON t.case_id = c.id "  # noqa: S608
        f"JOIN hotline_caller p ON p.case_id = c.id WHERE c.id = {id}"
    )
    assert not [each for each in (TELLER.name, TELLER.phone, TELLER.email) if each in str(rows)]


async def test_a_report_sent_twice_with_one_key_is_one_ticket(hotline: Hotline, publisher: Publisher) -> None:
    first = await hotline.store.intakes.take(outage(key="open311:1"))
    again = await hotline.store.intakes.take(outage(key="open311:1"))
    assert (again.number, again.page) == (first.number, "")


async def test_the_page_of_a_report_is_followed_by_whoever_told_it(hotline: Hotline, publisher: Publisher) -> None:
    taken = await hotline.store.intakes.take(outage())
    secret = taken.page.removeprefix("/citizen/follow/")
    assert (await citizens.ticket_of(hotline, secret)).number == taken.number


async def test_a_rehearsal_is_checked_and_leaves_nothing(hotline: Hotline, publisher: Publisher) -> None:
    count = "SELECT count(*) FROM city_case"
    before = await hotline.db.rows(count)
    assert (await hotline.store.intakes.take(outage(rehearsal=True))).number == ""
    with pytest.raises(TellingUnusable):
        await hotline.store.intakes.take(outage(rehearsal=True, teller=Teller(phone="call me")))
    assert await hotline.db.rows(count) == before


@pytest.mark.parametrize("category", ["health", "nothing", ""])
async def test_what_is_not_public_cannot_be_reported_by_the_door(
    hotline: Hotline, publisher: Publisher, category: str
) -> None:
    with pytest.raises(TellingUnusable):
        await hotline.store.intakes.take(outage(category=category))


async def test_without_words_the_category_is_the_text_and_pictures_are_named(
    hotline: Hotline, publisher: Publisher
) -> None:
    taken = await hotline.store.intakes.take(outage(text="", media=("https://pictures.example.org/1.jpg",)))
    case = await hotline.cases.get(MACHINE, await case_id_of(hotline, taken.number))
    assert case.fields["text"] == "供水排水 / 供水 / 停水\nhttps://pictures.example.org/1.jpg"


async def test_what_is_shown_follows_the_ticket_and_a_round_without_news_changes_nothing(
    hotline: Hotline, publisher: Publisher
) -> None:
    taken = await hotline.store.intakes.take(outage())
    id = await case_id_of(hotline, taken.number)
    await publisher.round(utc_now())
    assert await changes_of(hotline, publisher) == []
    await hotline.cases.move(WATER, id, "accept")
    await hotline.cases.move(WATER, id, "answer", MoveFacts(answer="已修复", fields={"resolution": "resolved"}))
    await hotline.cases.move(WATER, id, "close")
    assert value(shown(hotline, taken.number), "status") == "open"
    changes = await changes_of(hotline, publisher)
    assert [len([each for each in changes if each.id.endswith(taken.number)])] == [1]
    written = {each.name for each in changes[0].attributes}
    assert {"status", "status_notes"} <= written <= {"status", "status_notes", "updated_datetime"}
    assert value(shown(hotline, taken.number), "status") == "closed"
    assert await changes_of(hotline, publisher) == []


async def test_a_ticket_that_is_merged_or_made_private_is_taken_away(hotline: Hotline, publisher: Publisher) -> None:
    kept, merged, private = [(await hotline.store.intakes.take(outage())).number for _ in range(3)]
    ids = [await case_id_of(hotline, number) for number in (kept, merged, private)]
    await hotline.cases.merge(MACHINE, ids[0], [ids[1]], "同一件事")
    private_now = "UPDATE hotline_ticket SET public = false, changed_at = now() WHERE case_id = %(id)s"
    await hotline.db.write(private_now, {"id": ids[2]})
    await publisher.round(utc_now())
    assert [shown(hotline, number) is not None for number in (kept, merged, private)] == [True, False, False]


async def test_after_a_restart_all_that_was_missed_is_made_up_for(hotline: Hotline, publisher: Publisher) -> None:
    gone, new = (
        (await hotline.store.intakes.take(outage())).number,
        (await take(hotline, MACHINE, web(), now=utc_now())),
    )
    stale = shown(hotline, gone)
    id = await case_id_of(hotline, gone)
    # While nobody looked: one was made private, long ago by the clock, and one came.
    unseen = "UPDATE hotline_ticket SET public = false, changed_at = now() - interval '1 day' WHERE case_id = %(id)s"
    await hotline.db.write(unseen, {"id": id})
    assert stale is not None and shown(hotline, new.number) is None
    await Publisher(hotline).round(utc_now())
    assert shown(hotline, gone) is None
    assert shown(hotline, new.number) is not None


async def test_what_others_have_published_under_these_names_is_left_alone(
    hotline: Hotline, publisher: Publisher
) -> None:
    foreign = Document(id=f"urn:ngsi-ld:{REQUEST}:elsewhere:1", types=(REQUEST,))
    await create(Desk(documents=hotline.store.documents, tenant="", at=utc_now()), foreign)
    await publisher.round(utc_now())
    assert hotline.store.documents.get("", foreign.id) is not None


async def test_reports_of_more_than_a_year_ago_are_not_shown(hotline: Hotline, publisher: Publisher) -> None:
    old = await take(hotline, MACHINE, web(created_at=utc_now() - timedelta(days=366)), now=utc_now())
    young = await take(hotline, MACHINE, web(created_at=utc_now() - timedelta(days=364)), now=utc_now())
    await publisher.round(utc_now())
    assert shown(hotline, old.number) is None
    document = shown(hotline, young.number)
    assert document is not None and document.expires_at < (utc_now() + timedelta(days=2)).isoformat()


async def test_a_category_that_is_made_private_takes_its_reports_along_and_one_with_questions_asks_them(
    hotline: Hotline, publisher: Publisher
) -> None:
    number = (await hotline.store.intakes.take(outage())).number
    await publisher.round(utc_now())
    before = hotline.tree
    sides = Question(
        code="SIDE",
        words={"zh": "哪一侧", "en": "Which side"},
        datatype=Datatype.ONE_OF,
        required=True,
        options=(Option(key="n", name={"zh": "北侧", "en": "North"}),),
    )

    def changed(category: Category) -> Category:
        private = category.id == "water.supply.outage"
        questions = (sides,) if category.id == "water.drain" else category.questions
        return msgspec.structs.replace(category, public=category.public and not private, questions=questions)

    categories = [changed(each) for each in before.categories.values()]
    await hotline.set_categories(categories, version=before.version, by="x", now=utc_now())
    try:
        await publisher.round(utc_now())
        assert shown(hotline, number) is None
        assert hotline.store.documents.get("", f"{OURS[SERVICE]}water.supply.outage") is None
        asked = value(hotline.store.documents.get("", f"{OURS[SERVICE]}water.drain"), "attributes")
        assert [(each["code"], each["required"]) for each in asked] == [("SIDE", True)]
        taken = await hotline.store.intakes.take(
            outage(category="water.drain", text="积水", answers={"SIDE": ("n",), "UNASKED": ("x",)})
        )
        case = await hotline.cases.get(MACHINE, await case_id_of(hotline, taken.number))
        assert case.fields["text"] == "积水\n哪一侧：北侧"
    finally:
        hotline.tree = before


async def test_without_a_hotline_nobody_takes_reports_in(hotline: Hotline) -> None:
    with pytest.raises(NobodyTakes):
        await hotline.store.intakes.take(outage())


def web(**more: Any) -> Intake:
    given: dict[str, Any] = {"text": "停水", "channel": Channel.WEB, "category": "water.supply.outage", "public": True}
    return Intake(**{**given, **more})
