# SPDX-License-Identifier: Apache-2.0
"""A mailbox is read by IMAP: a real server, each letter once, with its files, and nothing that machines wrote."""

import asyncio
import contextlib
import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from io import BytesIO

import pytest
from PIL import Image

from citybrain.apps.hotline.jobs.letters import sender_of
from citybrain.apps.hotline.jobs.mailbox import Mailbox, MailboxAway, MailboxUnusable, mailbox_of, read_mailbox
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.store import tickets

SERVER = "import sys; sys.argv = ['pymap', '--host', '127.0.0.1', '--port', '{port}', 'dict', '--demo-data']"
USER, PASSWORD, FOLDER = "demouser", "demopass", "Hotline"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """An IMAP server that nobody here wrote."""
    pytest.importorskip("pymap", reason="the tests of IMAP bring their server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
    code = f"{SERVER.format(port=found)}; import pymap.main; pymap.main.main()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", found)) == 0:
                    break
            time.sleep(0.1)
        yield found
        server.terminate()


@contextlib.contextmanager
def client(port: int) -> Iterator[imaplib.IMAP4]:
    connection = imaplib.IMAP4("127.0.0.1", port, timeout=20)
    connection.login(USER, PASSWORD)
    yield connection
    connection.logout()


def put(port: int, *letters: EmailMessage) -> None:
    with client(port) as connection:
        connection.create(FOLDER)
        for each in letters:
            state, said = connection.append(FOLDER, "", "", each.as_bytes())
            assert state == "OK", said


def flags(port: int) -> list[str]:
    with client(port) as connection:
        connection.select(FOLDER, readonly=True)
        _, found = connection.uid("FETCH", "1:*", "(FLAGS)")
        return [each.decode() for each in found if isinstance(each, bytes)]


def letter(**headers: str) -> EmailMessage:
    found = EmailMessage()
    given = {"Return-Path": "<li@example.org>", "From": "李四 <li@example.org>", "Subject": "路灯不亮"}
    for name, value in {**given, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        found[name] = value
    found.set_content("<p>学院路的路灯坏了<b>三天</b>。</p><script>alert(1)</script>", subtype="html")
    return found


def photo() -> bytes:
    out = BytesIO()
    Image.new("RGB", (40, 30), "black").save(out, "JPEG")
    return out.getvalue()


def mailbox(port: int) -> Mailbox:
    return mailbox_of(f"imap://{USER}:{PASSWORD}@127.0.0.1:{port}/{FOLDER}")


async def test_each_letter_is_one_ticket_with_its_photo_and_one_receipt(hotline: Hotline, port: int) -> None:
    good = letter(Message_ID="<imap-1@example.org>")
    good.add_attachment(photo(), maintype="image", subtype="jpeg", filename="灯.jpg")
    good.add_attachment(b"MZ\x90\x00" * 20, maintype="application", subtype="octet-stream", filename="灯.exe")
    machines = (letter(Message_ID="<2@e>", Auto_Submitted="auto-replied"), letter(Message_ID="<3@e>"))
    machines[1].replace_header("Return-Path", "<>")
    await asyncio.to_thread(put, port, good, *machines)
    assert await read_mailbox(hotline, mailbox(port), page="https://city.example") == 3
    rows = await hotline.db.rows("SELECT case_id, text FROM hotline_ticket WHERE channel = 'email'")
    assert len(rows) == 1
    id, text = rows[0]
    assert "三天" in text
    assert "alert" not in text
    assert (await tickets.caller_of(hotline.db, hotline.keys, id)).email == "li@example.org"
    files = await hotline.db.rows("SELECT name FROM case_attachment WHERE case_id = %(id)s", {"id": id})
    assert files == [("灯.jpg",)]
    seen = await asyncio.to_thread(flags, port)
    assert all("Seen" in each for each in seen)
    assert sum("Answered" in each for each in seen) == 1
    queued = "SELECT count(*) FROM notice WHERE topic = 'hotline.received'"
    assert await hotline.db.read(queued, as_=int) == [1]
    assert await read_mailbox(hotline, mailbox(port)) == 0


async def test_a_letter_that_was_taken_but_not_marked_is_not_taken_again(hotline: Hotline, port: int) -> None:
    await asyncio.to_thread(put, port, letter(Message_ID="<imap-4@example.org>"))
    await read_mailbox(hotline, mailbox(port))
    count = "SELECT (SELECT count(*) FROM hotline_ticket), (SELECT count(*) FROM notice)"
    before = await hotline.db.rows(count)

    def unmark() -> None:
        with client(port) as connection:
            connection.select(FOLDER)
            connection.uid("STORE", "1:*", "-FLAGS", r"(\Seen)")

    await asyncio.to_thread(unmark)
    assert await read_mailbox(hotline, mailbox(port)) > 0
    assert await hotline.db.rows(count) == before


async def test_a_letter_that_cannot_be_taken_is_flagged_for_a_person(hotline: Hotline, port: int) -> None:
    empty = EmailMessage()
    empty["From"] = "li@example.org"
    await asyncio.to_thread(put, port, empty)
    await read_mailbox(hotline, mailbox(port))
    assert sum("Flagged" in each for each in await asyncio.to_thread(flags, port)) == 1


async def test_a_server_that_is_away_or_refuses_us_is_said(hotline: Hotline, port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()[1]
    with pytest.raises(MailboxAway):
        await read_mailbox(hotline, mailbox_of(f"imap://a:b@127.0.0.1:{nobody}"))
    with pytest.raises(MailboxAway):
        await read_mailbox(hotline, mailbox_of(f"imap://{USER}:wrong@127.0.0.1:{port}"))
    with pytest.raises(MailboxUnusable):
        await read_mailbox(hotline, mailbox_of(f"imap://{USER}:{PASSWORD}@127.0.0.1:{port}/None"))


@pytest.mark.parametrize("url", ["http://a:b@c", "imap://host", "imaps://", "imap://a:b@c:port", ""])
def test_what_is_no_mailbox_is_refused(url: str) -> None:
    with pytest.raises(MailboxUnusable):
        mailbox_of(url)


def test_a_mailbox_is_read_out_of_its_address() -> None:
    found = mailbox_of("imaps://12345%40city.example:p%2Fw@mail.city.example/INBOX/Hotline")
    assert (found.user, found.password) == ("12345@city.example", "p/w")
    assert (found.host, found.port, found.folder, found.tls) == ("mail.city.example", 993, "INBOX/Hotline", True)


def test_a_bounce_has_no_sender_and_who_says_none_is_the_writer() -> None:
    assert sender_of(b"Return-Path: <>\nFrom: a@example.org\n\nx") == ""
    assert sender_of(b"From: B <a@example.org>\n\nx") == "a@example.org"
