# SPDX-License-Identifier: Apache-2.0
import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from citybrain.kernel.cases.notice import (
    TRIES,
    Channel,
    NoSuchTemplate,
    State,
    Tell,
    Template,
    TemplateUnusable,
    check_template,
    compose,
    pause,
    wanted,
)
from citybrain.kernel.cases.notice_ways import Smtp, Webhook
from citybrain.kernel.cases.notices import Address, AddressUnusable, Choice, NoSuchLink, Notices
from citybrain.kernel.cases.tests.city import Clock
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.i18n import Words, load_words

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
OPENED = Template(
    topic="case.opened",
    subject={"zh": "已受理 {number}", "en": "Received {number}"},
    body={"zh": "您的诉求“{title}”已受理。退订：{stop}", "en": "We received “{title}”. Stop: {stop}"},
)


class Mailbox:
    """A mail server's answer to what comes in."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 its word
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.got.append(message_from_bytes(cast(bytes, envelope.content), policy=default))
        return answer


@asynccontextmanager
async def mail_server(port: int) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(controller.start)
    try:
        yield mailbox
    finally:
        await asyncio.to_thread(controller.stop)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
async def notices(db: Database, port: int) -> Notices:
    made = Notices(
        db,
        KeyRing.new(now=NOON),
        ways={Channel.EMAIL: Smtp(f"smtp://127.0.0.1:{port}?from=city@example.org")},
        link=lambda token: f"https://city.example.org/stop/{token}",
        words=load_words(),
    )
    await made.put_template(OPENED, by="admin", now=NOON)
    return made


async def queue(notices: Notices, db: Database, *, at: datetime = NOON, **facts: Any) -> int:
    told = Tell(
        topic="case.opened", facts={"number": "HT1", "title": "坑"}, channel=Channel.EMAIL, **{"lang": "zh", **facts}
    )
    async with db.transaction() as transaction:
        return await notices.queue(transaction, told, now=at)


@pytest.fixture(autouse=True)
async def nothing_waits(db: Database) -> None:
    await db.write("DELETE FROM notice")
    await db.write("DELETE FROM notice_stop")


async def test_a_mail_arrives_with_its_words_and_a_way_to_stop_it(notices: Notices, db: Database, port: int) -> None:
    await queue(notices, db, address="wang@example.cn")
    async with mail_server(port) as mailbox:
        assert await notices.deliver(Channel.EMAIL, clock=Clock()) == 1
        assert await notices.deliver(Channel.EMAIL, clock=Clock()) == 0
    (mail,) = mailbox.got
    assert mail["To"] == "wang@example.cn"
    assert mail["Subject"] == "已受理 HT1"
    assert "您的诉求“坑”已受理" in mail.get_content()
    assert mail["List-Unsubscribe"].strip("<>") in mail.get_content()
    assert await notices.waiting() == []


async def test_what_is_rolled_back_is_told_to_nobody(notices: Notices, db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as transaction:
            told = Tell(topic="case.opened", facts={}, channel=Channel.EMAIL, address="wang@example.cn")
            await notices.queue(transaction, told, now=NOON)
            raise ZeroDivisionError
    assert await notices.waiting() == []


async def test_while_the_mail_server_is_down_all_waits_and_is_shown_and_then_comes_once(
    notices: Notices, db: Database, port: int
) -> None:
    clock = Clock(NOON + timedelta(seconds=10))
    for number in range(3):
        await queue(notices, db, address=f"wang{number}@example.cn", at=NOON + timedelta(seconds=number))
    assert await notices.deliver(Channel.EMAIL, clock=clock) == 0
    (shown,) = await notices.waiting()
    assert (shown.channel, shown.state, shown.count, shown.oldest_at) == (Channel.EMAIL, State.WAITING, 3, NOON)
    assert shown.problem
    async with mail_server(port) as mailbox:
        assert await notices.deliver(Channel.EMAIL, clock=clock) == 0, "it is not asked again at once"
        clock.at += timedelta(minutes=2)
        assert await notices.deliver(Channel.EMAIL, clock=clock) == 3
    assert sorted(mail["To"] for mail in mailbox.got) == [f"wang{number}@example.cn" for number in range(3)]
    assert await notices.waiting() == []


async def test_what_is_not_taken_now_is_tried_again_and_holds_up_no_other(
    notices: Notices, db: Database, port: int
) -> None:
    clock = Clock()
    await queue(notices, db, address="busy@example.cn")
    await queue(notices, db, address="free@example.cn")
    async with mail_server(port) as mailbox:
        mailbox.answers = ["451 later"]
        assert await notices.deliver(Channel.EMAIL, clock=clock) == 1
        clock.at += timedelta(minutes=2)
        assert await notices.deliver(Channel.EMAIL, clock=clock) == 1
    assert [mail["To"] for mail in mailbox.got] == ["free@example.cn", "busy@example.cn"]


async def test_what_is_never_taken_is_given_up_shown_and_can_be_sent_again(
    notices: Notices, db: Database, port: int
) -> None:
    await queue(notices, db, address="nobody@example.cn")
    async with mail_server(port) as mailbox:
        mailbox.answers = ["550 no such mailbox"]
        await notices.deliver(Channel.EMAIL, clock=Clock())
        (dead,) = await notices.dead()
        assert (dead.state, dead.problem) == (State.DEAD, "550 no such mailbox")
        assert await notices.again([dead.id], now=NOON) == 1
        assert await notices.deliver(Channel.EMAIL, clock=Clock()) == 1
    assert len(mailbox.got) == 1


async def test_who_dies_while_sending_sends_again_later_with_the_same_id(
    notices: Notices, db: Database, port: int
) -> None:
    clock = Clock()
    await queue(notices, db, address="wang@example.cn")
    async with mail_server(port) as mailbox:
        await notices.deliver(Channel.EMAIL, clock=clock)
        # As if the process had been killed after the mail server took it and before that was written down.
        await db.write("UPDATE notice SET state = 'waiting', sent_at = NULL")
        assert await notices.deliver(Channel.EMAIL, clock=clock) == 0, "somebody may be at it"
        clock.at += timedelta(minutes=11)
        assert await notices.deliver(Channel.EMAIL, clock=clock) == 1
    assert len(mailbox.got) == 2
    assert mailbox.got[0]["Message-ID"] == mailbox.got[1]["Message-ID"]


async def test_two_who_deliver_at_once_send_nothing_twice(notices: Notices, db: Database, port: int) -> None:
    for number in range(120):
        await queue(notices, db, address=f"wang{number}@example.cn")
    async with mail_server(port) as mailbox:
        taken = await asyncio.gather(*(notices.deliver(Channel.EMAIL, clock=Clock()) for _ in range(3)))
    assert sum(taken) == 120
    assert len({mail["To"] for mail in mailbox.got}) == len(mailbox.got) == 120


async def test_with_a_key_a_notice_is_written_once(notices: Notices, db: Database) -> None:
    assert await queue(notices, db, address="wang@example.cn", key="opened/1") == 1
    assert await queue(notices, db, address="wang@example.cn", key="opened/1") == 0


async def test_who_has_the_link_stops_notices_of_its_topic_and_may_have_them_again(
    notices: Notices, db: Database, port: int
) -> None:
    await queue(notices, db, address="wang@example.cn")
    async with mail_server(port) as mailbox:
        await notices.deliver(Channel.EMAIL, clock=Clock())
        token = mailbox.got[0]["List-Unsubscribe"].strip("<>").rpartition("/")[2]
        assert await notices.stop(token, now=NOON) == "case"
        await queue(notices, db, address="Wang@Example.cn")
        assert await notices.deliver(Channel.EMAIL, clock=Clock()) == 0
        await notices.start_again(token)
        await queue(notices, db, address="wang@example.cn")
        assert await notices.deliver(Channel.EMAIL, clock=Clock()) == 1
    with pytest.raises(NoSuchLink):
        await notices.stop("guessed", now=NOON)


async def test_somebody_is_told_where_and_how_they_want(notices: Notices, db: Database) -> None:
    async def told(topic: str = "case.opened") -> int:
        async with db.transaction() as transaction:
            return await notices.queue(transaction, Tell(topic=topic, facts={}, person="li"), now=NOON)

    assert await told() == 1, "on the desk alone"
    await notices.set_address("li", Address(channel=Channel.EMAIL, address="li@example.cn", lang="en"))
    assert await told() == 2
    await notices.choose("li", [Choice(topic="case", channel=Channel.EMAIL, wanted=False)])
    assert await told() == 1
    await notices.choose("li", [Choice(topic="case.opened", channel=Channel.EMAIL, wanted=True)])
    assert await told() == 2
    await notices.set_address("li", Address(channel=Channel.EMAIL, address="", lang="en"))
    assert await told() == 1
    desk = await notices.desk("li")
    assert len(desk) == 5
    assert desk[0].subject == "已受理 {number}"
    assert await notices.unread("li") == 5
    await notices.read("li", [desk[0].id], now=NOON)
    assert await notices.unread("li") == 4
    assert await notices.unread("wang") == 0
    with pytest.raises(NoSuchTemplate):
        await told("nothing.known")


async def test_addresses_and_words_lie_encrypted(notices: Notices, db: Database) -> None:
    await queue(notices, db, address="wang@example.cn")
    rows = await db.rows("SELECT content FROM notice")
    assert b"wang" not in bytes(rows[0][0])
    marks = await db.rows("SELECT mark FROM notice_stop")
    assert b"wang" not in bytes(marks[0][0])


@pytest.mark.parametrize("address", ["", "x", "a@b\r\nBcc: c@d.cn", "a@example.cn, b@example.cn"])
async def test_what_is_no_address_is_refused(notices: Notices, address: str) -> None:
    with pytest.raises(AddressUnusable):
        await notices.set_address("li", Address(channel=Channel.EMAIL, address=address or " ", lang="zh"))


def test_what_is_filled_in_cannot_make_lines_or_slots() -> None:
    subject, body = compose(OPENED, {"number": "1\r\nBcc: x@example.cn", "title": "{stop}", "stop": "LINK"}, "zh")
    assert "\n" not in subject
    assert body == "您的诉求“{stop}”已受理。退订：LINK"


def test_words_say_the_same_in_both_languages() -> None:
    check_template(OPENED)
    with pytest.raises(TemplateUnusable):
        check_template(Template(topic="x", subject={"zh": "甲", "en": "A"}, body={"zh": "{a}", "en": "{b}"}))
    with pytest.raises(TemplateUnusable):
        check_template(Template(topic="x", subject={"zh": "甲"}, body={"zh": "甲"}))


def test_the_words_that_come_with_the_city_can_be_used(notices: Notices) -> None:
    words: Words = load_words()
    topics = {key.split(".", 1)[1].rpartition(".")[0] for key in words.of("zh") if key.startswith("notice.")}
    assert topics >= {"case.warning", "case.late"}
    for topic in topics:
        check_template(notices.usual(topic))


def test_pauses_grow_and_end_after_more_than_a_day() -> None:
    pauses = [pause(tries) for tries in range(1, TRIES + 1)]
    assert pauses[-1] is None
    known = [each for each in pauses if each]
    assert known == sorted(known)
    assert sum(known, timedelta()) > timedelta(days=1)


# fmt: off
CHOICES: list[tuple[dict[tuple[str, str], bool], bool, str]] = [
    ({},                                                          True,  "nothing said"),
    ({("*", "email"): False},                                     False, "nothing at all"),
    ({("*", "email"): False, ("case", "email"): True},            True,  "only of cases"),
    ({("case", "email"): False, ("case.late", "email"): True},    True,  "only of late cases"),
    ({("case", "sms"): False},                                    True,  "another channel"),
]
# fmt: on


@pytest.mark.parametrize(("choices", "is_wanted", "why"), CHOICES)
def test_the_narrowest_choice_counts(choices: dict[tuple[str, str], bool], is_wanted: bool, why: str) -> None:
    assert wanted(choices, "case.late", Channel.EMAIL) is is_wanted, why


async def test_a_gateway_knows_our_messages_by_their_signature(db: Database, serving: Callable[[Any], Any]) -> None:
    got: list[tuple[dict[str, str], bytes]] = []
    answers = [503, 200]

    async def gateway(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        got.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        await send({"type": "http.response.start", "status": answers.pop(0), "headers": []})
        await send({"type": "http.response.body", "body": b""})

    clock = Clock()
    async with serving(gateway) as url:
        ways = {Channel.SMS: Webhook(Channel.SMS, url, "secret")}
        notices = Notices(db, KeyRing.new(now=NOON), ways=ways, link=str, words=load_words())
        async with db.transaction() as transaction:
            told = Tell(topic="case.opened", facts={"number": "HT1"}, channel=Channel.SMS, address="13800138000")
            await notices.queue(transaction, told, now=NOON)
        assert await notices.deliver(Channel.SMS, clock=clock) == 0
        clock.at += timedelta(minutes=2)
        assert await notices.deliver(Channel.SMS, clock=clock) == 1
    (first, _), (headers, body) = got
    assert first["idempotency-key"] == headers["idempotency-key"]
    assert json.loads(body)["to"] == "13800138000"
    seconds, made = headers["x-citybrain-signature"].removeprefix("t=").split(",v1=")
    assert made == hmac.new(b"secret", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
