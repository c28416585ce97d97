# SPDX-License-Identifier: Apache-2.0
"""Notices: written in the transaction of what they tell of, sent afterwards until they are taken, never lost."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.cases.form_formats import is_mail_address, is_mobile
from citybrain.kernel.cases.notice import (
    Channel,
    Content,
    NoSuchTemplate,
    State,
    Tell,
    Template,
    check_template,
    compose,
    pause,
    wanted,
)
from citybrain.kernel.cases.notice_ways import NeverTaken, NotTaken, Outgoing, Sending, Way, WayDown
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Invalid, NotFound, Unavailable
from citybrain.kernel.i18n import LANGUAGES, Words

LEASE = timedelta(minutes=10)  # longer than a batch may take; what is not told by then is sent again
BATCH = 50
DOWN_PAUSE = timedelta(minutes=1)
TOKEN_BYTES = 16
# Not bound to its row: the database gives a notice its number only when it is written.
CONTENT = Place("notice", "content", "")
STOPPABLE = frozenset({Channel.EMAIL, Channel.SMS})


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    notice_insert: str
    notice_claim: str
    notice_sent: str
    notice_failed: str
    notice_unclaim: str
    notice_again: str
    notices_state: str
    notices_dead: str
    notices_desk: str
    notices_unread: str
    notices_read: str
    notices_forget: str
    template_all: str
    template_get: str
    template_put: str
    choices: str
    choice_put: str
    addresses: str
    address_put: str
    address_drop: str
    stop_link: str
    stop: str
    start_again: str


SQL = sql.load(Path(__file__).with_name("queries_notices.sql"), Sql)


class AddressUnusable(Invalid):
    """No e-mail address or no number of a mobile phone."""


class NoSuchLink(NotFound):
    """No notice has this link."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody wants a topic (`case.late`, `case`, `*`) by a channel."""

    topic: str
    channel: Channel
    wanted: bool


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody is told."""

    channel: Channel
    address: str
    lang: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many notices of a channel wait or were given up, since when, and the newest problem."""

    channel: Channel
    state: State
    count: int
    oldest_at: datetime
    problem: str


