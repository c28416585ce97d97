# SPDX-License-Identifier: Apache-2.0
"""The seam of cryptography: two families of algorithms behind one interface, and a place for a certified module."""

from functools import lru_cache
from typing import Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from citybrain.kernel.errors import Invalid

NONCE_BYTES = 12  # NIST SP 800-38D 5.2.1.1: 96 bits are what GCM is made for
TAG_BYTES = 16
CIPHERS_KEPT = 64


class DoesNotOpen(Exception):
    """The key, the place or the bytes are not those it was encrypted with."""


class Provider(Protocol):
    """Symmetric encryption with bound data, digests and keyed digests of one family.

    Keys go in and out as bytes here; a module that keeps them inside takes handles in their place.
    """

    name: str
    key_bytes: int

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """The ciphertext with its tag; `bound` is not in it, but must be the same when it is opened."""
        ...

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """What was encrypted. Raises `DoesNotOpen` unless everything fits."""
        ...

    def digest(self, data: bytes) -> bytes:
        """32 bytes that stand for the data."""
        ...

    def mac(self, key: bytes, data: bytes) -> bytes:
        """32 bytes that only who has the key can make of the data."""
        ...


class International:
    """AES-256-GCM (NIST SP 800-38D), SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104)."""

    name = "aes"
    key_bytes = 32

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """The ciphertext with its tag."""
        return _aes(key).encrypt(nonce, plain, bound)

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """What was encrypted."""
        try:
            return _aes(key).decrypt(nonce, sealed, bound)
        except InvalidTag:
            raise DoesNotOpen from None

    def digest(self, data: bytes) -> bytes:
        """SHA-256."""
        return _digest(hashes.SHA256(), data)

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC-SHA-256."""
        return _mac(hashes.SHA256(), key, data)


class National:
    """SM4-GCM (GB/T 32907-2016), SM3 (GB/T 32905-2016), HMAC-SM3."""

    name = "sm"
    key_bytes = 16

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
        """The ciphertext with its tag."""
        encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(bound)
        return encryptor.update(plain) + encryptor.finalize() + encryptor.tag

    def decrypt(self, key: bytes, nonce: bytes, sealed: bytes, bound: bytes) -> bytes:
        """What was encrypted."""
        if len(sealed) < TAG_BYTES:
            raise DoesNotOpen
        body, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(bound)
        try:
            return decryptor.update(body) + decryptor.finalize()
        except InvalidTag:
            raise DoesNotOpen from None

    def digest(self, data: bytes) -> bytes:
        """SM3."""
        return _digest(hashes.SM3(), data)

    def mac(self, key: bytes, data: bytes) -> bytes:
        """HMAC-SM3."""
        return _mac(hashes.SM3(), key, data)


class UnknownFamily(Invalid):
    """There is no such family of algorithms."""


AES: Provider = International()
SM: Provider = National()
PROVIDERS = {each.name: each for each in (AES, SM)}


def provider_of(name: str) -> Provider:
    """The family by its name; refuses one there is none of."""
    if name not in PROVIDERS:
        raise UnknownFamily("kernel.crypto_unknown_family", {"name": name, "known": sorted(PROVIDERS)})
    return PROVIDERS[name]


# Signatures are Ed25519 (RFC 8032) in both families: an SM2 curve needs a module of its own behind these four.


def new_signing_key() -> bytes:
    """A new private key, 32 bytes."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(signing_key: bytes) -> bytes:
    """The public key of a private one, 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(signing_key).public_key().public_bytes_raw()


def sign(signing_key: bytes, data: bytes) -> bytes:
    """The signature, 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(signing_key).sign(data)


def is_signed(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the holder of the private key signed exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=CIPHERS_KEPT)
def _aes(key: bytes) -> AESGCM:
    """Making the schedule of a key costs as much as encrypting a short word."""
    return AESGCM(key)


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    made = hashes.Hash(algorithm)
    made.update(data)
    return made.finalize()


def _mac(algorithm: hashes.HashAlgorithm, key: bytes, data: bytes) -> bytes:
    made = hmac.HMAC(key, algorithm)
    made.update(data)
    return made.finalize()
