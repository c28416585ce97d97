# SPDX-License-Identifier: Apache-2.0
"""What everybody may know of the hotline, as entities of the pool: what can be reported, and public reports.

The names are those of FIWARE's models for Open311 (`Open311ServiceType`, `Open311ServiceRequest`). Nobody's words and
nobody's name are in them, and a place only to within a hundred metres, as in the public list. The tables are the
truth: at each start, and when categories change, the entities are brought in line with them, so nothing is remembered
of how far they were. In between they follow what changed, in rounds: no act on a ticket waits for that.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from citybrain.apps.hotline.detect.hotspots import blurred
from citybrain.apps.hotline.model import TYPE, Category, Question, Ticket, Tree
from citybrain.apps.hotline.service.hotline import LONG_AGO, READ_AGAIN, Hotline
from citybrain.apps.hotline.store import tickets
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.entities.document import DEFAULT_TENANT, Attributes, AttributeType, Document, Instance
from citybrain.kernel.entities.service import Desk, delete_many, upsert_many
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.records import Json, Text

SERVICE, REQUEST = "Open311ServiceType", "Open311ServiceRequest"
OURS = {name: f"urn:ngsi-ld:{name}:hotline:" for name in (SERVICE, REQUEST)}
"""How ids of our entities begin: others may publish entities of these types too."""
# A year, as long as callers are known: what is older is in the tables alone. A mark of ours.
SHOWN_FOR = timedelta(days=365)
PAGE = 500
# So many at once: each takes about a third of a millisecond, and who moves a ticket meanwhile shall not notice.
AT_ONCE = 20
# It works a tenth of the time at most, nine parts of rest for each of work: who is behind catches up later.
REST = 9.0
MERGED = "merged"

Values = dict[str, Instance]

log = structlog.get_logger()


class Publisher:
    """Keeps the entities of one hotline as its tables are."""

    def __init__(self, hotline: Hotline) -> None:
        self._hotline = hotline
        self._tree: Tree | None = None
        self._words: dict[str, Text] = {}
        self._seen: tuple[datetime, int] = (LONG_AGO, 0)
        self._followed: dict[int, datetime] = {}

    async def round(self, now: datetime) -> None:
        """Follow what changed since the last round; the first time, and with new categories, look at everything."""
        if self._tree is not self._hotline.tree:
            tree = self._hotline.tree
            self._seen = (now - READ_AGAIN, 0)
            await self.services(now)
            await self._requests(now)
            self._tree = tree
        while found := await tickets.changed_since(self._hotline.db, *self._seen, limit=PAGE):
            # What was read again because it might have been missed is not worked out again.
            await self.follow([each for each in found if self._followed.get(each.case_id) != each.changed_at], now)
            self._followed.update((each.case_id, each.changed_at) for each in found)
            self._seen = (found[-1].changed_at, found[-1].case_id)
            if len(found) < PAGE:
                break
        self._seen = (min(self._seen[0], now - READ_AGAIN), 0)
        self._followed = {id: at for id, at in self._followed.items() if at >= self._seen[0]}

    async def follow(self, found: Iterable[Ticket], now: datetime) -> None:
        """Show tickets as they are now; those that not everybody may see any more are taken away."""
        if not self._words:
            type = await self._hotline.cases.types.current(TYPE, now)
            self._words = {name: state.words for name, state in type.states.items()}
        waiting, took_s = list(found), 0.0
        for at in range(0, len(waiting), AT_ONCE):
            await asyncio.sleep(REST * took_s)
            begun, some = monotonic_s(), waiting[at : at + AT_ONCE]
            shown = [each for each in some if self._is_shown(each, now)]
            await self._put([self._request(each) for each in shown], now)
            kept = {each.case_id for each in shown}
            await self._take_away([_id(REQUEST, each.number) for each in some if each.case_id not in kept], now)
            took_s = monotonic_s() - begun

    async def services(self, now: datetime) -> None:
        """Show what can be reported: every category that is public."""
        tree = self._hotline.tree
        services = [_service(tree, each) for each in tree.categories.values() if tree.is_public(each.id)]
        await self._put(services, now)
        await self._take_away(self._others(SERVICE, {each.id for each in services}), now)

    async def _requests(self, now: datetime) -> None:
        """Bring all public reports in line with the tables, the newest first."""
        kept: set[str] = set()
        before: tuple[datetime, int] | None = None
        while found := await tickets.public_tickets(self._hotline.db, before, limit=PAGE):
            await self.follow(found, now)
            kept.update(_id(REQUEST, each.number) for each in found)
            before = (found[-1].created_at, found[-1].case_id)
            if len(found) < PAGE or before[0] < now - SHOWN_FOR:
                break
        await self._take_away(self._others(REQUEST, kept), now)

    def _is_shown(self, ticket: Ticket, now: datetime) -> bool:
        known = ticket.category in self._hotline.tree.categories and self._hotline.tree.is_public(ticket.category)
        return ticket.public and known and ticket.state != MERGED and now - ticket.created_at < SHOWN_FOR

    def _request(self, ticket: Ticket) -> Document:
        tree = self._hotline.tree
        is_closed = ticket.phase == Phase.CLOSED
        updated_at = ticket.closed_at if is_closed and ticket.closed_at else ticket.changed_at
        department = self._hotline.store.access.policy.snapshot.departments.get(ticket.department)
        values: Values = {
            "service_request_id": _plain(ticket.number),
            "status": _plain("closed" if is_closed else "open"),
            "status_notes": _worded(self._words.get(ticket.state, {})),
            "service_code": _plain(ticket.category),
            "service_name": _worded(tree.categories[ticket.category].name),
            "requested_datetime": _plain(_second(ticket.created_at)),
            "updated_datetime": _plain(_second(updated_at)),
        }
        if department is not None and department.name:
            values["agency_responsible"] = _worded(department.name)
        if ticket.due_at is not None:
            values["expected_datetime"] = _plain(_second(ticket.due_at))
        if ticket.longitude is not None and ticket.latitude is not None:
            point = {"type": "Point", "coordinates": list(blurred(ticket.longitude, ticket.latitude))}
            values["location"] = Instance(type=AttributeType.GEO_PROPERTY, value=point)
        expires_at = text_of(ticket.created_at + SHOWN_FOR)
        return _document(REQUEST, ticket.number, values, expires_at=expires_at)

    async def _put(self, documents: Iterable[Document], now: datetime) -> None:
        """Write what differs from what is there, and nothing else: equal values make no change and no history."""
        held, stamp = self._hotline.store.documents, text_of(now)
        stamped = (_stamped(each, stamp) for each in documents)
        changed = [
            part for each in stamped if (part := _differing(held.stored(DEFAULT_TENANT, each.id), each)) is not None
        ]
        for at in range(0, len(changed), AT_ONCE):
            outcome = await upsert_many(self._desk(now), changed[at : at + AT_ONCE])
            for id, refusal in outcome.refused:
                log.warning("not published", id=id, code=refusal.code)

    async def _take_away(self, ids: Iterable[str], now: datetime) -> None:
        held = self._hotline.store.documents
        there = [id for id in ids if held.kept(DEFAULT_TENANT, id) is not None]
        for at in range(0, len(there), AT_ONCE):
            await delete_many(self._desk(now), there[at : at + AT_ONCE])

    def _others(self, type: str, kept: Collection[str]) -> Iterator[str]:
        """Our entities of a type that are not among those to keep."""
        ids = list(self._hotline.store.documents.ids_of_type(DEFAULT_TENANT, type))
        return (id for id in ids if id.startswith(OURS[type]) and id not in kept)

    def _desk(self, now: datetime) -> Desk:
        return Desk(documents=self._hotline.store.documents, tenant=DEFAULT_TENANT, at=now)


def _service(tree: Tree, category: Category) -> Document:
    top = tree.categories.get(category.id.partition(".")[0], category)
    values: Values = {
        "service_code": _plain(category.id),
        "service_name": _worded(category.name),
        "description": _worded({lang: tree.name(category.id, lang) for lang in category.name}),
        "group": _worded(top.name),
    }
    if category.words:
        values["keywords"] = _plain(", ".join(category.words))
    questions = tree.questions(category.id)
    if questions:
        asked = [_asked(order, each) for order, each in enumerate(questions, start=1)]
        values["attributes"] = Instance(type=AttributeType.JSON_PROPERTY, value=asked)
    return _document(SERVICE, category.id, values)


def _asked(order: int, question: Question) -> Json:
    return {
        "variable": True,
        "code": question.code,
        "datatype": question.datatype,
        "required": question.required,
        "order": order,
        "description": dict(question.words),
        "datatype_description": dict(question.hint),
        "values": [{"key": each.key, "name": dict(each.name)} for each in question.options],
    }


def _document(type: str, name: str, values: Values, *, expires_at: str = "") -> Document:
    attributes: Attributes = {name: (instance,) for name, instance in values.items()}
    return Document(id=_id(type, name), types=(type,), expires_at=expires_at, attributes=attributes)


def _stamped(document: Document, stamp: str) -> Document:
    """An entity that says when it was made, as those do that come from outside."""
    attributes: Attributes = {
        name: tuple(msgspec.structs.replace(each, created_at=stamp, modified_at=stamp) for each in several)
        for name, several in document.attributes.items()
    }
    return msgspec.structs.replace(document, created_at=stamp, modified_at=stamp, attributes=attributes)


def _differing(before: Document | None, wanted: Document) -> Document | None:
    """What of an entity is to be written; None when it is all as it should be."""
    if before is None:
        return wanted
    differing = {
        name: several
        for name, several in wanted.attributes.items()
        if _meant(before.attributes.get(name, ())) != _meant(several)
    }
    return msgspec.structs.replace(wanted, attributes=differing) if differing else None


def _meant(several: Sequence[Instance]) -> list[tuple[AttributeType, Json]]:
    return [(each.type, each.value) for each in several]


def _id(type: str, name: str) -> str:
    return f"{OURS[type]}{name}"


def _plain(value: Json) -> Instance:
    return Instance(type=AttributeType.PROPERTY, value=value)


def _worded(words: Text) -> Instance:
    return Instance(type=AttributeType.LANGUAGE_PROPERTY, value=dict(words))


def _second(at: datetime) -> str:
    """A time as clients of Open311 write it: whole seconds, UTC."""
    return text_of(at.replace(microsecond=0))