class Dead(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that was given up; it can be sent again."""

    id: int
    topic: str
    channel: Channel
    person: str
    case_id: int | None
    state: State
    queued_at: datetime
    tries: int
    problem: str


class DeskNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on somebody's desk."""

    id: int
    topic: str
    case_id: int | None
    subject: str
    body: str
    queued_at: datetime
    read_at: datetime | None


class _Claimed(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    topic: str
    channel: Channel
    person: str
    case_id: int | None
    lang: str
    content: bytes
    tries: int
    queued_at: datetime


class _DeskRow(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    topic: str
    case_id: int | None
    content: bytes
    queued_at: datetime
    read_at: datetime | None


class _AddressRow(msgspec.Struct, frozen=True, kw_only=True):
    channel: Channel
    address: bytes
    lang: str


class _Link(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    stopped_at: datetime | None


class Notices:
    """The notices of one city. `link` makes the address of the page that stops notices, from a token.

    Topics that nobody wrote words for have those of `words` under `notice.<topic>.subject` and `….body`.
    """

    def __init__(
        self,
        db: Database,
        keys: KeyRing,
        *,
        ways: Mapping[Channel, Way],
        link: Callable[[str], str],
        words: Words,
    ) -> None:
        self._db = db
        self._keys = keys
        self._ways = ways
        self._link = link
        self._words = words

    async def queue(self, transaction: Transaction, tell: Tell, *, now: datetime) -> int:
        """Write down whom to tell what, in the transaction of what happened; answers with the number of notices.

        One per channel that the person wants and has an address for. Words that nobody wrote refuse the act.
        """
        written = await transaction.read(SQL.template_get, {"topic": tell.topic}, as_=Template)
        template = written[0] if written else self.usual(tell.topic)
        count = 0
        for address in await self._to(transaction, tell):
            count += await self._write(transaction, tell, template, address, now)
        return count

    def usual(self, topic: str) -> Template:
        """The words a topic comes with; refuses `NoSuchTemplate`."""
        parts = {
            part: {lang: self._words.of(lang).get(f"notice.{topic}.{part}", "") for lang in LANGUAGES}
            for part in ("subject", "body")
        }
        if not all(parts["subject"].values()):
            raise NoSuchTemplate("kernel.no_such_template", {"topic": topic})
        return Template(topic=topic, subject=parts["subject"], body=parts["body"])

    async def _to(self, transaction: Transaction, tell: Tell) -> list[Address]:
        if tell.address and tell.channel:
            check_address(tell.channel, tell.address)
            return [Address(channel=tell.channel, address=tell.address, lang=tell.lang)]
        said = await transaction.read(SQL.choices, {"person": tell.person}, as_=Choice)
        choices = {(each.topic, str(each.channel)): each.wanted for each in said}
        desk = Address(channel=Channel.DESK, address="", lang=tell.lang)
        found = [desk, *await self.addresses(tell.person, within=transaction)]
        return [
            each for each in found if tell.channel in (None, each.channel) and wanted(choices, tell.topic, each.channel)
        ]

    async def _write(self, transaction: Transaction, tell: Tell, template: Template, to: Address, now: datetime) -> int:
        stop = ""
        state = State.SENT if to.channel is Channel.DESK else State.WAITING
        if to.channel in STOPPABLE and not tell.person:
            link = await self._stop_link(transaction, tell.topic, to)
            stop = self._link(link.token)
            state = State.STOPPED if link.stopped_at else state
        subject, body = compose(template, {**tell.facts, "stop": stop}, to.lang)
        content = Content(address=to.address, subject=subject, body=body, stop=stop)
        params = {
            "key": f"{tell.key}/{to.channel}" if tell.key else None,
            "topic": tell.topic,
            "channel": to.channel,
            "person": tell.person,
            "case_id": tell.case_id,
            "lang": to.lang,
            "content": self._keys.encrypt(msgspec.json.encode(content), CONTENT),
            "state": state,
            "at": now,
            "sent_at": now if state is State.SENT else None,
        }
        return await transaction.write(SQL.notice_insert, params)

    async def _stop_link(self, transaction: Transaction, topic: str, to: Address) -> _Link:
        mark = self._keys.mark(to.channel, to.address.casefold())
        params = {"token": secrets.token_urlsafe(TOKEN_BYTES), "mark": mark, "topic": topic.partition(".")[0]}
        return (await transaction.read(SQL.stop_link, params, as_=_Link))[0]

    async def deliver(self, channel: Channel, *, clock: Callable[[], datetime]) -> int:
        """Send what waits in a channel until nothing is due; answers with how many were taken.

        A mail server that is down stops it: everything waits on, and `waiting` shows it.
        """
        way = self._ways.get(channel)
        taken = 0
        while way is not None:
            now = clock()
            params = {"channel": channel, "now": now, "lease": now + LEASE, "limit": BATCH}
            batch = await self._db.read(SQL.notice_claim, params, as_=_Claimed)
            if not batch:
                break
            left = list(batch)
            try:
                async with way.open() as sending:
                    while left:
                        taken += await self._send(sending, left[0], clock)
                        left.pop(0)
            except WayDown as down:
                problem = {"ids": [each.id for each in left], "problem": str(down.facts["why"])}
                await self._db.write(SQL.notice_unclaim, {**problem, "next_at": clock() + DOWN_PAUSE})
                break
        return taken

    async def _send(self, sending: Sending, claimed: _Claimed, clock: Callable[[], datetime]) -> bool:
        content = msgspec.json.decode(self._keys.decrypt_bytes(claimed.content, CONTENT), type=Content)
        message = Outgoing(
            id=claimed.id,
            topic=claimed.topic,
            lang=claimed.lang,
            queued_at=claimed.queued_at,
            content=content,
        )
        now = clock()
        try:
            await sending.send(message, now=now)
        except (NotTaken, NeverTaken) as problem:
            await self._failed(claimed, problem, now)
            return False
        await self._db.write(SQL.notice_sent, {"id": claimed.id, "now": clock()})
        return True

    async def _failed(self, claimed: _Claimed, problem: Unavailable, now: datetime) -> None:
        wait = None if isinstance(problem, NeverTaken) else pause(claimed.tries)
        state = State.DEAD if wait is None else State.WAITING
        params = {"id": claimed.id, "state": state, "next_at": now + (wait or timedelta())}
        await self._db.write(SQL.notice_failed, {**params, "problem": str(problem.facts.get("why", ""))})

    async def deliver_all(self, *, clock: Callable[[], datetime]) -> int:
        """Send what waits in every channel."""
        return sum([await self.deliver(channel, clock=clock) for channel in self._ways])

    async def waiting(self) -> list[Waiting]:
        """What waits and what was given up, by channel: shown to operators as long as there is anything."""
        return await self._db.read(SQL.notices_state, as_=Waiting)

    async def dead(self, *, limit: int = 100) -> list[Dead]:
        """Notices that were given up, the newest first."""
        return await self._db.read(SQL.notices_dead, {"limit": limit}, as_=Dead)

    async def again(self, ids: Sequence[int], *, now: datetime) -> int:
        """Try again to send what was given up; answers with how many that are."""
        return await self._db.write(SQL.notice_again, {"ids": list(ids), "now": now})

    async def desk(self, person: str, *, before: int | None = None, limit: int = 50) -> list[DeskNotice]:
        """The notices on somebody's desk, the newest first; `before` an id for the next page."""
        params = {"person": person, "before": before or 2**62, "limit": limit}
        return [self._on_desk(row) for row in await self._db.read(SQL.notices_desk, params, as_=_DeskRow)]

    def _on_desk(self, row: _DeskRow) -> DeskNotice:
        content = msgspec.json.decode(self._keys.decrypt_bytes(row.content, CONTENT), type=Content)
        return DeskNotice(
            id=row.id,
            topic=row.topic,
            case_id=row.case_id,
            subject=content.subject,
            body=content.body,
            queued_at=row.queued_at,
            read_at=row.read_at,
        )

    async def unread(self, person: str) -> int:
        """How many notices somebody has not read, 100 at most."""
        return (await self._db.read(SQL.notices_unread, {"person": person}, as_=int))[0]

    async def read(self, person: str, ids: Sequence[int], *, now: datetime) -> None:
        """Somebody has read notices of theirs."""
        await self._db.write(SQL.notices_read, {"person": person, "ids": list(ids), "now": now})

    async def templates(self) -> list[Template]:
        """The words of every topic."""
        return await self._db.read(SQL.template_all, as_=Template)

    async def put_template(self, template: Template, *, by: str, now: datetime) -> None:
        """Write or change the words of a topic; refuses `TemplateUnusable`."""
        check_template(template)
        params = {"topic": template.topic, "subject": dict(template.subject), "body": dict(template.body)}
        await self._db.write(SQL.template_put, {**params, "by": by, "at": now})

    async def choose(self, person: str, choices: Sequence[Choice]) -> None:
        """Somebody says what they want to be told by which channel."""
        async with self._db.transaction() as transaction:
            rows = [{**msgspec.structs.asdict(each), "person": person} for each in choices]
            await transaction.write_many(SQL.choice_put, rows)

    async def choices(self, person: str) -> list[Choice]:
        """What somebody said."""
        return await self._db.read(SQL.choices, {"person": person}, as_=Choice)

    async def addresses(self, person: str, *, within: Transaction | None = None) -> list[Address]:
        """Where somebody is told."""
        rows = await (within or self._db).read(SQL.addresses, {"person": person}, as_=_AddressRow)
        clear = [self._keys.decrypt(row.address, address_place(person, row.channel)) for row in rows]
        pairs = zip(rows, clear, strict=True)
        return [Address(channel=row.channel, address=address, lang=row.lang) for row, address in pairs]

    async def set_address(self, person: str, address: Address) -> None:
        """Somebody says where to be told; an empty address takes it back."""
        key = {"person": person, "channel": address.channel}
        if not address.address:
            await self._db.write(SQL.address_drop, key)
            return
        check_address(address.channel, address.address)
        sealed = self._keys.encrypt(address.address, address_place(person, address.channel))
        await self._db.write(SQL.address_put, {**key, "address": sealed, "lang": address.lang})

    async def stop(self, token: str, *, now: datetime) -> str:
        """Whoever has the link wants no more notices of its topic; answers with the topic. Refuses `NoSuchLink`."""
        return self._topic(token, await self._db.read(SQL.stop, {"token": token, "now": now}, as_=str))

    async def start_again(self, token: str) -> str:
        """Whoever has the link wants them again."""
        return self._topic(token, await self._db.read(SQL.start_again, {"token": token}, as_=str))

    def _topic(self, token: str, found: list[str]) -> str:
        if not found:
            raise NoSuchLink("kernel.no_such_stop_link", {"token": token[:32]})
        return found[0]

    async def forget(self, *, before: datetime) -> int:
        """Delete notices that were sent, stopped or given up before a time."""
        return await self._db.write(SQL.notices_forget, {"before": before})


def check_address(channel: Channel, address: str) -> None:
    """Refuse `AddressUnusable` for what cannot be an address of a channel."""
    fits = {Channel.EMAIL: is_mail_address, Channel.SMS: is_mobile}.get(channel, bool)(address)
    if not fits or len(address) > 320:
        raise AddressUnusable("kernel.address_unusable", {"channel": channel})


def address_place(person: str, channel: str) -> Place:
    """Where an address lies."""
    return Place("notice_address", "address", f"{person}\0{channel}")
