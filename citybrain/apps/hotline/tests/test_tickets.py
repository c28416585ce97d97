# SPDX-License-Identifier: Apache-2.0
"""A ticket from the first word to the rating, on a real database."""

from datetime import timedelta

import pytest

from citybrain.apps.hotline.api.figures import as_csv, harmless
from citybrain.apps.hotline.model import Caller, Channel, Intake
from citybrain.apps.hotline.service import citizens, desk, suggesting
from citybrain.apps.hotline.service.citizens import Wish
from citybrain.apps.hotline.service.desk import Call, FollowUp
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import TellingUnusable, take
from citybrain.apps.hotline.store import tickets
from citybrain.apps.hotline.tests.people import DESK_CLERK, ROADS, WATER
from citybrain.kernel.access import Reach
from citybrain.kernel.cases.case import MoveFacts
from citybrain.kernel.cases.drawing import Plan
from citybrain.kernel.cases.refusals import NoSuchCase
from citybrain.kernel.cases.satisfaction import Satisfaction
from citybrain.kernel.clock import utc_now
from citybrain.kernel.privacy.people import ReasonMissing

SCRIPT = "<script>alert(1)</script> 家里停水了"


def water(**more: object) -> Intake:
    given = {"text": "幸福里小区停水两天了", "channel": Channel.WEB, "caller": Caller(name="张三", phone="13800138000")}
    return Intake(**{**given, **more})  # type: ignore[arg-type]


async def test_a_report_goes_to_the_department_of_its_words_and_gets_a_receipt(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(), now=utc_now())
    assert receipt.number.startswith("HT")
    assert receipt.department == "water"
    assert receipt.because.code in ("hotline.because_rule", "hotline.because_category")
    report = citizens.report_of(await citizens.ticket_of(hotline, receipt.secret), utc_now())
    assert (report.number, report.state) == (receipt.number, "dispatched")


async def test_a_report_sent_twice_is_one_ticket_and_its_link_is_told_once(hotline: Hotline) -> None:
    first = await take(hotline, MACHINE, water(key="web:1"), now=utc_now())
    again = await take(hotline, MACHINE, water(key="web:1"), now=utc_now())
    assert (again.case_id, again.secret) == (first.case_id, "")


async def test_neither_secret_nor_caller_lies_in_the_table_in_clear(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(), now=utc_now())
    rows = await hotline.db.rows("SELECT t::text, c::text FROM hotline_ticket t JOIN hotline_caller c USING (case_id)")
    assert not [row for row in rows if receipt.secret in str(row) or "13800138000" in str(row) or "张三" in str(row)]


async def test_a_caller_is_masked_until_somebody_says_why_and_that_is_audited(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(), now=utc_now())
    assert (await desk.caller(hotline, DESK_CLERK, receipt.case_id)).phone == "138****8000"
    with pytest.raises(ReasonMissing):
        await desk.reveal(hotline, DESK_CLERK, receipt.case_id, " ")
    assert (await desk.reveal(hotline, DESK_CLERK, receipt.case_id, "回访确认地址")).phone == "13800138000"
    people = hotline.store.people
    looks = await people.looks(people.marks("phone", "13800138000"))
    assert (looks[0].account, looks[0].object, looks[0].fields) == ("li", f"case:{receipt.case_id}", ("name", "phone"))


async def test_another_department_does_not_see_the_ticket(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(), now=utc_now())
    with pytest.raises(NoSuchCase):
        await desk.caller(hotline, ROADS, receipt.case_id)


async def test_its_reviewer_reads_the_ticket_with_masks_and_neither_reveals_nor_supervises(hotline: Hotline) -> None:
    now = utc_now()
    receipt = await take(hotline, MACHINE, water(), now=now)
    answer = MoveFacts(answer="已恢复", fields={"resolution": "resolved"})
    for move, facts in (("accept", MoveFacts()), ("answer", answer), ("close", MoveFacts())):
        await hotline.cases.move(WATER, receipt.case_id, move, facts)
    plan = Plan(seed="x", since=now - timedelta(days=1), until=now + timedelta(days=1), share=1, reviewers=("zhao",))
    await hotline.store.casework.sampling.draw(DESK_CLERK, plan, now=now)
    assert (await desk.ticket(hotline, ROADS, receipt.case_id, to_review=True)).number == receipt.number
    assert (await desk.caller(hotline, ROADS, receipt.case_id)).phone == "138****8000"
    with pytest.raises(NoSuchCase):
        await desk.reveal(hotline, ROADS, receipt.case_id, "回访确认地址")
    with pytest.raises(NoSuchCase):
        await desk.supervise(hotline, ROADS, receipt.case_id, "尽快办理完毕", now + timedelta(days=1), now=now)


