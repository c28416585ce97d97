# SPDX-License-Identifier: Apache-2.0
"""The second factor: an authenticator app's codes, and recovery codes for when it is lost."""

import base64
import hashlib
import secrets
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access import totp
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.acts import Acts
from citybrain.kernel.access.attempts import Attempts
from citybrain.kernel.access.grants import GrantToOneself
from citybrain.kernel.access.sessions import Sessions
from citybrain.kernel.audit.recording import record
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Conflict, Forbidden, Refusal
from citybrain.kernel.privacy import Kept, kept_rows

ISSUER = "citybrain"
RECOVERY_CODES = 10
# OWASP ASVS 5.0 6.5.2: from 112 bits of chance on one round of SHA-256 is enough.
RECOVERY_BYTES = 15
RESET = "people.sessions"
CODE_LIMIT = 100


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    factor_find: str
    factor_begin: str
    factor_confirm: str
    factor_use: str
    factor_remove: str
    recovery_add: str
    recovery_remove: str
    recovery_use: str
    recovery_left: str
    factors_stale: str
    factor_renew: str


SQL = sql.load(Path(__file__).with_name("queries_factors.sql"), Sql)


class SecondFactorNeeded(Refusal):
    """The password is right; the account asks for a code as well."""


class SecondFactorWrong(Forbidden):
    """The code is wrong, too old, or was used already; it is not said which."""


class AlreadyEnrolled(Conflict):
    """The account has a second factor."""


class NotEnrolled(Conflict):
    """The account has no second factor, or has not begun to get one."""


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator app needs; it is told this once."""

    secret: str
    address: str


class _Factor(msgspec.Struct, frozen=True, kw_only=True):
    secret: bytes
    confirmed_at: datetime | None
    last_step: int


class Factors:
    """The second factors of one city's accounts."""

    def __init__(self, db: Database, acts: Acts, *, keys: KeyRing, attempts: Attempts, sessions: Sessions) -> None:
        self._db = db
        self._acts = acts
        self._keys = keys
        self._attempts = attempts
        self._sessions = sessions

    async def enrolled(self, account: str) -> bool:
        """Whether an account has a second factor that was confirmed."""
        found = await self._find(account)
        return found is not None and found.confirmed_at is not None

    async def begin(self, account: str, *, now: datetime) -> Enrolment:
        """Begin to get a second factor; it counts once a code of it was shown. Beginning anew makes a new secret."""
        if await self.enrolled(account):
            raise AlreadyEnrolled("kernel.second_factor_there", {})
        secret = secrets.token_bytes(totp.SECRET_BYTES)
        params = {"account": account, "secret": self._keys.encrypt(secret, _place(account)), "now": now}
        await self._db.write(SQL.factor_begin, params)
        return Enrolment(secret=totp.base32(secret), address=totp.address(secret, issuer=ISSUER, account=account))

    async def confirm(self, account: str, code: str, *, now: datetime, actor: Actor) -> list[str]:
        """The app works: from now on sign-in asks for its codes. Answers with the recovery codes, said this once."""
        found = await self._find(account)
        if found is None or found.confirmed_at is not None:
            raise NotEnrolled("kernel.second_factor_not_begun", {})
        await self._attempts.count(_name(account), now)
        step = totp.matching_step(self._secret(account, found), code, now, after=found.last_step)
        if step is None:
            raise SecondFactorWrong("kernel.second_factor_wrong", {})
        await self._attempts.forget(_name(account))
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        async with self._db.transaction() as transaction:
            await transaction.write(SQL.factor_confirm, {"account": account, "now": now, "step": step})
            await transaction.write(SQL.recovery_remove, {"account": account})
            hashes = [{"account": account, "code_hash": _hashed(each)} for each in codes]
            await transaction.write_many(SQL.recovery_add, hashes)
            await self._sessions.end_all(transaction, account, but=actor.session)
            await record(transaction, actor=actor, act="people.second_factor_added", object=f"account:{account}")
        return codes

    async def check(self, account: str, code: str | None, *, now: datetime) -> bool:
        """Whether the account has a second factor; refuses when it has one and the code is missing or wrong.

        A code of the app counts once, a recovery code once for ever. Wrong ones are counted and lock like passwords.
        """
        found = await self._find(account)
        if found is None or found.confirmed_at is None:
            return False
        if not code:
            raise SecondFactorNeeded("kernel.second_factor_needed", {})
        await self._attempts.count(_name(account), now)
        if not await self._matches(account, found, code.strip()[:CODE_LIMIT], now):
            raise SecondFactorWrong("kernel.second_factor_wrong", {})
        await self._attempts.forget(_name(account))
        return True

    async def remove(self, actor: Actor, account: str, *, now: datetime, code: str) -> None:
        """Give up one's own second factor, with a last code of it."""
        if not await self.check(account, code, now=now):
            raise NotEnrolled("kernel.second_factor_not_begun", {})
        async with self._db.transaction() as transaction:
            await transaction.write(SQL.factor_remove, {"account": account})
            await transaction.write(SQL.recovery_remove, {"account": account})
            await self._sessions.end_all(transaction, account, but=actor.session)
            await record(transaction, actor=actor, act="people.second_factor_removed", object=f"account:{account}")

    async def reset(self, actor: Actor, account: str) -> None:
        """Take the lost second factor of somebody else away, for the security power; their sessions end."""
        if actor.account == account:
            raise GrantToOneself("kernel.grant_to_oneself", {"account": account})
        async with self._acts.begin(actor, RESET) as act:
            await act.transaction.write(SQL.recovery_remove, {"account": account})
            if not await act.transaction.write(SQL.factor_remove, {"account": account}):
                raise NotEnrolled("kernel.second_factor_not_begun", {})
            await self._sessions.end_all(act.transaction, account)
            await act.record("people.second_factor_reset", f"account:{account}", {})

    async def recovery_codes_left(self, account: str) -> int:
        """How many recovery codes were not used yet."""
        return (await self._db.read(SQL.recovery_left, {"account": account}, as_=int))[0]

    async def forget(self, account: str) -> None:
        """Take a second factor away without asking: for whoever holds the machine itself."""
        await self._db.write(SQL.recovery_remove, {"account": account})
        await self._db.write(SQL.factor_remove, {"account": account})

    def kept(self) -> Kept:
        """Secrets of authenticator apps follow the newest key."""
        stale, renew = SQL.factors_stale, SQL.factor_renew
        return kept_rows(
            "second_factor", self._db, self._keys, stale=stale, renew=renew, place=lambda key: _place(*key)
        )

    async def _find(self, account: str) -> _Factor | None:
        return await self._db.read_one(SQL.factor_find, {"account": account}, as_=_Factor)

    async def _matches(self, account: str, found: _Factor, code: str, now: datetime) -> bool:
        step = totp.matching_step(self._secret(account, found), code, now, after=found.last_step)
        if step is not None:
            # The step stands in the WHERE: of two requests with one code only the first counts.
            return bool(await self._db.write(SQL.factor_use, {"account": account, "step": step}))
        params = {"account": account, "code_hash": _hashed(code), "now": now}
        return bool(await self._db.write(SQL.recovery_use, params))

    def _secret(self, account: str, found: _Factor) -> bytes:
        return self._keys.decrypt_bytes(found.secret, _place(account))


def _place(account: str) -> Place:
    return Place(table="second_factor", column="secret", row=account)


def _name(account: str) -> str:
    """Under which name failures are counted: not the account's own, which passwords are counted under."""
    return f"second factor of {account}"


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _hashed(code: str) -> bytes:
    return hashlib.sha256(code.upper().replace("-", "").replace(" ", "").encode()).digest()
