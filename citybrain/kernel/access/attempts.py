# SPDX-License-Identifier: Apache-2.0
"""Failures are counted before anything is looked at, and too many lock a name for a while."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Forbidden

# OWASP Authentication Cheat Sheet asks for a limit on failures; ours shuts out a guesser, not a person for a day.
FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=5)


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    attempt: str
    attempt_forget: str
    attempts_prune: str


SQL = sql.load(Path(__file__).with_name("queries_attempts.sql"), Sql)


class SignInLocked(Forbidden):
    """Too many failures with this name; `until` says when it may be tried again."""


class _Attempt(msgspec.Struct, frozen=True, kw_only=True):
    failures: int
    locked_until: datetime | None


class Attempts:
    """Failures by name, durable, whether or not somebody has the name."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def count(self, name: str, now: datetime) -> None:
        """Count a try as failed before it is looked at, so guessing in parallel gains nothing; refuses while locked."""
        params = {"name": name, "now": now, "allowed": FAILURES_ALLOWED, "until": now + LOCKED_FOR}
        attempt = (await self._db.read(SQL.attempt, params, as_=_Attempt))[0]
        if attempt.locked_until and attempt.locked_until > now and attempt.failures > FAILURES_ALLOWED:
            raise SignInLocked("kernel.sign_in_locked", {"until": attempt.locked_until})

    async def forget(self, name: str) -> None:
        """It was the right person after all."""
        await self._db.write(SQL.attempt_forget, {"name": name})

    async def prune(self, *, before: datetime) -> None:
        """Forget what is old."""
        await self._db.write(SQL.attempts_prune, {"before": before})
