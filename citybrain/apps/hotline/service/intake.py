# SPDX-License-Identifier: Apache-2.0
"""Taking in what a citizen tells: one ticket per matter, whatever the channel, and nothing asked that is not needed."""

import hashlib
import re
import secrets
import unicodedata
from datetime import datetime

import msgspec

from citybrain.apps.hotline import choice
from citybrain.apps.hotline.choice import Matter, Routed
from citybrain.apps.hotline.model import (
    DESK,
    PRIORITY,
    TYPE,
    Channel,
    Intake,
    Reason,
    Receipt,
    Ticket,
)
from citybrain.apps.hotline.service import calls
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.apps.hotline.store import tickets
from citybrain.kernel.access import Actor
from citybrain.kernel.cases.case import Case, CaseChange, MoveFacts, Opening
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import Invalid
from citybrain.kernel.privacy import Sort, normalise
from citybrain.kernel.records import Facts

LONGEST = 5_000
TITLE = 60
SECRET_BYTES = 32  # 256 bits: nobody guesses one, so a plain hash of it may lie in the table
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_PHONE = re.compile(r"\+?[0-9][0-9\-]{4,19}")
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z]{2,24}")


class TellingUnusable(Invalid):
    """What came cannot be a ticket: no words, too many, a place or number that is none, a category there is not."""


async def take(hotline: Hotline, actor: Actor, intake: Intake, *, now: datetime, secret: str | None = None) -> Receipt:
    """Open a ticket and hand it on when it is clear to whom. With a known key it is the ticket which has that key.

    `secret` is by what its citizen follows it, where that is known before.
    A phone ticket waits for its clerk unless they name a department or let the rules decide; of other channels a sure
    choice goes at once.
    """
    if intake.keep_number and intake.call_id is not None:
        caller = await calls.caller_with_number(hotline, intake.caller, intake.call_id)
        intake = msgspec.structs.replace(intake, caller=caller)
    intake = cleaned(hotline, intake)
    intake, routed = decide(hotline, intake, now)
    secret = secret or secrets.token_urlsafe(SECRET_BYTES)
    written = False

    async def also(transaction: Transaction, change: CaseChange) -> None:
        nonlocal written
        written = True
        case_id = change.after.id
        public = intake.public and hotline.tree.is_public(intake.category)
        await tickets.put_link(transaction, case_id, hash_of(secret), public=public)
        await tickets.put_caller(transaction, hotline.keys, case_id, intake.caller)
        if intake.photos:
            attachments = hotline.store.casework.attachments
            await attachments.attach(transaction, intake.photos_owner, intake.photos, case_id, now)
        if intake.call_id is not None:
            await transaction.write(tickets.SQL.call_ticket, {"case_id": case_id, "id": intake.call_id})

    case = await hotline.cases.open(actor, opening(intake), also=also)
    goes_on = intake.department or intake.hand_on or intake.channel is not Channel.PHONE
    if written and routed.department != DESK and goes_on:
        facts = MoveFacts(department=routed.department, reason=routed.because.code)
        case = await hotline.cases.move(actor, case.id, "dispatch", facts)
    if written:
        hotline.tickets.put(_ticket(case, intake))
    return Receipt(
        case_id=case.id,
        number=case.number,
        secret=secret if written else "",
        department=case.department,
        because=routed.because,
    )


def cleaned(hotline: Hotline, intake: Intake) -> Intake:
    """What came, without signs that nobody sees. What stands in it is text and stays text. Refuses what is unusable."""
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", intake.text)).strip()
    caller = intake.caller
    place = (intake.longitude, intake.latitude)
    wrong = {
        "text": not text or len(text) > LONGEST,
        "place": (place[0] is None) is not (place[1] is None)
        or (place[0] is not None and not (-180 <= place[0] <= 180 and -90 <= (place[1] or 0) <= 90)),
        "phone": bool(caller.phone) and not _PHONE.fullmatch(normalise(Sort.PHONE, caller.phone)),
        "email": bool(caller.email) and not _EMAIL.fullmatch(caller.email.strip()),
        "name": len(caller.name) > 100,
        "address": len(intake.address) > 300,
        "category": bool(intake.category) and intake.category not in hotline.tree.categories,
    }
    for field, is_wrong in wrong.items():
        if is_wrong:
            raise TellingUnusable("hotline.telling_unusable", {"field": field})
    return msgspec.structs.replace(intake, text=text, address=_UNSEEN.sub("", intake.address).strip())


def decide(hotline: Hotline, intake: Intake, now: datetime) -> tuple[Intake, Routed]:
    """Category, urgency and department where nobody said them. What the classifier is not sure of stays open."""
    category = intake.category or _likely(hotline, intake.text)
    urgency = intake.urgency or hotline.tree.urgency(category)
    intake = msgspec.structs.replace(intake, category=category, urgency=urgency)
    if intake.department:
        facts: dict[str, str | int] = {"department": intake.department}
        because = Reason(code="hotline.because_clerk", facts=facts)
        return intake, Routed(department=intake.department, because=because)
    matter = Matter(
        category=category,
        channel=intake.channel,
        urgency=urgency,
        text=intake.text,
        at=intake.created_at or now,
        longitude=intake.longitude,
        latitude=intake.latitude,
    )
    return intake, choice.route(hotline.rules, hotline.tree, matter)


def _likely(hotline: Hotline, text: str) -> str:
    """Words that the tree names decide, narrowest first; else the classifier, if it is sure."""
    by_words = choice.by_words(hotline.tree, text)
    guess = hotline.guess(text)
    label = hotline.category_of(guess.category) if guess and guess.category else ""
    for category, _ in by_words:
        if not label or category.id.partition(".")[0] == label.partition(".")[0]:
            return category.id
    return label


def opening(intake: Intake, type: str = TYPE, more: Facts | None = None) -> Opening:
    """The case that a matter begins."""
    title = intake.text.split("\n", 1)[0]
    return Opening(
        type=type,
        title=title if len(title) <= TITLE else title[: TITLE - 1] + "…",
        department=DESK,
        fields={"text": intake.text, **(more or {})},
        priority=PRIORITY[intake.urgency] if intake.urgency else PRIORITY[next(iter(PRIORITY))],
        channel=intake.channel,
        category=intake.category,
        longitude=intake.longitude,
        latitude=intake.latitude,
        address=intake.address,
        key=intake.key,
        number=intake.number,
        created_at=intake.created_at,
    )


def hash_of(secret: str) -> bytes:
    """How a secret of a link lies in the table."""
    return hashlib.sha256(secret.encode()).digest()


def _ticket(case: Case, intake: Intake) -> Ticket:
    return Ticket(
        case_id=case.id,
        number=case.number,
        category=case.category,
        department=case.department,
        channel=case.channel,
        urgency=str(intake.urgency),
        state=case.state,
        phase=Phase(case.phase),
        text=intake.text,
        longitude=case.longitude,
        latitude=case.latitude,
        address=case.address,
        created_at=case.created_at,
        changed_at=case.changed_at,
    )
