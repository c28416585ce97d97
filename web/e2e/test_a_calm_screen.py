# SPDX-License-Identifier: Apache-2.0
"""Every place of the centre, in both languages: accessible, within its own house, usable on a phone."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.scenarios.city import RunningCity

Open = Callable[..., Page]

DESKS = ["/indicators", "/alarms", "/junctions", "/roads", "/missions"]
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA, with the places."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {[node['html'][:160] for node in each['nodes'][:3]]}" for each in found]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("desk", DESKS)
def test_every_desk_is_accessible_and_asks_nobody_else(open_page: Open, desk: str, lang: str) -> None:
    page = open_page(desk, lang=lang)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if lang == "zh" else "en")
    assert violations(page) == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_replayed_junction_and_its_dialogs_are_accessible(open_page: Open, city: RunningCity, lang: str) -> None:
    signal_id = city.get("/api/network")["signals"][0]["id"]
    begin = city.get("/api/replay/extent")["from"]
    page = open_page(f"/signals?sel={signal_id}&at={begin}", lang=lang)
    expect(page.locator("aside table").first).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("width", [390, 1366, 1920, 3840])
def test_nothing_is_wider_than_the_screen(open_page: Open, city: RunningCity, width: int) -> None:
    signal_id = city.get("/api/network")["signals"][0]["id"]
    viewport = {"width": width, "height": 844 if width == 390 else width * 9 // 16}
    page = open_page(f"/signals?sel={signal_id}", viewport=viewport, wait_for_map=False)
    expect(page.get_by_role("heading", level=2, name="Junction 1")).to_be_visible()
    assert page.locator("body").evaluate("body => body.scrollWidth <= body.clientWidth")
    inspector = page.get_by_role("complementary", name="Selection")
    assert inspector.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_the_language_is_remembered(open_page: Open) -> None:
    page = open_page("/alarms", lang="zh")
    expect(page.get_by_role("heading", name="告警", level=2)).to_be_visible()
    page.get_by_role("button", name="EN").click()
    expect(page.get_by_role("heading", name="Alarms", level=2)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Alarms", level=2)).to_be_visible()


def test_a_browser_that_draws_no_maps_says_so_and_shows_all_else(open_page: Open) -> None:
    page = open_page("/alarms", wait_for_map=False, before="HTMLCanvasElement.prototype.getContext = () => null")
    expect(page.get_by_text("This browser draws no maps")).to_be_visible()
    expect(page.get_by_role("heading", name="Alarms", level=2)).to_be_visible()
