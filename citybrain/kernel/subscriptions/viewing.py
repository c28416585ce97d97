# SPDX-License-Identifier: Apache-2.0
"""A subscription with its health, as the screen shows it."""

from datetime import datetime

import msgspec

from citybrain.kernel.subscriptions.line import Line
from citybrain.kernel.subscriptions.subscription import SubscriptionView, Why


def view(line: Line, now: datetime) -> SubscriptionView:
    """What waits for a subscription, since when, and why the last failure was one."""
    subscription, health = line.one.subscription, line.health
    oldest = line.waiting[0].at if line.waiting else None
    return SubscriptionView(
        id=subscription.id,
        tenant=subscription.tenant,
        kind=subscription.kind,
        name=subscription.name,
        endpoint=subscription.params.endpoint.uri,
        status=subscription.status(now),
        waiting=len(line.waiting),
        lag_s=(now - oldest).total_seconds() if oldest else 0.0,
        oldest_at=oldest,
        times_sent=health.times_sent,
        times_failed=health.times_failed,
        dead=health.dead,
        last_notification=health.last_notification,
        last_success=health.last_success,
        last_failure=health.last_failure,
        why=msgspec.json.decode(health.why, type=Why) if health.why else None,
    )
