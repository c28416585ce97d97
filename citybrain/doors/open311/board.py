# SPDX-License-Identifier: Apache-2.0
"""Public requests by number and by time, kept beside the entities of the pool so that a list need not read them all."""

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from citybrain.doors.open311.asking import MOST, Status, Wanted
from citybrain.doors.open311.model import REQUEST, requested_at, word_of
from citybrain.kernel.entities.document import DEFAULT_TENANT, Document, EntityChange, Instance
from citybrain.kernel.entities.documents import Documents

TURN = 200


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """What a list asks of a request."""

    id: str
    number: str
    at: datetime
    code: str
    status: Status


class _Asked(msgspec.Struct, frozen=True):
    service_request_id: tuple[Instance, ...] = ()
    requested_datetime: tuple[Instance, ...] = ()
    service_code: tuple[Instance, ...] = ()
    status: tuple[Instance, ...] = ()


class _Row(msgspec.Struct, frozen=True):
    """Of an entity what a list asks of it; the rest is not decoded."""

    id: str
    attributes: _Asked = _Asked()


_decode = msgspec.json.Decoder(_Row).decode


def pinned_of(document: Document | _Row) -> Pinned | None:
    """What a list asks of a request; None of one without number or time, which no list can have."""
    given = document.attributes
    attributes = given if isinstance(given, dict) else msgspec.structs.asdict(given)
    number, at = word_of(attributes, "service_request_id"), requested_at(attributes)
    if not number or at is None:
        return None
    closed = word_of(attributes, "status") == "closed"
    return Pinned(
        id=document.id,
        number=number,
        at=at,
        code=word_of(attributes, "service_code"),
        status=Status.CLOSED if closed else Status.OPEN,
    )


class Board:
    """Follows the requests of the default tenant from its making on; those that were there before it learns once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._by_id: dict[str, Pinned] = {}
        self._ids: dict[str, str] = {}
        self._by_time: list[tuple[datetime, str]] = []
        self._learning: asyncio.Task[None] | None = None
        documents.hooks.append(self.follow)

    def follow(self, changes: Sequence[EntityChange]) -> None:
        """Take in what changed: a hook of the pool."""
        for change in changes:
            if change.tenant != DEFAULT_TENANT:
                continue
            if change.after is not None and REQUEST in change.after.types:
                self._pin(change.after)
            else:
                self._unpin(change.id)

    async def ready(self) -> None:
        """Wait until all requests are known."""
        if self._learning is None:
            self._learning = asyncio.create_task(self._learn(), name="open311 board")
        await asyncio.shield(self._learning)

    async def _learn(self) -> None:
        """Read what was there before; of each only what a list asks of it."""
        ids = list(self._documents.ids_of_type(DEFAULT_TENANT, REQUEST))
        for begin in range(0, len(ids), TURN):
            await asyncio.sleep(0)
            bodies = (self._documents.raw(DEFAULT_TENANT, id) for id in ids[begin : begin + TURN])
            found = [pinned for body in bodies if body is not None and (pinned := pinned_of(_decode(body)))]
            new = [pinned for pinned in found if pinned.id not in self._by_id]
            for pinned in new:
                self._note(pinned)
            self._by_time.extend((pinned.at, pinned.id) for pinned in new)
            self._by_time.sort()  # of two sorted pieces: as quick as a merge

    def _pin(self, document: Document) -> None:
        self._unpin(document.id)
        pinned = pinned_of(document)
        if pinned is not None:
            self._note(pinned)
            insort(self._by_time, (pinned.at, pinned.id))

    def _note(self, pinned: Pinned) -> None:
        self._by_id[pinned.id] = pinned
        self._ids[pinned.number] = pinned.id

    def _unpin(self, id: str) -> None:
        pinned = self._by_id.pop(id, None)
        if pinned is None:
            return
        if self._ids.get(pinned.number) == id:
            del self._ids[pinned.number]
        del self._by_time[bisect_left(self._by_time, (pinned.at, id))]

    def by_number(self, number: str) -> Document | None:
        """The request of a number; None when there is none that everybody may see."""
        id = self._ids.get(number)
        return None if id is None else self._documents.get(DEFAULT_TENANT, id)

    async def find(self, wanted: Wanted) -> list[Document]:
        """The requests that are wanted, the newest first, at most as many as the standard has in one answer."""
        if wanted.numbers:
            found = [self.by_number(number) for number in wanted.numbers]
            return [each for each in found if each is not None]
        documents: list[Document] = []
        for count, pinned in enumerate(self._newest_first(wanted)):
            if count % TURN == 0:
                await asyncio.sleep(0)
            document = self._documents.get(DEFAULT_TENANT, pinned.id)
            if document is not None:
                documents.append(document)
        return documents

    def _newest_first(self, wanted: Wanted) -> list[Pinned]:
        begin = bisect_left(self._by_time, (wanted.since, ""))
        end = bisect_right(self._by_time, (wanted.until, "\U0010ffff"))
        found: list[Pinned] = []
        for pinned in self._between(begin, end):
            if _fits(pinned, wanted):
                found.append(pinned)
                if len(found) == MOST:
                    break
        return found

    def _between(self, begin: int, end: int) -> Iterator[Pinned]:
        return (self._by_id[self._by_time[at][1]] for at in range(end - 1, begin - 1, -1))


def _fits(pinned: Pinned, wanted: Wanted) -> bool:
    """Whether one of the codes and one of the statuses is a request's."""
    return (not wanted.codes or pinned.code in wanted.codes) and (
        not wanted.statuses or pinned.status in wanted.statuses
    )
