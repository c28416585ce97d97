# SPDX-License-Identifier: Apache-2.0
"""The key ring: which keys a city has, in a file for its owner's eyes only, and what is done with them."""

import os
import secrets
import stat
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.kernel.crypto.provider import (
    AES,
    NONCE_BYTES,
    DoesNotOpen,
    Provider,
    is_signed,
    new_signing_key,
    provider_of,
    public_of,
    sign,
)
from citybrain.kernel.errors import Conflict, Unavailable

FORMAT = 1
NUMBER_BYTES = 4
HEAD_BYTES = 1 + NUMBER_BYTES
OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO
CHECKED = b"citybrain key check"


class Use(StrEnum):
    """What a key is for; one key never serves two uses."""

    DATA = "data"
    SEARCH = "search"
    SEAL = "seal"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key. Of each use the one with the highest number is used for what is new."""

    number: int
    use: Use
    family: str
    secret: bytes
    made_at: datetime


class KeyFile(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the file."""

    format: int
    keys: tuple[Key, ...]


class Place(msgspec.Struct, frozen=True):
    """Where an encrypted value lies. It opens nowhere else: not in another row, column or table."""

    table: str
    column: str
    row: str | int

    def bound(self) -> bytes:
        """The place as bytes; no two places have the same."""
        parts = [str(part).encode() for part in (self.table, self.column, self.row)]
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class KeyLost(Unavailable):
    """Something was made with a key that this ring does not have."""


class KeyFileUnsafe(Unavailable):
    """Others on this machine may read the keys."""


class KeyFileUnusable(Unavailable):
    """The file with the keys cannot be read or written."""


class NotAsEncrypted(Conflict):
    """The value was changed, or brought here from another place: it is not shown."""


