# SPDX-License-Identifier: Apache-2.0
"""Citizens sign in with a code sent to their e-mail or phone. The address is used to send, and not kept."""

import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.limits import CODES_AT_ONCE, CODES_BY_ADDRESS, CODES_BY_CONTACT, Limits
from citybrain.kernel.access.sending import Sender, WayNotSet
from citybrain.kernel.access.sessions import Origin, Sessions
from citybrain.kernel.access.witness import Witness
from citybrain.kernel.clock import new_id
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Forbidden, Invalid
from citybrain.kernel.i18n import Words, load_words
from citybrain.kernel.privacy import normalise

CODE_DIGITS = 6
# OWASP ASVS 5.0 6.6.2: an out-of-band code lives ten minutes at most; 6.6.3: and is guarded against guessing.
CODE_LASTS = timedelta(minutes=5)
TRIES = 5
EMAIL = re.compile(r"[^@\s\0]{1,64}@[^@\s\0]{1,190}\.[^@\s\0.]{2,63}")
# ITU-T E.164: fifteen digits at most. A mainland number may come without its country's code.
PHONE = re.compile(r"\+?[0-9]{7,15}")
CHINA_MOBILE = re.compile(r"1[3-9][0-9]{9}")


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    code_add: str
    code_try: str
    code_use: str
    codes_prune: str
    contact_find: str
    citizen_add: str
    contact_add: str
    contacts_of: str
    marks_of: str


SQL = sql.load(Path(__file__).with_name("queries_citizens.sql"), Sql)


class BadContact(Invalid):
    """This is no e-mail address and no phone number."""


class CodeRefused(Forbidden):
    """The code is wrong, too old, used or tried too often; it is not said which."""


class Way(StrEnum):
    """How a citizen is reached."""

    EMAIL = "email"
    PHONE = "phone"


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Where a code goes, in one form for all ways of writing it."""

    way: Way
    address: str

    @property
    def hint(self) -> str:
        """So much of it that its owner knows which one is meant."""
        if self.way is Way.PHONE:
            return (
                f"{self.address[:-8]}****{self.address[-4:]}" if len(self.address) > 8 else f"****{self.address[-3:]}"
            )
        name, _, host = self.address.partition("@")
        return f"{name[0]}***@{host}"


class _Tried(msgspec.Struct, frozen=True, kw_only=True):
    mark: bytes
    way: Way
    hint: str
    code_mark: bytes
    tries: int


class Citizens:
    """Sign-in by code. `senders` are the ways the operator has set up."""

    def __init__(self, db: Database, *, keys: KeyRing, sessions: Sessions, limits: Limits, witness: Witness) -> None:
        self._db = db
        self._keys = keys
        self._sessions = sessions
        self._limits = limits
        self._witness = witness
        self.senders: Mapping[Way, Sender] = {}

    async def send_code(self, given: str, *, lang: str, now: datetime, origin: Origin) -> str:
        """Send a code to an e-mail address or phone; answers with the number under which it is to be shown.

        The answer is the same whether or not the city knows the address. Refuses what cannot be one, too many codes,
        and when the message cannot be handed over.
        """
        contact = read_contact(given)
        sender = self.senders.get(contact.way)
        if sender is None:
            raise WayNotSet("kernel.way_not_set", {"way": contact.way})
        # The same mark as the city's other parts keep of a person, so that somebody signed in finds all of theirs.
        mark = self._keys.mark(contact.way, normalise(contact.way, contact.address))
        async with self._witness.sign_in("", act="access.code_refused", origin=origin, now=now):
            self._limits.count(f"code {origin.address}", CODES_BY_ADDRESS, now)
            self._limits.count(f"code {mark.hex()}", CODES_AT_ONCE, now)
            self._limits.count(f"code {mark.hex()}", CODES_BY_CONTACT, now)
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        number = new_id()
        params = {
            "id": number,
            "mark": mark,
            "way": contact.way.value,
            "hint": contact.hint,
            "code_mark": self._keys.mark("sign-in code", f"{number} {code}"),
            "now": now,
            "expires_at": now + CODE_LASTS,
        }
        await self._db.write(SQL.code_add, params)
        facts = {"code": code, "minutes": int(CODE_LASTS.total_seconds() // 60)}
        subject, text = (_words().sentence(key, facts, lang) for key in ("kernel.code_subject", "kernel.code_text"))
        await sender.send(contact.address, subject=subject, text=text)
        return number

    async def sign_in(self, number: str, code: str, *, now: datetime, origin: Origin) -> str:
        """The token of a new session of the citizen with this code; who comes the first time gets an account.

        A code counts once, for a short time and a few tries; a try counts before the code is looked at.
        """
        async with self._witness.sign_in("", origin=origin, now=now):
            found = await self._by_code(number, code, now)
        account = await self._account(found, now)
        return await self._sessions.open(account, method=f"code by {found.way}", now=now, origin=origin)

    async def _by_code(self, number: str, code: str, now: datetime) -> _Tried:
        found = await self._db.read_one(SQL.code_try, {"id": number, "now": now, "tries": TRIES}, as_=_Tried)
        shown = self._keys.marks("sign-in code", f"{number} {code.strip()}")
        if found is None or not any(hmac.compare_digest(each, found.code_mark) for each in shown):
            raise CodeRefused("kernel.code_refused", {})
        if not await self._db.write(SQL.code_use, {"id": number, "now": now}):
            raise CodeRefused("kernel.code_refused", {})
        return found

    async def new_account(self, now: datetime) -> str:
        """An account for a citizen, under a name that says nothing about them."""
        name = f"citizen-{new_id().lower()}"
        await self._db.write(SQL.citizen_add, {"name": name, "now": now})
        return name

    async def hints(self, account: str) -> list[str]:
        """By which ways an account signs in, masked."""
        return await self._db.read(SQL.contacts_of, {"account": account}, as_=str)

    async def marks(self, account: str) -> list[bytes]:
        """Under which marks the city knows the person who signs in with this account."""
        return await self._db.read(SQL.marks_of, {"account": account}, as_=bytes)

    async def prune(self, now: datetime) -> None:
        """Forget codes that are over."""
        await self._db.write(SQL.codes_prune, {"now": now})

    async def _account(self, found: _Tried, now: datetime) -> str:
        known = await self._db.read_one(SQL.contact_find, {"mark": found.mark}, as_=str)
        if known is not None:
            return known
        name = f"citizen-{new_id().lower()}"
        params = {"mark": found.mark, "way": found.way.value, "hint": found.hint, "name": name, "now": now}
        async with self._db.transaction() as transaction:
            await transaction.write(SQL.citizen_add, {"name": name, "now": now})
            # Of two first sign-ins at one moment the earlier one's account is the citizen's.
            return (await transaction.read(SQL.contact_add, params, as_=str))[0]


@cache
def _words() -> Words:
    return load_words()


def read_contact(given: str) -> Contact:
    """An e-mail address or a phone number, as people write them."""
    text = given.strip()
    if EMAIL.fullmatch(text):
        return Contact(way=Way.EMAIL, address=text.casefold())
    digits = re.sub(r"[\s()-]", "", text)
    if not PHONE.fullmatch(digits):
        raise BadContact("kernel.contact_unusable", {})
    if CHINA_MOBILE.fullmatch(digits):
        digits = f"+86{digits}"
    return Contact(way=Way.PHONE, address=digits)
