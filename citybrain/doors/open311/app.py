# SPDX-License-Identifier: Apache-2.0
"""The routes of GeoReport v2 and of service discovery, and the edge where requests come in."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import structlog

from citybrain.doors.open311 import asking, model
from citybrain.doors.open311.answers import KeyRefused, NoSuchThing, Voice, answered, errors, refused
from citybrain.doors.open311.asking import CHANNEL, Fields, Problem, Unusable
from citybrain.doors.open311.board import Board
from citybrain.doors.open311.codec import Format, accepted, form_of
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.limits import Limit, Limits
from citybrain.kernel.access.policy import reach
from citybrain.kernel.asgi import (
    Answer,
    AsgiApp,
    Endpoint,
    Gone,
    Receive,
    Request,
    Route,
    Routes,
    Scope,
    Send,
    path_below,
    send_answer,
)
from citybrain.kernel.cases.intake import Taken
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT, Document
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Json
from citybrain.kernel.settings import Settings, load_settings
from citybrain.kernel.store import Store

PREFIX = "/open311"
LIVE, TEST = "/v2", "/test/v2"
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
REPORT = "open311.report"
LARGEST_FORM = 256 * 2**10
LONGEST_KEY = 255
# From one address, as at the hotline's own page: an office sits behind one, a flood does not stop there. With a key
# whoever holds it is known, and an app with many users sends from one machine. Marks of ours.
REPORTS_BY_ADDRESS = Limit(times=30, within=timedelta(hours=1))
REPORTS_BY_KEY = Limit(times=3_600, within=timedelta(hours=1))
TRIES_BY_ADDRESS = Limit(times=3_600, within=timedelta(hours=1))
BEARER = "bearer "

log = structlog.get_logger()


class Asked(Request):
    """One request with what every endpoint needs of it: the form and language of the answer, and who asks from where.

    `is_test`: it came to the endpoint on which nothing is kept.
    """

    def __init__(self, scope: Scope, receive: Receive, voice: Voice) -> None:
        path, named = form_of(path_below(scope).rstrip("/"))
        super().__init__(scope, receive, path)
        state = scope.get("state", {})
        self.format = named or accepted(self.headers.get("accept", ""))
        self.lang = voice.language(self.headers.get("accept-language", ""))
        self.actor: Actor | None = state.get("actor")
        self.address: str = state.get("address") or str((scope.get("client") or ("",))[0])
        self.is_test = path.startswith(TEST)


Answers = Callable[[Asked], Awaitable[Answer]]


def make(store: Store) -> AsgiApp:
    """The application over an open city."""
    return Edge(store, load_settings())


class Edge:
    """Where requests come in; every refusal leaves as the standard's list of errors, in the format of the path."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._board = Board(store.documents)
        self._voice = Voice(settings.lang)
        self._limits = Limits()
        both: Mapping[str, Mapping[str, Answers]] = {
            "/services": {"GET": self._services},
            "/services/{id}": {"GET": self._definition},
            "/requests": {"GET": self._requests, "POST": self._report},
            "/requests/{id}": {"GET": self._request},
            "/tokens/{id}": {"GET": self._token},
        }
        routes = [_route("GET", "/discovery", self._discovery)]
        for path, methods in both.items():
            for method, do in methods.items():
                routes += [_route(method, f"{root}{path}", do) for root in (LIVE, TEST)]
        self._routes = Routes(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = Asked(scope, receive, self._voice)
        try:
            answer = await self._answer(asked)
        except Gone:
            return
        headers = (*answer.headers, (b"vary", b"accept, accept-language"))
        await send_answer(send, Answer(answer.status, answer.body, headers), head=asked.method == "HEAD")

    async def _answer(self, asked: Asked) -> Answer:
        try:
            return await self._routes.find(asked)(asked)
        except Refusal as refusal:
            return refused(refusal, self._voice, asked.format, asked.lang)
        except Gone:
            raise
        except Exception:  # the edge: whatever else happens is a bug, told and logged
            number = new_id()
            log.exception("bug", number=number, path=asked.path)
            told = [Problem(code="open311.bug", facts={"number": number})]
            return errors(told, 500, self._voice, asked.format, asked.lang)

    async def _discovery(self, asked: Asked) -> Answer:
        """Where the endpoints are (Service Discovery). Its media types go bare: the validator compares them whole."""
        changed_at = max((each.modified_at for each in self._published()), default="")
        at = datetime.fromisoformat(changed_at) if changed_at else datetime(1970, 1, 1, tzinfo=UTC)
        changeset = at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
        root = self._root(asked)
        say = partial(self._voice.sentence, facts={"address": root.removesuffix(PREFIX)}, lang=self._settings.lang)
        endpoints = [
            {
                "specification": SPECIFICATION,
                "url": f"{root}{path}",
                "changeset": changeset,
                "type": type,
                "formats": [each.mime for each in Format],
            }
            for path, type in ((LIVE, "production"), (TEST, "test"))
        ]
        content = {
            "changeset": changeset,
            "contact": say("open311.contact"),
            "key_service": say("open311.key_service"),
            "endpoints": endpoints,
        }
        return answered("discovery", content, asked.format, bare=True)

    async def _services(self, asked: Asked) -> Answer:
        self._check_jurisdiction(_query(asked))
        found = sorted((model.service_of(each) for each in self._published()), key=lambda each: each.code)
        shown = [model.shown_service(each, asked.lang) for each in found if each.code]
        return answered("services", shown, asked.format)

    async def _definition(self, asked: Asked) -> Answer:
        self._check_jurisdiction(_query(asked))
        service = self._service(asked.slots["id"])
        return answered("service_definition", model.shown_definition(service, asked.lang), asked.format)

    async def _requests(self, asked: Asked) -> Answer:
        fields = _query(asked)
        self._check_jurisdiction(fields)
        wanted = asking.read_wanted(fields, utc_now())
        await self._board.ready()
        return _shown(await self._board.find(wanted), asked)

    async def _request(self, asked: Asked) -> Answer:
        return _shown([await self._public(asked, "open311.no_such_request")], asked)

    async def _token(self, asked: Asked) -> Answer:
        """No tokens are given here, since numbers are given at once; a number in the place of one stands for itself."""
        await self._public(asked, "open311.no_such_token")
        number = asked.slots["id"]
        return answered("service_requests", [{"service_request_id": number, "token": number}], asked.format)

    async def _report(self, asked: Asked) -> Answer:
        """Take in a report (POST Service Request), as the city's apps take in whatever comes by this channel."""
        self._limits.count(f"try:{asked.address}", TRIES_BY_ADDRESS, utc_now())
        body = await asked.body(LARGEST_FORM)
        fields = asking.read_form(body, asked.headers.get("content-type", ""))
        who = await self._reporter(asked, fields)
        self._check_jurisdiction(fields)
        code = next(iter(fields.get("service_code", ())), "")
        if not code:
            raise Unusable([Problem(code="open311.field_missing", facts={"field": "service_code"})])
        key = _key(asked.headers.get("idempotency-key", ""), who, body)
        telling = asking.read_telling(fields, self._service(code), key, rehearsal=asked.is_test)
        taken = await self._store.intakes.take(telling)
        shown = {
            "service_request_id": taken.number or "TEST",
            "service_notice": self._notice(taken, asked),
            "account_id": None,
        }
        return answered("service_requests", [shown], asked.format, status=201 if taken.number else 200)

    async def _reporter(self, asked: Asked, fields: Fields) -> str:
        """Who reports: the service of a key, or "" for the public, as long as it may. Counted for either.

        A key is the token of a service, as `api_key` or in the header that other doors take it in.
        """
        authorization = asked.headers.get("authorization", "")
        bearer = authorization[len(BEARER) :].strip() if authorization.lower().startswith(BEARER) else ""
        key, now = next(iter(fields.get("api_key", ())), bearer), utc_now()
        if not key:
            if not self._store.access.allowed(REPORT, ()) and not (asked.actor and reach(asked.actor, REPORT)):
                raise KeyRefused("open311.key_missing")
            self._limits.count(f"report:{asked.address}", REPORTS_BY_ADDRESS, now)
            return ""
        service = await self._store.access.service(key, now)
        if service is None or not self._store.access.may(REPORT, service):
            raise KeyRefused("open311.key_unknown")
        self._limits.count(f"report of:{service.name}", REPORTS_BY_KEY, now)
        return service.name

    def _notice(self, taken: Taken, asked: Asked) -> str:
        """What happens next: by when there is an answer, if that is known, and where to follow it."""
        say = partial(self._voice.sentence, lang=asked.lang)
        if not taken.number:
            return say("open311.rehearsed", {})
        told = say("open311.taken", {})
        if taken.due_at is not None:
            due = taken.due_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
            told = say("open311.taken_until", {"due": due})
        if taken.page:
            link = f"{self._root(asked).removesuffix(PREFIX)}{taken.page}"
            told = f"{told} {say('open311.follow', {'link': link})}"
        return told

    async def _public(self, asked: Asked, code: str) -> Document:
        """The request of the number in the path; refuses one that not everybody may see like one that is not there."""
        self._check_jurisdiction(_query(asked))
        await self._board.ready()
        number = asked.slots["id"]
        found = self._board.by_number(number)
        if found is None:
            raise NoSuchThing(code, {"id": number[:60]})
        return found

    def _published(self) -> list[Document]:
        return list(self._store.documents.scan(DEFAULT_TENANT, model.SERVICE))

    def _service(self, code: str) -> model.Service:
        found = (model.service_of(each) for each in self._published())
        service = next((each for each in found if each.code == code), None)
        if service is None:
            raise NoSuchThing("open311.no_such_service", {"service_code": code[:100]})
        return service

    def _check_jurisdiction(self, fields: Fields) -> None:
        """This city is the only jurisdiction, so none need be named; one that is must be this city."""
        ours = jurisdiction_of(self._settings)
        for given in fields.get("jurisdiction_id", ()):
            if given.lower() != ours:
                raise NoSuchThing("open311.no_such_jurisdiction", {"jurisdiction_id": given[:100], "ours": ours})

    def _root(self, request: Request) -> str:
        """The address of this door: as the operator has set it, else as the client knows it."""
        host = f"{request.scheme}://{request.headers.get('host', 'localhost')}"
        return f"{self._settings.address or host}{PREFIX}"


def jurisdiction_of(settings: Settings) -> str:
    """The standard's advice for a name: the host of the city's web site, without `www`."""
    host = urlsplit(settings.address or f"http://{settings.host}").hostname or settings.host
    return host.removeprefix("www.")


def _route(method: str, path: str, do: Answers) -> Route:
    """A row of the table; every request that comes to it is an `Asked`."""
    return Route(method, path, cast(Endpoint, do))


def _query(asked: Asked) -> Fields:
    return asking.fields_of(asked.query())


def _shown(found: list[Document], asked: Asked) -> Answer:
    shown: list[Json] = [model.shown_request(each, asked.lang) for each in found]
    return answered("service_requests", shown, asked.format)


def _key(given: str, who: str, body: bytes) -> str | None:
    """The name under which a report is taken in once: the same key of the same sender with the same words.

    The words are in it, so that two who choose one key do not get each other's receipts.
    """
    if not given:
        return None
    if len(given) > LONGEST_KEY:
        facts = {"field": "Idempotency-Key", "most": LONGEST_KEY}
        raise Unusable([Problem(code="open311.too_long", facts=facts)])
    parts = (who.encode(), given.encode(), body)
    return f"{CHANNEL}:{hashlib.sha256(b' '.join(hashlib.sha256(each).digest() for each in parts)).hexdigest()}"
