# SPDX-License-Identifier: Apache-2.0
"""What the door does: takes alerts in, lets the city's own out, tells the journal of them, lets them run out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from citybrain.doors.cap import profiles, quarantine, store
from citybrain.doors.cap.drafting import Draft, compose
from citybrain.doors.cap.levels import worst
from citybrain.doors.cap.model import Alert, Info, Reference
from citybrain.doors.cap.places import Zone, descriptions
from citybrain.doors.cap.problems import Problem, RulesBroken
from citybrain.doors.cap.quarantine import State
from citybrain.doors.cap.reading import Message, read
from citybrain.doors.cap.rules import LASTS_WITHOUT_END, remarks
from citybrain.doors.cap.store import EVERY_SCOPE, Also, Kept, New, Told
from citybrain.doors.cap.trust import NOBODY, UNCHECKED, SignatureRefused, Signed, Trust
from citybrain.doors.cap.writing import write
from citybrain.kernel.audit.recording import Acting
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.crypto.enveloped import Verdict
from citybrain.kernel.db import Transaction
from citybrain.kernel.entities.document import DEFAULT_TENANT, Document
from citybrain.kernel.errors import Conflict, Refusal
from citybrain.kernel.records import Because, Event, Facts, Json, Text
from citybrain.kernel.store import Store

KIND = "cap.alert"
# How soon after its end a warning is over for the city: the screens count in minutes.
LOOK_EVERY_S = 15.0
KEPT_AFTER_END = timedelta(days=366)
# A year before the last there is, so that a warning without an end can still have one added to it.
_LAST = datetime(9998, 1, 1, tzinfo=UTC)
MOST_INSIDE = 1_000
# How many entities are looked at before others get their turn.
AT_ONCE = 500
_SHOWN = (
    "identifier",
    "sender",
    "sent",
    "version",
    "status",
    "scope",
    "is_ours",
    "received_at",
    "expires_at",
    "closed_at",
    "closed_because",
    "event_id",
    "signature",
    "signed_by",
)
_EVENTS_LOOKED_AT = 10_000

log = structlog.get_logger()


class Differs(Conflict):
    """There is another message of the same sender, identifier and time. What was sent is never changed."""


class NotInForce(Conflict):
    """What is to be replaced or called off is no warning of the city in force."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message. `is_new` is false when it was here already; `closed`: how many earlier ones it
    closed."""

    kept: Kept
    is_new: bool
    closed: int
    remarks: tuple[Problem, ...]


class Incoming(msgspec.Struct, frozen=True):
    """A message, the bytes that it was read from, and how they are signed."""

    message: Message
    body: bytes
    signed: Signed = Signed(Verdict.NONE)


async def take(city: Store, body: bytes, *, by: str, at: datetime, trust: Trust = NOBODY) -> Taken:
    """Take a message of others in: kept, its references closed, its event told, all committed on return.

    The same message may come again. Refuses what `reading.read` and `Trust.judge` refuse, and `Differs`. A message
    that `Trust.judge` does not believe is kept aside.
    """
    message = read(body)
    try:
        signed = trust.judge(message, body, at)
    except SignatureRefused as refusal:
        named = {"sender": message.alert.sender, "identifier": message.alert.identifier}
        is_kept = await quarantine.keep_aside(city.db, message.alert, body, verdict=refusal.verdict, by=by, at=at)
        log.warning("warning_not_believed", code=refusal.code, by=by, kept_aside=is_kept, **named)
        raise
    taken = await _keep(city, Incoming(message, body, signed), by=by, at=at)
    await tell(city, at)
    told = (*trust.remarks(taken.kept.sender, taken.kept.signature, at), *taken.remarks)
    return msgspec.structs.replace(taken, remarks=told)


async def release(city: Store, number: int, *, by: Acting, note: str, at: datetime) -> Taken:
    """Take a message in that was kept aside, as a person vouches for it: with the audit entry, all committed on return.

    It says of itself that its signature was not confirmed. Refuses `NotKeptAside`, `Decided` and `Differs`.
    """
    aside = await quarantine.find(city.db, number)
    incoming = Incoming(read(aside.body), aside.body, Signed(aside.verdict))

    async def decide(transaction: Transaction) -> None:
        await quarantine.decide(transaction, aside, State.RELEASED, by=by, note=note, at=at)

    taken = await _keep(city, incoming, by=aside.posted_by, at=at, also=decide)
    await tell(city, at)
    return taken


async def discard(city: Store, number: int, *, by: Acting, note: str, at: datetime) -> None:
    """Throw a message away that was kept aside, with the audit entry. Refuses `NotKeptAside` and `Decided`."""
    aside = await quarantine.find(city.db, number)
    async with city.db.transaction() as transaction:
        await quarantine.decide(transaction, aside, State.DISCARDED, by=by, note=note, at=at)


async def issue(city: Store, alert: Alert, *, by: Acting, at: datetime, trust: Trust = NOBODY) -> Taken:
    """Let a warning of the city out, signed if it has a key: from now on it is in the feed, and in the audit who did.

    Whoever calls it has asked for the permission `cap.issue`. The alert is read as others will read it before anybody
    sees it. Refuses what `reading.read` refuses, and `Differs`.
    """
    body, signed = write(alert), Signed(Verdict.NONE)
    message = read(body)
    if trust.signer is not None:
        body = trust.signer.sign(body)
        message, signed = read(body), Signed(Verdict.VALID, trust.signer.certificate.fingerprint)
    return await _keep(city, Incoming(message, body, signed), by=by, at=at)


async def issue_draft(
    city: Store, draft: Draft, *, sender: str, by: Acting, at: datetime, trust: Trust = NOBODY
) -> Taken:
    """Make an alert of a draft and let it out. Refuses earlier warnings that are none of the city's, or are over."""
    references = [await _own(city, identifier, sender) for identifier in dict.fromkeys(draft.replaces)]
    alert = compose(draft, sender=sender, identifier=new_id(), sent=at, references=references)
    if not alert.infos:
        raise RulesBroken([Problem(code="cap.info_missing", path="/alert")])
    return await issue(city, alert, by=by, at=at, trust=trust)


