# SPDX-License-Identifier: Apache-2.0
"""What a client prefers, by the Prefer header (RFC 7240, CIM 009 clauses 4.3.6.8 and 6.3.6)."""

import re

from citybrain.doors.ngsild.answers import header
from citybrain.kernel.asgi import Request

VERSION = "ngsi-ld"
_PREFERENCE = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:\"([^\"]*)\"|([^\s;,\"]*)))?\s*(?:;[^,]*)?")


def preferences(request: Request) -> dict[str, str]:
    """The preferences by lower-case name, with their values; of one that comes twice the first counts."""
    found: dict[str, str] = {}
    for said in request.headers.get("prefer", "").split(","):
        match = _PREFERENCE.fullmatch(said)
        if match:
            found.setdefault(match[1].lower(), match[2] or match[3] or "")
    return found


def version_applied(request: Request) -> list[tuple[bytes, bytes]]:
    """The header that says which version of the API an answer keeps to; none when the client prefers none."""
    version = preferences(request).get(VERSION)
    return [header("preference-applied", f"{VERSION}={version}")] if version else []
