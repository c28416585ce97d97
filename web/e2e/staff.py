# SPDX-License-Identifier: Apache-2.0
"""What people do again and again in tests of the screens: sign in and out, set up a second factor, ask by hand."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Self

import httpx
import msgspec
import pyotp
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from citybrain.kernel import embedded
from citybrain.kernel.db import Database
from tests.scenarios.city import RunningCity
from web.e2e.conftest import OWN_HEADER, _against_policy, _outside

PASSWORD = "correct horse battery"
WAIT_MS = 20_000

Open = Callable[..., Page]


class Staff(msgspec.Struct):
    """Who is there, and the recovery codes of those with a second factor: each lets them in once."""

    codes: dict[str, list[str]] = {}


class Client(httpx.Client):
    """Somebody who asks the city without a browser."""

    def __init__(self, city: RunningCity, name: str, password: str, code: str | None = None) -> None:
        super().__init__(base_url=city.url, headers=OWN_HEADER, timeout=60)
        self.who = {"name": name, "password": password, "code": code}

    def __enter__(self) -> Self:
        client = super().__enter__()
        client.post("/api/session", json=self.who).raise_for_status()
        return client

    def do(self, method: str, path: str, **body: Any) -> Any:
        """Ask; it must be done."""
        answer = self.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def enrol(self) -> list[str]:
        """Set up a second factor; the recovery codes."""
        secret = self.do("POST", "/api/second-factor")["secret"]
        codes: list[str] = self.do("PUT", "/api/second-factor", code=pyotp.TOTP(secret).now())["recovery_codes"]
        return codes


@contextmanager
def desks_of(
    browser: Browser, city: RunningCity, usual: str, password: str, *, ready: str = "html[data-desk=ready]"
) -> Iterator[Open]:
    """Opens desks as somebody; at the end no request may have gone elsewhere and nothing may have broken."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_one(path: str = "/work", *, name: str = usual, lang: str = "en", width: int = 1366) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 768}, reduced_motion="reduce")
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('citybrain.lang', '{lang}')")
        told = {"name": name, "password": password}
        assert context.request.post(f"{city.url}/api/session", data=told, headers=OWN_HEADER).ok
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda request: faults.extend(_outside(request.url, city.url)))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.extend(_against_policy(message.text)))
        page.goto(city.url + path)
        page.wait_for_selector(ready, state="attached")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert faults == []


def sign_in(page: Page, name: str, password: str = PASSWORD, code: str | None = None) -> None:
    """Sign in by the dialog, opened when it is not."""
    dialog = page.get_by_role("dialog", name="Sign in")
    if not dialog.is_visible():
        page.get_by_role("banner").get_by_role("button", name="Sign in").click()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Password").fill(password)
    dialog.get_by_role("button", name="Sign in").click()
    if code is not None:
        dialog.get_by_label("Code").fill(code)
        dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()


def sign_out(page: Page) -> None:
    """Leave by the status bar."""
    page.locator("header .person").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()


def set_up(place: Locator | Page) -> str:
    """Go through setting up a second factor; the secret."""
    place.get_by_role("button", name="Set it up").click()
    secret = place.get_by_label("Secret").inner_text().replace(" ", "")
    place.get_by_label("six digits").fill(pyotp.TOTP(secret).now())
    place.get_by_role("button", name="Confirm").click()
    expect(place.get_by_text("They are shown only now")).to_be_visible()
    place.get_by_label("I have kept them").check()
    place.get_by_role("button", name="Go on").click()
    return secret


def desk_of(page: Page, name: str) -> Locator:
    """A desk's link in the rail."""
    return page.get_by_role("navigation", name="Desks").get_by_role("link", name=name, exact=True)


def written(city: RunningCity, statement: str) -> None:
    """Change what the city's database holds, as time would."""
    folder = city.log.with_name(city.log.name.split(".")[0])

    async def write() -> None:
        server = embedded.running(folder)
        assert server is not None
        db = await Database.connect(server.url)
        await db.write(statement)
        await db.close()

    with ThreadPoolExecutor() as threads:
        threads.submit(lambda: asyncio.run(write())).result()
