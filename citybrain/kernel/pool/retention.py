# SPDX-License-Identifier: Apache-2.0
"""How long the past is kept, by type and attribute: single values first, then figures of periods, then nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid

ALL = "*"
AT_ONCE = 1_000
"""So many series are thinned out in one transaction."""
A_DAY_S = 86_400


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    policies: str
    policy_write: str
    policy_delete: str
    meant: str
    thin_out: str
    figures_forget: str


SQL = sql.load(Path(__file__).with_name("queries_retention.sql"), Sql)


class BadPolicy(Invalid):
    """Numbers that make no sense together."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How long an attribute (`*` for all without a policy of their own) of a type is kept.

    Single values for `raw_days`. With `period_s`, figures of such periods after that, for `figures_days` counted from
    the same beginning, None for ever. What no policy names is kept for ever.
    """

    tenant: str = ""
    type: str
    attribute: str = ALL
    raw_days: int
    period_s: int | None = None
    figures_days: int | None = None


async def policies(db: Database) -> Sequence[Policy]:
    """All policies."""
    return await db.read(SQL.policies, as_=Policy)


async def set_policy(db: Database, policy: Policy) -> None:
    """Set or change a policy. Refuses periods that a day is no multiple of, and figures that go before the values."""
    figures_last = policy.figures_days is None or policy.figures_days >= policy.raw_days
    whole = policy.period_s is None or (policy.period_s > 0 and A_DAY_S % policy.period_s == 0)
    if policy.raw_days < 1 or not figures_last or not whole:
        raise BadPolicy("kernel.retention_bad", {"type": policy.type, "attribute": policy.attribute})
    await db.write(SQL.policy_write, msgspec.structs.asdict(policy))


async def remove_policy(db: Database, *, tenant: str, type: str, attribute: str) -> bool:
    """Take a policy back; answers whether there was one. What is gone stays gone."""
    return bool(await db.write(SQL.policy_delete, {"tenant": tenant, "type": type, "attribute": attribute}))


async def keep_to_policies(db: Database, *, now: datetime) -> int:
    """Thin out what is older than its policy says; answers with how many values went.

    Whole days go, so that no period is told by some of its values and the figures of the others.
    """
    gone = 0
    for policy in await policies(db):
        gone += await _thin_out(db, policy, before=_day_before(now, policy.raw_days))
        if policy.figures_days is not None:
            params = {
                "tenant": policy.tenant,
                "type": policy.type,
                "attribute": policy.attribute,
                "before": _day_before(now, policy.figures_days),
            }
            await db.write(SQL.figures_forget, params)
    return gone


async def _thin_out(db: Database, policy: Policy, *, before: datetime) -> int:
    gone, after = 0, 0
    while True:
        params = {
            "tenant": policy.tenant,
            "type": policy.type,
            "attribute": policy.attribute,
            "before": before,
            "after": after,
            "limit": AT_ONCE,
        }
        meant = await db.rows(SQL.meant, params)
        if not meant:
            return gone
        entities, attributes = (list(column) for column in zip(*meant, strict=True))
        thinning = {"entities": entities, "attributes": attributes, "before": before, "period_s": policy.period_s}
        gone += int((await db.rows(SQL.thin_out, thinning))[0][0])
        # The last entity may have more series than fitted: it is looked at again until it has none left.
        after = entities[-1] - 1 if len(meant) == AT_ONCE else entities[-1]


def _day_before(now: datetime, days: int) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
