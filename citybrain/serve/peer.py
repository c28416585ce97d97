# SPDX-License-Identifier: Apache-2.0
"""The address that a request comes from."""

from collections.abc import Mapping
from typing import Any

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = b"x-forwarded-for"
ADDRESS_LIMIT = 64


def address_of(scope: Mapping[str, Any]) -> str:
    """The address of whoever asks.

    What a proxy says of it counts only when the proxy runs on this machine: all others could make it up.
    """
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    told = b"".join(value for name, value in scope["headers"] if name.lower() == FORWARDED)
    last = told.decode("latin-1").rsplit(",", 1)[-1].strip()
    return (last if last and peer in LOOPBACK else peer)[:ADDRESS_LIMIT]
