# SPDX-License-Identifier: Apache-2.0
"""The gate of the web: who asks, whether they may, and how a refusal is told."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers.base import BaseRouteHandler

from citybrain.kernel.access import KERNEL_PERMISSIONS, Access, Actor, Kind, NotPermitted, Person, reach
from citybrain.kernel.access.powers import of_powers_only
from citybrain.kernel.access.witness import Refused
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from citybrain.serve.peer import address_of

COOKIE = "citybrain_session"
# A browser takes a cookie of such a name from the host itself alone, by https, for all paths (RFC 6265bis 4.1.3.2).
HOST_ONLY = "__Host-"
# A page of another site cannot send this header without asking first, so a write with it comes from our own page.
OWN_PAGE_HEADER = "X-Citybrain"
BEARER = "bearer "
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
# Styles set by script through the CSSOM need no 'unsafe-inline'; the map's worker is a file of ours.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; worker-src 'self'; style-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# OWASP ASVS 5.0 3.4.1: a year at least, subdomains too.
ONLY_HTTPS = "max-age=31536000; includeSubDomains"
POWER_PERMISSIONS = frozenset(name for name, roles in KERNEL_PERMISSIONS.items() if of_powers_only(roles))
# OWASP ASVS 5.0 7.5.3 asks for a fresh proof before sensitive acts; this long lasts one sitting at such a page.
PROOF_LASTS = timedelta(minutes=10)
STATUS: list[tuple[type[Refusal], int]] = [
    (NotFound, 404),
    (Invalid, 400),
    (Conflict, 409),
    (Forbidden, 403),
    (Unavailable, 503),
]

log = structlog.get_logger()

Connection = ASGIConnection[Any, Any, Any, Any]


class NotSignedIn(Refusal):
    """The act needs somebody who has signed in."""


class SessionOver(NotSignedIn):
    """There was a session, and it ended: whoever signs in again can go on where they were."""


class SecondFactorToEnrol(Forbidden):
    """What a power may is only for who showed a second factor in this session."""


class ProofNeeded(Forbidden):
    """The act asks for a proof of who acts that is not older than some minutes."""


class FromAnotherPage(Forbidden):
    """A write came without the header that only our own page sends."""


NOTED = (NotPermitted, SecondFactorToEnrol, ProofNeeded, FromAnotherPage)


def is_secure(address: str) -> bool:
    """Whether people reach the city by https."""
    return address.startswith("https://")


def cookie_name(address: str, name: str = COOKIE) -> str:
    """What a cookie is called: by https so that no other host can set it; browsers refuse that name by http."""
    return f"{HOST_ONLY}{name}" if is_secure(address) else name


def security_headers(address: str) -> dict[str, str]:
    """What every answer carries; a city that is reached by https asks browsers never to try without."""
    https = {"Strict-Transport-Security": ONLY_HTTPS} if is_secure(address) else {}
    return {**SECURITY_HEADERS, **https}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request shows of whoever asks: a cookie, a header, and whence it came, by which route."""

    cookie: str | None
    authorization: str = ""
    address: str = ""
    route: str = ""


async def actor_of(access: Access, asked: Asked, now: datetime) -> Actor:
    """Who asks: a service by its bearer token, else a person by the session cookie, else nobody in particular.

    A token that is nobody's is told to the audit.
    """
    cookie, authorization = asked.cookie, asked.authorization
    if authorization.lower().startswith(BEARER):
        service = await access.service(authorization[len(BEARER) :].strip(), now)
        if service:
            return access.policy.service(service.name, service.may)
        told = Refused(act="access.token_refused", object="service:", why="token", address=asked.address)
        await access.witness.refused(told, now=now)
        return access.policy.anonymous
    visit = await access.sessions.find(cookie, now) if cookie else None
    return access.actor_of(visit, now)


def person_of(actor: Actor) -> Person | None:
    """The same in the words that traffic's routes use; None when nobody signed in."""
    if not actor.signed_in:
        return None
    may = tuple(actor.rights) if actor.kind is Kind.SERVICE else ()
    return Person(name=actor.account, roles=actor.roles, may=may)


def refuse_unless_permitted(actor: Actor, permission: str | None, *, had_session: bool = False) -> None:
    """Deny by default: without a permission that the actor has, it goes no further.

    `had_session` says that the browser showed the cookie of a session that is over.
    """
    if permission is not None and reach(actor, permission):
        return
    if not actor.signed_in and had_session:
        raise SessionOver("serve.session_over", {"permission": permission})
    if not actor.signed_in:
        raise NotSignedIn("serve.not_signed_in", {"permission": permission})
    raise NotPermitted("serve.not_permitted", {"permission": permission, "name": actor.name})


