# SPDX-License-Identifier: Apache-2.0
"""E-mail becomes tickets: a foreign client speaks SMTP to our server."""

import asyncio
import smtplib
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as some

from citybrain.apps.hotline.jobs.letters import files_of, read_letter
from citybrain.apps.hotline.jobs.mail import Settings, serving
from citybrain.apps.hotline.model import Intake
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.store import tickets

ADDRESS = "12345@city.example"


def letter(**headers: str) -> EmailMessage:
    found = EmailMessage()
    given = {"From": "李四 <li@example.org>", "To": ADDRESS, "Subject": "路灯不亮", "Message-ID": "<1@example.org>"}
    for name, value in {**given, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        found[name] = value
    found.set_content("学院路的路灯坏了三天。\n.\n.一行以点开头")
    return found


def send(port: int, *letters: EmailMessage, to: str = ADDRESS) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        for each in letters:
            client.send_message(each, from_addr="li@example.org", to_addrs=[to])


async def test_a_letter_is_one_ticket_however_often_it_is_handed_over(hotline: Hotline) -> None:
    async with serving(hotline, Settings(port=0, address=ADDRESS)) as port:
        await asyncio.to_thread(send, port, letter(), letter())
    rows = await hotline.db.rows("SELECT case_id, text FROM hotline_ticket WHERE channel = 'email'")
    assert len(rows) == 1
    assert "路灯不亮" in rows[0][1]
    assert ".一行以点开头" in rows[0][1]
    assert (await tickets.caller_of(hotline.db, hotline.keys, rows[0][0])).email == "li@example.org"


async def test_a_letter_for_somebody_else_is_refused(hotline: Hotline) -> None:
    async with serving(hotline, Settings(port=0, address=ADDRESS)) as port:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await asyncio.to_thread(send, port, letter(), to="other@city.example")


async def test_two_connections_at_once_and_a_letter_without_words(hotline: Hotline) -> None:
    empty = EmailMessage()
    empty["From"], empty["To"] = "a@example.org", ADDRESS
    async with serving(hotline, Settings(port=0, address=ADDRESS)) as port:
        good = asyncio.to_thread(send, port, letter(Message_ID="<2@example.org>"))
        bad = asyncio.to_thread(send, port, empty)
        results = await asyncio.gather(good, bad, return_exceptions=True)
    assert results[0] is None
    assert isinstance(results[1], smtplib.SMTPDataError)


# fmt: off
MACHINES = [
    ({"Auto_Submitted": "auto-replied"}, "an answer of a machine (RFC 3834)"),
    ({"Precedence": "bulk"},             "a mass mailing"),
    ({"List_Id": "<news.example>"},      "a list"),
    ({"From": "MAILER-DAEMON@b.example"}, "a mail server"),
    ({"X_Autoreply": "yes"},             "an answer of an older machine"),
]
# fmt: on


@pytest.mark.parametrize(("headers", "why"), MACHINES)
def test_what_machines_send_makes_no_ticket(headers: dict[str, str], why: str) -> None:
    assert read_letter(letter(**headers).as_bytes(), "li@example.org") is None, why


def test_a_bounce_makes_no_ticket() -> None:
    assert read_letter(letter().as_bytes(), "") is None


def test_of_a_page_only_the_words_are_kept() -> None:
    found = EmailMessage()
    found["From"] = "a@example.org"
    found.set_content("<p>停水</p><script>alert(1)</script>", subtype="html")
    intake = read_letter(found.as_bytes(), "a@example.org")
    assert intake is not None
    assert "停水" in intake.text
    assert "alert" not in intake.text


@given(some.binary(max_size=500))
def test_any_bytes_are_read_as_a_letter(content: bytes) -> None:
    found = read_letter(content, "a@example.org")
    assert found is None or isinstance(found, Intake)
    assert all(data for _, data in files_of(content))
