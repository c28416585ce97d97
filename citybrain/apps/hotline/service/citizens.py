# SPDX-License-Identifier: Apache-2.0
"""What citizens do without an account: follow by a secret link, answer, rate, ask again, be told of an area."""

import secrets
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.hotline.detect.hotspots import blurred
from citybrain.apps.hotline.model import Ticket
from citybrain.apps.hotline.service.desk import to_rate
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import SECRET_BYTES, TellingUnusable, hash_of
from citybrain.apps.hotline.store import kept, tickets
from citybrain.kernel.cases.case import CommentKind, MoveFacts
from citybrain.kernel.cases.notice import Channel, Tell
from citybrain.kernel.cases.ratings import Given
from citybrain.kernel.cases.satisfaction import RatingChannel, Satisfaction
from citybrain.kernel.crypto import Place
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.geo import distance_m
from citybrain.kernel.privacy import Sort, normalise
from citybrain.kernel.records import Facts

LONGEST_ANSWER = 2_000
# What is older is another matter; the draft of Beijing's standard leaves it to the city.
REOPENED_WITHIN = timedelta(days=30)
RADIUS_M = (100.0, 5_000.0)
AREAS_OF_ONE = 10
CONFIRM_WITHIN = timedelta(days=2)


class NoSuchReport(NotFound):
    """No report is followed by this link."""


class NotNow(Conflict):
    """The report is not where this can be done."""


class TooManyAreas(Conflict):
    """One address follows only so many areas."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who told it sees."""

    number: str
    text: str
    category: str
    state: str
    created_at: datetime
    due_at: datetime | None
    answered_at: datetime | None
    answer: str
    satisfaction: str
    may: tuple[str, ...]


