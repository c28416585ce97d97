# SPDX-License-Identifier: Apache-2.0
"""What a steward may do: say what becomes of what does not fit, and tell again what was given up."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

import msgspec

from citybrain.apps.pool.model import Letter, without_secrets
from citybrain.apps.pool.store import Point
from citybrain.kernel.errors import Invalid
from citybrain.kernel.models.policies import Policies, Policy, TypePolicy
from citybrain.kernel.subscriptions.service import Subscriptions
from citybrain.kernel.subscriptions.store import Dead
from citybrain.kernel.subscriptions.subscription import Kind, SubscriptionView, Why

LAGGING_S = 60.0
"""A subscriber that is further behind is shown as late: a minute is long for what is called a notification."""


class UnusablePromise(Invalid):
    """A promise must be a positive number of seconds."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription with its health in a word."""

    view: SubscriptionView
    health: str


async def set_policy(policies: Policies, policy: TypePolicy) -> TypePolicy:
    """Say what becomes of entities of a type that do not fit their model, and how often they promise to be observed."""
    if policy.every_s is not None and not 0 < policy.every_s < float("inf"):
        raise UnusablePromise("pool.unusable_promise", {"seconds": policy.every_s})
    await policies.set(policy)
    return policy


def known(policies: Policies, type: str, now: datetime) -> TypePolicy:
    """The policy of a type; off, promised by nobody, where none was set."""
    found = next((each for each in policies.all() if each.type == type), None)
    return found or TypePolicy(type=type, policy=Policy.OFF, every_s=None, changed_by="", changed_at=now)


def told(subscriptions: Subscriptions, now: datetime) -> list[Told]:
    """Every subscription of every tenant: what fails first, then the longest behind."""
    views = [_told(each) for each in subscriptions.views(now)]
    return sorted(views, key=lambda each: (_WORST.index(each.health), -each.view.lag_s))


_WORST = ("failing", "late", "dead", "expired", "paused", "quiet", "well")


def _told(view: SubscriptionView) -> Told:
    return Told(view=msgspec.structs.replace(view, endpoint=without_secrets(view.endpoint)), health=_health(view))


def _health(view: SubscriptionView) -> str:
    if view.status != "active":
        return view.status.value
    if view.last_failure is not None and (view.last_success is None or view.last_failure > view.last_success):
        return "failing"
    if view.lag_s > LAGGING_S:
        return "late"
    if view.dead:
        return "dead"
    return "well" if view.times_sent else "quiet"


def reason(why: str) -> Why:
    """Why something failed, as it was kept."""
    return msgspec.json.decode(why, type=Why) if why else Why("")


async def letters(subscriptions: Subscriptions, tenant: str, id: str, kind: Kind) -> list[Letter]:
    """The oldest notifications of a subscription that were given up."""
    return [_letter(each) for each in await subscriptions.dead(tenant, id, kind=kind)]


def _letter(dead: Dead) -> Letter:
    why = reason(dead.why)
    return Letter(
        number=dead.number,
        at=dead.at,
        about=dead.about,
        tries=dead.tries,
        code=why.code,
        facts=why.facts,
        died_at=dead.died_at,
    )


def as_csv(points: Sequence[Point]) -> bytes:
    """Values as a table that spreadsheets open; the mark at its head tells them that it is UTF-8."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("time", "value"))
    rows.writerows((each.at.isoformat(), each.value) for each in points)
    return written.getvalue().encode("utf-8-sig")
