# SPDX-License-Identifier: Apache-2.0
"""Personal data: declared, encrypted, masked, revealed with a reason, and gone when its time is over."""

from citybrain.kernel.crypto import KeyLost, KeyRing, NotAsEncrypted, Place
from citybrain.kernel.privacy.field import AtEnd, Basis, PersonalField, Retention, Sort, asked_for, excess, personal
from citybrain.kernel.privacy.keeping import Kept, Renewal, Sealed, agree_on_keys, encrypt_anew, give_up, kept_rows
from citybrain.kernel.privacy.masking import mask, normalise
from citybrain.kernel.privacy.people import (
    FORGET_CRON,
    Asking,
    Consent,
    ConsentMissing,
    Gone,
    Holder,
    Look,
    People,
    Wanted,
)

__all__ = [
    "FORGET_CRON",
    "Asking",
    "AtEnd",
    "Basis",
    "Consent",
    "ConsentMissing",
    "Gone",
    "Holder",
    "Kept",
    "KeyLost",
    "KeyRing",
    "Look",
    "NotAsEncrypted",
    "People",
    "PersonalField",
    "Place",
    "Renewal",
    "Retention",
    "Sealed",
    "Sort",
    "Wanted",
    "agree_on_keys",
    "asked_for",
    "encrypt_anew",
    "excess",
    "give_up",
    "kept_rows",
    "mask",
    "normalise",
    "personal",
]