class KeyRing:
    """The keys of one city. Without a file (`path` None) it lasts as long as the process: for tests and trials."""

    def __init__(self, keys: Sequence[Key], path: Path | None = None) -> None:
        self._keys = {key.number: key for key in keys}
        self.path = path

    @classmethod
    def open(cls, path: Path, *, now: datetime, family: str = AES.name) -> "KeyRing":
        """Read the file, or make it with one key of each use. Refuses one that others may read, or that is broken."""
        try:
            if not path.exists():
                ring = cls.new(now=now, family=family, path=path)
                ring._write()
                return ring
            if stat.S_IMODE(path.stat().st_mode) & OTHERS_MAY:
                raise KeyFileUnsafe("kernel.key_file_unsafe", {"file": str(path)})
            found = msgspec.json.decode(path.read_bytes(), type=KeyFile)
        except (OSError, msgspec.DecodeError) as problem:
            raise KeyFileUnusable("kernel.key_file_unusable", {"file": str(path), "why": str(problem)}) from problem
        ring = cls(found.keys, path)
        for use in Use:
            ring._newest(use)
        if ring._newest(Use.DATA).family != family:
            ring.rotate(now=now, family=family)
        return ring

    @classmethod
    def new(cls, *, now: datetime, family: str = AES.name, path: Path | None = None, first: int = 1) -> "KeyRing":
        """A ring with one new key of each use, numbered from `first` on."""
        ring = cls((), path)
        for number, use in enumerate(Use, start=first):
            ring._add(use, now, family, number)
        return ring

    def rotate(self, *, now: datetime, family: str | None = None, uses: Sequence[Use] = (Use.DATA, Use.SEAL)) -> None:
        """Make a new key of each use for what is new from now on; the older ones stay for what was made with them.

        A new key for search is for when the old one may be known: marks cannot be made anew without what they mark.
        """
        for use in uses:
            self._add(use, now, family or self._newest(use).family)
        self._write()

    def forget(self, numbers: Sequence[int]) -> None:
        """Take keys out for ever: what was encrypted with them is erased with that. The newest of a use stays."""
        newest = {self._newest(use).number for use in Use}
        for number in numbers:
            if number in newest:
                raise KeyInUse("kernel.key_in_use", {"number": number})
            self._keys.pop(number, None)
        self._write()

    @property
    def keys(self) -> tuple[Key, ...]:
        """All keys in the order they were made."""
        return tuple(self._keys[number] for number in sorted(self._keys))

    @property
    def family(self) -> Provider:
        """The algorithms that what is new is made with."""
        return provider_of(self._newest(Use.DATA).family)

    def encrypt(self, plain: str | bytes, place: Place) -> bytes:
        """The value as it may lie at this place: format, number of the key, nonce, ciphertext with tag."""
        key = self._newest(Use.DATA)
        nonce = os.urandom(NONCE_BYTES)
        head = FORMAT.to_bytes(1, "big") + key.number.to_bytes(NUMBER_BYTES, "big")
        data = plain.encode() if isinstance(plain, str) else plain
        return head + nonce + provider_of(key.family).encrypt(key.secret, nonce, data, head + place.bound())

    def decrypt(self, sealed: bytes, place: Place) -> str:
        """The text that was encrypted for this place. Refuses `NotAsEncrypted` and `KeyLost`."""
        return self.decrypt_bytes(sealed, place).decode()

    def decrypt_bytes(self, sealed: bytes, place: Place) -> bytes:
        """The bytes that were encrypted for this place. Refuses `NotAsEncrypted` and `KeyLost`."""
        facts = {"table": place.table, "column": place.column, "row": str(place.row)}
        head, rest = sealed[:HEAD_BYTES], sealed[HEAD_BYTES:]
        if len(head) < HEAD_BYTES or head[0] != FORMAT or len(rest) < NONCE_BYTES:
            raise NotAsEncrypted("kernel.not_as_encrypted", facts)
        key = self._keys.get(key_number(sealed))
        if key is None or key.use is not Use.DATA:
            raise KeyLost("kernel.key_lost", {"numbers": [key_number(sealed)], "file": str(self.path or "")})
        try:
            family = provider_of(key.family)
            return family.decrypt(key.secret, rest[:NONCE_BYTES], rest[NONCE_BYTES:], head + place.bound())
        except DoesNotOpen:
            raise NotAsEncrypted("kernel.not_as_encrypted", facts) from None

    @property
    def head(self) -> bytes:
        """What a value begins with that is encrypted with the newest key."""
        return FORMAT.to_bytes(1, "big") + self._newest(Use.DATA).number.to_bytes(NUMBER_BYTES, "big")

    def is_current(self, sealed: bytes) -> bool:
        """Whether a value is encrypted with the key that new ones get."""
        return key_number(sealed) == self._newest(Use.DATA).number

    def mark(self, kind: str, normalised: str) -> bytes:
        """The keyed hash under which an identifier is stored: equal ones have equal marks, and nothing else is told."""
        return _mark(self._newest(Use.SEARCH), kind, normalised)

    def marks(self, kind: str, normalised: str) -> list[bytes]:
        """All marks that an identifier may be stored under: with the newest key and with those before it."""
        found = [key for key in self.keys if key.use is Use.SEARCH]
        return [_mark(key, kind, normalised) for key in reversed(found)]

    def sign(self, data: bytes) -> tuple[int, bytes]:
        """The number of the sealing key and its signature."""
        key = self._newest(Use.SEAL)
        return key.number, sign(key.secret, data)

    def is_signed(self, number: int, signature: bytes, data: bytes) -> bool:
        """Whether the sealing key of this number signed exactly this. Refuses `KeyLost` when the ring lacks it."""
        return is_signed(self.public_key(number), signature, data)

    def public_key(self, number: int | None = None) -> bytes:
        """The public half of a sealing key, for those who verify elsewhere; of the newest if none is named."""
        key = self._keys.get(number) if number is not None else self._newest(Use.SEAL)
        if key is None or key.use is not Use.SEAL:
            raise KeyLost("kernel.key_lost", {"numbers": [number], "file": str(self.path or "")})
        return public_of(key.secret)

    def check(self, number: int) -> bytes | None:
        """A word by which a key is known again without saying it; None when the ring does not have it."""
        key = self._keys.get(number)
        return provider_of(key.family).mac(key.secret, CHECKED) if key else None

    def _newest(self, use: Use) -> Key:
        found = [key for key in self._keys.values() if key.use is use]
        if not found:
            facts = {"file": str(self.path or ""), "why": f"no key for {use}"}
            raise KeyFileUnusable("kernel.key_file_unusable", facts)
        return max(found, key=lambda key: key.number)

    def _add(self, use: Use, now: datetime, family: str, number: int = 0) -> None:
        number = number or max(self._keys) + 1
        secret = new_signing_key() if use is Use.SEAL else secrets.token_bytes(provider_of(family).key_bytes)
        self._keys[number] = Key(number=number, use=use, family=family, secret=secret, made_at=now)

    def _write(self) -> None:
        """Replace the file in one step, so that a crash leaves the old or the new one whole."""
        if self.path is None:
            return
        content = msgspec.json.format(msgspec.json.encode(KeyFile(format=FORMAT, keys=self.keys)))
        beside = self.path.with_name(self.path.name + ".new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except OSError as problem:
            facts = {"file": str(self.path), "why": str(problem)}
            raise KeyFileUnusable("kernel.key_file_unusable", facts) from problem


class KeyInUse(Conflict):
    """New things are made with this key: rotate first."""


def key_number(sealed: bytes) -> int:
    """The number of the key that a value was encrypted with."""
    return int.from_bytes(sealed[1:HEAD_BYTES], "big")


def _mark(key: Key, kind: str, normalised: str) -> bytes:
    # The kind is part of it, so that a phone number and an id number of equal digits do not meet.
    return provider_of(key.family).mac(key.secret, f"{kind}\0{normalised}".encode())
