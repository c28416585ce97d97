# SPDX-License-Identifier: Apache-2.0
"""Many signs of one thing are one event: which event is a sign of which, and what becomes of both."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.merging.nearness import Key, Nearness
from citybrain.kernel.merging.rules import Merge
from citybrain.kernel.records import Event, Facts, Json, Severity

SIGNS_KEPT = 50
"""So many signs an event names in its evidence; `signs_total` says of how many. All are rows of their own."""

WORST_FIRST = tuple(Severity)

Indexed = tuple[int, Key]


class Open(msgspec.Struct):
    """An event that goes on. `newest_at` is when it, or its newest sign, began; `own` what its detector says of it."""

    own: Event
    newest_at: datetime
    signs: list[Facts] = []
    total: int = 0
    worst: Severity = Severity.IV
    going: dict[str, None] = {}
    causes: list[Indexed] = []
    as_sign: list[Indexed] = []

    @property
    def severity(self) -> Severity:
        """As bad as it is itself now, or as the worst of its signs ever was."""
        return min(self.own.severity, self.worst, key=WORST_FIRST.index) if self.total else self.own.severity


class Sign(msgspec.Struct):
    """An event that is a sign of another one; `own` what its detector says of it, whether or not it goes on."""

    own: Event
    of: str
    rule: int


class Signs:
    """Remembers which events are open and which are signs of which. Equal events give equal answers."""

    def __init__(self, rules: Sequence[Merge], nearness: Nearness) -> None:
        self._rules = tuple(rules)
        self._nearness = nearness
        self._open: dict[str, Open] = {}
        self._signs: dict[str, Sign] = {}
        self._causes: dict[Indexed, dict[str, None]] = {}
        self._possible: dict[Indexed, dict[str, None]] = {}
        self._left: list[tuple[datetime, str]] = []
        self._as_cause = _by_kind((rule.cause, number) for number, rule in enumerate(self._rules))
        self._as_sign = _by_kind((kind, number) for number, rule in enumerate(self._rules) for kind in rule.signs)

    def __call__(self, events: Iterable[Event], at: datetime) -> list[Event]:
        """The events as they are told: each once, as it is by now."""
        told: dict[str, Event] = {}
        for event in events:
            self._take(event, at, told)
        if self._left:
            self._release(at, told)
        return list(told.values())

    def _take(self, event: Event, at: datetime, told: dict[str, Event]) -> None:
        sign = self._signs.get(event.id)
        known = self._open.get(event.id)
        if sign is not None:
            self._sign_goes_on(sign, event, told)
        elif known is not None:
            known.own = event
            told[event.id] = _with_signs(known)
            if event.ended_at is not None:
                self._close(known)
        else:
            self._begin(event, at, told)

    def _begin(self, event: Event, at: datetime, told: dict[str, Event]) -> None:
        cause = self._cause_of(event)
        if cause is not None:
            self._merge(event, *cause, at, told)
        elif event.ended_at is not None:
            told[event.id] = event
        else:
            opened = self._open[event.id] = Open(own=event, newest_at=event.at)
            for before, rule in self._signs_of(event):
                self._take_over(before, opened, rule, at, told)
            self._index(opened)
            told[event.id] = _with_signs(opened)

    def _cause_of(self, event: Event) -> tuple[Open, int] | None:
        """The open event of which this one is a sign, by the first rule that fits: on the same thing, or the oldest."""
        for number in self._as_sign.get(event.kind, ()):
            rule = self._rules[number]
            found = [
                cause
                for cause in self._found(self._causes, number, self._nearness.keys_of_sign(rule, event))
                if event.at - (cause.own.at if rule.of_cause else cause.newest_at) <= rule.within
                and self._nearness.is_near(rule, cause.own, event)
            ]
            if found:
                return min(found, key=lambda one: _order(one.own, event.entity_id)), number
        return None

    def _signs_of(self, event: Event) -> list[tuple[Open, int]]:
        """Open events that turn out to be signs of this one."""
        found: dict[str, tuple[Open, int]] = {}
        for number in self._as_cause.get(event.kind, ()):
            rule = self._rules[number]
            for sign in self._found(self._possible, number, self._nearness.keys_of_cause(rule, event)):
                is_sign = sign.own.kind != event.kind and event.at - sign.own.at <= rule.within
                if is_sign and self._nearness.is_near(rule, event, sign.own):
                    found.setdefault(sign.own.id, (sign, number))
        return list(found.values())

    def _found(self, index: dict[Indexed, dict[str, None]], number: int, keys: Iterable[Key]) -> Iterator[Open]:
        seen: set[str] = set()
        for key in keys:
            for id in index.get((number, key), ()):
                if id not in seen:
                    seen.add(id)
                    yield self._open[id]

    def _merge(self, event: Event, cause: Open, rule: int, at: datetime, told: dict[str, Event]) -> None:
        """An event is a sign of another: it is closed, and the other one has it."""
        self._signs[event.id] = Sign(own=event, of=cause.own.id, rule=rule)
        told[event.id] = _merged(event, cause.own.id, event.ended_at or max(at, event.at))
        self._add(cause, event)
        told[cause.own.id] = _with_signs(cause)
        if event.ended_at is not None:
            del self._signs[event.id]
        else:
            cause.going[event.id] = None

    def _take_over(self, before: Open, cause: Open, rule: int, at: datetime, told: dict[str, Event]) -> None:
        """An event that was there first is a sign of one that is found later, and so are its own signs."""
        self._unindex(before)
        del self._open[before.own.id]
        self._merge(before.own, cause, rule, at, told)
        for id in before.going:
            sign = self._signs[id]
            sign.of = cause.own.id
            cause.going[id] = None
            told[id] = _merged(sign.own, cause.own.id, max(at, sign.own.at))
            self._add(cause, sign.own)
            told[cause.own.id] = _with_signs(cause)

    def _add(self, cause: Open, event: Event) -> None:
        cause.total += 1
        cause.newest_at = max(cause.newest_at, event.at)
        cause.worst = min(cause.worst, event.severity, key=WORST_FIRST.index)
        if len(cause.signs) < SIGNS_KEPT:
            cause.signs.append(_said(event))

    def _sign_goes_on(self, sign: Sign, event: Event, told: dict[str, Event]) -> None:
        """Of a sign that goes on only that it is worse matters; its end is kept with it."""
        sign.own = event
        cause = self._open.get(sign.of)
        if cause is not None and _is_worse(event.severity, cause.severity):
            cause.worst = event.severity
            told[cause.own.id] = _with_signs(cause)
        if event.ended_at is not None:
            told[event.id] = _merged(event, sign.of, event.ended_at)
            del self._signs[event.id]
            if cause is not None:
                cause.going.pop(event.id, None)

    def _close(self, known: Open) -> None:
        """A cause is over. Signs that are still there have some time to go too."""
        self._unindex(known)
        del self._open[known.own.id]
        over = known.own.ended_at
        assert over is not None
        for id in known.going:
            self._left.append((over + self._rules[self._signs[id].rule].within, id))

    def _release(self, at: datetime, told: dict[str, Event]) -> None:
        """Signs that outlasted their cause are events of their own again."""
        due = [id for when, id in self._left if when <= at]
        self._left = [(when, id) for when, id in self._left if when > at]
        for id in due:
            sign = self._signs.pop(id, None)
            if sign is None:
                continue
            evidence = {**sign.own.evidence, "outlasted": sign.of}
            self._begin(msgspec.structs.replace(sign.own, evidence=evidence), at, told)

    def _index(self, opened: Open) -> None:
        for number in self._as_cause.get(opened.own.kind, ()):
            for key in self._nearness.keys_of_cause(self._rules[number], opened.own):
                self._causes.setdefault((number, key), {})[opened.own.id] = None
                opened.causes.append((number, key))
        for number in self._as_sign.get(opened.own.kind, ()):
            for key in self._nearness.keys_of_sign(self._rules[number], opened.own):
                self._possible.setdefault((number, key), {})[opened.own.id] = None
                opened.as_sign.append((number, key))

    def _unindex(self, opened: Open) -> None:
        for index, keys in ((self._causes, opened.causes), (self._possible, opened.as_sign)):
            for key in keys:
                ids = index[key]
                ids.pop(opened.own.id, None)
                if not ids:
                    del index[key]
        opened.causes, opened.as_sign = [], []


def _by_kind(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for kind, number in pairs:
        found.setdefault(kind, []).append(number)
    return found


def _order(cause: Event, entity_id: str) -> tuple[bool, datetime, str]:
    """One on the same thing first, then the oldest."""
    return cause.entity_id != entity_id, cause.at, cause.id


def _is_worse(one: Severity, other: Severity) -> bool:
    return WORST_FIRST.index(one) < WORST_FIRST.index(other)


def _said(event: Event) -> Facts:
    said: dict[str, Json] = {
        "kind": event.kind,
        "entity_id": event.entity_id,
        "at": event.at,
        "severity": event.severity,
        "event_id": event.id,
    }
    return {**said, "batch_id": event.because.batch_id} if event.because.batch_id else said


def _with_signs(known: Open) -> Event:
    """The event with its signs, as bad as the worst of them."""
    if not known.total:
        return known.own
    signs = {"signs": list(known.signs), "signs_total": known.total}
    return msgspec.structs.replace(known.own, severity=known.severity, evidence={**known.own.evidence, **signs})


def _merged(event: Event, into: str, ended_at: datetime) -> Event:
    """The event closed as a sign of another; its own cause and evidence stay with it."""
    return msgspec.structs.replace(event, ended_at=ended_at, evidence={**event.evidence, "merged_into": into})
