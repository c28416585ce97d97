# SPDX-License-Identifier: Apache-2.0
"""Time-based one-time passwords (RFC 6238), as authenticator apps make them."""

import base64
import hmac
import struct
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlencode

STEP_S = 30  # RFC 6238 section 5.2: the recommended time step
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226 section 4: 160 bits are recommended
SKEW_STEPS = 1  # RFC 6238 section 5.2: at most one step for the delay of the network, and clocks that differ

Algorithm = Literal["sha1", "sha256", "sha512"]


def step_of(at: datetime) -> int:
    """The number of the time step."""
    return int(at.timestamp()) // STEP_S


def code_of(secret: bytes, step: int, *, digits: int = DIGITS, algorithm: Algorithm = "sha1") -> str:
    """The code of a time step (RFC 4226 section 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), algorithm)
    offset = digest[-1] & 0xF
    number = struct.unpack_from(">I", digest, offset)[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, code: str, now: datetime, *, after: int) -> int | None:
    """The time step that a code belongs to, one before or after now at most; None when there is none.

    Steps up to `after` were used already, so their codes are not taken again (RFC 6238 section 5.2).
    """
    current = step_of(now)
    found = None
    for step in range(current - SKEW_STEPS, current + SKEW_STEPS + 1):
        # Every step is compared, so the time taken tells nothing.
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode(errors="replace")) and step > after:
            found = step
    return found


def base32(secret: bytes) -> str:
    """The secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, *, issuer: str, account: str) -> str:
    """The address an authenticator app reads from a QR code (Key Uri Format)."""
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    query = {"secret": base32(secret), "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_S}
    return f"otpauth://totp/{label}?{urlencode(query, quote_via=quote)}"
