# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that ask by interval: told every so many seconds what there is, whatever changed (clause 5.8.6)."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.subscriptions.carriers import Message
from citybrain.kernel.subscriptions.delivery import Delivery
from citybrain.kernel.subscriptions.line import Line
from citybrain.kernel.subscriptions.subscription import Status

LONGEST_REST_S = 60.0
"""A status can change by time alone, so look again after so long at most."""


async def tell_for_ever(line: Line, delivery: Delivery, compose: Callable[[Line], Iterable[Message]]) -> None:
    """Tell the present at each interval, counted from the last notification. What fails is not tried again: the next
    interval tells anew."""
    subscription = line.one.subscription
    last = line.health.last_notification or utc_now()
    due_s = monotonic_s() + (last + timedelta(seconds=subscription.time_interval_s) - utc_now()).total_seconds()
    while not line.is_gone:
        subscription = line.one.subscription
        pause_s = due_s - monotonic_s()
        if pause_s > 0:
            await line.rest(min(pause_s, LONGEST_REST_S))
        elif subscription.status(utc_now()) is not Status.ACTIVE:
            await line.rest(LONGEST_REST_S)
        else:
            due_s = max(due_s, monotonic_s() - subscription.time_interval_s) + subscription.time_interval_s
            for message in compose(line):
                line.health.tries = 0
                await delivery.send(line, message)
