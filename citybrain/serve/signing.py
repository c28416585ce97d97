# SPDX-License-Identifier: Apache-2.0
"""Routes for signing in and out, and for what everybody may do with their own account."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from litestar import MediaType, Request, Response, delete, get, post, put
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Redirect

from citybrain.kernel.access import Access, Actor
from citybrain.kernel.access.factors import Enrolment
from citybrain.kernel.access.foreign import ProviderView, Returned, own_path
from citybrain.kernel.access.sessions import SessionView
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Json
from citybrain.serve.origin import (
    FOREIGN_PATH,
    foreign_cookie,
    foreign_state,
    forget,
    origin_of,
    session_cookie,
    session_token,
)

AnyRequest = Request[Any, Any, Any]
# The browser goes on by itself, so that the strict cookie is sent: a link that began at another site leaves it out.
GO_ON = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={path}"><title>citybrain</title>'
)


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A local account's name and password, and a code where the account has a second factor."""

    name: str
    password: str
    code: str | None = None


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who one is, again: a code of the second factor, or the password where there is none."""

    password: str = ""
    code: str = ""


class CodeWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a citizen wants a sign-in code: an e-mail address or a phone number."""

    to: str
    lang: Literal["zh", "en"] = "zh"


class CodeShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code that came, and the number of the message it belongs to."""

    number: str
    code: str


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of an authenticator app."""

    code: str


class Acting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom one acts from now on; null is for oneself."""

    account: str | None


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password so far and the one from now on."""

    old: str
    new: str


def me(actor: Actor) -> dict[str, Json]:
    """Who asks and what they may, for the pages."""
    return {
        "name": actor.name or None,
        "account": actor.account or None,
        "kind": actor.kind,
        "permissions": sorted(actor.rights),
        "roles": actor.roles,
        "departments": actor.departments,
        "on_behalf_of": actor.on_behalf_of,
        "second_factor": actor.second_factor,
        "session": actor.session,
    }


@get("/api/session", opt={"permission": "session.open"})
async def who(request: AnyRequest) -> dict[str, Json]:
    """Who asks and what they may."""
    return me(request.state.actor)


@post("/api/session", opt={"permission": "session.open"}, status_code=200)
async def sign_in(state: State, request: AnyRequest, data: JSONBody[SignIn]) -> Response[dict[str, Json]]:
    """Open a session; whatever session this browser had before ends."""
    access: Access = state.access
    origin = origin_of(request)
    _, token = await access.sign_in(data.name, data.password, now=utc_now(), code=data.code, origin=origin)
    return await _signed_in(state, request, token)


@delete("/api/session", opt={"permission": "session.open"}, status_code=200)
async def sign_out(state: State, request: AnyRequest) -> Response[dict[str, Json]]:
    """Close the session."""
    access: Access = state.access
    await _end_former(access, request)
    answer: Response[Any] = Response(me(access.policy.anonymous))
    forget(answer, state)
    return answer


@post("/api/session/proof", opt={"permission": "session.own"}, status_code=200)
async def prove(state: State, request: AnyRequest, data: JSONBody[Proof]) -> Response[dict[str, Json]]:
    """Prove again to be who one is, for acts that ask for it; the session gets a new token."""
    access: Access = state.access
    token = await access.prove(request.state.actor, password=data.password, code=data.code, now=utc_now())
    return await _with_session(state, token)


@put("/api/session/acting", opt={"permission": "people.delegate"})
async def act_for(state: State, request: AnyRequest, data: JSONBody[Acting]) -> dict[str, Json]:
    """Act for somebody who delegated to one, or for oneself again."""
    access: Access = state.access
    now = utc_now()
    await access.act_for(request.state.actor, data.account, now=now)
    token = session_token(request)
    return me(access.actor_of(await access.sessions.find(token, now), now))


@put("/api/session/password", opt={"permission": "session.own"}, status_code=204)
async def change_password(state: State, request: AnyRequest, data: JSONBody[NewPassword]) -> None:
    """Give oneself another password; all other sessions end."""
    access: Access = state.access
    await access.change_password(request.state.actor, data.old, data.new, now=utc_now())


@get("/api/sessions", opt={"permission": "session.own"})
async def sessions(state: State, request: AnyRequest) -> Sequence[SessionView]:
    """One's own open sessions."""
    access: Access = state.access
    actor: Actor = request.state.actor
    return await access.sessions.of(actor.account, utc_now())


@delete("/api/sessions/{number:int}", opt={"permission": "session.own"}, status_code=204)
async def end_session(state: State, request: AnyRequest, number: FromPath[int]) -> None:
    """End one of one's own sessions."""
    access: Access = state.access
    actor: Actor = request.state.actor
    await access.sessions.end(actor.account, number)


@post("/api/session/codes", opt={"permission": "session.open"}, status_code=202)
async def send_code(state: State, request: AnyRequest, data: JSONBody[CodeWanted]) -> dict[str, Json]:
    """Send a citizen a sign-in code. The answer does not tell whether the city knows the address."""
    access: Access = state.access
    number = await access.citizens.send_code(data.to, lang=data.lang, now=utc_now(), origin=origin_of(request))
    return {"number": number}


