# SPDX-License-Identifier: Apache-2.0
"""E-mail becomes tickets: a small SMTP server (RFC 5321) to which the city's mail server hands the hotline's letters.

It listens on this machine alone and only where a port is given in `hotline/mail.json` of the data folder
(`{"port": 2525, "address": "12345@city.example"}`): a mail server in front of it filters, signs and queues.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256

import msgspec
import structlog

from citybrain.apps.hotline.model import Caller, Channel, Intake
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import LONGEST, TellingUnusable, take
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal, Unavailable

LARGEST = 25_000_000
LONGEST_LINE = 65_536
WAIT_S = 60.0
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
_ADDRESS = re.compile(r"<([^<>\s]*)>")

log = structlog.get_logger()


class Settings(msgspec.Struct, frozen=True):
    """Where the server listens, and for which address."""

    port: int
    address: str
    host: str = "127.0.0.1"


@asynccontextmanager
async def listening(hotline: Hotline) -> AsyncIterator[None]:
    """A mail server while the block lasts, if the city has said where."""
    path = hotline.folder / "mail.json"
    if not path.exists():
        yield
        return
    settings = msgspec.json.decode(path.read_bytes(), type=Settings)
    async with serving(hotline, settings):
        yield


@asynccontextmanager
async def serving(hotline: Hotline, settings: Settings) -> AsyncIterator[int]:
    """The server itself; gives the port it has."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Talk(hotline, settings.address, reader, writer).go()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            log.info("mail connection ended early")
        finally:
            writer.close()

    server = await asyncio.start_server(talk, settings.host, settings.port, limit=LONGEST_LINE)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Talk:
    """One connection. A letter is accepted (250) only when its ticket is written."""

    def __init__(
        self, hotline: Hotline, address: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._hotline = hotline
        self._address = address.casefold()
        self._reader = reader
        self._writer = writer
        self._sender: str | None = None
        self._for_us = False

    async def go(self) -> None:
        """Speak until they say QUIT."""
        await self._say("220 citybrain hotline ESMTP")
        while True:
            line = (await self._line()).decode("utf-8", "replace").rstrip("\r\n")
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            if verb == "QUIT":
                await self._say("221 bye")
                return
            if verb == "DATA" and self._sender is not None and self._for_us:
                await self._say("354 go on")
                await self._say(await self._take(await self._letter()))
                self._sender, self._for_us = None, False
            else:
                await self._say(self._answer(verb, rest))

    def _answer(self, verb: str, rest: str) -> str:
        found = _ADDRESS.search(rest)
        if verb == "EHLO":
            return f"250-citybrain\r\n250-SIZE {LARGEST}\r\n250-8BITMIME\r\n250 SMTPUTF8"
        if verb in ("HELO", "NOOP", "RSET"):
            if verb == "RSET":
                self._sender, self._for_us = None, False
            return "250 ok"
        if verb == "MAIL" and found:
            self._sender, self._for_us = found[1], False
            return "250 ok"
        if verb == "RCPT" and found and self._sender is not None:
            self._for_us = self._for_us or found[1].casefold() == self._address
            return "250 ok" if found[1].casefold() == self._address else "550 no such mailbox"
        known = verb in ("DATA", "RCPT", "MAIL")
        return "503 not now" if known else "502 not known"

    async def _letter(self) -> bytes | None:
        """All lines up to the dot; None when it is too large. A leading dot was doubled (RFC 5321 section 4.5.2)."""
        lines: list[bytes] = []
        size = 0
        while (line := await self._line()) not in (b".\r\n", b".\n"):
            size += len(line)
            if size <= LARGEST:
                lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines) if size <= LARGEST else None

    async def _take(self, content: bytes | None) -> str:
        if content is None:
            return "552 too large"
        try:
            intake = read_letter(content, self._sender or "")
            if intake is None:
                return "250 not answered: it was sent by a machine"
            receipt = await take(self._hotline, MACHINE, intake, now=utc_now())
        except Unavailable:
            return "451 try again later"
        except TellingUnusable:
            return "554 no words in it"
        except Refusal as refusal:
            log.warning("letter refused", code=refusal.code)
            return "554 refused"
        return f"250 {receipt.number}"

    async def _line(self) -> bytes:
        async with asyncio.timeout(WAIT_S):
            line = await self._reader.readline()
        if not line:
            raise ConnectionError
        return line

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()


def read_letter(content: bytes, sender: str) -> Intake | None:
    """A letter as a matter: subject and plain text. None for what machines send (RFC 3834): it would go round.

    The same letter (its Message-ID, else its content) makes one ticket, however often it is handed over.
    """
    letter = message_from_bytes(content, policy=policy.default)
    assert isinstance(letter, EmailMessage)
    automatic = str(letter.get("Auto-Submitted", "no")).casefold() != "no" or not sender
    if automatic or str(letter.get("Precedence", "")).casefold() in ("bulk", "list", "junk"):
        return None
    name, address = parseaddr(str(letter.get("From", sender)))
    subject = str(letter.get("Subject", "")).strip()
    text = f"{subject}\n{_words(letter)}".strip()[:LONGEST]
    key = str(letter.get("Message-ID", "")).strip() or sha256(content).hexdigest()
    return Intake(
        text=text,
        channel=Channel.EMAIL,
        caller=Caller(name=name[:100], email=address or sender),
        key=f"mail:{sha256(key.encode()).hexdigest()}",
    )


def _words(letter: EmailMessage) -> str:
    body = letter.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        found = str(body.get_content())
    except (LookupError, ValueError, KeyError):  # a character set or encoding that nobody knows
        raw = letter.get_payload(decode=True)
        found = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
    return _TAG.sub(" ", found) if body.get_content_type() == "text/html" else found
