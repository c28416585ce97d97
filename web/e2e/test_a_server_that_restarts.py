# SPDX-License-Identifier: Apache-2.0
"""A power cut: the screen says so, keeps what it knew, and finds the server again without a reload."""

import time
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, expect

from tests.scenarios.city import start

# Measured from the server's first answer; the city's own start takes longer and is not the screen's.
FOUND_WITHIN_S = 5.0


def test_the_screen_finds_a_restarted_server_within_five_seconds(browser: Browser, open_folder: Path) -> None:
    folder = open_folder / "web-restart"
    city = start(folder, speed="10")
    page = browser.new_context(locale="en-GB").new_page()
    page.add_init_script("localStorage.setItem('citybrain.lang', 'en'); window.untouched = true")
    page.goto(f"{city.url}/indicators")
    expect(page.get_by_text("connected", exact=True)).to_be_visible(timeout=60_000)
    page.locator("html").evaluate("html => { html.dataset.untouched = 'yes' }")
    city.kill()
    expect(page.get_by_text("Connection lost").first).to_be_visible(timeout=15_000)
    expect(page.get_by_text("Showing what was known")).to_be_visible()
    city = start(folder, speed="10", port=urlsplit(city.url).port)
    back = time.monotonic()
    expect(page.get_by_text("connected", exact=True)).to_be_visible(timeout=FOUND_WITHIN_S * 1000)
    assert time.monotonic() - back < FOUND_WITHIN_S
    assert page.locator("html").get_attribute("data-untouched") == "yes", "the page was reloaded"
    page.context.close()
    city.stop()
