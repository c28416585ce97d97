# SPDX-License-Identifier: Apache-2.0
"""E-mail becomes tickets: a mailbox of another server is read by IMAP (RFC 3501), each letter once.

The mailbox is the hotline's alone: a letter that is taken, or that a machine sent, is marked as seen; one that cannot
be taken is flagged besides, for a person. Passwords do not go over the network in clear.
"""

import asyncio
import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import msgspec
import structlog

from citybrain.apps.hotline.jobs.letters import LARGEST, sender_of, take_letter
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.kernel.errors import Invalid, Refusal, Unavailable

EVERY_S = 60.0
WAIT_S = 30.0
AT_ONCE = 50
PORTS = {"imap": 143, "imaps": 993}
log = structlog.get_logger()


class MailboxUnusable(Invalid):
    """An address of a mailbox that is none, or a server that would have the password in clear."""


class MailboxAway(Unavailable):
    """The server of the mailbox does not answer, or not as it should; the letters lie there until it does."""


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """Where letters lie."""

    host: str
    port: int
    user: str
    password: str
    folder: str
    tls: bool


def mailbox_of(url: str) -> Mailbox:
    """A mailbox by its address: `imaps://user:password@host[:port][/folder]`, or `imap://` with STARTTLS."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise MailboxUnusable("hotline.mailbox_unusable", {"what": "imap"}) from None
    if parts.scheme not in PORTS or not parts.hostname or not parts.username:
        raise MailboxUnusable("hotline.mailbox_unusable", {"what": "imap"})
    return Mailbox(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        tls=parts.scheme == "imaps",
    )


async def reading(hotline: Hotline, mailbox: Mailbox, *, page: str = "") -> None:
    """Read the mailbox again and again; while its server is away, the letters wait there."""
    while True:
        try:
            while await read_mailbox(hotline, mailbox, page=page) >= AT_ONCE:
                pass
        except (Unavailable, MailboxUnusable) as problem:
            log.warning("mailbox not read", code=problem.code, facts=dict(problem.facts))
        await asyncio.sleep(EVERY_S)


async def read_mailbox(hotline: Hotline, mailbox: Mailbox, *, page: str = "") -> int:
    """Take the letters that nobody has seen, at most fifty; answers with how many were looked at."""
    connection = await asyncio.to_thread(_connected, mailbox)
    try:
        found = await asyncio.to_thread(_unseen, connection)
        for uid in found[:AT_ONCE]:
            content = await asyncio.to_thread(_letter, connection, uid)
            flags = await _taken(hotline, content, page)
            await asyncio.to_thread(_mark, connection, uid, flags)
        return len(found[:AT_ONCE])
    finally:
        await asyncio.to_thread(_leave, connection)


async def _taken(hotline: Hotline, content: bytes | None, page: str) -> str:
    """The flags that a letter has from now on."""
    if content is None:
        log.warning("letter too large")
        return r"\Seen \Flagged"
    try:
        receipt = await take_letter(hotline, content, sender_of(content), page=page)
    except Unavailable:
        raise
    except Refusal as refusal:
        log.warning("letter refused", code=refusal.code)
        return r"\Seen \Flagged"
    return r"\Seen \Answered" if receipt else r"\Seen"


@contextmanager
def _spoken() -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as problem:
        raise MailboxAway("hotline.mailbox_away", {"why": type(problem).__name__}) from problem


def _connected(mailbox: Mailbox) -> imaplib.IMAP4:
    with _spoken():
        connection = _reached(mailbox)
        try:
            _open(connection, mailbox)
        except BaseException:
            _leave(connection)
            raise
        return connection


def _open(connection: imaplib.IMAP4, mailbox: Mailbox) -> None:
    connection.login(mailbox.user, mailbox.password)
    quoted = mailbox.folder.replace("\\", "\\\\").replace('"', '\\"')
    state, _ = connection.select(f'"{quoted}"')
    if state != "OK":
        raise MailboxUnusable("hotline.mailbox_unusable", {"what": mailbox.folder})


def _reached(mailbox: Mailbox) -> imaplib.IMAP4:
    """A connection on which a password may be said: encrypted, unless the server is on this machine."""
    secure = ssl.create_default_context()
    if mailbox.tls:
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=secure, timeout=WAIT_S)
    connection = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=WAIT_S)
    try:
        if not _is_here(mailbox.host):
            _encrypt(connection, secure)
    except BaseException:
        connection.shutdown()
        raise
    return connection


def _encrypt(connection: imaplib.IMAP4, secure: ssl.SSLContext) -> None:
    if "STARTTLS" not in connection.capabilities:
        raise MailboxUnusable("hotline.mailbox_unusable", {"what": "STARTTLS"})
    connection.starttls(secure)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _unseen(connection: imaplib.IMAP4) -> list[str]:
    with _spoken():
        _, found = connection.uid("SEARCH", "UNSEEN")
        return [uid.decode() for uid in (found[0] or b"").split()]


def _letter(connection: imaplib.IMAP4, uid: str) -> bytes | None:
    """A letter as it came, not marked as seen by that; None when it is larger than is taken."""
    with _spoken():
        _, found = connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST + 1}>)")
        content = next((part[1] for part in found if isinstance(part, tuple)), b"")
        return content if len(content) <= LARGEST else None


def _mark(connection: imaplib.IMAP4, uid: str, flags: str) -> None:
    with _spoken():
        connection.uid("STORE", uid, "+FLAGS", f"({flags})")


def _leave(connection: imaplib.IMAP4) -> None:
    with suppress(imaplib.IMAP4.error, OSError):
        connection.logout()
    with suppress(OSError):
        connection.shutdown()
