# SPDX-License-Identifier: Apache-2.0
"""A small town hall: a clerk, a head, and the three powers, each with rights of their own."""

from datetime import UTC, datetime, timedelta

from citybrain.kernel.access import Access, Actor, Kind

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PASSWORD = "correct horse battery"
DECLARED = [{"case.view": ("clerk", "operator"), "case.move": ("clerk",), "audit.purge": ("audit",)}]


async def staff(access: Access, name: str, *roles: str) -> Actor:
    """An account that is there, and its owner acting now."""
    await access.add_account(name, PASSWORD, roles=roles, now=NOON)
    return acting(access, name, *roles)


def acting(access: Access, name: str, *roles: str, now: datetime = NOON) -> Actor:
    """Whoever this is, with the rights that are in force."""
    return access.policy.actor(name, Kind.STAFF, roles, now)
