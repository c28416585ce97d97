# SPDX-License-Identifier: Apache-2.0
"""The open runs of a city in memory, as they are committed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from citybrain.apps.operations.decide.lines import Run, RunLine, RunState, World, is_done
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.store import runs
from citybrain.apps.operations.store.runs import Check
from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.records import Json

EVENTS_AT_MOST = 20_000


class OpenRuns:
    """Runs by id, by their event and by the orders of their lines. The tables are the truth, this is what they say.

    `before` are values when an order was given, `planned` the severity that an event was planned at last, `position`
    how far the committed events were dealt with, `next_check` when a promise is due next (city time). `actors` are
    officers in whose name something is ordered just now.
    """

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self.store = operations.store
        self.db = operations.db
        self.around = operations.around
        self.runs: dict[str, Run] = {}
        self.of_order: dict[str, str] = {}
        self.before: dict[str, Json] = {}
        self.actors: dict[str, Actor] = {}
        self.planned: dict[str, str] = {}
        self.position = 0
        self.next_check: datetime | None = None
        self._of_event: dict[str, set[str]] = {}
        self._since: datetime | None = None

    async def load(self, now: datetime) -> None:
        """Take up what is under way. A city that never did begins with what happens from now on."""
        self._since = now
        position = await runs.position(self.db)
        if position is None:
            position = await self.store.outbox.last_id()
            await runs.move_on(self.db, position)
        self.position = position
        for run in await runs.find(self.db, state=RunState.OPEN):
            self.keep(run)
        self.next_check = await runs.next_due(self.db)

    def keep(self, run: Run) -> None:
        """Remember a run as it is committed; one that is done is forgotten."""
        if run.state is RunState.DONE:
            self._forget(run)
            return
        self.runs[run.id] = run
        self._of_event.setdefault(run.event_id, set()).add(run.id)
        for line in run.lines:
            if line.order_id is not None:
                self.of_order[line.order_id] = run.id

    def of(self, event_id: str) -> list[Run]:
        """The open runs of an event."""
        return [self.runs[id] for id in sorted(self._of_event.get(event_id, ()))]

    def remember(self, event_id: str, severity: str) -> None:
        """An event was planned at this severity."""
        self.planned[event_id] = severity
        if len(self.planned) > EVENTS_AT_MOST:
            del self.planned[next(iter(self.planned))]

    def world(self, now: datetime) -> World:
        """What is so now."""
        around = self.around
        since = self._since or now
        return World(now=now, city_now=around.city_now, since=since, value=around.value_at, room=around.room_at)

    async def commit(self, before: Run, after: Run, now: datetime, *, checks: Sequence[Check] = ()) -> Run:
        """Write what changed of a run, whether it is done, and what is to be looked at; nothing where nothing did."""
        if after.state is RunState.OPEN and is_done(after, self.around.city_now, since=self._since or now):
            after = msgspec.structs.replace(after, state=RunState.DONE, ended_at=now)
        if after != before:
            async with self.db.transaction() as transaction:
                await runs.write(transaction, [after])
                await runs.write_lines(transaction, changed_lines(before, after))
                await runs.add_checks(transaction, checks)
            self.keep(after)
            self.expect(checks)
        return after

    def expect(self, checks: Iterable[Check]) -> None:
        """These promises are due some time."""
        for check in checks:
            self.next_check = min(self.next_check or check.due_at, check.due_at)

    async def actor(self, account: str, now: datetime) -> Actor | None:
        """The officer who confirmed a line, with the rights of now; None when there is no such account any more."""
        if account in self.actors:
            return self.actors[account]
        accounts = await self.store.access.accounts.all()
        found = next((each for each in accounts if each.name == account and each.disabled_at is None), None)
        return self.store.access.policy.actor(account, Kind.STAFF, found.roles, now) if found else None

    def _forget(self, run: Run) -> None:
        self.runs.pop(run.id, None)
        others = self._of_event.get(run.event_id, set())
        others.discard(run.id)
        if not others:
            self._of_event.pop(run.event_id, None)
        for line in run.lines:
            if line.order_id is not None:
                self.of_order.pop(line.order_id, None)
                self.before.pop(line.order_id, None)


def changed_lines(before: Run, after: Run) -> Iterable[tuple[str, RunLine]]:
    """The lines that are not as they were."""
    was = {line.key: line for line in before.lines}
    return [(after.id, line) for line in after.lines if was.get(line.key) != line]
