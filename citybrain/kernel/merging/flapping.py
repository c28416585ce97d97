# SPDX-License-Identifier: Apache-2.0
"""Flapping is damped: what comes and goes on one thing is one event that stays until it is quiet."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.kernel.merging.rules import DAMP, Damp, fits
from citybrain.kernel.records import Event

NOTHING = timedelta(0)
SWEEP_AT = 10_000

Key = tuple[str, str]


class Shown(msgspec.Struct):
    """An event that counts. `returns` are the ids under which it came back; `over` its end, while that is not told."""

    event: Event
    rule: Damp
    returns: list[str] = []
    chatters: bool = False
    over: Event | None = None

    @property
    def waits(self) -> timedelta:
        """So long it must be gone until it is over."""
        return max(self.rule.off_delay, self.rule.chatters_within if self.chatters else NOTHING)

    def told(self, event: Event) -> Event:
        """An event as this one goes on: under its id, since when it began."""
        said = {"returns": len(self.returns)} if self.returns else {}
        return msgspec.structs.replace(event, id=self.event.id, at=self.event.at, evidence={**event.evidence, **said})


class Flapping:
    """Remembers what is open and what began lately. Equal events at equal times give equal answers."""

    def __init__(self, rules: Sequence[Damp] = ()) -> None:
        self._rules = (*rules, DAMP)
        self._rule_of: dict[str, Damp] = {}
        self._shown: dict[str, Shown] = {}
        self._goes_on_as: dict[str, str] = {}
        self._pending: dict[str, Event] = {}
        self._ending: dict[Key, str] = {}
        self._begins: dict[Key, deque[datetime]] = {}
        self._due: list[tuple[datetime, str]] = []

    def __call__(self, events: Iterable[Event], at: datetime) -> Iterator[Event]:
        """What of these events is told now, and what was held until now."""
        for event in events:
            yield from self._take(event)
        while self._due and self._due[0][0] <= at:
            due, id = heapq.heappop(self._due)
            yield from self._come_due(id, due)

    def _take(self, event: Event) -> Iterator[Event]:
        shown = self._shown.get(self._goes_on_as.get(event.id, event.id))
        if shown is not None:
            yield from self._go_on(shown, event)
        elif event.id in self._pending:
            self._wait_on(event)
        elif event.ended_at is not None and event.ended_at != event.at:
            yield event  # the end of what began before anybody listened
        else:
            yield from self._begin(event)

    def _begin(self, event: Event) -> Iterator[Event]:
        rule = self._rule(event.kind)
        if rule.on_delay and event.ended_at is None:
            self._pending[event.id] = event
            heapq.heappush(self._due, (event.at + rule.on_delay, event.id))
            return
        if not rule.on_delay:
            yield from self._show(event, rule)

    def _wait_on(self, event: Event) -> None:
        """It waits until it lasted long enough; what ends before is nothing."""
        if event.ended_at is None:
            self._pending[event.id] = event
        else:
            del self._pending[event.id]

    def _show(self, event: Event, rule: Damp) -> Iterator[Event]:
        key = (event.kind, event.entity_id)
        lately = self._began(key, event.at, rule)
        before = self._ending.pop(key, None)
        if before is not None:
            shown = self._shown[before]
            shown.over = None
            shown.returns.append(event.id)
            self._goes_on_as[event.id] = before
        else:
            shown = self._shown[event.id] = Shown(event=msgspec.structs.replace(event, ended_at=None), rule=rule)
        shown.chatters = shown.chatters or lately >= rule.chatters
        yield from self._go_on(shown, event)

    def _go_on(self, shown: Shown, event: Event) -> Iterator[Event]:
        told = shown.told(event)
        key = (shown.event.kind, shown.event.entity_id)
        if told.ended_at is None:
            shown.over = None
            if self._ending.get(key) == shown.event.id:
                del self._ending[key]
            yield told
        elif shown.waits:
            shown.over = told
            self._ending[key] = shown.event.id
            heapq.heappush(self._due, (told.ended_at + shown.waits, shown.event.id))
            if event.at == event.ended_at:
                yield msgspec.structs.replace(told, ended_at=None)
        else:
            self._forget(shown)
            yield told

    def _come_due(self, id: str, due: datetime) -> Iterator[Event]:
        pending = self._pending.pop(id, None)
        if pending is not None:
            yield from self._show(pending, self._rule(pending.kind))
            return
        shown = self._shown.get(id)
        if shown is None or shown.over is None or shown.over.ended_at is None:
            return
        if shown.over.ended_at + shown.waits <= due:
            self._forget(shown)
            yield shown.over

    def _forget(self, shown: Shown) -> None:
        id, key = shown.event.id, (shown.event.kind, shown.event.entity_id)
        del self._shown[id]
        if self._ending.get(key) == id:
            del self._ending[key]
        for later in shown.returns:
            self._goes_on_as.pop(later, None)

    def _began(self, key: Key, at: datetime, rule: Damp) -> int:
        """How often it began lately, this time included."""
        if len(self._begins) > SWEEP_AT:
            self._sweep(at)
        times = self._begins.setdefault(key, deque())
        times.append(at)
        while times[0] <= at - rule.chatters_within:
            times.popleft()
        return len(times)

    def _sweep(self, at: datetime) -> None:
        """Forget what began long ago, when there is very much of it."""
        self._begins = {
            key: times for key, times in self._begins.items() if times[-1] > at - self._rule(key[0]).chatters_within
        }

    def _rule(self, kind: str) -> Damp:
        if kind not in self._rule_of:
            self._rule_of[kind] = next(rule for rule in self._rules if fits(rule.kinds, kind))
        return self._rule_of[kind]
