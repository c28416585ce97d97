# SPDX-License-Identifier: Apache-2.0
"""Calls at the seats of the desk, and articles with their history."""

from datetime import UTC, datetime, timedelta

import pytest

from citybrain.apps.hotline.model import Caller, Channel, Intake
from citybrain.apps.hotline.service import calls, desk, intake
from citybrain.apps.hotline.service.calls import CallTaken, NoSuchCall
from citybrain.apps.hotline.service.desk import Call, FollowUp
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.store import kept, tickets
from citybrain.apps.hotline.store.kept import Article
from citybrain.apps.hotline.tests.people import DESK_CLERK, ROADS, WATER, staff
from citybrain.kernel.cases.case import MoveFacts
from citybrain.kernel.cases.refusals import NoSuchCase
from citybrain.kernel.cases.satisfaction import Satisfaction
from citybrain.kernel.clock import utc_now
from citybrain.kernel.privacy.people import ReasonMissing

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PHONE = "13912345678"
AT_THE_DESK = staff("he", "hotline")


async def ringing(hotline: Hotline, key: str, *, phone: str = PHONE, agent: str = "") -> int:
    """A call that began just now."""
    return (await desk.ring(hotline, Call(key=key, phone=phone, rang_at=NOW, agent=agent))).call_id


async def test_a_call_rings_at_every_seat_until_one_takes_it(hotline: Hotline) -> None:
    id = await ringing(hotline, "r1")
    for seat in ("li", "wang"):
        assert [each.id for each in await calls.waiting(hotline, seat, NOW)] == [id]
    answered = await calls.answer(hotline, id, "li", now=NOW + timedelta(seconds=4))
    assert answered.call.answered_after_s == pytest.approx(4)
    assert [each.id for each in await calls.waiting(hotline, "li", NOW)] == [id]
    assert await calls.waiting(hotline, "wang", NOW) == []
    with pytest.raises(CallTaken):
        await calls.answer(hotline, id, "wang", now=NOW + timedelta(seconds=5))
    await calls.close(hotline, id, "li", now=NOW + timedelta(minutes=2))
    assert await calls.waiting(hotline, "li", NOW) == []


async def test_a_call_for_one_seat_rings_there_alone(hotline: Hotline) -> None:
    id = await ringing(hotline, "r2", agent="801")
    assert [each.id for each in await calls.waiting(hotline, "801", NOW)] == [id]
    assert await calls.waiting(hotline, "802", NOW) == []
    await calls.close(hotline, id, "801", now=NOW)


async def test_what_the_telephone_system_measured_is_kept(hotline: Hotline) -> None:
    id = await ringing(hotline, "r3", agent="803")
    await desk.ring(hotline, Call(key="r3", rang_at=NOW, answered_after_s=2.5, agent="803"))
    answered = await calls.answer(hotline, id, "803", now=NOW + timedelta(seconds=30))
    assert answered.call.answered_after_s == pytest.approx(2.5)


async def test_a_number_is_seen_in_clear_for_a_reason_that_is_written_down(hotline: Hotline) -> None:
    id = await ringing(hotline, "r8", phone="13800002222", agent="808")
    with pytest.raises(ReasonMissing):
        await calls.reveal(hotline, DESK_CLERK, id, " ")
    assert (await calls.reveal(hotline, DESK_CLERK, id, "通话中断后回拨")).phone == "13800002222"
    people = hotline.store.people
    looks = await people.looks(people.marks("phone", "13800002222"))
    assert [(each.account, each.object) for each in looks] == [("li", f"hotline_call:{id}")]


async def test_a_call_that_is_none_is_refused(hotline: Hotline) -> None:
    with pytest.raises(NoSuchCall):
        await calls.known(hotline, 999_999)


async def test_the_number_of_a_call_is_kept_without_being_shown(hotline: Hotline) -> None:
    id = await ringing(hotline, "r4", phone="13800001111", agent="804")
    await calls.answer(hotline, id, "804", now=NOW)
    told = Intake(
        text="路灯不亮了，在幸福里小区门口",
        channel=Channel.PHONE,
        caller=Caller(name="陈先生"),
        call_id=id,
        keep_number=True,
    )
    receipt = await intake.take(hotline, DESK_CLERK, told, now=NOW)
    clear = await tickets.caller_of(hotline.db, hotline.keys, receipt.case_id)
    assert (clear.name, clear.phone) == ("陈先生", "13800001111")
    assert await calls.waiting(hotline, "804", NOW) == []
    again = await calls.known(hotline, await ringing(hotline, "r5", phone="13800001111", agent="804"))
    assert [each.number for each in again.tickets] == [receipt.number]
    assert "13800001111" not in again.call.phone
    assert again.name not in ("", "陈先生")


