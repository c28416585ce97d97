# SPDX-License-Identifier: Apache-2.0
"""Forms that are not sent yet: kept with every change, so that an expired session or a closed window loses nothing."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.cases.forms import VALUES_BYTES
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid, NotFound
from citybrain.kernel.privacy import Kept, kept_rows
from citybrain.kernel.records import Facts

ACCOUNT_LASTS = timedelta(days=30)
BROWSER_LASTS = timedelta(days=7)
AT_MOST = 50  # drafts of one owner
PLACE_LENGTH = 200
SECRET_LENGTH = 20


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    draft_save: str
    draft_get: str
    drafts_of: str
    draft_discard: str
    drafts_beyond: str
    draft_owner: str
    drafts_expired: str
    drafts_stale: str
    draft_renew: str


SQL = sql.load(Path(__file__).with_name("queries_drafts.sql"), Sql)


class NoSuchDraft(NotFound):
    """There is no draft at this place, or its time is over."""


class DraftRefused(Invalid):
    """A draft that is too large, or whose place or owner makes no sense."""


class Owner(msgspec.Struct, frozen=True):
    """Whose a draft is: an account's, or that of whoever has a browser's secret, of which only the hash is kept."""

    key: str
    lasts: timedelta

    @classmethod
    def account(cls, name: str) -> "Owner":
        """Somebody who is signed in."""
        return cls(f"account:{name}", ACCOUNT_LASTS)

    @classmethod
    def browser(cls, secret: str) -> "Owner":
        """Whoever has this secret; it is made by the browser from 20 or more random characters."""
        if len(secret) < SECRET_LENGTH:
            raise DraftRefused("kernel.draft_secret_short", {"limit": SECRET_LENGTH})
        return cls(f"browser:{hashlib.sha256(secret.encode()).hexdigest()}", BROWSER_LASTS)


class DraftHead(msgspec.Struct, frozen=True, kw_only=True):
    """A draft in a list. `place` says what it is a draft of: `open:ticket`, `move:4711:finish`."""

    place: str
    saved_at: datetime
    expires_at: datetime


class Draft(DraftHead, frozen=True, kw_only=True):
    """A draft with what was filled in so far, checked or not."""

    values: Facts


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    body: bytes
    saved_at: datetime
    expires_at: datetime


class Drafts:
    """The drafts of one city, encrypted where they lie."""

    def __init__(self, db: Database, keys: KeyRing) -> None:
        self._db = db
        self._keys = keys

    async def save(self, owner: Owner, place: str, values: Facts, *, now: datetime) -> DraftHead:
        """Keep what was filled in so far; an older one that comes later does not overwrite it. Lasts anew each time."""
        body = msgspec.json.encode(values)
        if len(body) > VALUES_BYTES or not 0 < len(place) <= PLACE_LENGTH:
            raise DraftRefused("kernel.draft_too_large", {"limit_kib": VALUES_BYTES // 1024})
        head = DraftHead(place=place, saved_at=now, expires_at=now + owner.lasts)
        sealed = self._keys.encrypt(body, _place(owner.key, place))
        async with self._db.transaction() as transaction:
            params = {**msgspec.structs.asdict(head), "owner": owner.key, "body": sealed}
            await transaction.write(SQL.draft_save, params)
            await transaction.write(SQL.drafts_beyond, {"owner": owner.key, "limit": AT_MOST})
        return head

    async def get(self, owner: Owner, place: str, *, now: datetime) -> Draft:
        """What was kept at a place; refuses `NoSuchDraft`."""
        row = await self._db.read_one(SQL.draft_get, {"owner": owner.key, "place": place, "now": now}, as_=_Row)
        if row is None:
            raise NoSuchDraft("kernel.no_such_draft", {"place": place})
        body = self._keys.decrypt_bytes(row.body, _place(owner.key, place))
        values = msgspec.json.decode(body)
        return Draft(place=place, saved_at=row.saved_at, expires_at=row.expires_at, values=values)

    async def list(self, owner: Owner, *, now: datetime) -> list[DraftHead]:
        """The drafts of somebody, the newest first."""
        return await self._db.read(SQL.drafts_of, {"owner": owner.key, "now": now}, as_=DraftHead)

    async def discard(self, owner: Owner, place: str) -> None:
        """Forget a draft, as when it was sent. One that is not there is forgotten already."""
        await self._db.write(SQL.draft_discard, {"owner": owner.key, "place": place})

    async def take_over(self, browser: Owner, account: Owner, *, now: datetime) -> int:
        """Who signs in takes what the browser kept; where the account has a draft already, that one stays."""
        taken = 0
        for head in await self.list(browser, now=now):
            draft = await self.get(browser, head.place, now=now)
            sealed = self._keys.encrypt(msgspec.json.encode(draft.values), _place(account.key, head.place))
            params = {"owner": account.key, "before": browser.key, "place": head.place, "body": sealed}
            taken += await self._db.write(SQL.draft_owner, params)
        return taken

    async def expire(self, *, now: datetime) -> int:
        """Forget all whose time is over; answers with how many."""
        return await self._db.write(SQL.drafts_expired, {"now": now})

    def kept(self) -> Kept:
        """Drafts follow the newest key."""
        stale, renew = SQL.drafts_stale, SQL.draft_renew
        return kept_rows("drafts", self._db, self._keys, stale=stale, renew=renew, place=lambda key: _place(*key))


def _place(owner: str, place: str) -> Place:
    return Place("case_draft", "body", f"{owner}\0{place}")
