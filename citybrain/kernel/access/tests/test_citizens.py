# SPDX-License-Identifier: Apache-2.0
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from citybrain.kernel.access import Access, Kind, Reach, citizens, reach
from citybrain.kernel.access.citizens import CODE_LASTS, TRIES, BadContact, CodeRefused, Way, read_contact
from citybrain.kernel.access.limits import CODES_AT_ONCE, CODES_BY_ADDRESS, CODES_BY_CONTACT, TooOften
from citybrain.kernel.access.sending import NotSent, Smtp, WayNotSet, Webhook
from citybrain.kernel.access.sessions import Origin
from citybrain.kernel.access.tests.scene import NOON
from citybrain.kernel.asgi import Receive, Send
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid
from conftest import Serving

HERE = Origin(address="10.0.0.1")
SECOND = timedelta(seconds=1)


class Postbox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        self.letters.append(envelope)
        return "250 kept"

    def newest(self) -> tuple[str, str]:
        """To whom, and the text."""
        letter = message_from_bytes(self.letters[-1].content or b"", policy=default)  # type: ignore[arg-type]
        return self.letters[-1].rcpt_tos[0], letter.get_content()


Box = tuple[Postbox, str]


@pytest.fixture(scope="module")
def postbox() -> Iterator[tuple[Postbox, str]]:
    box = Postbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, f"smtp://127.0.0.1:{port}?from=city@example.org"
    server.stop()


@pytest.fixture
async def access(db: Database, postbox: Box) -> AsyncIterator[Access]:
    await db.write("TRUNCATE account, citizen_contact, sign_in_code CASCADE")
    made = Access(db, [{"case.own": ("citizen",)}], clock=lambda: NOON)
    made.citizens.senders = {Way.EMAIL: Smtp(postbox[1])}
    yield made


async def sent(access: Access, postbox: Box, to: str = "li@example.org", **late: Any) -> tuple[str, str]:
    """The number of a message and the code that stood in it."""
    number = await access.citizens.send_code(to, lang="zh", now=NOON + timedelta(**late), origin=HERE)
    found = re.search(r"\d{6}", postbox[0].newest()[1])
    assert found
    return number, found[0]


async def test_a_citizen_signs_in_with_a_code_that_came_by_mail(access: Access, postbox: Box) -> None:
    number, code = await sent(access, postbox)
    assert postbox[0].newest()[0] == "li@example.org"
    token = await access.citizens.sign_in(number, code, now=NOON, origin=HERE)
    citizen = access.actor_of(await access.sessions.find(token, NOON), NOON)
    assert citizen.kind is Kind.CITIZEN
    assert reach(citizen, "case.own") == Reach(own_only=True)
    number, code = await sent(access, postbox, "LI@example.org", hours=1)
    again = await access.citizens.sign_in(number, code, now=NOON + timedelta(hours=1), origin=HERE)
    visit = await access.sessions.find(again, NOON + timedelta(hours=1))
    assert visit is not None
    assert visit.account == citizen.account, "the same address is the same citizen"
    assert await access.citizens.hints(citizen.account) == ["l***@example.org"]


async def test_the_address_and_the_code_are_kept_nowhere(access: Access, postbox: Box, db: Database) -> None:
    number, code = await sent(access, postbox)
    await access.citizens.sign_in(number, code, now=NOON, origin=HERE)
    for table in ("citizen_contact", "sign_in_code", "account", "session"):
        rows = await db.read(f"SELECT t::text FROM {table} t", as_=str)  # noqa: S608 our own names
        assert rows
        assert not any("li@" in row or b"li@".hex() in row for row in rows), table
        assert not any(f"{code}," in row or code.encode().hex() in row for row in rows), table


# fmt: off
BAD_TRIES = [
    ("wrong",  timedelta(0),   "not the code"),
    ("right",  CODE_LASTS,     "too late"),
]
# fmt: on


@pytest.mark.parametrize(("what", "late", "why"), BAD_TRIES, ids=[row[2] for row in BAD_TRIES])
async def test_a_code_lives_briefly(access: Access, postbox: Box, what: str, late: timedelta, why: str) -> None:
    number, code = await sent(access, postbox)
    shown = code if what == "right" else f"{(int(code) + 1) % 1_000_000:06}"
    with pytest.raises(CodeRefused):
        await access.citizens.sign_in(number, shown, now=NOON + late, origin=HERE)
    if what == "wrong":
        await access.citizens.sign_in(number, code, now=NOON + CODE_LASTS - SECOND, origin=HERE)


async def test_a_code_counts_once(access: Access, postbox: Box) -> None:
    number, code = await sent(access, postbox)
    await access.citizens.sign_in(number, code, now=NOON, origin=HERE)
    with pytest.raises(CodeRefused):
        await access.citizens.sign_in(number, code, now=NOON, origin=HERE)


