# SPDX-License-Identifier: Apache-2.0
"""What everybody may read and services send: the feed, public messages, taking messages in."""

import asyncio

import structlog

from citybrain.doors.cap import atom, service, store
from citybrain.doors.cap.answers import Voice, document, json, problem, refused
from citybrain.doors.cap.markup import LARGEST_BYTES
from citybrain.doors.cap.model import Scope, Status
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.store import Kept
from citybrain.doors.cap.trust import at_start
from citybrain.doors.cap.writing import MEDIA_TYPE
from citybrain.kernel import asgi
from citybrain.kernel.asgi import Answer, AsgiApp, Gone, Receive, Request, Route, Routes, Send, path_below, send_answer
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.errors import Invalid, NotFound, Refusal
from citybrain.kernel.settings import Settings, load_settings
from citybrain.kernel.store import Store

PREFIX = "/cap"
VIEW, WRITE, ISSUE = "cap.view", "cap.write", "cap.issue"
PUBLIC = (Scope.PUBLIC,)
MOST_IN_FEED = 200
# A feed is made anew only when it changed; one for each status and address that it is asked by.
FEEDS_KEPT = 8

log = structlog.get_logger()


class NoSuchAlert(NotFound):
    """There is no such message, or not for whoever asks."""


class ParameterUnusable(Invalid):
    """A parameter that says nothing, or something that does not exist."""


def make(city: Store) -> AsgiApp:
    """The application over an open city."""
    return Edge(city, load_settings())


class Edge:
    """Where requests come in; every refusal leaves as a problem document."""

    def __init__(self, city: Store, settings: Settings) -> None:
        self._city = city
        self._settings = settings
        self._voice = Voice(settings.lang)
        self._trust = at_start(settings.cap)
        self._feeds: dict[tuple[Status, str, tuple[int, ...]], bytes] = {}
        self._routes = Routes(
            [
                Route("GET", "/feed.atom", self._feed),
                Route("GET", "/alerts", self._open),
                Route("POST", "/alerts", self._take),
                Route("GET", "/alerts/{identifier}", self._message),
            ]
        )

    async def __call__(self, scope: asgi.Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = Request(scope, receive, path_below(scope))
        try:
            answer = await self._routes.find(asked)(asked)
        except Refusal as refusal:
            answer = refused(refusal, self._voice)
        except Gone:
            return
        except Exception:  # the edge: a bug is logged under a number that can be passed on
            number = new_id()
            log.exception("bug", number=number, path=asked.path)
            answer = problem(500, "cap.bug", {"number": number}, self._voice)
        await send_answer(send, answer, head=asked.method == "HEAD")

    async def _feed(self, asked: Request) -> Answer:
        """Public warnings in force, the newest first."""
        status = _status(asked)
        root = self._root(asked)
        numbers = await store.open_numbers(self._city.db, utc_now(), status=status, scopes=PUBLIC, limit=MOST_IN_FEED)
        key = (status, root, numbers)
        body = self._feeds.pop(key, None) or await self._made(status, root)
        self._feeds[key] = body
        while len(self._feeds) > FEEDS_KEPT:
            del self._feeds[next(iter(self._feeds))]
        return document(body, atom.ATOM, asked.headers.get("if-none-match", ""))

    async def _made(self, status: Status, root: str) -> bytes:
        """A feed; reading many warnings takes a while, so others get their turn in between."""
        entries = []
        for kept in await self._in_force(status):
            entries.append(atom.Entry(alert=read(kept.body).alert, received_at=kept.received_at))
            await asyncio.sleep(0)
        itself = f"{root}/feed.atom" if status is Status.ACTUAL else f"{root}/feed.atom?status={status.value}"
        title, author = (self._voice.say(code, {}) for code in ("cap.feed_title", "cap.feed_author"))
        return atom.feed(entries, root=root, itself=itself, title=title, author=author)

    async def _open(self, asked: Request) -> Answer:
        """Public warnings in force as the city sees them."""
        found = await self._in_force(_status(asked))
        return json([service.shown(each) for each in found])

    async def _message(self, asked: Request) -> Answer:
        """A message byte by byte as it came, so that whoever checks its signature can."""
        kept = await self._kept(asked)
        return document(kept.body, MEDIA_TYPE, asked.headers.get("if-none-match", ""), named=False)

    async def _take(self, asked: Request) -> Answer:
        """Take a message in. 201 when it is new, 200 when it was here already."""
        body = await asked.body(LARGEST_BYTES + 1)
        taken = await service.take(self._city, body, by=asked.who or "", at=utc_now(), trust=self._trust)
        told = {
            **service.shown(taken.kept),
            "is_new": taken.is_new,
            "closed": taken.closed,
            "remarks": self._voice.told(taken.remarks),
        }
        location = atom.address(self._root(asked), read(taken.kept.body).alert)
        return json(told, 201 if taken.is_new else 200, ((b"location", location.encode()),))

    async def _in_force(self, status: Status) -> list[Kept]:
        return await store.open_at(self._city.db, utc_now(), status=status, scopes=PUBLIC, limit=MOST_IN_FEED)

    async def _kept(self, asked: Request) -> Kept:
        identifier, sender = asked.slots["identifier"], dict(asked.query()).get("sender")
        kept = None
        if "\x00" not in identifier + (sender or ""):
            kept = await store.find(self._city.db, identifier, sender=sender, scopes=PUBLIC)
        if kept is None:
            raise NoSuchAlert("cap.no_such_alert", {"identifier": identifier[:100]})
        return kept

    def _root(self, asked: Request) -> str:
        """The address of this door: as the operator has set it, else as the client knows it."""
        host = f"{asked.scheme}://{asked.headers.get('host', 'localhost')}"
        return f"{self._settings.address or host}{PREFIX}"


def status_of(given: str) -> Status:
    """The status of messages that is asked for; refuses one that CAP does not have."""
    if given not in list(Status):
        raise ParameterUnusable("cap.status_unknown", {"value": given[:40], "known": [each.value for each in Status]})
    return Status(given)


def _status(asked: Request) -> Status:
    return status_of(dict(asked.query()).get("status", Status.ACTUAL.value))
