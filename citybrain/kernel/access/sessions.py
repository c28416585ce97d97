# SPDX-License-Identifier: Apache-2.0
"""Sessions: opened by signing in, known by a token, listed and ended by their owner or the security power."""

import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Kind
from citybrain.kernel.audit.recording import record
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import NotFound

TOKEN_BYTES = 32
# OWASP ASVS 5.0 7.3.1: a session that nobody uses ends. One shift in a control room is at most 12 hours.
SESSION_LASTS = timedelta(hours=12)
# 7.3.2: and it ends some day in any case. NIST SP 800-63B-4 has a day for staff (2.2.3, assurance level 2) and a month
# for who shows one factor alone (2.1.3, level 1), which is what citizens do.
SESSION_ENDS = {Kind.STAFF: timedelta(hours=24), Kind.CITIZEN: timedelta(days=30)}
# A session that was extended this recently is not written again.
EXTEND_EVERY = timedelta(minutes=5)
AGENT_LIMIT = 300


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    session_add: str
    session_find: str
    session_extend: str
    session_remove: str
    sessions_prune: str
    sessions_of: str
    session_end: str
    sessions_end: str
    session_rotate: str
    session_act_for: str


SQL = sql.load(Path(__file__).with_name("queries_sessions.sql"), Sql)


class NoSuchSession(NotFound):
    """There is no such session, or it is somebody else's."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sign-in comes from, as far as it is known: shown to the owner of the session."""

    address: str = ""
    agent: str = ""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """An open session with its account."""

    id: int
    account: str
    kind: Kind
    shown_name: str
    roles: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    proved_at: datetime | None
    second_factor: bool
    acting_for: str | None


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its owner sees it: unused it is over at `expires_at`, in any case at `ends_at`."""

    id: int
    account: str
    method: str
    address: str
    agent: str
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime
    ends_at: datetime
    second_factor: bool
    acting_for: str | None


class _Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A session with its person, who acts."""

    id: int
    account: str
    kind: Kind
    on_behalf_of: str | None = None


class Sessions:
    """The open sessions of one city."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(
        self, account: str, *, method: str, now: datetime, second_factor: bool = False, origin: Origin | None = None
    ) -> str:
        """The token of a new session; only its hash is kept."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        origin = origin or Origin()
        params = {
            "token_hash": hashed(token),
            "account": account,
            "method": method,
            "second_factor": second_factor,
            "address": origin.address,
            "agent": origin.agent[:AGENT_LIMIT],
            "now": now,
            "expires_at": now + SESSION_LASTS,
        }
        async with self._db.transaction() as transaction:
            (opened,) = await transaction.read(SQL.session_add, params, as_=_Opened)
            facts = {"session": opened.id, "method": method, "second_factor": second_factor, "address": origin.address}
            await record(transaction, actor=opened, act="access.signed_in", object=f"account:{account}", facts=facts)
        return token

    async def find(self, token: str, now: datetime) -> Visit | None:
        """The session with this token; None when there is none, it is over, or its account is closed.

        Use extends it, until it ends in any case. It is written every few minutes alone, so most requests only read.
        """
        visit = await self._db.read_one(SQL.session_find, {"token_hash": hashed(token), "now": now}, as_=Visit)
        if visit is None:
            return None
        ends_at = visit.created_at + SESSION_ENDS[visit.kind]
        if ends_at <= now:
            return None
        until = min(now + SESSION_LASTS, ends_at)
        if until - visit.expires_at > EXTEND_EVERY:
            await self._db.write(SQL.session_extend, {"token_hash": hashed(token), "expires_at": until, "now": now})
        return visit

    async def close(self, token: str) -> None:
        """End a session; one that is over already may be ended again."""
        async with self._db.transaction() as transaction:
            for ended in await transaction.read(SQL.session_remove, {"token_hash": hashed(token)}, as_=_Opened):
                told, facts = f"account:{ended.account}", {"session": ended.id}
                await record(transaction, actor=ended, act="access.signed_out", object=told, facts=facts)

    async def rotate(self, session: int, *, now: datetime, second_factor: bool) -> str:
        """A new token for a session whose person has just proved to be who they are; the old one ends at once."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        params = {"id": session, "token_hash": hashed(token), "now": now, "second_factor": second_factor}
        if not await self._db.write(SQL.session_rotate, params):
            raise NoSuchSession("kernel.no_such_session", {"id": session})
        return token

    async def act_for(self, session: int, account: str | None) -> None:
        """From now on the person of this session acts for somebody else, or with None for themselves."""
        async with self._db.transaction() as transaction:
            params = {"id": session, "account": account}
            for changed in await transaction.read(SQL.session_act_for, params, as_=_Opened):
                told, facts = f"account:{account or changed.account}", {"session": session}
                await record(transaction, actor=changed, act="access.acts_for", object=told, facts=facts)

    async def of(self, account: str, now: datetime) -> list[SessionView]:
        """The open sessions of an account, the newest first."""
        params = {"account": account, "now": now, "staff": SESSION_ENDS[Kind.STAFF]}
        return await self._db.read(SQL.sessions_of, {**params, "citizen": SESSION_ENDS[Kind.CITIZEN]}, as_=SessionView)

    async def end(self, account: str, session: int) -> None:
        """End one session of one's own account."""
        async with self._db.transaction() as transaction:
            ended = await transaction.read(SQL.session_end, {"account": account, "id": session}, as_=_Opened)
            if not ended:
                raise NoSuchSession("kernel.no_such_session", {"id": session})
            told, facts = f"account:{account}", {"session": session}
            await record(transaction, actor=ended[0], act="access.session_ended", object=told, facts=facts)

    async def end_all(self, transaction: Transaction, account: str, *, but: int | None = None) -> int:
        """End every session of an account, but one if it is named; answers with how many ended."""
        return await transaction.write(SQL.sessions_end, {"account": account, "but": but})

    async def prune(self, now: datetime) -> None:
        """Forget sessions that are over."""
        await self._db.write(SQL.sessions_prune, {"now": now})


def hashed(token: str) -> bytes:
    """The token has 256 bits of chance, so one round of SHA-256 is enough, and finding a hash tells no timing of it."""
    return hashlib.sha256(token.encode()).digest()
