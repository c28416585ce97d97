# SPDX-License-Identifier: Apache-2.0
"""Passwords: kept as argon2id only, and looked at a few at a time."""

import asyncio
import secrets
from collections.abc import Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from citybrain.kernel.errors import Invalid

NAME_LIMIT = 200
PASSWORD_LIMIT = 1000
HASHING_AT_ONCE = 2  # each takes 64 MiB

# argon2-cffi's defaults: argon2id, RFC 9106 low-memory profile (64 MiB, 3 passes, 4 lanes).
_hasher = PasswordHasher()


# OWASP ASVS 5.0 6.2.1 asks for 8 at least and recommends 15; NIST SP 800-63B forbids rules of composition.
SHORTEST = 12
DIFFERENT = 5
# zxcvbn's scale: under 3 it is found within 10^8 guesses, as all of its 30,000 usual ones are, with digits before or
# behind them too, and rows of keys, years and repetitions (ASVS 6.2.4).
SAFELY_UNGUESSABLE = 3
LOOKED_AT = 32  # characters that are looked at: who has so many good ones needs no more, and it takes a second at most
# ASVS 6.1.2: words of this place, of which with a number behind them no password is made (6.2.11). The account's own
# name is one too.
CONTEXT_WORDS = (
    *("citybrain", "chengshidanao", "operator", "hotline", "rexian", "12345", "gongdan", "zhengfu", "zhengwu"),
    *(
        "城市大脑",
        "热线",
        "工单",
        "政务",
        "管理员",
        "woaini",
        "wozhuiai",
        "5201314",
        "1314520",
        "woaizuguo",
        "zhongguo",
    ),
)


class PasswordTooWeak(Invalid):
    """A password that people choose must be long, not made of few different characters, and none that others try."""


class Passwords:
    """Hashes and compares without holding up the event loop."""

    def __init__(self) -> None:
        self._hashing = asyncio.Semaphore(HASHING_AT_ONCE)

    async def hash(self, password: str) -> str:
        """The hash to keep, with its own salt and costs."""
        async with self._hashing:
            return await asyncio.to_thread(_hasher.hash, password)

    async def match(self, password_hash: str | None, password: str) -> bool:
        """Whether they belong together; for nobody's hash it takes the same time."""
        async with self._hashing:
            try:
                matches = await asyncio.to_thread(_hasher.verify, password_hash or _hash_of_nobody(), password)
            except VerifyMismatchError:
                return False
        return matches and password_hash is not None

    async def check(self, password: str, *words: str) -> None:
        """Refuse a password that is short, the same few characters over and over, or among the first to be guessed.

        `words` are what an attacker knows of its owner.
        """
        if len(password) < SHORTEST or len(set(password)) < DIFFERENT:
            raise PasswordTooWeak("kernel.password_too_weak", {"shortest": SHORTEST})
        async with self._hashing:
            if await asyncio.to_thread(_score, password[:LOOKED_AT], words) < SAFELY_UNGUESSABLE:
                raise PasswordTooWeak("kernel.password_usual", {})


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(secrets.token_hex())


def check_lengths(name: str, password: str) -> None:
    """Refuse what cannot be a name or a password before any work is done for it."""
    if not 0 < len(name) <= NAME_LIMIT or not 0 < len(password) <= PASSWORD_LIMIT or "\0" in name:
        raise Invalid("kernel.sign_in_unusable", {})


def _score(password: str, words: Sequence[str]) -> int:
    # Its lists take memory, and most processes never set a password.
    from zxcvbn import zxcvbn

    found = zxcvbn(password, user_inputs=[*CONTEXT_WORDS, *filter(None, words)])  # type: ignore[no-untyped-call]
    return int(found["score"])