def refuse_unless_proved(actor: Actor, permission: str, handler: BaseRouteHandler, now: datetime) -> None:
    """What a power alone may needs a second factor in the session; a route with `step_up` a proof that is fresh."""
    if permission in POWER_PERMISSIONS and not actor.second_factor:
        raise SecondFactorToEnrol("serve.second_factor_to_enrol", {"permission": permission})
    if handler.opt.get("step_up") and (actor.proved_at is None or now - actor.proved_at > PROOF_LASTS):
        raise ProofNeeded("serve.proof_needed", {"minutes": int(PROOF_LASTS.total_seconds() // 60)})


async def permitted(connection: Connection, handler: BaseRouteHandler) -> None:
    """Deny by default: a route without a permission is closed, and the actor must have the one it names.

    A write by cookie must say that it comes from our own page; a service's token is sent by no browser by itself.
    """
    method = connection.scope.get("method", "GET")
    authorization = connection.headers.get("authorization", "")
    by_token = authorization.lower().startswith(BEARER)
    # What whoever has a link may do needs no cookie, so a mail program may do it too.
    own_page = handler.opt.get("from_anywhere") or OWN_PAGE_HEADER.lower() in connection.headers
    if method not in SAFE_METHODS and not by_token and not own_page:
        raise FromAnotherPage("serve.from_another_page", {"header": OWN_PAGE_HEADER})
    access: Access = connection.app.state.access
    cookie = connection.cookies.get(cookie_name(connection.app.state.address))
    now, permission = utc_now(), handler.opt.get("permission")
    asked = Asked(cookie=cookie, authorization=authorization, address=address_of(connection.scope))
    actor = await actor_of(access, asked, now)
    connection.state.actor, connection.state.address = actor, asked.address
    connection.state.person = person_of(actor)
    refuse_unless_permitted(actor, permission, had_session=cookie is not None)
    refuse_unless_proved(actor, str(permission), handler, now)


async def note_refusal(error: Exception, scope: Any) -> None:
    """What somebody may not do, at the gate or in the engine, is told to the audit with route and permission."""
    app, actor = scope["litestar_app"], scope.get("state", {}).get("actor")
    if isinstance(error, Forbidden):
        access: Access = app.state.access
        route = f"{scope['method']} {scope.get('path_template') or scope['path']}"
        await note(access, error, actor or access.policy.anonymous, address=address_of(scope), route=route)


async def note(access: Access, refusal: Refusal, actor: Actor, *, address: str, route: str) -> None:
    """Tell the audit that somebody asked for what is not theirs. What sign-in refuses is told where it is refused."""
    if not isinstance(refusal, NOTED):
        return
    permission = str(refusal.facts.get("permission") or "")
    who = f"account:{actor.account}"
    told = Refused(
        act="access.refused", object=who, why=refusal.code, address=address, route=route[:200], permission=permission
    )
    await access.witness.refused(told, actor=actor, now=utc_now())


def tell_refusal(_request: Request[Any, Any, Any], refusal: Refusal) -> Response[dict[str, Any]]:
    """A refusal as code and facts; the browser makes the sentence."""
    status = next((status for kind, status in STATUS if isinstance(refusal, kind)), 401)
    return Response({"code": refusal.code, "facts": dict(refusal.facts)}, status_code=status)


def tell_invalid(_request: Request[Any, Any, Any], error: ValidationException) -> Response[dict[str, Any]]:
    """What did not fit the route's types, field by field."""
    return Response({"code": "serve.invalid_request", "facts": {"problems": error.extra}}, status_code=400)


def tell_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """What the web framework refuses by itself: no such route, wrong method, body too large."""
    code = "serve.no_such_route" if error.status_code == 404 else "serve.http_refused"
    facts = {"status": error.status_code, "detail": error.detail}
    return Response({"code": code, "facts": facts}, status_code=error.status_code)


def tell_bug(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Anything else is a bug: it is logged in full under a number that the person can pass on."""
    number = new_id()
    log.error("bug", number=number, path=str(request.url.path), exc_info=error)
    return Response({"code": "serve.bug", "facts": {"number": number}}, status_code=500)
