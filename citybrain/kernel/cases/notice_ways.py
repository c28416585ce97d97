# SPDX-License-Identifier: Apache-2.0
"""How notices leave the city: e-mail by SMTP, text messages and pushes by signed webhooks."""

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import msgspec

from citybrain.kernel.cases.notice import Channel, Content
from citybrain.kernel.errors import Invalid, Unavailable
from citybrain.kernel.http import Call, Http, NoAnswer
from citybrain.kernel.outbound import EVERYWHERE

SEND_WITHIN_S = 20.0
PERMANENT = range(500, 600)  # RFC 5321 section 4.2.1: the same message must not be sent again
GATEWAY_REFUSES = frozenset({400, 404, 410, 413, 422})


class WayDown(Unavailable):
    """The mail server or gateway takes nothing now: everything waits."""


class NotTaken(Unavailable):
    """This one message was not taken now; others may be."""


class NeverTaken(Unavailable):
    """This message will not be taken however often it is sent."""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One message; `id` and `key` stay the same when it is sent again, so that who gets it can tell.

    What is no notice has a `key` of its own, so that it is never taken for one.
    """

    id: int
    topic: str
    lang: str
    queued_at: datetime
    content: Content
    key: str = ""

    @property
    def name(self) -> str:
        """What no other message is called."""
        return self.key or f"notice-{self.id}"


class Sending(Protocol):
    """One open connection."""

    async def send(self, message: Outgoing, *, now: datetime) -> None:
        """Hand one over; refuses `WayDown`, `NotTaken` and `NeverTaken`."""
        ...


class Way(Protocol):
    """Where the notices of a channel go."""

    def open(self) -> AbstractAsyncContextManager[Sending]:
        """A connection for a batch; refuses `WayDown`."""
        ...


class Smtp:
    """A mail server: `smtp://user:password@host:587?from=city@example.org`; `smtps://` speaks TLS from the start."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or "from" not in query:
            raise Invalid("kernel.setting_unusable", {"name": "CITYBRAIN_SMTP", "value": parts.hostname or ""})
        tls = parts.scheme == "smtps"
        user = unquote(parts.username) if parts.username else None
        self._sender = query["from"]
        self._host = query["from"].rpartition("@")[2]
        self._hostname = parts.hostname
        self._port = parts.port or (465 if tls else 587)
        self._user, self._password = user, unquote(parts.password) if parts.password else None
        # A password never goes over an open line.
        self._tls, self._starttls = tls, not tls and (user is not None or query.get("tls") == "starttls")

    @asynccontextmanager
    async def open(self) -> AsyncIterator["SmtpSession"]:
        """A session for a batch; refuses `WayDown`."""
        client = aiosmtplib.SMTP(
            hostname=self._hostname,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            start_tls=self._starttls,
            timeout=SEND_WITHIN_S,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as problem:
            raise WayDown("kernel.way_down", {"channel": Channel.EMAIL, "why": type(problem).__name__}) from problem
        try:
            yield SmtpSession(client, self._sender, self._host)
        finally:
            client.close()


class SmtpSession:
    """An open session with a mail server."""

    def __init__(self, client: aiosmtplib.SMTP, sender: str, host: str) -> None:
        self._client = client
        self._sender = sender
        self._host = host

    async def send(self, message: Outgoing, *, now: datetime) -> None:
        """Hand one message to the mail server."""
        facts = {"channel": Channel.EMAIL}
        try:
            await self._client.send_message(self._written(message, now))
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as problem:
            code, why = _answer(problem)
            refusal = NeverTaken if code in PERMANENT else NotTaken
            raise refusal("kernel.notice_not_taken", {**facts, "why": f"{code} {why}"[:200]}) from problem
        except (aiosmtplib.SMTPException, OSError) as problem:
            raise WayDown("kernel.way_down", {**facts, "why": type(problem).__name__}) from problem
        except ValueError as problem:  # an address that cannot be written into a message
            raise NeverTaken("kernel.notice_not_taken", {**facts, "why": str(problem)[:200]}) from problem

    def _written(self, message: Outgoing, now: datetime) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, message.content.address, message.content.subject
        mail["Date"] = format_datetime(now)
        # The same however often it is sent: mail servers and readers throw copies away.
        mail["Message-ID"] = f"<{message.name}-{message.queued_at:%Y%m%d%H%M%S%f}@{self._host}>"
        mail["Auto-Submitted"] = "auto-generated"
        if message.content.stop:
            mail["List-Unsubscribe"] = f"<{message.content.stop}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(message.content.body)
        return mail


def _answer(problem: aiosmtplib.SMTPException) -> tuple[int, str]:
    if isinstance(problem, aiosmtplib.SMTPRecipientsRefused):
        problem = problem.recipients[0]
    if isinstance(problem, aiosmtplib.SMTPResponseException):
        return problem.code, problem.message
    return 0, str(problem)


class Webhook:
    """A gateway for text messages or pushes. Each message is JSON, signed with a secret that the gateway knows too.

    `X-Citybrain-Signature: t=<seconds>,v1=<hex>` is HMAC-SHA-256 of `<seconds>.<body>`; `Idempotency-Key` is the same
    for a message however often it is sent.
    """

    def __init__(self, channel: Channel, url: str, secret: str) -> None:
        if not url.startswith(("https://", "http://")) or not secret:
            raise Invalid("kernel.setting_unusable", {"name": f"CITYBRAIN_{channel.upper()}_WEBHOOK", "value": url})
        self._channel = channel
        self._url = url
        self._secret = secret

    @asynccontextmanager
    async def open(self) -> AsyncIterator["WebhookSession"]:
        """Connections for a batch."""
        # The operator named the address, and nobody else has a say in it.
        http = Http(outbound=EVERYWHERE)
        try:
            yield WebhookSession(http, self._channel, self._url, self._secret)
        finally:
            await http.close()


class WebhookSession:
    """Connections to a gateway."""

    def __init__(self, http: Http, channel: Channel, url: str, secret: str) -> None:
        self._http = http
        self._channel = channel
        self._url = url
        self._secret = secret

    async def send(self, message: Outgoing, *, now: datetime) -> None:
        """Hand one message to the gateway; only 2xx counts as taken."""
        facts = {"channel": self._channel}
        body = msgspec.json.encode(
            {
                "id": message.id,
                "to": message.content.address,
                "topic": message.topic,
                "lang": message.lang,
                "title": message.content.subject,
                "text": message.content.body,
            }
        )
        headers = {"Content-Type": "application/json", **signature(self._secret, body, now)}
        headers["Idempotency-Key"] = message.name
        # Who gets a message twice can tell by its key, so it may be sent again.
        call = Call(method="POST", url=self._url, headers=headers, content=body, may_repeat=True, wants_body=False)
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                answer = await self._http.send(call)
        except (NoAnswer, TimeoutError) as problem:
            raise WayDown("kernel.way_down", {**facts, "why": str(problem) or type(problem).__name__}) from problem
        if not answer.taken:
            refusal = NeverTaken if answer.status in GATEWAY_REFUSES else NotTaken
            raise refusal("kernel.notice_not_taken", {**facts, "why": str(answer.status)})


def signature(secret: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The header by which a gateway knows that a body is ours and not an old one."""
    seconds = int(now.timestamp())
    made = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Citybrain-Signature": f"t={seconds},v1={made}"}
