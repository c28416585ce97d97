# SPDX-License-Identifier: Apache-2.0
"""E-mail becomes tickets: a small SMTP server (RFC 5321) to which the city's mail server hands the hotline's letters.

It listens on this machine alone and only where a port is given in `hotline/mail.json` of the data folder
(`{"port": 2525, "address": "12345@city.example"}`): a mail server in front of it filters, signs and queues. Where
`imap` is given there, that mailbox is read instead or besides. `page` is where citizens reach the city's pages.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import msgspec
import structlog

from citybrain.apps.hotline.jobs.letters import LARGEST, take_letter
from citybrain.apps.hotline.jobs.mailbox import mailbox_of, reading
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.service.intake import TellingUnusable
from citybrain.kernel.errors import Refusal, Unavailable

LONGEST_LINE = 65_536
WAIT_S = 60.0
_ADDRESS = re.compile(r"<([^<>\s]*)>")

log = structlog.get_logger()


class Settings(msgspec.Struct, frozen=True):
    """Where the server listens, and for which address; which mailbox is read; where the city's pages are."""

    port: int | None = None
    address: str = ""
    host: str = "127.0.0.1"
    imap: str = ""
    page: str = ""


@asynccontextmanager
async def listening(hotline: Hotline) -> AsyncIterator[None]:
    """A mail server, and a mailbox that is read, while the block lasts, if the city has said where."""
    path = hotline.folder / "mail.json"
    if not path.exists():
        yield
        return
    settings = msgspec.json.decode(path.read_bytes(), type=Settings)
    reads = None
    if settings.imap:
        reads = asyncio.create_task(reading(hotline, mailbox_of(settings.imap), page=settings.page), name="mailbox")
    try:
        async with serving(hotline, settings) if settings.port is not None else nullcontext():
            yield
    finally:
        if reads:
            reads.cancel()
            await asyncio.wait([reads])


@asynccontextmanager
async def serving(hotline: Hotline, settings: Settings) -> AsyncIterator[int]:
    """The server itself; gives the port it has."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Talk(hotline, settings, reader, writer).go()
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
        self, hotline: Hotline, settings: Settings, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._hotline = hotline
        self._address = settings.address.casefold()
        self._page = settings.page
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
            receipt = await take_letter(self._hotline, content, self._sender or "", page=self._page)
        except Unavailable:
            return "451 try again later"
        except TellingUnusable:
            return "554 no words in it"
        except Refusal as refusal:
            log.warning("letter refused", code=refusal.code)
            return "554 refused"
        return f"250 {receipt.number}" if receipt else "250 not answered: it was sent by a machine"

    async def _line(self) -> bytes:
        async with asyncio.timeout(WAIT_S):
            line = await self._reader.readline()
        if not line:
            raise ConnectionError
        return line

    async def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())
        await self._writer.drain()
