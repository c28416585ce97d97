# SPDX-License-Identifier: Apache-2.0
"""Plain ASGI for doors whose protocol says every detail of HTTP itself: a request, an answer, a table of routes."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from citybrain.kernel.errors import Invalid, NotFound, Refusal

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT = 32 * 2**20


class BodyTooLarge(Invalid):
    """The body is larger than this door takes in one request."""


class NoSuchRoute(NotFound):
    """The door has nothing at this path."""


class WrongMethod(Refusal):
    """There is something at this path, but it does not know this method; `allow` says which it knows."""


class Gone(Exception):
    """The client went away before its request was whole."""


class Request:
    """One request: headers by lower-case name, `path` below the mount, `slots` from the route, `who` asks."""

    def __init__(self, scope: Scope, receive: Receive, path: str) -> None:
        self.method: str = scope["method"]
        self.path = path
        self.root: str = scope.get("root_path", "")
        self.raw_query: bytes = scope.get("query_string", b"")
        self.scheme: str = scope.get("scheme", "http")
        self.slots: dict[str, str] = {}
        self.who: str | None = scope.get("state", {}).get("who")
        self._headers: Sequence[tuple[bytes, bytes]] = scope["headers"]
        self._receive = receive
        self._by_name: dict[str, str] | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by lower-case name; one that came several times is joined by commas."""
        if self._by_name is None:
            joined: dict[str, str] = {}
            for raw_name, raw in self._headers:
                name, value = raw_name.decode("latin-1").lower(), raw.decode("latin-1")
                joined[name] = f"{joined[name]}, {value}" if name in joined else value
            self._by_name = joined
        return self._by_name

    def query(self) -> list[tuple[str, str]]:
        """The query's parameters in order, decoded."""
        return parse_qsl(self.raw_query.decode("latin-1"), keep_blank_values=True)

    async def body(self, limit: int = BODY_LIMIT) -> bytes:
        """The whole body. One over `limit` bytes is refused, and not kept in memory."""
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise BodyTooLarge("kernel.body_too_large", {"limit_mib": limit // 2**20})
            pieces.append(piece)
            if not message.get("more_body"):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)


class Answer(msgspec.Struct, frozen=True):
    """What is sent back. `headers` are in wire form, names in lower case."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


Endpoint = Callable[[Request], Awaitable[Answer]]


class Route(msgspec.Struct, frozen=True):
    """A method and a path with `{slots}`, each of which takes one segment, decoded."""

    method: str
    path: str
    endpoint: Endpoint


class Routes:
    """Finds the endpoint of a request: exact paths by a dict, those with slots by their own pattern."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[str, dict[str, Endpoint]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Endpoint]]] = []
        by_path: dict[str, dict[str, Endpoint]] = {}
        for route in routes:
            by_path.setdefault(route.path, {})[route.method] = route.endpoint
        for path, methods in by_path.items():
            if "{" in path:
                self._patterns.append((_pattern(path), methods))
            else:
                self._exact[path] = methods

    def find(self, request: Request) -> Endpoint:
        """The endpoint, with the request's slots filled; refuses an unknown path and an unknown method."""
        methods = self._exact.get(request.path)
        if methods is None:
            for pattern, candidates in self._patterns:
                if match := pattern.fullmatch(request.path):
                    request.slots = {name: unquote(value) for name, value in match.groupdict().items()}
                    methods = candidates
                    break
        if methods is None:
            raise NoSuchRoute("kernel.no_such_route", {"path": request.path})
        endpoint = methods.get(request.method) or (methods.get("GET") if request.method == "HEAD" else None)
        if endpoint is None:
            allow = ", ".join(sorted(methods))
            raise WrongMethod("kernel.wrong_method", {"method": request.method, "path": request.path, "allow": allow})
        return endpoint


def _pattern(path: str) -> re.Pattern[str]:
    """`/entities/{id}/attrs` as a pattern; slots take what is not a slash."""
    pieces = re.split(r"\{(\w+)\}", path)
    return re.compile("".join(f"(?P<{piece}>[^/]+)" if i % 2 else re.escape(piece) for i, piece in enumerate(pieces)))


def path_below(scope: Scope) -> str:
    """The path below the mount as it came on the wire, so that an encoded slash stays inside its segment."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.split(b"?", 1)[0].decode("latin-1")[len(scope.get("root_path", "")) :]


async def send_answer(send: Send, answer: Answer, *, head: bool = False) -> None:
    """Send an answer with its length."""
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [*answer.headers] if answer.status == 204 else [*answer.headers, length]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