async def _own(city: Store, identifier: str, sender: str) -> Reference:
    found = await store.find(city.db, identifier, sender=sender, scopes=EVERY_SCOPE)
    if found is None or not found.is_ours or found.closed_at is not None:
        raise NotInForce("cap.not_in_force", {"identifier": identifier[:100]})
    return Reference(sender=found.sender, identifier=found.identifier, sent=found.sent)


async def _keep(city: Store, incoming: Incoming, *, by: str | Acting, at: datetime, also: Also | None = None) -> Taken:
    """Keep a message: of others when `by` is the name of who brought it, of the city when it is whoever let it out."""
    officer = None if isinstance(by, str) else by
    message, body, signed = incoming.message, incoming.body, incoming.signed
    alert = message.alert
    new = New(
        sender=alert.sender,
        identifier=alert.identifier,
        sent=alert.sent,
        version=message.version,
        status=alert.status,
        msg_type=alert.msg_type,
        scope=alert.scope,
        is_ours=officer is not None,
        signature=signed.state,
        signed_by=signed.by,
        posted_by=by if isinstance(by, str) else by.account,
        received_at=at,
        expires_at=ends_at(alert),
        event_id=new_id(),
        body=body,
    )
    kept, is_new, closed = await store.keep(city.db, new, alert.references, officer=officer, also=also)
    if not is_new and kept.body != body and read(kept.body).alert != alert:
        facts = {"identifier": alert.identifier, "sender": alert.sender}
        raise Differs("cap.alert_differs", facts)
    if signed.state == Verdict.VALID and kept.signature != Verdict.VALID:
        await store.set_signature(city.db, kept.number, new)
        kept = msgspec.structs.replace(kept, body=body, signature=signed.state, signed_by=signed.by)
    return Taken(kept=kept, is_new=is_new, closed=closed, remarks=tuple(advice(alert)))


def advice(alert: Alert) -> list[Problem]:
    """What an alert should do and does not, by the standard and by the profiles that it names."""
    return [*remarks(alert), *profiles.check(alert)]


def ends_at(alert: Alert) -> datetime:
    """When an alert is no longer in force: with its last info. One that does not say so lasts `LASTS_WITHOUT_END`."""
    ends = [each.expires or _usual_end(alert, each) for each in alert.infos]
    return max(ends, default=_usual_end(alert, None))


def _usual_end(alert: Alert, info: Info | None) -> datetime:
    begins = [each for each in (alert.sent, info.effective if info else None, info.onset if info else None) if each]
    return min(max(begins), _LAST) + LASTS_WITHOUT_END


async def tell(city: Store, at: datetime) -> int:
    """Tell the journal of warnings that it does not know yet, and of those that are over; how many.

    A city cut off between taking and telling tells the rest when it is there again: an event keeps its id, so the
    journal has it once.
    """
    told = 0
    while found := await store.to_tell(city.db):
        await city.journal.tell([_event(each, at) for each in found])
        begun = [each.number for each in found if each.closed_at is None]
        over = [each.number for each in found if each.closed_at is not None]
        await store.set_told(city.db, begun, Told.OPEN)
        await store.set_told(city.db, over, Told.OVER)
        told += len(found)
    return told


