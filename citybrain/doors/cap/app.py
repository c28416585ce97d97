# SPDX-License-Identifier: Apache-2.0
"""The routes of the door: the feed, messages, who is in their areas, and taking messages in."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import structlog

from citybrain.doors.cap import atom, service, store
from citybrain.doors.cap.answers import Voice, document, json, problem, refused
from citybrain.doors.cap.markup import LARGEST_BYTES
from citybrain.doors.cap.model import Scope, Status
from citybrain.doors.cap.places import Zone
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.store import EVERY_SCOPE, Kept
from citybrain.doors.cap.writing import MEDIA_TYPE
from citybrain.kernel import asgi
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import reach
from citybrain.kernel.asgi import Answer, AsgiApp, Gone, Receive, Request, Route, Routes, Send, path_below, send_answer
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT, Document
from citybrain.kernel.errors import Forbidden, Invalid, NotFound, Refusal
from citybrain.kernel.records import Json
from citybrain.kernel.settings import Settings, load_settings
from citybrain.kernel.store import Store

PREFIX = "/cap"
VIEW, WRITE, ISSUE, RESTRICTED, INSIDE = "cap.view", "cap.write", "cap.issue", "cap.restricted", "cap.inside"
MOST_IN_FEED = 200
MOST_INSIDE = 1_000
# How many entities are looked at before others get their turn.
AT_ONCE = 500

log = structlog.get_logger()


class NoSuchAlert(NotFound):
    """There is no such message, or not for whoever asks."""


class ParameterUnusable(Invalid):
    """A parameter that says nothing, or something that does not exist."""


class NotPermittedHere(Forbidden):
    """A right is missing that this route needs beside the one to look."""


class Asked(Request):
    """One request, and who asks."""

    def __init__(self, scope: asgi.Scope, receive: Receive) -> None:
        super().__init__(scope, receive, path_below(scope))
        self.actor: Actor | None = scope.get("state", {}).get("actor")
        self.parameters = dict(self.query())


Answers = Callable[[Asked], Awaitable[Answer]]


def make(city: Store) -> AsgiApp:
    """The application over an open city."""
    return Edge(city, load_settings())


class Edge:
    """Where requests come in; every refusal leaves as a problem document."""

    def __init__(self, city: Store, settings: Settings) -> None:
        self._city = city
        self._settings = settings
        self._voice = Voice(settings.lang)
        self._routes = Routes(
            [
                _route("GET", "/feed.atom", self._feed),
                _route("GET", "/alerts", self._open),
                _route("POST", "/alerts", self._take),
                _route("GET", "/alerts/{identifier}", self._message),
                _route("GET", "/alerts/{identifier}/inside", self._inside),
            ]
        )

    async def __call__(self, scope: asgi.Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = Asked(scope, receive)
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

    async def _feed(self, asked: Asked) -> Answer:
        """Public warnings in force, the newest first."""
        status = _status(asked)
        found = await self._in_force(status, (Scope.PUBLIC,))
        root = self._root(asked)
        itself = f"{root}/feed.atom" if status is Status.ACTUAL else f"{root}/feed.atom?status={status.value}"
        entries = [atom.Entry(alert=read(each.body).alert, received_at=each.received_at) for each in found]
        title = self._voice.say("cap.feed_title", {})
        body = atom.feed(entries, root=root, itself=itself, title=title, author=self._voice.say("cap.feed_author", {}))
        return document(body, atom.ATOM, asked.headers.get("if-none-match", ""))

    async def _open(self, asked: Asked) -> Answer:
        """Warnings in force as the city sees them."""
        found = await self._in_force(_status(asked), _scopes(asked))
        return json([_shown(each) for each in found])

    async def _message(self, asked: Asked) -> Answer:
        """A message byte by byte as it came, so that whoever checks its signature can."""
        kept = await self._kept(asked)
        return document(kept.body, MEDIA_TYPE, asked.headers.get("if-none-match", ""), named=False)

    async def _take(self, asked: Asked) -> Answer:
        """Take a message in. 201 when it is new, 200 when it was here already."""
        body = await asked.body(LARGEST_BYTES + 1)
        taken = await service.take(self._city, body, by=asked.who or "", at=utc_now())
        told = {
            **_shown(taken.kept),
            "is_new": taken.is_new,
            "closed": taken.closed,
            "remarks": self._voice.told(taken.remarks),
        }
        location = atom.address(self._root(asked), read(taken.kept.body).alert)
        return json(told, 201 if taken.is_new else 200, ((b"location", location.encode()),))

    async def _inside(self, asked: Asked) -> Answer:
        """Who of a type of the pool is where the message is about."""
        if asked.actor is None or not reach(asked.actor, INSIDE):
            raise NotPermittedHere("cap.not_permitted", {"permission": INSIDE, "name": asked.who or ""})
        type = asked.parameters.get("type", "")
        if not type:
            raise ParameterUnusable("cap.parameter_missing", {"name": "type"})
        kept = await self._kept(asked)
        found, is_all = await self._those_inside(Zone(read(kept.body).alert), type)
        shown = [{"id": each.id, "types": each.types, "location": _location(each)} for each in found]
        return json({"type": type, "count": len(shown), "is_all": is_all, "entities": shown})

    async def _those_inside(self, zone: Zone, type: str) -> tuple[Sequence[Document], bool]:
        """At most `MOST_INSIDE` of them, and whether these are all; others get their turn in between."""
        documents = self._city.documents
        found: list[Document] = []
        for number, id in enumerate(list(documents.ids_of_type(DEFAULT_TENANT, type))):
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            each = documents.get(DEFAULT_TENANT, id)
            if each is not None and zone.holds(each):
                if len(found) == MOST_INSIDE:
                    return found, False
                found.append(each)
        return found, True

    async def _in_force(self, status: Status, scopes: Sequence[Scope]) -> list[Kept]:
        return await store.open_at(self._city.db, utc_now(), status=status, scopes=scopes, limit=MOST_IN_FEED)

    async def _kept(self, asked: Asked) -> Kept:
        identifier, sender = asked.slots["identifier"], asked.parameters.get("sender")
        kept = None
        if "\x00" not in identifier + (sender or ""):
            kept = await store.find(self._city.db, identifier, sender=sender, scopes=_scopes(asked))
        if kept is None:
            raise NoSuchAlert("cap.no_such_alert", {"identifier": identifier[:100]})
        return kept

    def _root(self, asked: Asked) -> str:
        """The address of this door: as the operator has set it, else as the client knows it."""
        host = f"{asked.scheme}://{asked.headers.get('host', 'localhost')}"
        return f"{self._settings.address or host}{PREFIX}"


def _route(method: str, path: str, do: Answers) -> Route:
    """A row of the table; every request that comes to it is an `Asked`."""
    return Route(method, path, cast(asgi.Endpoint, do))


def _scopes(asked: Asked) -> Sequence[Scope]:
    """What whoever asks may see: public messages, all with the permission for others."""
    return EVERY_SCOPE if asked.actor is not None and reach(asked.actor, RESTRICTED) else (Scope.PUBLIC,)


def _status(asked: Asked) -> Status:
    given = asked.parameters.get("status", Status.ACTUAL.value)
    if given not in list(Status):
        raise ParameterUnusable("cap.status_unknown", {"value": given[:40], "known": [each.value for each in Status]})
    return Status(given)


def _shown(kept: Kept) -> dict[str, Json]:
    """What the city knows of a message; a signature is told of and never believed."""
    return {
        "identifier": kept.identifier,
        "sender": kept.sender,
        "sent": kept.sent,
        "version": kept.version,
        "status": kept.status,
        "type": kept.msg_type,
        "scope": kept.scope,
        "is_ours": kept.is_ours,
        "signature": "unchecked" if kept.is_signed else "none",
        "received_at": kept.received_at,
        "expires_at": kept.expires_at,
        "closed_at": kept.closed_at,
        "closed_because": kept.closed_because,
        "event_id": kept.event_id,
    }


def _location(document: Document) -> Json:
    instances = document.attributes.get("location", ())
    return instances[0].value if instances else None
