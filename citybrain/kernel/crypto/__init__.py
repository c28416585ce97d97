# SPDX-License-Identifier: Apache-2.0
"""Cryptography of the city: algorithms behind a seam, and the ring of its keys."""

from citybrain.kernel.crypto.keyring import (
    Key,
    KeyFileUnsafe,
    KeyFileUnusable,
    KeyInUse,
    KeyLost,
    KeyRing,
    NotAsEncrypted,
    Place,
    Use,
    key_number,
)
from citybrain.kernel.crypto.provider import AES, PROVIDERS, SM, Provider, provider_of

__all__ = [
    "AES",
    "PROVIDERS",
    "SM",
    "Key",
    "KeyFileUnsafe",
    "KeyFileUnusable",
    "KeyInUse",
    "KeyLost",
    "KeyRing",
    "NotAsEncrypted",
    "Place",
    "Provider",
    "Use",
    "key_number",
    "provider_of",
]