async def test_nobody_need_say_who_they_are(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(caller=Caller()), now=utc_now())
    assert not await tickets.caller_of(hotline.db, hotline.keys, receipt.case_id)


async def test_answered_rated_and_asked_again(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(), now=utc_now())
    id = receipt.case_id
    await hotline.cases.move(WATER, id, "accept")
    await hotline.cases.move(WATER, id, "answer", MoveFacts(answer="已修复", fields={"resolution": "resolved"}))
    report = citizens.report_of(await citizens.ticket_of(hotline, receipt.secret), utc_now())
    assert (report.answer, report.may) == ("已修复", ("add", "rate", "reopen"))
    bad = Satisfaction.DISSATISFIED
    rated = await citizens.rate(hotline, receipt.secret, bad, resolved=False, now=utc_now())
    assert rated.satisfaction == bad
    with pytest.raises(citizens.NotNow):
        await citizens.rate(hotline, receipt.secret, Satisfaction.SATISFIED, resolved=True, now=utc_now())
    again = await citizens.reopen(hotline, receipt.secret, "还是没水", now=utc_now())
    assert again.state == "working"
    row = (await tickets.by_ids(hotline.db, [id]))[0]
    assert (row.first_department, row.resolved, row.answered_at) == ("water", False, None)


async def test_whom_to_call_are_those_who_were_answered_and_left_a_number(hotline: Hotline) -> None:
    known = await take(hotline, MACHINE, water(), now=utc_now())
    unknown = await take(hotline, MACHINE, water(caller=Caller()), now=utc_now())
    for each in (known, unknown):
        await hotline.cases.move(WATER, each.case_id, "accept")
        facts = MoveFacts(answer="已修复", fields={"resolution": "resolved"})
        await hotline.cases.move(WATER, each.case_id, "answer", facts)
    listed = {each.case_id for each in await desk.follow_up_list(hotline, DESK_CLERK, utc_now())}
    assert known.case_id in listed
    assert unknown.case_id not in listed
    said = FollowUp(reached=True, resolved=True, satisfaction=Satisfaction.SATISFIED)
    await desk.follow_up(hotline, DESK_CLERK, known.case_id, said, now=utc_now())
    assert known.case_id not in {each.case_id for each in await desk.follow_up_list(hotline, DESK_CLERK, utc_now())}


async def test_the_telephone_shows_what_a_number_told_before(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(caller=Caller(phone="010-6255 1234")), now=utc_now())
    call = Call(key="c1", phone="01062551234", rang_at=utc_now(), answered_after_s=7)
    shown = await desk.ring(hotline, call)
    assert [each.case_id for each in shown.tickets] == [receipt.case_id]
    assert "6255" not in shown.phone
    figures = await tickets.call_figures(
        hotline.db, utc_now() - timedelta(hours=1), utc_now() + timedelta(hours=1), within_s=15
    )
    assert (figures.calls, figures.in_time) == (1, 1)


async def test_supervision_ends_with_the_answer(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(), now=utc_now())
    due = utc_now() + timedelta(days=1)
    await desk.supervise(hotline, DESK_CLERK, receipt.case_id, "明天前解决", due, now=utc_now())
    assert receipt.case_id in {each.case_id for each in await tickets.supervisions(hotline.db, Reach(all=True))}
    await hotline.cases.move(WATER, receipt.case_id, "accept")
    facts = MoveFacts(answer="已修复", fields={"resolution": "resolved"})
    await hotline.cases.move(WATER, receipt.case_id, "answer", facts)
    assert receipt.case_id not in {each.case_id for each in await tickets.supervisions(hotline.db, Reach(all=True))}


async def test_a_script_in_a_description_stays_text(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(text=SCRIPT), now=utc_now())
    row = (await tickets.by_ids(hotline.db, [receipt.case_id]))[0]
    assert row.text == SCRIPT


async def test_the_public_list_has_neither_words_nor_the_exact_place(hotline: Hotline) -> None:
    intake = water(public=True, longitude=116.35123, latitude=39.95123)
    receipt = await take(hotline, MACHINE, intake, now=utc_now())
    found, _ = await citizens.public_list(hotline, None, limit=200)
    shown = next(each for each in found if each.number == receipt.number)
    assert (shown.longitude, shown.latitude) == (116.3515, 39.9515)
    assert not hasattr(shown, "text")
    hidden = await take(hotline, MACHINE, water(text="公司拖欠工资三个月", public=True), now=utc_now())
    found, _ = await citizens.public_list(hotline, None, limit=200)
    assert hidden.number not in {each.number for each in found}


# fmt: off
UNUSABLE = [
    ({"text": " \u200b "},                              "text"),
    ({"text": "x" * 5001},                              "text"),
    ({"longitude": 116.0},                              "place"),
    ({"longitude": 116.0, "latitude": 95.0},            "place"),
    ({"caller": Caller(phone="call me")},               "phone"),
    ({"caller": Caller(email="nobody")},                "email"),
    ({"category": "no.such"},                           "category"),
]
# fmt: on


