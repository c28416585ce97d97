# SPDX-License-Identifier: Apache-2.0
"""The page about signing in says what the program does, every way in is on it, and so is every word of the list."""

from litestar.routes import HTTPRoute

from citybrain.kernel.access import Kind, attempts, passwords
from citybrain.kernel.access.sessions import SESSION_ENDS, SESSION_LASTS
from docs.generate import DOCS, application, stale

PAGE = "reference/signing-in.md"
# Every route that opens a session or proves who one is, with words of the page that tell of it.
WAYS = {
    "/api/session": "name and password",
    "/api/session/code": "a code sent by e-mail or to a phone",
    "/api/session/codes": "a code sent by e-mail or to a phone",
    "/api/session/openid/back": "OpenID provider",
    "/api/session/proof": "a proof not older than",
    "/api/services": "a bearer token",
}
NO_WAY_IN = {"/api/session/acting", "/api/session/password"}


def text() -> str:
    return (DOCS / PAGE).read_text(encoding="utf-8")


def test_the_page_is_what_the_program_says_now() -> None:
    assert PAGE not in stale()


def test_every_way_to_sign_in_is_on_the_page() -> None:
    writing = {"POST", "PUT"}
    found = {
        route.path
        for route in application().routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/session") and writing & set(route.methods)
    }
    assert found - NO_WAY_IN <= set(WAYS), "a way in that the test does not know"
    for words in WAYS.values():
        assert words in text(), words


def test_limits_and_life_of_sessions_are_on_the_page() -> None:
    for figure in (
        f"{attempts.FAILURES_ALLOWED}, then locked for {int(attempts.LOCKED_FOR.total_seconds() // 60)} minutes",
        f"| staff | {int(SESSION_LASTS.total_seconds() // 3600)} hours | 24 hours |",
        f"| citizen | {int(SESSION_LASTS.total_seconds() // 3600)} hours | {SESSION_ENDS[Kind.CITIZEN].days} days |",
        "any number of sessions at once",
    ):
        assert figure in text(), figure


def test_the_words_that_no_password_is_made_of_are_on_the_page() -> None:
    for word in passwords.CONTEXT_WORDS:
        assert f"`{word}`" in text(), word
