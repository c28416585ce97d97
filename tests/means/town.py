# SPDX-License-Identifier: Apache-2.0
"""A city without streets in which every contact, device and gateway there is really listens: over SMTP and HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import msgspec
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from citybrain.apps.operations.control.means import BY_NAME, OF_STREET, ROLES
from citybrain.apps.operations.control.means import CATALOGUE as WHOLE
from citybrain.apps.operations.control.means.acts import Act, Command
from citybrain.apps.operations.service.carrying.desk import MeansDesk, carrying
from citybrain.apps.operations.store.contacts import Contact, Way
from citybrain.doors.cap.ordered import ordered
from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.audit.recording import MACHINE
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities import service as entities
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.executing import Executing
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.orders import StandingOrder, Wanted
from citybrain.kernel.records import Because, Facts, Json
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from citybrain.serve import contributions, scenarios
from citybrain.serve.city import City

CATALOGUE = tuple(act for act in WHOLE if act.means.name not in OF_STREET)
"""What is carried out without a street."""
SECRET = "between us"
PLACE = "urn:ngsi-ld:RoadSegment:spring-road"
EVENT = "event-1"
GATEWAY = "/devices"
SETTLED_WITHIN_S = 60.0
FASTER = 20.0
# What cannot be made up from a schema, as it names something that must be there.
NAMED: Mapping[str, Json] = {"department": "roads", "helpers": ["police", "fire"], "attribute": "powerState"}


class Receiver:
    """An HTTP server that takes what it gets, or answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Mapping[str, str], Json]] = []
        self.status = 204

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.got.append((scope["path"], headers, json.loads(body or b"null")))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def at(self, path: str) -> list[tuple[Mapping[str, str], Json]]:
        """What came to a path."""
        return [(headers, body) for where, headers, body in self.got if where == path]


class Mailbox:
    """A mail server that takes what it gets."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 its word
        """One letter."""
        letter = message_from_bytes(cast(bytes, envelope.content), policy=default)
        letter["X-To"] = ",".join(envelope.rcpt_tos)
        self.got.append(letter)
        return "250 OK"


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it was given, and what became of it."""

    act: Act
    parameters: Facts
    order: StandingOrder


class Town(msgspec.Struct, frozen=True, kw_only=True):
    """The open city with all that listens."""

    store: Store
    city: City
    desk: MeansDesk
    web: Receiver
    mail: Mailbox
    url: str

    async def give(self, name: str, parameters: Facts, *, on: str = PLACE, by: Actor | None = None) -> StandingOrder:
        """Order something as an officer; what needs two persons gets both."""
        orders, now = self.store.orders, utc_now()
        because = Because(code="kernel.because_event", event_id=EVENT)
        wanted = Wanted(means=name, entity_id=on, parameters=parameters, reason="flood", because=because)
        given = await orders.give(by or officer("wang"), wanted, now=now)
        if given.approve_until is not None:
            given = await orders.approve(officer("li"), given.id, now=now)
        return given

    async def settled(self, id: str) -> StandingOrder:
        """An order once its outcome is written."""
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while True:
                order, acts = await self.store.orders.get(officer("wang"), id)
                if order.outcome is not None and any(act.act == "outcome" for act in acts):
                    return order
                await asyncio.sleep(0.1)

    async def done(self, name: str, parameters: Facts, *, on: str = PLACE) -> StandingOrder:
        """Order something and wait for its outcome."""
        return await self.settled((await self.give(name, parameters, on=on)).id)


def officer(account: str) -> Actor:
    """Somebody who may order everything."""
    permissions = {act.means.permission for act in CATALOGUE}
    rights = {name: Right(reach=EVERYTHING) for name in permissions}
    return Actor(name=account.title(), account=account, kind=Kind.STAFF, rights=rights)


def device_of(act: Act) -> str:
    """The device that a command is tried on."""
    return f"urn:ngsi-ld:{act.means.entity_types[0]}:{act.means.name}"


def example(parameters: type[msgspec.Struct], **more: Json) -> Facts:
    """Parameters that fit, made up from the schema: required ones, and texts."""
    schema = msgspec.json.schema(parameters)
    own = schema["$defs"][parameters.__name__]
    made = {name: _made(name, own["properties"][name]) for name in own.get("required", ())}
    texts = {name: f"{name} 积水 flooded" for name in ("task", "text") if name in own["properties"]}
    return {**made, **texts, **more}


def _made(name: str, schema: Mapping[str, Any]) -> Json:
    if name in NAMED:
        return NAMED[name]
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        return (int if schema["type"] == "integer" else float)(max(low, 1) if schema.get("maximum", 2) >= 1 else low)
    return f"{name} 1"


async def put(store: Store, id: str, type: str, **attributes: Json) -> None:
    """What the pool knows of a thing."""
    place = {"type": "Point", "coordinates": [116.35, 39.95]}
    said = {name: {"type": "Property", "value": value} for name, value in {"name": f"{type} 1", **attributes}.items()}
    payload = {"id": id, "type": type, "location": {"type": "GeoProperty", "value": place}, **said}
    now = utc_now()
    desk = Desk(documents=store.documents, tenant=DEFAULT_TENANT, at=now)
    await entities.create(desk, read_entity(payload, CORE, text_of(now)))


