# SPDX-License-Identifier: Apache-2.0
"""A letter becomes a ticket, whichever way it came: its words, its files, and a receipt by e-mail."""

import base64
import re
from collections.abc import AsyncIterator, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parseaddr
from hashlib import sha256

import msgspec
import structlog

from citybrain.apps.hotline.model import Caller, Channel, Intake, Receipt
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import LONGEST, take
from citybrain.apps.hotline.service.told import FOLLOW
from citybrain.kernel.cases.notice import Channel as Way
from citybrain.kernel.cases.notice import Tell
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal, Unavailable

LARGEST = 25_000_000
MOST_FILES = 10
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.S | re.I)
MACHINES = ("mailer-daemon@", "postmaster@", "no-reply@", "noreply@")
log = structlog.get_logger()


async def take_letter(hotline: Hotline, content: bytes, sender: str, *, page: str = "") -> Receipt | None:
    """Make a ticket of a letter and queue its receipt; None for what a machine sent, which would go round.

    The same letter makes one ticket and one receipt, however often it is handed over. Files that are not taken, by
    their kind or size, are named in the receipt. `page` is where the city's pages are, for the link.
    """
    intake = read_letter(content, sender)
    if intake is None or intake.key is None:
        return None
    owner = intake.key
    photos, left_out = await _upload(hotline, content, owner)
    secret = base64.urlsafe_b64encode(hotline.keys.mark("mail", intake.key)).decode().rstrip("=")
    intake = msgspec.structs.replace(intake, photos=photos, photos_owner=owner)
    receipt = await take(hotline, MACHINE, intake, now=utc_now(), secret=secret)
    if intake.caller.email:
        facts = {
            "number": receipt.number,
            "link": f"{page}{FOLLOW}{secret}" if page else "",
            "left_out": ", ".join(left_out) or "—",
        }
        tell = Tell(
            topic="hotline.received",
            facts=facts,
            channel=Way.EMAIL,
            address=intake.caller.email,
            case_id=receipt.case_id,
            key=f"hotline.received:{receipt.case_id}",
        )
        async with hotline.db.transaction() as transaction:
            await hotline.store.casework.notices.queue(transaction, tell, now=utc_now())
    return receipt


async def _upload(hotline: Hotline, content: bytes, owner: str) -> tuple[tuple[int, ...], list[str]]:
    """The files of a letter as uploads, and the names of those that are not taken."""
    ids: list[int] = []
    left_out: list[str] = []
    for name, data in files_of(content):
        if len(ids) >= MOST_FILES:
            left_out.append(name)
            continue
        try:
            found = await hotline.store.casework.attachments.upload(owner, name, _stream(data), now=utc_now())
            ids.append(found.id)
        except Unavailable:
            raise
        except Refusal as refusal:
            log.info("file of a letter left out", code=refusal.code)
            left_out.append(name)
    return tuple(ids), left_out


async def _stream(data: bytes) -> AsyncIterator[bytes]:
    yield data


def read_letter(content: bytes, sender: str) -> Intake | None:
    """A letter as a matter: subject and plain text. None for what machines send (RFC 3834): it would go round.

    The same letter (its Message-ID, else its content) makes one ticket, however often it is handed over.
    """
    letter = _parsed(content)
    if not sender or _is_automatic(letter):
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


def files_of(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a letter with their names; what cannot be decoded is left out."""
    letter = _parsed(content)
    body = letter.get_body(("plain", "html"))
    for number, part in enumerate(letter.walk(), start=1):
        if part is body or part.is_multipart() or not _is_file(part):
            continue
        try:
            data = part.get_payload(decode=True)
            name = part.get_filename() or f"{number}"
        except (LookupError, ValueError, TypeError):
            continue
        if isinstance(data, bytes) and data:
            yield name, data


def _is_file(part: Message) -> bool:
    return bool(part.get_filename()) or part.get_content_maintype() not in ("text", "message")


def sender_of(content: bytes) -> str:
    """Who sent a letter that lies in a mailbox: its Return-Path, where there is none its From; empty for a bounce."""
    letter = _parsed(content)
    path = letter.get("Return-Path")
    return parseaddr(str(letter.get("From", "") if path is None else path))[1]


def _parsed(content: bytes) -> EmailMessage:
    letter = message_from_bytes(content, policy=policy.default)
    assert isinstance(letter, EmailMessage)
    return letter


def _is_automatic(letter: EmailMessage) -> bool:
    """Whether a machine wrote it: an answer, a bounce, a mass mailing (RFC 3834, RFC 3464)."""
    _, address = parseaddr(str(letter.get("From", "")))
    return (
        str(letter.get("Auto-Submitted", "no")).casefold().partition(";")[0].strip() != "no"
        or str(letter.get("Precedence", "")).casefold() in ("bulk", "list", "junk", "auto_reply")
        or any(letter.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "List-Id"))
        or letter.get_content_type() == "multipart/report"
        or address.casefold().startswith(MACHINES)
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