@post("/api/session/code", opt={"permission": "session.open"}, status_code=200)
async def sign_in_by_code(state: State, request: AnyRequest, data: JSONBody[CodeShown]) -> Response[dict[str, Json]]:
    """Open a session for the citizen with this code."""
    access: Access = state.access
    token = await access.citizens.sign_in(data.number, data.code, now=utc_now(), origin=origin_of(request))
    return await _signed_in(state, request, token)


@get("/api/session/providers", opt={"permission": "session.open"})
async def providers(state: State) -> Sequence[ProviderView]:
    """Where else one may sign in."""
    access: Access = state.access
    return access.foreign.offered()


@get(f"{FOREIGN_PATH}/to/{{name:str}}", opt={"permission": "session.open"}, status_code=302)
async def go_to_provider(state: State, name: FromPath[str], back_to: FromQuery[str] = "/") -> Redirect:
    """Send the browser to an OpenID provider."""
    access: Access = state.access
    begun = await access.foreign.begin(name, redirect_uri=_redirect_uri(state), back_to=back_to, now=utc_now())
    return Redirect(begun.url, status_code=302, cookies=[foreign_cookie(state, begun.state)])


@get(f"{FOREIGN_PATH}/back", opt={"permission": "session.open"}, media_type=MediaType.HTML)
async def back_from_provider(
    state: State,
    request: AnyRequest,
    code: FromQuery[str] = "",
    error: FromQuery[str] = "",
    iss: FromQuery[str] = "",
) -> Response[str]:
    """Where an OpenID provider sends the browser back to: a session begins, or the page says why not."""
    access: Access = state.access
    told = request.query_params.get("state", "")
    cookie = foreign_state(request)
    back = Returned(state=told, cookie=cookie, code=code, error=error, issuer=iss)
    try:
        signed_in = await access.foreign.finish(
            back, redirect_uri=_redirect_uri(state), now=utc_now(), origin=origin_of(request)
        )
    except Refusal as refusal:
        return Response(GO_ON.format(path=f"/?refused={refusal.code}"), cookies=[foreign_cookie(state, "")])
    await _end_former(access, request)
    path = own_path(signed_in.back_to).replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    cookies = [foreign_cookie(state, ""), session_cookie(state, signed_in.token)]
    return Response(GO_ON.format(path=path), cookies=cookies)


@get("/api/second-factor", opt={"permission": "session.own"})
async def second_factor(state: State, request: AnyRequest) -> dict[str, Json]:
    """Whether one has a second factor, and how many recovery codes are left."""
    access: Access = state.access
    account: str = request.state.actor.account
    left = await access.factors.recovery_codes_left(account)
    return {"enrolled": await access.factors.enrolled(account), "recovery_codes": left}


@post("/api/second-factor", opt={"permission": "session.own", "step_up": True}, status_code=201)
async def begin_second_factor(state: State, request: AnyRequest) -> Enrolment:
    """Begin to get a second factor; the secret is in this answer and nowhere else."""
    access: Access = state.access
    return await access.factors.begin(request.state.actor.account, now=utc_now())


@put("/api/second-factor", opt={"permission": "session.own"})
async def confirm_second_factor(state: State, request: AnyRequest, data: JSONBody[Code]) -> Response[dict[str, Json]]:
    """Show the first code; answers with the recovery codes, which are said this once. All other sessions end."""
    access: Access = state.access
    actor: Actor = request.state.actor
    now = utc_now()
    codes = await access.factors.confirm(actor.account, data.code, now=now, actor=actor)
    answer: Response[dict[str, Json]] = Response({"recovery_codes": codes})
    if actor.session is not None:
        token = await access.sessions.rotate(actor.session, now=now, second_factor=True)
        answer.set_cookie(session_cookie(state, token))
    return answer


@post("/api/second-factor/removal", opt={"permission": "session.own", "step_up": True}, status_code=204)
async def remove_second_factor(state: State, request: AnyRequest, data: JSONBody[Code]) -> None:
    """Give up the second factor with a last code of it."""
    access: Access = state.access
    actor: Actor = request.state.actor
    await access.factors.remove(actor, actor.account, now=utc_now(), code=data.code)


async def _signed_in(state: State, request: AnyRequest, token: str) -> Response[dict[str, Json]]:
    await _end_former(state.access, request)
    return await _with_session(state, token)


async def _with_session(state: State, token: str) -> Response[dict[str, Json]]:
    access: Access = state.access
    now = utc_now()
    actor = access.actor_of(await access.sessions.find(token, now), now)
    return Response(me(actor), cookies=[session_cookie(state, token)])


async def _end_former(access: Access, request: AnyRequest) -> None:
    """The session that the browser had until now; nobody who knew its token has one after sign-in."""
    former = session_token(request)
    if former:
        await access.sign_out(former)


def _redirect_uri(state: State) -> str:
    return f"{state.address}{FOREIGN_PATH}/back"


ROUTES = (
    who,
    sign_in,
    sign_out,
    prove,
    act_for,
    change_password,
    sessions,
    end_session,
    send_code,
    sign_in_by_code,
    providers,
    go_to_provider,
    back_from_provider,
    second_factor,
    begin_second_factor,
    confirm_second_factor,
    remove_second_factor,
)
