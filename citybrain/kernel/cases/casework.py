# SPDX-License-Identifier: Apache-2.0
"""All that cases come with, put together: what a city opens, and what is to be done for it again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from citybrain.kernel.access.policy import Policy
from citybrain.kernel.cases.alarms import Alarms
from citybrain.kernel.cases.answers import Answers
from citybrain.kernel.cases.attachments import Attachments
from citybrain.kernel.cases.case_files import CaseFiles
from citybrain.kernel.cases.deadlines import keep_time
from citybrain.kernel.cases.detail import Details
from citybrain.kernel.cases.drafts import Drafts
from citybrain.kernel.cases.export import Export
from citybrain.kernel.cases.file_store import FileStore
from citybrain.kernel.cases.forms import check_fields
from citybrain.kernel.cases.heirs import Heirs
from citybrain.kernel.cases.holidays import holidays_event
from citybrain.kernel.cases.notice import Channel
from citybrain.kernel.cases.notice_keys import kept_notices
from citybrain.kernel.cases.notice_ways import Smtp, Way, Webhook
from citybrain.kernel.cases.notices import Notices
from citybrain.kernel.cases.personal import Personal
from citybrain.kernel.cases.processes import Processes
from citybrain.kernel.cases.queues import Queues
from citybrain.kernel.cases.ratings import Ratings
from citybrain.kernel.cases.roster import OfMemberships
from citybrain.kernel.cases.sampling import Sampling
from citybrain.kernel.cases.scanning import scanner_of
from citybrain.kernel.cases.sealing import Sealing
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.i18n import Words
from citybrain.kernel.privacy import Kept
from citybrain.kernel.records import Event
from citybrain.kernel.settings import Settings

NOTICES_LAST = timedelta(days=90)
EVERY_MINUTE = "* * * * *"
HOURLY = "41 * * * *"
DAILY = "23 1 * * *"
log = structlog.get_logger()

Tell = Callable[[Sequence[Event]], Awaitable[None]]
Do = Callable[[datetime], Awaitable[object]]


class Postman:
    """Sends notices beside all other work: a mail server that is slow holds up nobody, not even the start."""

    def __init__(self, notices: Notices, clock: Callable[[], datetime]) -> None:
        self._notices = notices
        self._clock = clock
        self._round: asyncio.Task[None] | None = None

    async def go(self, _now: datetime) -> None:
        """Set out unless still on the way."""
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._deliver(), name="notices")

    async def _deliver(self) -> None:
        try:
            await self._notices.deliver_all(clock=self._clock)
        except Unavailable as problem:
            log.warning("notices wait", why=problem.code)

    async def close(self) -> None:
        """Come back; what was not told as sent is sent again later."""
        if self._round:
            self._round.cancel()
            await asyncio.wait([self._round])


class Casework(msgspec.Struct, frozen=True, kw_only=True):
    """The parts beside the verbs of cases; `kept` is what they encrypt. `chores` are name, cron line, what to do.

    `ways` are those by which messages leave the city, as the operator has set them; others may send by them too.
    """

    drafts: Drafts
    attachments: Attachments
    files: CaseFiles
    details: Details
    notices: Notices
    ways: Mapping[Channel, Way]
    alarms: Alarms
    answers: Answers
    ratings: Ratings
    sampling: Sampling
    processes: Processes
    export: Export
    queues: Queues
    postman: Postman
    personal: Personal
    kept: tuple[Kept, ...]
    chores: tuple[tuple[str, str, Do], ...]


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What the rest of the city gives: `address` is where others reach it, `policy` the one in force."""

    db: Database
    keys: KeyRing
    settings: Settings
    address: str
    words: Words
    policy: Callable[[], Policy]
    clock: Callable[[], datetime]


def open_casework(cases: Cases, needs: Needs, tell: Tell) -> Casework:
    """Put the parts together and into the verbs of cases: forms, time limits, alarms. `tell` takes events."""
    db, clock, folder = needs.db, needs.clock, needs.settings.data
    ways = ways_of(needs.settings)
    notices = Notices(
        db,
        needs.keys,
        ways=ways,
        link=lambda token: f"{needs.address}/notices/stop/{token}",
        words=needs.words,
    )
    alarms = Alarms(db, cases, notices, OfMemberships(needs.policy))
    processes = Processes(db, cases, clock)
    alarms.timer = processes.ring
    cases.check_form = check_fields
    cases.hooks = msgspec.structs.replace(cases.hooks, sealing=Sealing(needs.keys))
    cases.hooks.planners.append(keep_time)
    cases.hooks.watchers.append(alarms.watch)
    cases.hooks.together[alarms.watch] = alarms.watch_together
    drafts = Drafts(db, needs.keys)
    postman = Postman(notices, clock)
    personal = Personal(db, needs.keys, cases)
    attachments = Attachments(db, FileStore(folder / "files"), scanner=scanner_of(needs.settings.virus_scan))
    ratings = Ratings(db)
    return Casework(
        drafts=drafts,
        attachments=attachments,
        files=CaseFiles(db, cases, attachments, clock),
        details=Details(cases=cases, attachments=attachments, ratings=ratings, alarms=alarms, processes=processes),
        notices=notices,
        ways=ways,
        alarms=alarms,
        answers=Answers(db),
        ratings=ratings,
        sampling=Sampling(db),
        processes=processes,
        export=Export(db, cases, needs.words, folder / "exports", clock),
        queues=Queues(db, cases.finding.counting),
        postman=postman,
        personal=personal,
        kept=(personal.kept(), drafts.kept(), *kept_notices(db, needs.keys)),
        chores=(
            ("case_alarms", EVERY_MINUTE, lambda now: alarms.ring(now=now)),
            ("case_notices", EVERY_MINUTE, postman.go),
            ("case_heirs", EVERY_MINUTE, Heirs(cases, needs.policy).hand_over),
            ("case_files", HOURLY, lambda now: attachments.collect_garbage(now=now)),
            ("case_drafts", HOURLY, lambda now: drafts.expire(now=now)),
            ("case_notices_forget", DAILY, lambda now: notices.forget(before=now - NOTICES_LAST)),
            ("case_holidays", DAILY, lambda now: _tell_holidays(tell, now)),
        ),
    )


async def _tell_holidays(tell: Tell, now: datetime) -> None:
    event = holidays_event(now)
    if event:
        await tell([event])


def ways_of(settings: Settings) -> Mapping[Channel, Way]:
    """The ways that the operator has set. What has none waits, and is shown as waiting."""
    ways: dict[Channel, Way] = {}
    if settings.smtp:
        ways[Channel.EMAIL] = Smtp(settings.smtp)
    for channel, url in ((Channel.SMS, settings.sms), (Channel.PUSH, settings.push)):
        if url and settings.webhook_secret:
            ways[channel] = Webhook(channel, url, settings.webhook_secret)
    return ways
