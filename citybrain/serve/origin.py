# SPDX-License-Identifier: Apache-2.0
"""Where a request comes from and where this city is reached: addresses, and the cookies that go with them."""

from litestar import Request, Response
from litestar.datastructures import Cookie, State

from citybrain.kernel.access.sessions import Origin
from citybrain.serve.gate import COOKIE
from citybrain.serve.peer import address_of

FOREIGN_COOKIE = "citybrain_openid"
FOREIGN_PATH = "/api/session/openid"
FOREIGN_LASTS_S = 600

AnyRequest = Request[object, object, State]


def origin_of(request: AnyRequest) -> Origin:
    """The address and the browser of whoever asks."""
    return Origin(address=address_of(request.scope), agent=request.headers.get("user-agent", ""))


def is_secure(state: State) -> bool:
    """Whether people reach this city by https."""
    address: str = state.address
    return address.startswith("https://")


def session_cookie(state: State, token: str) -> Cookie:
    """The cookie of a session: closed to scripts and other sites, and by https alone where the city has it."""
    return Cookie(key=COOKIE, value=token, httponly=True, samesite="strict", path="/", secure=is_secure(state))


def foreign_cookie(state: State, value: str) -> Cookie:
    """What binds a sign-in elsewhere to this browser: it comes back by a link of another site, so it is lax."""
    return Cookie(
        key=FOREIGN_COOKIE,
        value=value,
        httponly=True,
        samesite="lax",
        path=FOREIGN_PATH,
        secure=is_secure(state),
        max_age=FOREIGN_LASTS_S,
    )


def forget(answer: Response[object], state: State) -> None:
    """Take the session's cookie out of the browser."""
    gone = session_cookie(state, "")
    gone.max_age = 0
    answer.set_cookie(gone)