class PublicReport(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody sees: no words of anybody, and the place only to within a hundred metres."""

    number: str
    category: str
    state: str
    created_at: datetime
    answered_at: datetime | None
    longitude: float | None
    latitude: float | None


async def ticket_of(hotline: Hotline, secret: str) -> Ticket:
    """The ticket that a secret follows; refuses `NoSuchReport`."""
    found = await tickets.by_link(hotline.db, hash_of(secret)) if len(secret) <= 100 else None
    if found is None:
        raise NoSuchReport("hotline.no_such_report", {})
    return found


def report_of(ticket: Ticket, now: datetime) -> Report:
    """A ticket as its citizen sees it."""
    return Report(
        number=ticket.number,
        text=ticket.text,
        category=ticket.category,
        state=ticket.state,
        created_at=ticket.created_at,
        due_at=ticket.due_at,
        answered_at=ticket.answered_at,
        answer=ticket.answer,
        satisfaction=ticket.satisfaction,
        may=_may(ticket, now),
    )


def public_of(ticket: Ticket) -> PublicReport:
    """A ticket as everybody sees it."""
    place = None
    if ticket.longitude is not None and ticket.latitude is not None:
        place = blurred(ticket.longitude, ticket.latitude)
    return PublicReport(
        number=ticket.number,
        category=ticket.category,
        state=ticket.state,
        created_at=ticket.created_at,
        answered_at=ticket.answered_at,
        longitude=place[0] if place else None,
        latitude=place[1] if place else None,
    )


def _may(ticket: Ticket, now: datetime) -> tuple[str, ...]:
    allowed = ["add"] if ticket.phase != "closed" else []
    if ticket.state in ("answered", "closed") and not ticket.satisfaction:
        allowed.append("rate")
    recent = ticket.answered_at is None or now - ticket.answered_at <= REOPENED_WITHIN
    if ticket.state in ("answered", "closed", "refused") and recent:
        allowed.append("reopen")
    return tuple(allowed)


def _refuse_unless(ticket: Ticket, what: str, now: datetime) -> None:
    if what not in _may(ticket, now):
        raise NotNow("hotline.not_now", {"number": ticket.number, "state": ticket.state})


def _said(text: str) -> str:
    plain = text.strip()
    if not plain or len(plain) > LONGEST_ANSWER:
        raise TellingUnusable("hotline.telling_unusable", {"field": "text"})
    return plain


async def add(hotline: Hotline, secret: str, text: str, *, now: datetime) -> Report:
    """Say more, or answer what the department asked; clerks read it among the comments."""
    ticket = await ticket_of(hotline, secret)
    _refuse_unless(ticket, "add", now)
    await hotline.cases.comment(MACHINE, ticket.case_id, CommentKind.PUBLIC, _said(text))
    return report_of(await ticket_of(hotline, secret), now)


async def rate(
    hotline: Hotline, secret: str, satisfaction: Satisfaction, *, resolved: bool | None, note: str = "", now: datetime
) -> Report:
    """Say how content one is; once. It counts as the follow-up call that need not be made."""
    ticket = await ticket_of(hotline, secret)
    _refuse_unless(ticket, "rate", now)
    rated = await to_rate(hotline, await hotline.cases.get(MACHINE, ticket.case_id))
    given = Given(satisfaction=satisfaction, channel=RatingChannel.MOBILE, remark=note[:LONGEST_ANSWER])
    params = {"case_id": ticket.case_id, "at": now, "resolved": resolved, "satisfaction": satisfaction}
    async with hotline.db.transaction() as transaction:
        told = {**params, "by": "citizen", "reached": True, "note": given.remark}
        await transaction.write(tickets.SQL.follow_up_insert, told)
        await transaction.write(tickets.SQL.resolved, params)
        await hotline.store.casework.ratings.rate_within(transaction, rated, given, by=MACHINE, now=now)
    return report_of(await ticket_of(hotline, secret), now)


async def reopen(hotline: Hotline, secret: str, reason: str, *, now: datetime) -> Report:
    """Ask again because the answer does not help: the same department goes on with it."""
    ticket = await ticket_of(hotline, secret)
    _refuse_unless(ticket, "reopen", now)
    reason = _said(reason)
    if ticket.phase == "closed":
        await hotline.cases.reopen(MACHINE, ticket.case_id, reason)
    else:
        await hotline.cases.move(MACHINE, ticket.case_id, "redo", MoveFacts(reason=reason))
    return report_of(await ticket_of(hotline, secret), now)


async def public_list(
    hotline: Hotline, before: tuple[datetime, int] | None, *, limit: int
) -> tuple[list[PublicReport], tuple[datetime, int] | None]:
    """The newest public reports, and where the next page begins."""
    found = await tickets.public_tickets(hotline.db, before, limit=limit)
    following = (found[-1].created_at, found[-1].case_id) if len(found) == limit else None
    return [public_of(each) for each in found], following


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A place of which somebody wants to be told at an address; `link` is where the page is that confirms."""

    email: str
    longitude: float
    latitude: float
    radius_m: float
    lang: str
    link: str


async def follow_area(hotline: Hotline, wish: Wish, *, now: datetime) -> str:
    """Ask to be told of reports near a place; answers with the secret that the e-mail carries.

    Nothing is sent to an address that did not confirm, but for the one e-mail which asks it to.
    """
    email = normalise(Sort.EMAIL, wish.email)
    low, high = RADIUS_M
    if "@" not in email or len(email) > 254 or not low <= wish.radius_m <= high or wish.lang not in ("zh", "en"):
        raise TellingUnusable("hotline.telling_unusable", {"field": "email" if "@" not in email else "radius_m"})
    since = now - CONFIRM_WITHIN
    marks = hotline.keys.marks(Sort.EMAIL, email)
    count = await hotline.db.read_one(kept.SQL.areas_of_mark, {"marks": marks, "since": since}, as_=int)
    if (count or 0) >= AREAS_OF_ONE:
        raise TooManyAreas("hotline.too_many_areas", {"most": AREAS_OF_ONE})
    secret = secrets.token_urlsafe(SECRET_BYTES)
    token_hash = hash_of(secret)
    params = {
        "token_hash": token_hash,
        "email": hotline.keys.encrypt(email, _area_place(token_hash)),
        "email_mark": hotline.keys.mark(Sort.EMAIL, email),
        "longitude": wish.longitude,
        "latitude": wish.latitude,
        "radius_m": wish.radius_m,
        "lang": wish.lang,
        "at": now,
    }
    async with hotline.db.transaction() as transaction:
        await transaction.write(kept.SQL.area_insert, params)
        facts = {"link": f"{wish.link}{secret}"}
        await _queue(hotline, transaction, "hotline.area_confirm", facts, (email, wish.lang), now)
    return secret


async def confirm_area(hotline: Hotline, secret: str, *, now: datetime) -> None:
    """The link in the e-mail was opened: from now on it is told. Refuses `NoSuchReport` after two days."""
    params = {"token_hash": hash_of(secret), "at": now, "since": now - CONFIRM_WITHIN}
    if await hotline.db.read_one(kept.SQL.area_confirm, params, as_=int) is None:
        raise NoSuchReport("hotline.no_such_report", {})


async def leave_area(hotline: Hotline, secret: str) -> None:
    """Not to be told any more: the address is deleted."""
    if await hotline.db.read_one(kept.SQL.area_remove, {"token_hash": hash_of(secret)}, as_=int) is None:
        raise NoSuchReport("hotline.no_such_report", {})


async def tell_areas(hotline: Hotline, now: datetime) -> int:
    """Queue what is new near each followed place; answers with the e-mails. While the mail server is down they wait."""
    await hotline.db.write(kept.SQL.areas_forget, {"before": now - CONFIRM_WITHIN})
    sent = 0
    for area in await hotline.db.read(kept.SQL.areas, as_=kept.Area):
        found = await tickets.between(hotline.db, area.told_until, now)
        near = [each for each in found if each.public and _within(each, area)]
        async with hotline.db.transaction() as transaction:
            if near:
                email = hotline.keys.decrypt(area.email, _area_place(area.token_hash))
                lines = [f"{each.number}  {hotline.tree.name(each.category, area.lang)}" for each in near[:50]]
                facts = {"reports": "\n".join(lines)}
                sent += await _queue(hotline, transaction, "hotline.area_news", facts, (email, area.lang), now)
            await transaction.write(kept.SQL.area_told, {"id": area.id, "at": now})
    return sent


async def _queue(
    hotline: Hotline, transaction: Transaction, topic: str, facts: Facts, to: tuple[str, str], now: datetime
) -> int:
    tell = Tell(topic=topic, facts=facts, channel=Channel.EMAIL, address=to[0], lang=to[1])
    return await hotline.store.casework.notices.queue(transaction, tell, now=now)


def _within(ticket: Ticket, area: kept.Area) -> bool:
    if ticket.longitude is None or ticket.latitude is None:
        return False
    return distance_m((ticket.longitude, ticket.latitude), (area.longitude, area.latitude)) <= area.radius_m


def _area_place(token_hash: bytes) -> Place:
    return Place("hotline_area", "email", token_hash.hex())
