# SPDX-License-Identifier: Apache-2.0
"""One subscription's line of notices: what goes together, when it may go, what a failure means. Pure but for waking."""

import asyncio
from collections import deque
from datetime import datetime, timedelta

import msgspec

from citybrain.kernel.subscriptions.carriers import Carried
from citybrain.kernel.subscriptions.compiled import Compiled
from citybrain.kernel.subscriptions.notice import Notice
from citybrain.kernel.subscriptions.subscription import Health, Kind, Status

# An endpoint that is away is tried for about an hour: 1 + 2 + … + 256 s, then every five minutes.
TRIES = 20
# An endpoint that is there and refuses a notification is not asked for ever, others wait behind it: 15 s.
TRIES_REFUSED = 5
PAUSE_FIRST_S = 1.0
PAUSE_LAST_S = 300.0
# One notification holds so many entities at most, when they have to wait for each other anyway.
TOGETHER = 100
BYTES_TOGETHER = 2**20
SLOW_S = 1.0


class Line:
    """What waits for one subscription, in order, and how far it was told. The newest try decides whether it is slow."""

    def __init__(self, one: Compiled, health: Health, told_until: int) -> None:
        self.one = one
        self.health = health
        self.told_until = told_until
        self.waiting: deque[Notice] = deque()
        self.retry_at_s = 0.0
        self.is_slow = False
        self.is_alone = False
        self.is_held = False
        self.is_gone = False
        self.task: asyncio.Task[None] | None = None
        self.changing = asyncio.Lock()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something changed: think again about when to go on."""
        self._woken.set()

    async def rest(self, seconds: float | None) -> None:
        """Wait, until woken at most; None waits for nothing else."""
        self._woken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def may_go_in(self, now: datetime, monotonic_s: float) -> float | None:
        """In how many seconds the next notification may go; None: not before it is woken.

        A paused line keeps what waits. Throttling counts from the last notification that arrived (table 5.2.12-1),
        the pause after a failure from that failure.
        """
        subscription = self.one.subscription
        if self.is_held or subscription.status(now) is Status.PAUSED:
            return None
        pause = self.retry_at_s - monotonic_s
        last = self.health.last_success
        if subscription.throttling_s and last and not self.health.tries:
            pause = max(pause, (last + timedelta(seconds=subscription.throttling_s) - now).total_seconds())
        return max(pause, 0.0)

    def group(self) -> list[Notice]:
        """What goes next, together: different entities in their order, or all that throttling made wait."""
        subscription = self.one.subscription
        if subscription.throttling_s and subscription.kind is Kind.ENTITIES:
            return list(self.waiting)
        group: list[Notice] = []
        about: set[str] = set()
        size = 0
        for notice in self.waiting:
            size += notice.size
            if group and (notice.about in about or len(group) >= TOGETHER or size > BYTES_TOGETHER):
                break
            group.append(notice)
            about.add(notice.about)
            if self.is_alone or subscription.kind is Kind.SOURCES:
                break
        return group

    def newest(self, group: list[Notice]) -> list[Notice]:
        """Of a group what is told: of each entity its newest state."""
        return sorted({notice.about: notice for notice in group}.values(), key=lambda notice: notice.number)

    def set_out(self, now: datetime) -> None:
        """A try begins. A notification counts once as sent, however often it is tried."""
        if self.health.tries == 0:
            self.health.times_sent += 1
            self.health.last_notification = now

    def note(self, carried: Carried, *, now: datetime, monotonic_s: float) -> None:
        """What became of a try. A notification counts once as failed, however often it fails."""
        health = self.health
        # What is refused is tried alone from then on, so that nothing else is buried with it.
        self.is_alone = carried.is_refused
        if carried.why is None:
            health.last_success, health.tries = now, 0
            self.retry_at_s = 0.0
            return
        health.times_failed += health.tries == 0
        health.tries += 1
        health.last_failure = now
        health.why = msgspec.json.encode(carried.why).decode()
        pause = min(PAUSE_FIRST_S * 2 ** (health.tries - 1), PAUSE_LAST_S)
        self.retry_at_s = monotonic_s + max(pause, self.one.subscription.params.endpoint.cooldown_ms / 1000)

    def dying(self, carried: Carried, group: list[Notice]) -> list[Notice]:
        """What was tried often enough: the group that is refused, or all that waits for an endpoint that is away."""
        if carried.is_refused:
            return group if self.health.tries >= TRIES_REFUSED else []
        return list(self.waiting) if self.health.tries >= TRIES else []

    def pass_over(self, group: list[Notice]) -> list[Notice]:
        """Leave the front of the line behind; answers with the notices that no line waits for any more."""
        for _ in group:
            self.waiting.popleft()
        self.told_until = max(self.told_until, group[-1].number)
        return _released(group)

    def abandon(self) -> list[Notice]:
        """Nothing is told any more; answers with the notices that no line waits for any more."""
        self.is_gone = True
        left = list(self.waiting)
        self.waiting.clear()
        return _released(left)


def _released(notices: list[Notice]) -> list[Notice]:
    for notice in notices:
        notice.left -= 1
    return [notice for notice in notices if notice.left <= 0]