async def listen(store: Store, url: str, types: Sequence[str], watched: Sequence[str]) -> None:
    """A gateway subscribes to what devices are to be."""
    payload = {
        "id": f"urn:ngsi-ld:Subscription:{'-'.join(types)}",
        "type": "Subscription",
        "entities": [{"type": each} for each in types],
        "watchedAttributes": list(watched),
        "notification": {"format": "normalized", "endpoint": {"uri": f"{url}{GATEWAY}", "accept": "application/json"}},
    }
    await store.subscriptions.create(payload, CORE, tenant=DEFAULT_TENANT, now=utc_now())


def contacts_of(role: str, url: str) -> list[Contact]:
    """Everybody of a role: by e-mail, text message, push and webhook."""
    name = {"zh": role, "en": role}
    return [
        Contact(id=f"{role}-email", role=role, name=name, channel=Way.EMAIL, address=f"{role}@city.example"),
        Contact(id=f"{role}-sms", role=role, name=name, channel=Way.SMS, address="13800138000", lang="en"),
        Contact(id=f"{role}-push", role=role, name=name, channel=Way.PUSH, address=f"{role}-list"),
        Contact(id=f"{role}-hook", role=role, name=name, channel=Way.WEBHOOK, address=f"{url}/{role}", secret=SECRET),
    ]


@asynccontextmanager
async def mail_server(mailbox: Mailbox, port: int) -> AsyncIterator[None]:
    """A real mail server, as long as the block lasts."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(controller.start)
    try:
        yield
    finally:
        await asyncio.to_thread(controller.stop)


@asynccontextmanager
async def running(
    database_url: str, folder: Path, *, url: str, web: Receiver, smtp_port: int, pauses_s: Sequence[float] = (0.0, 0.2)
) -> AsyncIterator[Town]:
    """A city that lives, with nothing in it yet."""
    mailbox = Mailbox()
    settings = Settings(
        data=folder,
        database_url=database_url,
        smtp=f"smtp://127.0.0.1:{smtp_port}?from=city@example.org",
        sms=f"{url}/gateway/sms",
        push=f"{url}/gateway/push",
        webhook_secret=SECRET,
    )
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(mail_server(mailbox, smtp_port))
        store = await opened.enter_async_context(
            open_store(
                settings,
                types=contributions.entity_types(),
                permissions=contributions.permissions(),
                words=contributions.words(),
                trade=contributions.trade(),
            )
        )
        (desk,) = await opened.enter_async_context(carrying(store, pauses_s=pauses_s))
        of_warnings = await opened.enter_async_context(ordered(store))
        city = City(scenarios.find("none"), store, folder, speed=1.0)
        city.executing = Executing([desk, *of_warnings])
        living = asyncio.create_task(city.live())
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while True:
                if city.condition == "running":
                    break
                await asyncio.sleep(0.05)
        city.pace.change(FASTER)
        try:
            yield Town(store=store, city=city, desk=desk, web=web, mail=mailbox, url=url)
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living


async def furnish(town: Town) -> None:
    """Contacts for every role, a place, and a device with a gateway for every command."""
    await put(town.store, PLACE, "RoadSegment")
    for role in ROLES:
        for contact in contacts_of(role, town.url):
            await town.desk.book.put(contact, by=MACHINE, now=utc_now())
    for act in CATALOGUE:
        if isinstance(act.how, Command):
            await put(town.store, device_of(act), act.means.entity_types[0], **{act.how.attribute: "unknown"})
            types = [act.means.entity_types[0]]
            if not any(types == [each.one.subscription.selectors[0].type] for each in town.store.subscriptions.all("")):
                watched = sorted(
                    {
                        one.how.desired
                        for one in CATALOGUE
                        if isinstance(one.how, Command) and one.means.entity_types[0] == types[0]
                    }
                )
                await listen(town.store, town.url, types, watched)


async def everything(town: Town) -> dict[str, Given]:
    """Each means ordered once; those that go on with an earlier order come after it."""
    found: dict[str, Given] = {}
    later = {"administration.recall", "administration.remind", "information.all_clear", "information.cap_cancel"}
    first = [act for act in CATALOGUE if act.means.name not in later | {"devices.release"}]
    await _give_all(town, first, {}, found)
    earlier = {
        "administration.recall": "people.send_tow",
        "administration.remind": "people.send_pump",
        "information.all_clear": "information.radio",
        "information.cap_cancel": "information.cap_alert",
    }
    orders = {name: found[of].order.id for name, of in earlier.items()}
    await _give_all(town, [BY_NAME[name] for name in earlier], orders, found)
    await _give_all(town, [BY_NAME["devices.release"]], {}, found)
    return found


async def _give_all(town: Town, acts: Sequence[Act], orders: Mapping[str, str], found: dict[str, Given]) -> None:
    given: dict[str, tuple[Act, Facts, StandingOrder]] = {}
    for act in acts:
        name = act.means.name
        more = {"order": orders[name]} if name in orders else {}
        parameters = example(act.means.parameters, **more)
        on = device_of(act) if isinstance(act.how, Command) else PLACE
        on = device_of(BY_NAME["drainage.run_pump"]) if name == "devices.release" else on
        given[name] = (act, parameters, await town.give(name, parameters, on=on))
    for name, (act, parameters, order) in given.items():
        found[name] = Given(act=act, parameters=parameters, order=await town.settled(order.id))
