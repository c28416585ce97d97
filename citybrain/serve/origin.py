# SPDX-License-Identifier: Apache-2.0
"""Where a request comes from and where this city is reached: addresses, and the cookies that go with them."""

from litestar import Request, Response
from litestar.datastructures import Cookie, State

from citybrain.kernel.access.sessions import Origin
from citybrain.serve.gate import cookie_name, is_secure
from citybrain.serve.peer import address_of

FOREIGN_COOKIE = "citybrain_openid"
FOREIGN_PATH = "/api/session/openid"
FOREIGN_LASTS_S = 600

AnyRequest = Request[object, object, State]


def origin_of(request: AnyRequest) -> Origin:
    """The address and the browser of whoever asks."""
    return Origin(address=address_of(request.scope), agent=request.headers.get("user-agent", ""))


def session_token(request: AnyRequest) -> str:
    """The token that the browser shows; empty when it shows none."""
    return request.cookies.get(cookie_name(request.app.state.address), "")


def foreign_state(request: AnyRequest) -> str:
    """What binds a sign-in elsewhere to the browser that began it."""
    return request.cookies.get(cookie_name(request.app.state.address, FOREIGN_COOKIE), "")


def session_cookie(state: State, token: str) -> Cookie:
    """The cookie of a session: closed to scripts and other sites, and by https alone where the city has it."""
    key, secure = cookie_name(state.address), is_secure(state.address)
    return Cookie(key=key, value=token, httponly=True, samesite="strict", path="/", secure=secure)


def foreign_cookie(state: State, value: str) -> Cookie:
    """What binds a sign-in elsewhere to this browser: it comes back by a link of another site, so it is lax."""
    return Cookie(
        key=cookie_name(state.address, FOREIGN_COOKIE),
        value=value,
        httponly=True,
        samesite="lax",
        path="/",
        secure=is_secure(state.address),
        max_age=FOREIGN_LASTS_S,
    )


def forget(answer: Response[object], state: State) -> None:
    """Take the session's cookie out of the browser."""
    gone = session_cookie(state, "")
    gone.max_age = 0
    answer.set_cookie(gone)
