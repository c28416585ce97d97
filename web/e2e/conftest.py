# SPDX-License-Identifier: Apache-2.0
"""A real city and a real browser for the tests of the screens."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.scenarios.city import RunningCity, eventually, running

# Small; one of its signals goes dark, so that something has happened soon.
SCENARIO = "cologne3"
SIGNAL = "GS_cluster_2415878664_254486231_359566_359576"
DARK = json.dumps([{"kind": "dark_signal", "signal": SIGNAL, "begin_s": 60, "duration_s": 240}])
CALM_SPEED = 5.0
# A page and its first answer, on a machine that does other things too.
SEEN_WITHIN_MS = 15_000
OWN_HEADER = {"X-Citybrain": "1"}
# Software rendering, so that no graphics card is needed; nothing that calls home.
CHROMIUM = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def city(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[RunningCity]:
    """A city in which something has happened, then slowed down so that the browser gets its share."""
    folder = open_folder / f"web-city-{request.path.stem}"
    with running(folder, scenario=SCENARIO, speed="max", variables={"CITYBRAIN_INCIDENTS": DARK}) as started:
        eventually(lambda: _has_happened(started), within_s=180)
        slow_down(started)
        yield started


def _has_happened(city: RunningCity) -> bool:
    """Whether there is an event, and a figure of both ways to steer."""
    figures = city.get("/api/indicators/traffic.delay/series")["arms"]
    return bool(city.get("/api/events")) and len(figures) == 2 and all(figures.values())


def slow_down(city: RunningCity) -> None:
    """Sign in as the operator and let the city run calmly."""
    with httpx.Client(base_url=city.url, headers=OWN_HEADER, timeout=30) as client:
        client.post("/api/session", json={"name": "operator", "password": city.password}).raise_for_status()
        client.post("/api/city/speed", json={"speed": CALM_SPEED}).raise_for_status()


@pytest.fixture(scope="module")
def city_url(city: RunningCity) -> str:
    """Where the city listens."""
    return city.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright; its client holds an event loop of its own for as long as it lives."""
    program = which("chromium")
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium fonts-noto-cjk")
    expect.set_options(timeout=SEEN_WITHIN_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, city_url: str) -> Iterator[Open]:
    """Opens an address of the city; at the end no request may have gone elsewhere and nothing may have broken."""
    contexts: list[BrowserContext] = []
    strays: list[str] = []
    broken: list[str] = []

    def open_one(
        path: str = "/", *, lang: str = "en", wait_for_map: bool = True, before: str = "", **options: Any
    ) -> Page:
        size = {"width": 1366, "height": 768}
        context = browser.new_context(viewport=options.pop("viewport", size), reduced_motion="reduce", **options)
        contexts.append(context)
        remember = f"if (!localStorage.getItem('citybrain.lang')) localStorage.setItem('citybrain.lang', '{lang}')"
        context.add_init_script(f"{remember}; {before}")
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: strays.extend(_outside(request.url, city_url)))
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda message: broken.extend(_against_policy(message.text)))
        page.goto(city_url + path)
        page.wait_for_selector("html[data-centre=ready], html[data-desk=ready]", state="attached")
        if wait_for_map:
            page.wait_for_selector("html[data-map=ready]", state="attached")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert strays == []
    assert broken == []


def _outside(url: str, city_url: str) -> list[str]:
    """The address, if it is somebody else's."""
    return [] if urlsplit(url).scheme in ("data", "blob") or url.startswith(city_url) else [url]


def _against_policy(text: str) -> list[str]:
    """What the browser said, if it refused something by the page's own policy."""
    return [text] if "Content Security Policy" in text else []
