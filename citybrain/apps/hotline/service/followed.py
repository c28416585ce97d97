# SPDX-License-Identifier: Apache-2.0
"""How a report went on, as its citizen reads it: steps, words, photos. Of clerks only the department is told."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.apps.hotline.model import Ticket
from citybrain.apps.hotline.service import citizens
from citybrain.apps.hotline.service.citizens import Report
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.kernel.cases.attachments import Attachment, NoSuchAttachment
from citybrain.kernel.cases.case import CaseEvent, Comment, CommentKind, Story, Verb

BROWSER = "browser:"
"""How the owner of an upload begins whom nobody knows but by a secret of their browser."""


class What(StrEnum):
    """What happened, in the words of the one who reported."""

    RECEIVED = "received"
    HANDED_ON = "handed_on"
    ACCEPTED = "accepted"
    SENT_BACK = "sent_back"
    WAITING = "waiting"
    WENT_ON = "went_on"
    ANSWERED = "answered"
    REFUSED = "refused"
    ASKED_AGAIN = "asked_again"
    CLOSED = "closed"
    MERGED = "merged"
    YOU_SAID = "you_said"
    CITY_SAID = "city_said"


OF_MOVE = {
    "dispatch": What.HANDED_ON,
    "accept": What.ACCEPTED,
    "send_back": What.SENT_BACK,
    "wait": What.WAITING,
    "go_on": What.WENT_ON,
    "answer": What.ANSWERED,
    "answer_now": What.ANSWERED,
    "refuse": What.REFUSED,
    "redo": What.ASKED_AGAIN,
    "reopen": What.ASKED_AGAIN,
    "close": What.CLOSED,
}
OF_VERB = {
    Verb.OPEN: What.RECEIVED,
    Verb.TRANSFER: What.HANDED_ON,
    Verb.RETURN: What.SENT_BACK,
    Verb.SUSPEND: What.WAITING,
    Verb.RESUME: What.WENT_ON,
    Verb.REOPEN: What.ASKED_AGAIN,
    Verb.MERGE: What.MERGED,
}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: where the report lay then, and words that are meant for its citizen."""

    at: datetime
    what: What
    department: str = ""
    text: str = ""


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the citizen sent, or that the city shows everybody."""

    id: int
    name: str
    media_type: str
    size: int
    mine: bool


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A report with how it went on."""

    report: Report
    department: str
    address: str
    longitude: float | None
    latitude: float | None
    steps: list[Step]
    photos: list[Photo]


async def followed(hotline: Hotline, secret: str, *, now: datetime) -> Followed:
    """How a report stands and how it came there; refuses `NoSuchReport`."""
    ticket = await citizens.ticket_of(hotline, secret)
    story = await hotline.cases.story(MACHINE, ticket.case_id)
    files = await hotline.store.casework.attachments.of_case(ticket.case_id)
    return Followed(
        report=citizens.report_of(ticket, now),
        department=ticket.department,
        address=ticket.address,
        longitude=ticket.longitude,
        latitude=ticket.latitude,
        steps=steps_of(story),
        photos=[_photo(each) for each in files if _is_shown(each)],
    )


def steps_of(story: Story) -> list[Step]:
    """What happened, the oldest first. Reasons that clerks give each other are left out, a refusal's is told."""
    answers = [each for each in story.comments if each.kind is CommentKind.ANSWER]
    found: list[Step] = []
    department = ""
    for event in story.events:
        department = str(event.changes.get("department") or department)
        step = _step(event, department, answers)
        if step is not None:
            found.append(step)
    return sorted([*found, *_said(story.comments)], key=lambda each: each.at)


def _step(event: CaseEvent, department: str, answers: Sequence[Comment]) -> Step | None:
    what = OF_MOVE.get(event.move or "") or OF_VERB.get(event.verb)
    if what is None:
        return None
    text = ""
    if what is What.ANSWERED:
        text = next((each.text for each in answers if each.at == event.at), "")
    elif what is What.REFUSED or (what is What.ASKED_AGAIN and event.by == MACHINE.account):
        text = event.reason
    return Step(at=event.at, what=what, department=department, text=text)


def _said(comments: Sequence[Comment]) -> list[Step]:
    return [
        Step(at=each.at, what=What.YOU_SAID, text=each.text)
        if each.by == MACHINE.account
        else Step(at=each.at, what=What.CITY_SAID, department=each.department, text=each.text)
        for each in comments
        if each.kind is CommentKind.PUBLIC
    ]


async def photo(hotline: Hotline, secret: str, id: int) -> Attachment:
    """A photo of the report that its citizen may see; refuses `NoSuchReport` and `NoSuchAttachment`."""
    ticket = await citizens.ticket_of(hotline, secret)
    found = await hotline.store.casework.attachments.get(id)
    if found.case_id != ticket.case_id or not _is_shown(found):
        raise NoSuchAttachment("kernel.no_such_attachment", {"id": id})
    return found


async def add_photos(hotline: Hotline, secret: str, ids: Sequence[int], *, owner: str, now: datetime) -> Ticket:
    """Put uploads of this browser to a report that is not over."""
    ticket = await citizens.ticket_of(hotline, secret)
    if ticket.phase == "closed":
        raise citizens.NotNow("hotline.not_now", {"number": ticket.number, "state": ticket.state})
    async with hotline.db.transaction() as transaction:
        await hotline.store.casework.attachments.attach(transaction, owner, ids, ticket.case_id, now)
    return ticket


def _is_shown(file: Attachment) -> bool:
    return file.removed_at is None and (file.public or file.owner.startswith(BROWSER))


def _photo(file: Attachment) -> Photo:
    mine = file.owner.startswith(BROWSER)
    return Photo(id=file.id, name=file.name, media_type=file.media_type, size=file.size, mine=mine)
