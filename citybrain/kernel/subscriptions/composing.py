# SPDX-License-Identifier: Apache-2.0
"""Puts messages together: of notices that waited, and of what is there now for those who ask by interval."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.query import EntityQuery
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.registrations import Registrations
from citybrain.kernel.subscriptions import linking, notice, notify, sources
from citybrain.kernel.subscriptions.carriers import Message
from citybrain.kernel.subscriptions.compiled import Compiled, LookUp, entity_query
from citybrain.kernel.subscriptions.line import TOGETHER, Line
from citybrain.kernel.subscriptions.sources import Reason, SourcesTold
from citybrain.kernel.subscriptions.subscription import Kind

_encode = msgspec.json.Encoder().encode


class Composer:
    """Makes messages for subscribers out of changes and out of the present."""

    def __init__(self, documents: Documents, registrations: Registrations) -> None:
        self._documents = documents
        self._registrations = registrations

    def of_notices(self, line: Line, bodies: Sequence[bytes]) -> Message:
        """One message that tells of stored changes."""
        one = line.one
        if one.subscription.kind is Kind.SOURCES:
            return self._of_sources(one, sources.decoded(bodies[0]))
        look_up = self.look_up(one.subscription.tenant)
        link = linking.inline(one, look_up)
        data: list[Json] = []
        beside: dict[str, Json] = {}
        for body in bodies:
            told = notice.decoded(body)
            data.append(notify.entity_data(told, one, link))
            beside |= self._beside(one, told.document, look_up)
        return _message(one, [*data, *beside.values()])

    def of_the_present(self, line: Line) -> Iterator[Message]:
        """Messages that tell what there is now; none when there is nothing."""
        one = line.one
        if one.subscription.kind is Kind.SOURCES:
            told = self.matching_sources(one, utc_now())
            if told.registrations:
                yield self._of_sources(one, told)
            return
        look_up = self.look_up(one.subscription.tenant)
        link = linking.inline(one, look_up)
        data: list[Json] = []
        for document in self._present(one, look_up):
            data.append(notify.current_data(document, one, link))
            data += self._beside(one, document, look_up).values()
            if len(data) >= TOGETHER:
                yield _message(one, data)
                data = []
        if data:
            yield _message(one, data)

    def matching_sources(self, one: Compiled, now: datetime) -> SourcesTold:
        """All registrations that a subscription is about now, as newly matching."""
        known = self._registrations.all(one.subscription.tenant, now)
        found = tuple(each for each in known if sources.concerns(one, each))
        return SourcesTold(reason=Reason.NEWLY_MATCHING, registrations=found)

    def look_up(self, tenant: str) -> LookUp:
        """How linked entities of a tenant are found."""
        get: Callable[[str, str], Document | None] = self._documents.get
        return lambda id: get(tenant, id)

    def _of_sources(self, one: Compiled, told: SourcesTold) -> Message:
        body = sources.notification(one.subscription, told, one.context, id=new_id(), now=utc_now())
        return Message(_encode(body), notify.headers(one.subscription))

    def _beside(self, one: Compiled, document: Document, look_up: LookUp) -> dict[str, Json]:
        found = linking.beside(one, document, look_up)
        shape = linking.linked_shape(one.shape)
        return {each.id: notify.shown(each, one, shape) for each in found}

    def _present(self, one: Compiled, look_up: LookUp) -> Iterator[Document]:
        query = entity_query(one.subscription, one.query_context)
        candidates = self._candidates(one.subscription.tenant, query)
        return (each for each in candidates if matches(each, query, look_up=look_up))

    def _candidates(self, tenant: str, query: EntityQuery) -> Iterator[Document]:
        """A few more than all that match: by id or by type where the query names them."""
        if query.ids is not None:
            found = (self._documents.get(tenant, id) for id in sorted(query.ids))
            yield from (each for each in found if each is not None)
        elif query.type_names is None:
            yield from self._documents.scan(tenant)
        else:
            names = sorted(query.type_names)
            for place, name in enumerate(names):
                told_before = set(names[:place])
                yield from (each for each in self._documents.scan(tenant, name) if told_before.isdisjoint(each.types))


def _message(one: Compiled, data: Sequence[Json]) -> Message:
    body = notify.envelope(one.subscription, data, id=new_id(), now=utc_now())
    return Message(_encode(body), notify.headers(one.subscription))
