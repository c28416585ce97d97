# SPDX-License-Identifier: Apache-2.0
"""What the one who reported reads of it, and what stays inside."""

from collections.abc import AsyncIterator

import pytest

from citybrain.apps.hotline.api.public import _secret_of, owner_of
from citybrain.apps.hotline.model import Channel, Intake, Receipt
from citybrain.apps.hotline.service import citizens, followed
from citybrain.apps.hotline.service.followed import Followed, What
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import take
from citybrain.apps.hotline.tests.people import WATER
from citybrain.kernel.cases.attachments import NoSuchAttachment
from citybrain.kernel.cases.case import CommentKind, MoveFacts
from citybrain.kernel.clock import utc_now

KEY = "k" * 40
PHOTO = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7\x9a\xa0\xa0\x00\x00\x00\x00IEND\xaeB`\x82"
)


async def told(hotline: Hotline, **more: object) -> Receipt:
    intake = Intake(text="幸福里小区停水两天了", channel=Channel.WEB, **more)  # type: ignore[arg-type]
    return await take(hotline, MACHINE, intake, now=utc_now())


async def read(hotline: Hotline, receipt: Receipt) -> Followed:
    return await followed.followed(hotline, receipt.secret, now=utc_now())


async def pieces() -> AsyncIterator[bytes]:
    yield PHOTO


async def test_the_steps_tell_what_happened_in_order_and_where_it_lies(hotline: Hotline) -> None:
    receipt = await told(hotline)
    await hotline.cases.move(WATER, receipt.case_id, "accept")
    facts = MoveFacts(answer="已修复", fields={"resolution": "resolved"})
    await hotline.cases.move(WATER, receipt.case_id, "answer", facts)
    await citizens.reopen(hotline, receipt.secret, "还是没水", now=utc_now())
    found = await read(hotline, receipt)
    assert [each.what for each in found.steps] == [
        What.RECEIVED,
        What.HANDED_ON,
        What.ACCEPTED,
        What.ANSWERED,
        What.ASKED_AGAIN,
    ]
    assert [each.text for each in found.steps][-2:] == ["已修复", "还是没水"]
    assert (found.steps[1].department, found.department) == ("water", "water")


async def test_words_among_clerks_and_their_names_are_not_told(hotline: Hotline) -> None:
    receipt = await told(hotline)
    await hotline.cases.move(WATER, receipt.case_id, "accept")
    await hotline.cases.comment(WATER, receipt.case_id, CommentKind.INTERNAL, "此人反复投诉")
    await hotline.cases.comment(WATER, receipt.case_id, CommentKind.PUBLIC, "请问是哪一栋楼？")
    await citizens.add(hotline, receipt.secret, "三号楼", now=utc_now())
    await hotline.cases.move(WATER, receipt.case_id, "wait", MoveFacts(reason="等待外包单位排期"))
    found = await read(hotline, receipt)
    shown = str(found)
    assert "反复投诉" not in shown
    assert "外包" not in shown
    assert WATER.account not in {each.department for each in found.steps}
    said = [(each.what, each.text) for each in found.steps if each.text]
    assert said == [(What.CITY_SAID, "请问是哪一栋楼？"), (What.YOU_SAID, "三号楼")]


async def test_only_own_photos_are_shown_to_who_has_the_link(hotline: Hotline) -> None:
    attachments, now = hotline.store.casework.attachments, utc_now()
    mine = await attachments.upload(owner_of(KEY), "家门口.png", pieces(), now=now)
    receipt = await told(hotline, photos=(mine.id,), photos_owner=owner_of(KEY))
    theirs = await attachments.upload(WATER.account, "inside.png", pieces(), now=now)
    async with hotline.db.transaction() as transaction:
        await attachments.attach(transaction, WATER.account, [theirs.id], receipt.case_id, now)
    assert [each.id for each in (await read(hotline, receipt)).photos] == [mine.id]
    assert (await followed.photo(hotline, receipt.secret, mine.id)).id == mine.id
    with pytest.raises(NoSuchAttachment):
        await followed.photo(hotline, receipt.secret, theirs.id)
    more = await attachments.upload(owner_of(KEY), "b.png", pieces(), now=now)
    await followed.add_photos(hotline, receipt.secret, [more.id], owner=owner_of(KEY), now=now)
    assert [each.id for each in (await read(hotline, receipt)).photos] == [mine.id, more.id]


async def test_an_answer_that_was_lost_on_its_way_is_given_again_with_the_same_link(hotline: Hotline) -> None:
    secret = _secret_of(KEY)
    assert secret is not None
    assert secret not in KEY
    intake = Intake(text="幸福里小区停水两天了", channel=Channel.WEB, key="web:lost")
    first = await take(hotline, MACHINE, intake, now=utc_now(), secret=secret)
    again = await take(hotline, MACHINE, intake, now=utc_now(), secret=secret)
    assert (first.secret, again.case_id, again.secret) == (secret, first.case_id, "")
    assert (await citizens.ticket_of(hotline, secret)).case_id == first.case_id
    assert _secret_of("short") is None
