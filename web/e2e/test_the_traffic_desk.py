# SPDX-License-Identifier: Apache-2.0
"""The traffic desk: two persons lock a junction, one is promoted, an ambulance is sent, a corridor and a comparison."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.city import RunningCity, running
from web.e2e.staff import PASSWORD, Client, Open, desks_of
from web.e2e.test_a_calm_screen import violations

POWERS = {"admin": "wang", "security": "zhao"}
SECOND = "li"
# Enough city time for a comparison of three spans, and short enough for whoever waits.
SPEED = 10.0
SOON_MS = 30_000


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A small city, with a second operator beside the first."""
    with running(open_folder / "traffic-city", scenario="cologne3", speed=str(SPEED)) as started:
        hire(started)
        yield started


def hire(city: RunningCity) -> None:
    """An account of a second operator: one power opens it, another one gives it its role."""
    with Client(city, "operator", city.password or "") as operator:
        for power, name in POWERS.items():
            operator.do("POST", f"/api/powers/{power}", account=name, password=PASSWORD)
    with Client(city, POWERS["admin"], PASSWORD) as admin:
        admin.enrol()
        admin.do("POST", "/api/people", name=SECOND, password=PASSWORD)
    with Client(city, POWERS["security"], PASSWORD) as security:
        security.enrol()
        security.do("PUT", f"/api/people/{SECOND}/roles", roles=["operator"])


@pytest.fixture
def first(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens desks as the first operator."""
    yield from opened(browser, city, "operator", city.password or "")


@pytest.fixture
def second(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens desks as the second operator."""
    yield from opened(browser, city, SECOND, PASSWORD)


def opened(browser: Browser, city: RunningCity, name: str, password: str) -> Iterator[Open]:
    """Opens desks as somebody, with or without a map."""
    with desks_of(browser, city, name, password, ready="html[data-centre=ready], html[data-desk=ready]") as open_one:
        yield open_one


def signals(city: RunningCity) -> list[str]:
    """The ids of the signals, as the network names them."""
    return [each["id"] for each in city.get("/api/network")["signals"]]


def drawer(page: Page) -> Locator:
    """What shows the selection."""
    return page.get_by_role("complementary", name="Selection")


def order(page: Page, button: str, reason: str) -> None:
    """Say why in the sheet that is open, understand, and give the order."""
    sheet = page.get_by_role("dialog")
    act = sheet.get_by_role("button", name=button)
    expect(act).to_be_disabled()
    sheet.get_by_label("Reason").fill(reason)
    sheet.get_by_label("I understand").check()
    act.click()


def test_two_persons_lock_a_junction(first: Open, second: Open, city: RunningCity) -> None:
    junction = signals(city)[0]
    page = first(f"/junctions?sel={junction}")
    drawer(page).get_by_role("button", name="Lock (two persons)").click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_text("two persons, the second one within ten minutes")).to_be_visible()
    sheet.get_by_label(re.compile("show")).select_option(index=1)
    assert violations(page) == []
    order(page, "Propose it", "convoy")
    expect(sheet.get_by_text(re.compile("another person must approve, 9:[0-9]{2} left"))).to_be_visible()
    sheet.get_by_role("button", name="Close").last.click()
    waits = drawer(page).get_by_role("region", name="Orders of people")
    expect(waits.get_by_text("Somebody else must approve it.")).to_be_visible()
    expect(waits.get_by_role("button", name="Approve")).to_be_hidden()

    other = second("/orders")
    expect(other.get_by_role("link", name=re.compile("Orders")).get_by_text("1")).to_be_visible()
    waiting = other.get_by_role("region", name="Waiting for a second person")
    expect(waiting.get_by_text("Reason: convoy")).to_be_visible()
    assert violations(other) == []
    waiting.get_by_role("button", name="Approve").click()
    stands = other.get_by_role("region", name="Orders", exact=True)
    expect(stands.get_by_text("in force")).to_be_visible(timeout=SOON_MS)
    stands.get_by_role("button", name="History").click()
    story = other.get_by_role("dialog")
    expect(story.get_by_role("row").nth(2)).to_contain_text(SECOND)

    say = drawer(page).get_by_role("region", name="Who has the say")
    expect(say.get_by_text("People (lock or hold)").first).to_be_visible(timeout=SOON_MS)
    expect(say.get_by_text(re.compile(f"approved by {SECOND}")).first).to_be_visible()
    assert violations(page) == []


def test_a_junction_is_put_into_shadow_and_promoted_again(first: Open, city: RunningCity) -> None:
    page = first(f"/junctions?sel={signals(city)[1]}")
    say = drawer(page).get_by_role("region", name="Who has the say")
    for act, mode in (("Back to shadow", "shadow"), ("Let the brain act", "brain")):
        drawer(page).get_by_role("button", name=act).click()
        order(page, "Give the order", "try-out")
        page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
        expect(say.get_by_text(f"Mode: {mode}")).to_be_visible(timeout=SOON_MS)
    orders = drawer(page).get_by_role("region", name="Orders of people")
    orders.get_by_text(re.compile("that are over")).click()
    expect(orders.get_by_text(re.compile("Replaced by a newer order of operator"))).to_be_visible()


