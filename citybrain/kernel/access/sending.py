# SPDX-License-Identifier: Apache-2.0
"""Ways to reach a person: e-mail by SMTP, a phone by a webhook of the city's message gateway."""

import ssl
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import msgspec

from citybrain.kernel.errors import Invalid, Unavailable
from citybrain.kernel.http import Call, NoAnswer, ask_once
from citybrain.kernel.outbound import EVERYWHERE

SEND_WITHIN_S = 10.0
JSON = {"Content-Type": "application/json"}


class NotSent(Unavailable):
    """The message could not be handed over."""


class WayNotSet(Unavailable):
    """The operator has not said how messages of this kind leave the city."""


class Sender(Protocol):
    """Hands a message over to whatever carries it on; refuses `NotSent`."""

    async def send(self, to: str, *, subject: str, text: str) -> None: ...


class Smtp:
    """E-mail through a mail server: `smtp://user:password@host:587?from=city@example.org&tls=starttls`.

    `smtps://` speaks TLS from the start. `tls` is starttls (the default with a password) or none.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or "from" not in query:
            raise Invalid("kernel.setting_unusable", {"name": "CITYBRAIN_SMTP", "value": parts.hostname or ""})
        self._host = parts.hostname
        self._port = parts.port or (465 if parts.scheme == "smtps" else 587)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = parts.scheme == "smtps"
        # A password never goes over an open line.
        self._starttls = not self._tls and (self._user is not None or query.get("tls") == "starttls")
        self._from = query["from"]

    async def send(self, to: str, *, subject: str, text: str) -> None:
        """Hand one message to the mail server."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._from, to, subject
        message.set_content(text)
        try:
            await aiosmtplib.send(
                message,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._tls,
                start_tls=self._starttls,
                timeout=SEND_WITHIN_S,
            )
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            raise NotSent("kernel.message_not_sent", {"way": "email", "why": type(error).__name__}) from error


class Webhook:
    """A message as JSON `{"to", "subject", "text"}` to the address of the city's message gateway."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, to: str, *, subject: str, text: str) -> None:
        """Hand one message to the gateway; only an answer 2xx counts as taken."""
        content = msgspec.json.encode({"to": to, "subject": subject, "text": text})
        call = Call(method="POST", url=self._url, headers=JSON, content=content, wants_body=False)
        try:
            # The operator named the address, and nobody else has a say in it.
            answer = await ask_once(call, within_s=SEND_WITHIN_S, outbound=EVERYWHERE)
        except NoAnswer as error:
            raise NotSent("kernel.message_not_sent", {"way": "phone", "why": str(error)}) from error
        if not answer.taken:
            raise NotSent("kernel.message_not_sent", {"way": "phone", "why": f"HTTP {answer.status}"})
