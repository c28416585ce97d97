# SPDX-License-Identifier: Apache-2.0
"""What an operator does in a day: look, find, ask why, look back, act."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.scenarios.city import RunningCity

Open = Callable[..., Page]


# The brain asks a signal that refused it again after a minute of city time.
SOON_MS = 60_000


def sign_in(page: Page, city: RunningCity) -> None:
    """Fill the dialog that is open."""
    page.get_by_label("Name").fill("operator")
    page.get_by_label("Password").fill(city.password or "")
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()


def choose_first(page: Page, name: str) -> None:
    """Choose the first row of a list."""
    page.get_by_role("listbox", name=name).get_by_role("option").first.click()


def test_the_city_moves_while_one_looks(open_page: Open) -> None:
    page = open_page("/indicators")
    expect(page.get_by_text("connected", exact=True)).to_be_visible()
    clock = page.locator("header time")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    expect(page.get_by_role("list", name="List of figures").get_by_role("listitem").first).to_be_visible()


def test_a_junction_is_found_by_keyboard_and_can_be_sent_to_a_colleague(open_page: Open) -> None:
    page = open_page("/alarms")
    page.keyboard.press("Control+k")
    page.keyboard.type("junction 2")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Junction 2", level=2)
    expect(heading).to_be_visible()
    expect(page).to_have_url(re.compile("sel=.*TrafficSignalController"))
    page.reload()
    expect(heading).to_be_visible()
    page.keyboard.press("Escape")
    expect(heading).to_be_hidden()


def test_an_order_can_be_followed_back_to_what_was_seen(open_page: Open) -> None:
    page = open_page("/signals")
    choose_first(page, "List of signal junctions")
    drawer = page.get_by_role("complementary", name="Selection")
    expect(drawer.get_by_role("region", name="Queues per detector").get_by_role("row").nth(1)).to_be_visible()
    drawer.get_by_role("button", name="Observations", exact=True).first.click()
    dialog = page.get_by_role("dialog", name="Observations behind it")
    expect(dialog.get_by_text(re.compile("observed"))).to_be_visible()


def test_control_of_a_signal_asks_twice_and_needs_a_sign_in(open_page: Open, city: RunningCity) -> None:
    page = open_page("/junctions")
    choose_first(page, "List of signal junctions")
    drawer = page.get_by_role("complementary", name="Selection")
    drawer.get_by_role("button", name="Sign in").click()
    sign_in(page, city)
    for button, mode in (("Run the shipped plan on purpose", "plan"), ("Let the brain act", "brain")):
        drawer.get_by_role("button", name=button).click()
        dialog = page.get_by_role("dialog", name=re.compile(button))
        expect(dialog.get_by_text("What undoes it")).to_be_visible()
        act = dialog.get_by_role("button", name="Give the order")
        expect(act).to_be_disabled()
        dialog.get_by_role("checkbox").check()
        act.click()
        expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
        dialog.get_by_label("Reason").fill("a try-out")
        act.click()
        dialog.get_by_role("button", name="Close").last.click()
        expect(drawer.get_by_text(f"Mode: {mode}")).to_be_visible(timeout=SOON_MS)


def test_an_event_tells_why_and_is_acknowledged_with_a_note(open_page: Open, city: RunningCity) -> None:
    page = open_page("/events?state=all")
    choose_first(page, "List of alarms")
    drawer = page.get_by_role("complementary", name="Selection")
    expect(drawer.get_by_role("heading", name="Because")).to_be_visible()
    page.keyboard.press("a")
    sheet = page.get_by_role("dialog", name="Acknowledge")
    sheet.get_by_label("Note").fill("Patrol sent")
    sheet.get_by_label("Note").press("Enter")
    sign_in(page, city)
    expect(drawer.get_by_text("acknowledged · operator")).to_be_visible()
    expect(drawer.get_by_text("Patrol sent")).to_be_visible()


def test_a_replay_cannot_be_taken_for_live(open_page: Open) -> None:
    page = open_page("/roads")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_text("REPLAY · not live")).to_be_visible()
    expect(page.get_by_text("Of vehicles replay keeps only those that orders sent")).to_be_visible()
    expect(page).to_have_url(re.compile("at="))
    slider = page.get_by_role("slider", name="Replay time")
    before = slider.input_value()
    page.get_by_role("button", name="Play").click()
    expect(slider).not_to_have_value(before)
    page.keyboard.press("l")
    expect(page.get_by_text("REPLAY · not live")).to_be_hidden()
    expect(page).not_to_have_url(re.compile("at="))


def test_a_figure_opens_its_formula_and_the_rows_behind_it(open_page: Open) -> None:
    page = open_page("/indicators")
    page.get_by_role("button", name="Open Delay per vehicle").click()
    dialog = page.get_by_role("dialog", name="Delay per vehicle")
    expect(dialog.get_by_text(re.compile("Time loss plus departure delay"))).to_be_visible()
    expect(dialog.get_by_role("region", name="Rows behind it").get_by_role("row").nth(1)).to_be_visible()
    dialog.get_by_role("button", name="Table").click()
    expect(dialog.get_by_role("columnheader", name=re.compile("Fixed plan"))).to_be_visible()


def test_the_speed_of_the_city_needs_a_sign_in(open_page: Open, city: RunningCity) -> None:
    page = open_page("/indicators")
    page.get_by_role("button", name=re.compile("simulated")).click()
    page.get_by_role("menuitemradio", name="×1", exact=True).click()
    sign_in(page, city)
    expect(page.get_by_role("button", name="simulated ×1", exact=True)).to_be_visible()
