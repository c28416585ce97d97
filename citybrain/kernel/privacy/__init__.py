# SPDX-License-Identifier: Apache-2.0
"""Personal data: declared, encrypted, masked, revealed with a reason, and gone when its time is over."""

from citybrain.kernel.crypto import KeyLost, KeyRing, NotAsEncrypted, Place
from citybrain.kernel.privacy.field import AtEnd, Basis, PersonalField, Retention, Sort, asked_for, excess, personal
from citybrain.kernel.privacy.masking import mask, normalise

__all__ = [
    "AtEnd",
    "Basis",
    "KeyLost",
    "KeyRing",
    "NotAsEncrypted",
    "PersonalField",
    "Place",
    "Retention",
    "Sort",
    "asked_for",
    "excess",
    "mask",
    "normalise",
    "personal",
]
