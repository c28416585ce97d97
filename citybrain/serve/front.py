# SPDX-License-Identifier: Apache-2.0
"""The front of the web: protocols with a path of their own go straight to their doors, all else to the application."""

from collections.abc import Mapping, Sequence
from http.cookies import SimpleCookie
from typing import Any

import structlog

from citybrain.kernel.access import Access, Actor
from citybrain.kernel.app import Mount
from citybrain.kernel.asgi import AsgiApp, Receive, Send, send_answer
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal
from citybrain.serve.gate import (
    OWN_PAGE_HEADER,
    SAFE_METHODS,
    Asked,
    FromAnotherPage,
    actor_of,
    cookie_name,
    note,
    refuse_unless_permitted,
    security_headers,
)
from citybrain.serve.peer import address_of

log = structlog.get_logger()

# OWASP ASVS 5.0 14.3.2: what the city tells somebody stays in no cache, unless a route says otherwise.
KEPT_NOWHERE = [(b"cache-control", b"no-store")]


class Front:
    """An ASGI application. `mounts` are entered with their doors' store; the rest is `application`'s."""

    def __init__(
        self, application: Any, access: Access, mounts: Sequence[tuple[Mount, AsgiApp]], *, address: str = ""
    ) -> None:
        self._application = application
        self._access = access
        self._mounts = mounts
        self._cookie = cookie_name(address)
        self._headers = [(name.lower().encode(), value.encode()) for name, value in security_headers(address).items()]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            send = self._guarded(send, KEPT_NOWHERE if scope["path"].startswith("/api/") else [])
            path: str = scope["path"]
            for mount, app in self._mounts:
                prefix = mount.prefix
                if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                    await self._enter(mount, app, scope, receive, send)
                    return
        await self._application(scope, receive, send)

    def _guarded(self, send: Send, more: Sequence[tuple[bytes, bytes]]) -> Send:
        """Whoever answers, and however: what browsers need to know for safety goes with it."""

        async def guarded(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {bytes(name).lower() for name, _ in given}
                missing = [header for header in (*self._headers, *more) if header[0] not in names]
                message = {**message, "headers": [*given, *missing]}
            await send(message)

        return guarded

    async def _enter(self, mount: Mount, app: AsgiApp, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        below = scope["path"][len(mount.prefix) :]
        permission = mount.reads if mount.is_read(method, below) else mount.writes
        actor: Actor | None = self._access.policy.anonymous
        # What the public may do costs no look at who that is.
        if not self._access.allowed(permission, ()):
            actor = await self._permitted(mount, permission, scope, send)
        if actor is None:
            return
        scope["state"] = {"who": actor.account or None, "actor": actor, "address": address_of(scope)}
        scope["root_path"] = mount.prefix
        await app(scope, receive, send)

    async def _permitted(self, mount: Mount, permission: str, scope: Mapping[str, Any], send: Send) -> Actor | None:
        """Who asks; None when they may not, which they and the audit are told."""
        asked = _asked(scope, f"{scope['method']} {mount.prefix}", self._cookie)
        actor = self._access.policy.anonymous
        try:
            actor = await actor_of(self._access, asked, utc_now())
            _refuse(actor, permission, asked, scope)
        except Refusal as refusal:
            await note(self._access, refusal, actor, address=asked.address, route=asked.route)
            await send_answer(send, mount.refuse(refusal), head=scope["method"] == "HEAD")
            return None
        return actor


def _asked(scope: Mapping[str, Any], route: str, cookie_of: str) -> Asked:
    headers = {name.lower(): value for name, value in scope["headers"]}
    cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(cookie_of)
    return Asked(
        cookie=cookie.value if cookie else None,
        authorization=headers.get(b"authorization", b"").decode("latin-1"),
        address=address_of(scope),
        route=route,
    )


def _refuse(actor: Actor, permission: str, asked: Asked, scope: Mapping[str, Any]) -> None:
    """A browser sends the cookie by itself, so a write by cookie must say that it comes from our own page."""
    own_page = any(name.lower() == OWN_PAGE_HEADER.lower().encode() for name, _ in scope["headers"])
    if actor.session is not None and scope["method"] not in SAFE_METHODS and not own_page:
        raise FromAnotherPage("serve.from_another_page", {"header": OWN_PAGE_HEADER})
    refuse_unless_permitted(actor, permission, had_session=asked.cookie is not None)