async def test_after_a_few_tries_even_the_right_code_is_refused(access: Access, postbox: Box) -> None:
    number, code = await sent(access, postbox)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(TRIES):
        with pytest.raises(CodeRefused):
            await access.citizens.sign_in(number, wrong, now=NOON, origin=HERE)
    with pytest.raises(CodeRefused):
        await access.citizens.sign_in(number, code, now=NOON, origin=HERE)


async def test_a_new_code_ends_the_one_before(access: Access, postbox: Box) -> None:
    number, code = await sent(access, postbox)
    await sent(access, postbox, minutes=1)
    with pytest.raises(CodeRefused):
        await access.citizens.sign_in(number, code, now=NOON + timedelta(minutes=1), origin=HERE)
    with pytest.raises(CodeRefused):
        await access.citizens.sign_in("no such number", "000000", now=NOON, origin=HERE)


async def test_nobody_is_flooded_with_codes(access: Access, postbox: Box) -> None:
    await sent(access, postbox)
    with pytest.raises(TooOften):
        await sent(access, postbox)
    for number in range(1, CODES_BY_CONTACT.times):
        await sent(access, postbox, seconds=number * CODES_AT_ONCE.within.total_seconds())
    with pytest.raises(TooOften):
        await sent(access, postbox, minutes=30)
    for number in range(CODES_BY_ADDRESS.times - CODES_BY_CONTACT.times - 2):
        await sent(access, postbox, f"p{number}@example.org")
    with pytest.raises(TooOften) as refusal:
        await sent(access, postbox, "one.more@example.org")
    assert refusal.value.facts == {"until": NOON + CODES_BY_ADDRESS.within}


# fmt: off
CONTACTS = [
    (" Li.Na+city@Example.ORG ", Way.EMAIL, "li.na+city@example.org", "l***@example.org"),
    ("13812345678",              Way.PHONE, "+8613812345678",         "+86138****5678"),
    ("+86 138-1234-5678",        Way.PHONE, "+8613812345678",         "+86138****5678"),
    ("(010) 6655 4433",          Way.PHONE, "01066554433",            "010****4433"),
]
# fmt: on


@pytest.mark.parametrize(("given", "way", "address", "hint"), CONTACTS)
def test_an_address_has_one_form_however_it_is_written(given: str, way: Way, address: str, hint: str) -> None:
    contact = read_contact(given)
    assert (contact.way, contact.address, contact.hint) == (way, address, hint)


@pytest.mark.parametrize(
    "given", ["", "li", "li@", "@x.org", "li@x", "a b@x.org", "12345", "1" * 16, "li@x.org\nBcc: all@x.org"]
)
async def test_what_is_no_address_gets_no_code(access: Access, given: str) -> None:
    with pytest.raises(BadContact):
        await access.citizens.send_code(given, lang="en", now=NOON, origin=HERE)


async def test_without_a_way_to_send_it_is_said_so(access: Access) -> None:
    with pytest.raises(WayNotSet):
        await access.citizens.send_code("13812345678", lang="en", now=NOON, origin=HERE)


async def test_a_mail_server_that_is_down_is_told(access: Access) -> None:
    access.citizens.senders = {Way.EMAIL: Smtp("smtp://127.0.0.1:1?from=city@example.org")}
    with pytest.raises(NotSent):
        await access.citizens.send_code("li@example.org", lang="en", now=NOON, origin=HERE)


async def test_a_phone_is_reached_through_the_citys_gateway(access: Access, serving: Serving) -> None:
    got: list[dict[str, str]] = []
    status = 202

    async def gateway(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        message = await receive()
        if scope["type"] == "http":
            got.append(json.loads(message["body"]))
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async with serving(gateway) as url:
        access.citizens.senders = {Way.PHONE: Webhook(f"{url}/send")}
        number = await access.citizens.send_code("138 1234 5678", lang="en", now=NOON, origin=HERE)
        (message,) = got
        assert message["to"] == "+8613812345678"
        code = re.search(r"\d{6}", message["text"])
        assert code
        await access.citizens.sign_in(number, code[0], now=NOON, origin=HERE)
        status = 500
        with pytest.raises(NotSent):
            await access.citizens.send_code("138 1234 5678", lang="en", now=NOON + timedelta(hours=1), origin=HERE)


@pytest.mark.parametrize("url", ["http://x?from=a@b.org", "smtp://?from=a@b.org", "smtp://host", "nonsense"])
def test_a_mail_server_that_cannot_be_one_is_refused_at_start(url: str) -> None:
    with pytest.raises(Invalid):
        Smtp(url)


def test_a_code_that_is_sent_is_long_enough_for_its_few_tries_and_its_short_life() -> None:
    # OWASP ASVS 5.0 6.5.4 takes six digits for enough (10^6 of them).
    assert citizens.CODE_DIGITS >= 6
    assert citizens.TRIES <= 10
    assert timedelta(minutes=10) >= citizens.CODE_LASTS
