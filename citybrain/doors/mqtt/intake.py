# SPDX-License-Identifier: Apache-2.0
"""Takes messages in: what is good goes to the pool in one commit, what is not is kept with its reason."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec

from citybrain.doors.mqtt import codec, store
from citybrain.doors.mqtt.codec import Measurement, Place
from citybrain.doors.mqtt.mapping import Plan, Source, Topics
from citybrain.doors.mqtt.store import Count, Letter, Quarantine
from citybrain.doors.mqtt.watch import Judged, Turn, Verdict, Watch
from citybrain.kernel.clock import new_id
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Because, Event, Severity

KIND = "mqtt.source_quarantined"
NO_SOURCE = ""
# Of messages that come too fast only some are kept: enough to see what they are.
TOO_MANY_KEPT = 20


class Message(msgspec.Struct, frozen=True):
    """A message as it came, with the times of its arrival: of the city and of a steady clock."""

    topic: str
    payload: bytes
    at: datetime
    steady_s: float


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What messages said, to be observed in one commit."""

    source: Source
    measurements: tuple[Measurement, ...]
    place: Place | None


class Outlets(msgspec.Struct, frozen=True, kw_only=True):
    """Where the results go: both are committed when they return."""

    observe: Callable[[Sequence[Seen]], Awaitable[None]]
    tell: Callable[[Sequence[Event]], Awaitable[None]]


class Intake:
    """Made by `Intake.open`: devices that were shut out before a restart stay so."""

    def __init__(self, db: Database, plan: Plan, outlets: Outlets) -> None:
        self._db = db
        self._topics = Topics(plan.source)
        self._sources = {source.name: source for source in plan.source}
        self._outlets = outlets
        self._watch = Watch()
        self._shut: dict[str, Quarantine] = {}
        self._kept_too_many: Counter[str] = Counter()

    @classmethod
    async def open(cls, db: Database, plan: Plan, outlets: Outlets, *, steady_s: float) -> "Intake":
        """Begin, with the quarantines that are in force."""
        intake = cls(db, plan, outlets)
        for each in await store.quarantines(db):
            source = intake._sources.get(each.source)
            if source is not None:
                intake._watch.shut(each.entity_id, until_s=steady_s + source.calm_s, why=each.code, source=source)
                intake._shut[each.entity_id] = each
        return intake

    async def take(self, messages: Sequence[Message]) -> None:
        """Take messages in, in their order. All that was good is in the pool on return, all else is kept."""
        good: list[_Good] = []
        letters: list[Letter] = []
        turns: list[tuple[Judged, str, Source, datetime]] = []
        counts: dict[str, Counter[str]] = {}
        for message in messages:
            found = self._topics.find(message.topic)
            source, entity_id = found if found else (None, "")
            name = source.name if source else NO_SOURCE
            outcome = self._read(message, source, entity_id, good, turns)
            counts.setdefault(name, Counter())[outcome.code or "taken"] += 1
            if outcome.code and self._is_kept(outcome, entity_id):
                letters.append(_letter(message, name, entity_id, outcome))
        letters += await self._observe(good)
        if letters:
            await store.add_letters(self._db, letters)
        for judged, entity_id, source, at in turns:
            await self._turn(judged, entity_id, source, at)
        await self._count(counts, messages)

    async def free_released(self) -> None:
        """Believe devices again that a person released in the meantime."""
        still = {each.entity_id for each in await store.quarantines(self._db)}
        for entity_id in self._shut.keys() - still:
            self._watch.free(entity_id)
            del self._shut[entity_id]

    def _read(
        self,
        message: Message,
        source: Source | None,
        entity_id: str,
        good: list["_Good"],
        turns: list[tuple[Judged, str, Source, datetime]],
    ) -> "_Refused":
        if source is None:
            return _Refused("mqtt.no_source", {"topic": message.topic})
        try:
            said = codec.read(message.payload, source, entity_id, message.at)
        except Invalid as refusal:
            return _Refused(refusal.code, dict(refusal.facts))
        judged = self._watch.judge(entity_id, source, said.measurements, message.steady_s)
        if judged.turn is not Turn.NONE:
            turns.append((judged, entity_id, source, message.at))
        if judged.verdict is not Verdict.TAKEN:
            return _Refused(judged.why, {})
        seen = Seen(source=source, measurements=said.measurements, place=said.place)
        good.append(_Good(seen, message, entity_id))
        return _TAKEN

    def _is_kept(self, outcome: "_Refused", entity_id: str) -> bool:
        if outcome.code != "mqtt.too_many":
            return True
        self._kept_too_many[entity_id] += 1
        return self._kept_too_many[entity_id] <= TOO_MANY_KEPT

    async def _observe(self, good: Sequence["_Good"]) -> list[Letter]:
        """Bring what was read into the pool; what the pool refuses, by its model, is looked for and comes back."""
        if not good:
            return []
        try:
            await self._outlets.observe([each.seen for each in good])
        except Invalid as refusal:
            if len(good) > 1:
                half = len(good) // 2
                return [*await self._observe(good[:half]), *await self._observe(good[half:])]
            (bad,) = good
            outcome = _Refused(refusal.code, dict(refusal.facts))
            return [_letter(bad.message, bad.seen.source.name, bad.entity_id, outcome)]
        return []

    async def _turn(self, judged: Judged, entity_id: str, source: Source, at: datetime) -> None:
        """Tell that a device is shut out, or believed again."""
        if judged.turn is Turn.SHUT:
            shut = Quarantine(entity_id=entity_id, source=source.name, code=judged.why, event_id=new_id(), since=at)
            self._shut[entity_id] = shut
            await store.add_quarantine(self._db, shut)
            await self._outlets.tell([_event(shut)])
            return
        shut_before = self._shut.pop(entity_id, None)
        await store.end_quarantine(self._db, entity_id)
        if shut_before is not None:
            await self._outlets.tell([ended(shut_before, at=at)])

    async def _count(self, counts: dict[str, Counter[str]], messages: Sequence[Message]) -> None:
        for name, counted in counts.items():
            too_many = counted["mqtt.too_many"]
            taken = counted["taken"]
            refused = counted.total() - taken - too_many
            count = Count(source=name, taken=taken, refused=refused, too_many=too_many, last_at=messages[-1].at)
            await store.add_count(self._db, count)


class _Good(msgspec.Struct, frozen=True):
    seen: Seen
    message: Message
    entity_id: str


class _Refused(msgspec.Struct, frozen=True):
    code: str
    facts: dict[str, object]


_TAKEN = _Refused("", {})


def _letter(message: Message, name: str, entity_id: str, outcome: _Refused) -> Letter:
    return Letter(
        source=name,
        topic=message.topic,
        entity_id=entity_id,
        payload=message.payload,
        code=outcome.code,
        facts=outcome.facts,
        at=message.at,
    )


def ended(shut: Quarantine, *, at: datetime) -> Event:
    """The event of a quarantine that is over."""
    return msgspec.structs.replace(_event(shut), ended_at=at)


def _event(shut: Quarantine) -> Event:
    """Grade IV: one device is not believed; nothing in the city is known to be wrong."""
    return Event(
        id=shut.event_id,
        kind=KIND,
        severity=Severity.IV,
        at=shut.since,
        entity_id=shut.entity_id,
        because=Because(code=shut.code, facts={"source": shut.source}, entity_ids=(shut.entity_id,)),
        evidence={"source": shut.source},
    )
