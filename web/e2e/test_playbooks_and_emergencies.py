# SPDX-License-Identifier: Apache-2.0
"""Playbooks are written, tried and put in force by two persons; incidents are commanded from declaration to report."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.city import RunningCity, running
from web.e2e.staff import PASSWORD, Client, Open, desks_of
from web.e2e.test_a_calm_screen import violations
from web.e2e.test_the_traffic_desk import SECOND, hire

READY = "html[data-centre=ready], html[data-desk=ready]"
SPEED = 2.0
SOON_MS = 30_000


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A small city with a second officer."""
    with running(open_folder / "playbooks-city", scenario="cologne1", speed=str(SPEED)) as started:
        hire(started)
        yield started


@pytest.fixture
def first(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens desks as the officer on duty."""
    with desks_of(browser, city, "operator", city.password or "", ready=READY) as open_one:
        yield open_one


def choose(page: Page, label: str, typed: str) -> None:
    """Choose one of many by typing."""
    box = page.get_by_role("combobox", name=label, exact=True)
    box.fill(typed)
    box.press("Enter")


def lines(page: Page) -> Locator:
    """The lines of the open playbook."""
    return page.get_by_role("region", name="Lines").locator("ol > li")


def test_a_playbook_is_written_tried_and_put_in_force_by_two(first: Open, city: RunningCity) -> None:
    page = first("/playbooks?playbook=new")
    page.get_by_role("button", name="Save as draft").click()
    expect(page.get_by_role("alert").get_by_text("things need correcting")).to_be_visible()
    head = page.get_by_role("region", name="Name and conditions")
    expect(head.get_by_label(re.compile("^Id"))).to_be_focused()
    page.keyboard.type("market.jam")
    page.get_by_label("Name (English)").fill("A jam at the market")
    choose(page, "Kind", "traffic.congestion")
    place(page)
    for typed in ("street.divert", "administration.escalate"):
        page.get_by_role("button", name="Add a line").click()
        choose(page, "Means", typed)
    page.reload()
    expect(page.get_by_label("Name (English)")).to_have_value("A jam at the market")
    expect(lines(page)).to_have_count(2)
    lines(page).nth(1).get_by_role("button").first.focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(lines(page).nth(0)).to_contain_text(re.compile("escalate", re.IGNORECASE))
    page.keyboard.press("Alt+ArrowDown")
    lines(page).nth(0).get_by_role("button").first.click()
    fill_numbers(lines(page).nth(0))
    lines(page).nth(0).get_by_label("Who agrees").select_option("two")
    lines(page).nth(1).get_by_role("button").first.click()
    for box in lines(page).nth(1).get_by_role("group").get_by_role("textbox").all():
        if not box.input_value() and (box.get_attribute("id") or "").endswith("-task"):
            box.fill("look at it")
    assert violations(page) == []
    page.get_by_role("button", name="Save as draft").click()
    expect(page.get_by_text("Draft v1").first).to_be_visible()
    kept = city_body(city)
    assert len(kept["when"]["places"]["area"]["coordinates"][0]) == 5, "four corners, closed"
    assert (kept["valid_from"], kept["valid_until"]) == (None, "2029-12-31T23:00:00Z"), "typed in the time of Cologne"
    page.get_by_role("button", name="Try on last month").first.click()
    expect(page.get_by_role("region", name="Dry run").get_by_text("Events looked at")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Put in force").click()
    page.get_by_role("dialog").get_by_role("button", name="Put version 1 in force").click()
    expect(page.get_by_text("another person must confirm")).to_be_visible()
    with Client(city, SECOND, PASSWORD) as other:
        assert other.do("POST", "/api/operations/playbooks/market.jam/activate", version=1)["active"] == 1
    page.reload()
    expect(page.get_by_text("In force v1").first).to_be_visible()
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_role("region", name="Compare versions")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Take out of force").click()
    page.get_by_role("dialog").get_by_role("button", name="Take out of force").click()
    expect(page.get_by_text("Retired v1").first).to_be_visible()


def city_body(city: RunningCity) -> Any:
    """The playbook as the server has it."""
    with Client(city, SECOND, PASSWORD) as other:
        return other.do("GET", "/api/operations/playbooks/market.jam")["body"]


def place(page: Page) -> None:
    """An area around a road, one drawn on the map instead, and from when until when it counts."""
    page.get_by_text("Places").click()
    area = page.get_by_role("group", name="Area")
    choose(page, "Or around these roads", "1")
    corners = area.get_by_label("Corners (one a line: longitude, latitude)")
    expect(corners).to_have_value(re.compile(r"(\S+, \S+\n){3,}"))
    area.get_by_role("button", name="Draw it on the map").click()
    area.get_by_role("button", name="Remove the area").click()
    expect(area.get_by_role("status")).to_have_text("0 corners; an area needs 3")
    drawn = area.locator(".box[data-drawn=yes]")
    for x, y in ((100, 60), (300, 60), (200, 200)):
        drawn.click(position={"x": x, "y": y})
    expect(area.get_by_role("status")).to_have_text("3 corners")
    area.get_by_role("button", name="Corner in the middle").press("Enter")
    expect(corners).to_have_value(re.compile(r"^(\S+, \S+\n){3}\S+, \S+$"))
    page.get_by_label("Valid from").fill("2031-01-01T00:00")
    page.get_by_label("Valid until").fill("2030-01-01T00:00")
    expect(page.get_by_text("It must end after it begins.")).to_be_visible()
    page.get_by_label("Valid from").fill("")


def fill_numbers(line: Locator) -> None:
    """Give each number that is asked for some value."""
    for box in line.locator("input[inputmode=decimal]").all():
        if not box.input_value():
            box.fill("0.5" if (box.get_attribute("id") or "").endswith("share") else "30")


def test_the_catalogue_is_searched_and_says_why_something_cannot_be_done(first: Open) -> None:
    page = first("/means")
    expect(page.get_by_text(re.compile(r"\d+ means, \d+ can be done"))).to_be_visible()
    page.get_by_label("Which means").select_option("cannot")
    expect(page.get_by_text("Why not").first).to_be_visible()
    page.get_by_label("Which means").select_option("")
    page.get_by_label("Search by name").fill("tow")
    expect(page.get_by_text("people.send_tow")).to_be_visible()
    assert violations(page) == []


def test_an_incident_is_commanded_from_declaration_to_report(first: Open, city: RunningCity) -> None:
    page = first("/incidents?incident=new")
    page.get_by_role("button", name=re.compile("^Declare")).last.click()
    expect(page.get_by_text("Choose a plan.")).to_be_visible()
    page.get_by_label("Plan").select_option("flood")
    page.get_by_label("Level").select_option("III")
    page.get_by_label("Title").fill("Water at the station")
    page.get_by_label("Reason").fill("three underpasses are closed")
    assert violations(page) == []
    page.get_by_role("button", name="Declare at level III").click()
    opened = page.get_by_role("region", name="The open incident")
    expect(opened.get_by_role("heading", name="Water at the station")).to_be_visible()
    opened.get_by_role("button", name="Raise the level").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_label("Reason").fill("people are trapped")
    sheet.get_by_role("button", name="Propose").click()
    expect(opened.get_by_text("operator proposed")).to_be_visible()
    expect(opened.get_by_role("button", name="Confirm as the second person")).to_have_count(0)
    incident = page.url.split("incident=")[1].split("&")[0]
    with Client(city, SECOND, PASSWORD) as other:
        done = other.do("POST", f"/api/emergency/incidents/{incident}/acts", act="confirm")
        assert done["incident"]["level"] == "II"
    expect(opened.get_by_text("level II since")).to_be_visible(timeout=SOON_MS)
    for label, words in (("Subject", "depth"), ("What is so", "half a metre, rising"), ("Source", "gauge 7")):
        opened.get_by_label(label, exact=True).fill(words)
    opened.get_by_role("button", name="Write down").click()
    expect(opened.get_by_text("source: gauge 7")).to_be_visible()
    assert violations(page) == []
    opened.get_by_role("tab", name="Log").click()
    for label, words in (("From", "command"), ("To", "water"), ("Text", "two more pumps")):
        opened.get_by_label(label, exact=True).fill(words)
    opened.get_by_label("Text", exact=True).press("Control+Enter")
    expect(opened.get_by_role("listitem").get_by_text("two more pumps")).to_be_visible()
    for tab in ("Tasks", "People and posts", "Resources", "Levels", "Report"):
        opened.get_by_role("tab", name=tab).click()
        expect(opened.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    expect(opened.get_by_role("heading", name="After-action report: Water at the station")).to_be_visible()
    assert violations(page) == []
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_a_response_plan_is_written_as_a_new_version_that_holds_from_a_day_on(first: Open, city: RunningCity) -> None:
    page = first("/response-plans?plan=crowd")
    opened = page.get_by_role("region", name="The open plan")
    with Client(city, SECOND, PASSWORD) as other:
        before = other.do("GET", "/api/emergency/plans/crowd")
    level = opened.get_by_role("region", name="level IV")
    tasks = level.get_by_role("group", name=re.compile(r"^Task \d+$"))
    expect(tasks).to_have_count(len(before["responses"]["IV"]["tasks"]))
    level.get_by_role("button", name="Add a task").click()
    opened.get_by_role("button", name="Save as version 2").click()
    expect(opened.get_by_text("Say what is to be done.")).to_be_visible()
    expect(tasks.last.get_by_label("Task (Chinese)")).to_be_focused()
    page.keyboard.type("清点人数")
    tasks.last.get_by_label("Task (English)").fill("Count the people")
    page.reload()
    expect(tasks.last.get_by_label("Task (English)")).to_have_value("Count the people")
    department = tasks.last.get_by_role("combobox", name="Department")
    department.fill("e")
    page.get_by_role("listbox").get_by_role("option").first.wait_for()
    department.press("Enter")
    expect(department).not_to_have_value("e")
    opened.get_by_label("Valid from").fill("2031-01-01T00:00")
    assert violations(page) == []
    with Client(city, SECOND, PASSWORD) as other:
        other.do("PUT", "/api/emergency/plans/crowd", **{**before, "basis": "the other officer's"})
    opened.get_by_role("button", name="Save as version 2").click()
    opened.get_by_role("button", name="Mine shall be version 3").click()
    opened.get_by_role("button", name="Save as version").click()
    versions = opened.get_by_role("region", name="Versions").get_by_role("listitem")
    expect(versions).to_have_count(3)
    expect(versions.nth(1)).to_contain_text("in force")
    with Client(city, SECOND, PASSWORD) as other:
        now = other.do("GET", "/api/emergency/plans/crowd")
        newest = other.do("GET", "/api/emergency/plans/crowd?version=3")
    assert (now["version"], now["basis"]) == (2, "the other officer's")
    assert newest["responses"]["IV"]["tasks"][-1]["title"] == {"zh": "清点人数", "en": "Count the people"}
    assert newest["valid_from"] == "2030-12-31T23:00:00Z"


def test_a_role_without_anybody_gets_a_contact_and_its_means_can_be_done(first: Open) -> None:
    page = first("/means?q=information.radio")
    page.get_by_role("link", name="Name somebody").click()
    expect(page.get_by_text("This role has nobody yet")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Add a contact").click()
    form = page.get_by_role("form", name="Add a contact")
    form.get_by_label("Way").select_option("webhook")
    form.get_by_label("Address").fill("https://radio.example/alerts")
    form.get_by_label("Name (English)").fill("City radio")
    form.get_by_label("Signing secret").fill("a long secret")
    form.get_by_role("button", name="Keep the contact").click()
    card = page.get_by_role("article", name="City radio")
    expect(card.get_by_text("Works")).to_be_visible()
    assert violations(page) == []
    card.get_by_role("button", name="Change").click()
    page.get_by_role("form", name="Change").get_by_label("Name (English)").fill("Night radio")
    page.get_by_role("button", name="Keep the contact").click()
    night = page.get_by_role("article", name="Night radio")
    expect(night.get_by_text("yes", exact=True)).to_be_visible()
    night.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("This role has nobody yet")).to_be_visible()