async def test_who_wants_to_stay_unknown_stays_so(hotline: Hotline) -> None:
    id = await ringing(hotline, "r6", agent="806")
    told = Intake(text="暖气不热", channel=Channel.PHONE, call_id=id)
    receipt = await intake.take(hotline, DESK_CLERK, told, now=NOW)
    assert not await tickets.caller_of(hotline.db, hotline.keys, receipt.case_id)


async def test_a_second_call_about_a_matter_is_added_to_its_ticket(hotline: Hotline) -> None:
    receipt = await intake.take(hotline, DESK_CLERK, Intake(text="井盖没了", channel=Channel.PHONE), now=NOW)
    id = await ringing(hotline, "r7", agent="807")
    case = await calls.add_to(hotline, DESK_CLERK, receipt.case_id, "还没有人来", call_id=id)
    assert case.number == receipt.number
    story = await hotline.cases.story(DESK_CLERK, receipt.case_id)
    assert [each.text for each in story.comments] == ["还没有人来"]
    assert await calls.waiting(hotline, "807", NOW) == []


async def test_an_article_remembers_who_wrote_what(hotline: Hotline) -> None:
    article = Article(title="居住证怎么办", body="带身份证到社区")
    id = await kept.put_article(hotline.db, article, by="li", now=NOW)
    changed = Article(id=id, title="居住证怎么办", body="带身份证和租房合同到社区")
    await kept.put_article(hotline.db, changed, by="wang", now=NOW + timedelta(hours=1))
    editions = await kept.editions(hotline.db, id)
    assert [(each.by, each.body) for each in editions] == [("wang", changed.body), ("li", article.body)]


async def test_what_clerks_say_is_no_article(hotline: Hotline) -> None:
    script = Article(title="开头语", body="您好，12345，请讲。", kind="script.greeting")
    await kept.put_article(hotline.db, script, by="li", now=NOW)
    assert [each.title for each in await kept.articles(hotline.db, "", NOW.date(), kind="script")] == ["开头语"]
    assert "开头语" not in [each.title for each in await kept.articles(hotline.db, "", NOW.date())]


async def test_an_old_article_is_found_only_by_who_asks_for_old_ones(hotline: Hotline) -> None:
    old = Article(title="旧通知", body="去年的办法", valid_until=(NOW - timedelta(days=1)).date())
    await kept.put_article(hotline.db, old, by="li", now=NOW)
    assert "旧通知" not in [each.title for each in await kept.articles(hotline.db, "旧通知", NOW.date())]
    assert "旧通知" in [each.title for each in await kept.articles(hotline.db, "旧通知", None)]


async def test_the_desk_calls_back_callers_of_tickets_that_other_departments_have(hotline: Hotline) -> None:
    told = Intake(text="家里停水了", channel=Channel.PHONE, caller=Caller(phone="13800003333"), department="water")
    id = (await intake.take(hotline, DESK_CLERK, told, now=NOW)).case_id
    assert (await desk.caller(hotline, AT_THE_DESK, id)).phone == "138****3333"
    assert (await desk.reveal(hotline, AT_THE_DESK, id, "电话回访")).phone == "13800003333"
    with pytest.raises(NoSuchCase):
        await desk.caller(hotline, ROADS, id)
    await hotline.cases.move(WATER, id, "accept")
    await hotline.cases.move(WATER, id, "answer", MoveFacts(answer="已恢复供水", fields={"resolution": "resolved"}))
    assert id in {each.case_id for each in await desk.follow_up_list(hotline, AT_THE_DESK, utc_now())}
    assert id not in {each.case_id for each in await desk.follow_up_list(hotline, ROADS, utc_now())}
    said = FollowUp(reached=True, resolved=True, satisfaction=Satisfaction.SATISFIED)
    await desk.follow_up(hotline, AT_THE_DESK, id, said, now=utc_now())
    assert id not in {each.case_id for each in await desk.follow_up_list(hotline, AT_THE_DESK, utc_now())}