def _event(kept: Kept, at: datetime) -> Event:
    """The event of a warning; over when the warning is."""
    alert = read(kept.body).alert
    zone = Zone(alert)
    areas = descriptions(area for info in alert.infos for area in info.areas)
    facts: Facts = {"event": texts(alert.infos, "event"), "area": areas[:5], "sender": alert.sender}
    ended_at = None if kept.closed_at is None else max(kept.closed_at, kept.received_at)
    return Event(
        id=kept.event_id,
        kind=KIND,
        severity=worst(alert.infos),
        at=kept.received_at,
        entity_id=f"urn:cap:{alert.sender},{alert.identifier}",
        because=Because(code=_warned(kept.signature), facts=facts),
        geometry=zone.geometry(),
        evidence=evidence(kept, alert),
        ended_at=ended_at,
    )


def _warned(signature: str) -> str:
    """The sentence of a warning: with what came of checking its signature, where it was checked."""
    if signature == Verdict.VALID:
        return "cap.warned_signed"
    return "cap.warned" if signature in (Verdict.NONE, UNCHECKED) else "cap.warned_doubtful"


def evidence(kept: Kept, alert: Alert) -> Facts:
    """What a person needs to know of a warning, beside its place."""
    first = alert.infos[0] if alert.infos else None
    return {
        "identifier": alert.identifier,
        "sender": alert.sender,
        "sent": alert.sent.isoformat(),
        "type": alert.msg_type,
        "expires_at": kept.expires_at.isoformat(),
        "urgency": first.urgency if first else "",
        "severity": first.severity if first else "",
        "certainty": first.certainty if first else "",
        "categories": list(first.categories) if first else [],
        "headline": texts(alert.infos, "headline"),
        "description": texts(alert.infos, "description"),
        "instruction": texts(alert.infos, "instruction"),
        "signature": kept.signature,
        "signed_by": kept.signed_by,
    }


def shown(kept: Kept) -> dict[str, Json]:
    """What the city knows of a message."""
    row: dict[str, Json] = {name: getattr(kept, name) for name in _SHOWN}
    return {**row, "type": kept.msg_type}


async def inside(city: Store, kept: Kept, type: str) -> tuple[list[Document], bool]:
    """Who of a type of the pool is where a message is about: at most `MOST_INSIDE`, and whether these are all."""
    zone, documents = Zone(read(kept.body).alert), city.documents
    found: list[Document] = []
    for number, id in enumerate(list(documents.ids_of_type(DEFAULT_TENANT, type)), 1):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        each = documents.get(DEFAULT_TENANT, id)
        if each is not None and zone.holds(each):
            if len(found) == MOST_INSIDE:
                return found, False
            found.append(each)
    return found, True


def language_of(info: Info) -> str:
    """Which of the city's languages an info is nearest to."""
    return "zh" if info.language.lower().startswith("zh") else "en"


def texts(infos: Sequence[Info], name: str) -> Text:
    """A text of the infos in the city's languages; one that is missing is said in the other."""
    found: dict[str, str] = {}
    for info in infos:
        text: str = getattr(info, name)
        if text:
            found.setdefault(language_of(info), text)
    any_text = next(iter(found.values()), "")
    return {"zh": found.get("zh", any_text), "en": found.get("en", any_text)}


async def look(city: Store, at: datetime) -> None:
    """Let run out what has run out, tell what is untold, and open again what ended by mistake.

    A field that begins anew ends all open events, also those of warnings, which know nothing of fields.
    """
    await store.close_expired(city.db, at)
    await tell(city, at)
    events = await city.journal.events(open_only=True, limit=_EVENTS_LOOKED_AT)
    lost = await store.told_open(city.db, [each.id for each in events])
    if lost and len(events) < _EVENTS_LOOKED_AT:
        await city.journal.tell([_event(each, at) for each in lost])
    await store.prune(city.db, at - KEPT_AFTER_END)
    await quarantine.prune(city.db, at - quarantine.KEPT)


@asynccontextmanager
async def running(city: Store) -> AsyncIterator[None]:
    """Look after warnings as long as the city runs."""
    looking = asyncio.create_task(_looking(city))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _looking(city: Store) -> None:
    while True:
        try:
            await look(city, utc_now())
        except Refusal as refusal:  # the database may be away for a while
            log.warning("warnings_not_looked_after", code=refusal.code)
        await asyncio.sleep(LOOK_EVERY_S)