@pytest.mark.parametrize(("more", "field"), UNUSABLE)
async def test_what_cannot_be_a_ticket_is_refused_by_its_field(
    hotline: Hotline, more: dict[str, object], field: str
) -> None:
    with pytest.raises(TellingUnusable) as refused:
        await take(hotline, MACHINE, water(**more), now=utc_now())
    assert refused.value.facts == {"field": field}


async def test_while_the_clerk_types_place_duplicates_and_answers_are_found(hotline: Hotline) -> None:
    asked = suggesting.Asked(text="幸福里小区停水两天了没人管", longitude=116.35, latitude=39.95)
    first = await take(hotline, MACHINE, water(longitude=116.3501, latitude=39.9501), now=utc_now())
    await hotline.refresh()
    found = suggesting.suggest(hotline, asked, now=utc_now())
    assert found.categories[0].category == "water.supply.outage"
    assert found.places[0].place.name == "幸福里小区"
    assert first.case_id in {each.case_id for each in found.duplicates}


CELLS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\u3000=1"]


@pytest.mark.parametrize("cell", CELLS)
async def test_a_formula_in_an_export_is_text(cell: str) -> None:
    assert harmless(cell).startswith("'")


async def test_an_export_holds_no_caller(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(text="=HYPERLINK(1) 停水"), now=utc_now())
    written = as_csv(await tickets.by_ids(hotline.db, [receipt.case_id])).decode()
    assert "'=HYPERLINK" in written
    assert "13800138000" not in written


async def test_a_person_can_take_out_and_erase_what_the_hotline_knows(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(caller=Caller(name="王五", phone="13900139000")), now=utc_now())
    people = hotline.store.people
    marks = people.marks("phone", "13900139000")
    out = await people.take_out(MACHINE, marks)
    assert out["parts"]["hotline_caller"]["reports"][0]["phone"] == "13900139000"
    gone = (await people.erase(MACHINE, marks, why="asked", now=utc_now()))["hotline_caller"]
    assert (gone.erased, gone.kept) == (0, 1), "an open report still needs its address"
    await hotline.cases.move(WATER, receipt.case_id, "accept")
    facts = MoveFacts(answer="已修复", fields={"resolution": "resolved"})
    await hotline.cases.move(WATER, receipt.case_id, "answer", facts)
    await hotline.cases.move(WATER, receipt.case_id, "close")
    gone = (await people.erase(MACHINE, marks, why="asked", now=utc_now()))["hotline_caller"]
    assert (gone.erased, gone.kept) == (1, 0)


async def test_who_left_an_address_is_told_of_the_answer_when_the_mail_server_is_there(hotline: Hotline) -> None:
    receipt = await take(hotline, MACHINE, water(caller=Caller(email="a@example.org")), now=utc_now())
    before = sum(each.count for each in await hotline.store.casework.notices.waiting())
    await hotline.cases.move(WATER, receipt.case_id, "accept")
    facts = MoveFacts(answer="已修复", fields={"resolution": "resolved"})
    await hotline.cases.move(WATER, receipt.case_id, "answer", facts)
    assert sum(each.count for each in await hotline.store.casework.notices.waiting()) == before + 1


async def test_an_area_is_told_only_after_it_was_confirmed(hotline: Hotline) -> None:
    wish = Wish(email="b@example.org", longitude=116.35, latitude=39.95, radius_m=500, lang="zh", link="https://x/")
    secret = await citizens.follow_area(hotline, wish, now=utc_now())
    await take(hotline, MACHINE, water(public=True, longitude=116.3501, latitude=39.95), now=utc_now())
    assert await citizens.tell_areas(hotline, utc_now()) == 0
    await citizens.confirm_area(hotline, secret, now=utc_now() - timedelta(minutes=1))
    assert await citizens.tell_areas(hotline, utc_now()) == 1
    assert await citizens.tell_areas(hotline, utc_now()) == 0
    await citizens.leave_area(hotline, secret)
    with pytest.raises(citizens.NoSuchReport):
        await citizens.leave_area(hotline, secret)


async def test_every_ticket_is_due_by_its_urgency(hotline: Hotline) -> None:
    flood = await take(hotline, MACHINE, water(text="地下车库倒灌积水"), now=utc_now())
    wage = await take(hotline, MACHINE, water(text="公司拖欠工资三个月"), now=utc_now())
    for receipt, limit in ((flood, timedelta(hours=2)), (wage, timedelta(days=15))):
        row = (await tickets.by_ids(hotline.db, [receipt.case_id]))[0]
        assert row.due_at is not None
        assert row.due_at - row.created_at == limit