def test_an_ambulance_is_sent_by_the_names_of_roads_and_moves(first: Open, city: RunningCity) -> None:
    roads = {each["name"]["en"] for each in city.get("/api/network")["roads"] if each["length_m"] > 100}
    start, end = sorted(roads)[0], sorted(roads)[-1]
    page = first("/missions")
    page.get_by_role("button", name="Dispatch", exact=True).click()
    form = page.get_by_role("form", name="Dispatch")
    for field, road in (("From", start), ("To", end)):
        form.get_by_label(field, exact=True).fill(road)
        form.get_by_role("option", name=road).first.click()
    assert violations(page) == []
    form.get_by_role("button", name="Next: say why").click()
    order(page, "Give the order", "heart attack")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
    page.get_by_role("checkbox", name="also those that are over").check()
    page.get_by_role("listbox", name="List of missions").get_by_role("option").first.click()
    log = drawer(page).get_by_role("listitem")
    expect(log.get_by_text(re.compile("The vehicle is on the road")).first).to_be_visible(timeout=SOON_MS)
    assert violations(page) == []


def test_a_corridor_and_a_comparison_open_and_say_the_same_in_a_table(first: Open, city: RunningCity) -> None:
    start, end = corridor(city)
    page = first(f"/corridor?from={start}&to={end}&minutes=3")
    expect(page.get_by_role("img", name=re.compile("Time and distance: [0-9]+ signals"))).to_be_visible()
    cursor = page.get_by_role("slider", name="Moment")
    before = cursor.input_value()
    cursor.press("ArrowLeft")
    assert cursor.input_value() < before
    expect(page.get_by_role("region", name="The same as a table").get_by_role("row").nth(2)).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Open a green wave here").click()
    expect(page.get_by_role("dialog").get_by_label("both ways")).to_be_visible()
    page.keyboard.press("Escape")

    span = city.get("/api/replay/extent")
    asked = f"{span['from']}~{span['to']}"
    page = first(f"/compare?before={asked}&after={asked}")
    figures = page.get_by_role("region", name="Figures").last
    expect(figures.get_by_text("Mean speed")).to_be_visible()
    expect(figures.get_by_text(re.compile("not certain|too little data")).first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("region", name=re.compile("^Roads")).last.get_by_role("button").first.click()
    expect(drawer(page).get_by_role("heading", level=2)).to_be_visible()
    expect(page).to_have_url(re.compile("/roads.*sel=.*RoadSegment"))


def corridor(city: RunningCity) -> tuple[str, str]:
    """Two signals with a road between them."""
    span = city.get("/api/replay/extent")
    ids = signals(city)
    pairs = [(start, end) for start in ids for end in ids if start != end]
    with Client(city, "operator", city.password or "") as client:
        for start, end in pairs:
            params = {"start": start, "end": end, "since": span["from"], "until": span["to"]}
            if client.get("/api/apps/traffic/corridor", params=params).is_success:
                return start, end
    raise AssertionError("no two signals with a road between them")


def test_a_timetable_is_written_judged_at_its_fields_and_runs(first: Open, city: RunningCity) -> None:
    junction = signals(city)[-1]
    page = first(f"/plans?signal={junction}")
    page.get_by_role("button", name="New timetable").click()
    editor = page.get_by_role("region", name="Edit the timetable")
    green = editor.get_by_label("green").first
    green.fill("1")
    green.press("Tab")
    expect(green).to_have_attribute("aria-invalid", "true")
    expect(editor.get_by_text(re.compile("is shorter than its least green of"))).to_be_visible()
    run = editor.get_by_role("button", name=re.compile("^Run this plan"))
    expect(run).to_be_disabled()
    assert violations(page) == []
    green.fill("20")
    green.press("Tab")
    expect(editor.get_by_role("img", name=re.compile("phase . green 0–20 s"))).to_be_visible()
    editor.get_by_role("button", name="Remove the span").click()
    expect(editor.get_by_text("always runs (no span)")).to_be_visible()
    editor.get_by_label("Name of the plan").fill("Fair")
    editor.get_by_label("Name of the plan").press("Tab")
    expect(editor.get_by_role("row").nth(1)).to_contain_text("00:00–24:00 Fair")
    run.click()
    order(page, "Give the order", "fair")
    page.get_by_role("dialog").get_by_role("button", name="Close").last.click()

    stands = page.get_by_role("region", name="Timetables in force")
    expect(stands.get_by_text("1 · Fair")).to_be_visible(timeout=SOON_MS)
    expect(stands.get_by_text("runs now")).to_be_visible()
    assert violations(page) == []
    say = drawer(first(f"/junctions?sel={junction}")).get_by_role("region", name="Who has the say")
    expect(say.get_by_text("A plan on request").first).to_be_visible(timeout=SOON_MS)
    stands.get_by_role("button", name=re.compile("^End")).click()
    page.get_by_role("dialog").get_by_label("Reason").fill("over")
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^End")).click()
    expect(stands.get_by_text("None. The brain or the shipped plan has the say.")).to_be_visible(timeout=SOON_MS)
