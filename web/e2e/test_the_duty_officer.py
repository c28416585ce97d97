# SPDX-License-Identifier: Apache-2.0
"""A duty officer's shift: alarms by keyboard, two officers on one of them, the twin, the wall, the report."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.city import RunningCity, eventually, running
from web.e2e.staff import PASSWORD, Client, Open, desks_of, written
from web.e2e.test_a_calm_screen import violations
from web.e2e.test_the_traffic_desk import SECOND, hire

READY = "html[data-centre=ready], html[data-desk=ready]"
SPEED = 4.0
SOON_MS = 30_000
# Looking a few minutes ahead, on a machine that does other things too.
TWIN_MS = 180_000
MANY = 20_000
FEW_ROWS = 120
# The oldest of the few alarms began so long before the moment they are written.
OLDEST_S = 8
WAVE = {f"wave0000{number}" for number in range(1, 6)}
KIND = "operations.noise_limit"

SEED = """
WITH made AS (
    INSERT INTO event (id, kind, severity, at, entity_id, because, geometry, evidence, "group")
    SELECT '{prefix}' || lpad(n::text, 5, '0'), '{kind}', (ARRAY['I', 'II', 'III', 'IV'])[1 + n % 4],
        timestamptz '{at}' - n * interval '1 second', '{entity}',
        '{{"code": "operations.noise_limit", "facts": {{}}}}',
        NULL, '{{"speed_kmh": 5}}', {group}
    FROM generate_series({first}, {last}) AS n
    RETURNING *
)
INSERT INTO event_handling (event_id, kind, severity, at, entity_id, "group", words)
SELECT id, kind, severity, at, entity_id, "group", lower(kind || ' ' || entity_id || ' ' || id) FROM made
"""


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A small city with a second officer, and with alarms."""
    with running(open_folder / "duty-city", scenario="cologne3", speed=str(SPEED)) as started:
        hire(started)
        grown(started)
        seed(started, "few", last=OLDEST_S)
        seed(started, "wave", last=5, group="'wave00001'")
        yield started


def grown(city: RunningCity) -> None:
    """Waits until the city is older than any alarm the tests put into it."""
    eventually(lambda: _age_s(city) > 2 * OLDEST_S)


def _age_s(city: RunningCity) -> float:
    begin, now = city.get("/api/replay/extent")["from"], city.get("/api/status")["city_time"]
    return (datetime.fromisoformat(now) - datetime.fromisoformat(begin)).total_seconds() if begin else 0.0


def seed(city: RunningCity, prefix: str, *, last: int, kind: str = KIND, group: str = "NULL", entity: str = "") -> None:
    """Alarms that began one after another, of all severities in turn."""
    at = city.get("/api/status")["city_time"]
    entity = entity or road(city)
    written(city, SEED.format(prefix=prefix, kind=kind, at=at, entity=entity, group=group, first=1, last=last))


def road(city: RunningCity) -> str:
    """A road of the city."""
    found: str = city.get("/api/network")["roads"][0]["id"]
    return found


@pytest.fixture
def first(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens desks as the officer on duty."""
    with desks_of(browser, city, "operator", city.password or "", ready=READY) as open_one:
        yield open_one


@pytest.fixture
def second(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens desks as the other officer."""
    with desks_of(browser, city, SECOND, PASSWORD, ready=READY) as open_one:
        yield open_one


def rows(page: Page) -> Locator:
    """The rows that are drawn."""
    return page.get_by_role("listbox", name="List of alarms").get_by_role("option")


def drawer(page: Page) -> Locator:
    """What shows the chosen alarm."""
    return page.get_by_role("complementary", name="Selection")


def test_an_alarm_is_handled_by_keyboard_alone(first: Open) -> None:
    page = first("/duty?q=few&state=all")
    expect(rows(page)).to_have_count(8)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    handling = drawer(page).get_by_role("region", name="Handling")
    expect(handling.get_by_text("new", exact=True)).to_be_visible()
    for key, note, told in (("a", "seen", "acknowledged · operator"), ("t", None, "taken · operator")):
        page.keyboard.press(key)
        if note:
            page.get_by_role("dialog").get_by_label("Note").fill(note)
            page.keyboard.press("Enter")
        expect(handling.get_by_text(told)).to_be_visible()
    page.keyboard.press("c")
    page.get_by_role("dialog").get_by_label("Note").fill("a patrol is on its way")
    page.keyboard.press("Enter")
    timeline = drawer(page).get_by_role("region", name="Timeline")
    expect(timeline.get_by_text("a patrol is on its way")).to_be_visible()
    page.keyboard.press("s")
    sheet = page.get_by_role("dialog", name="Shelve")
    sheet.get_by_label("Note").press("Enter")
    expect(sheet.get_by_label("Note")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []
    sheet.get_by_label("Note").fill("works until ten")
    page.keyboard.press("Enter")
    expect(handling.get_by_text(re.compile("shelved · until"))).to_be_visible()
    page.keyboard.press("u")
    expect(handling.get_by_text("taken · operator")).to_be_visible()
    page.keyboard.press("e")
    page.get_by_role("dialog").get_by_label("Note").fill("it is quiet again")
    page.keyboard.press("Enter")
    expect(handling.get_by_text("cleared · operator")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()


def test_whoever_comes_second_is_told_who_has_it(first: Open, second: Open, city: RunningCity) -> None:
    page = first("/duty?q=few00002&state=all&alarm=few00002")
    with Client(city, SECOND, PASSWORD) as other:
        other.do("POST", "/api/alarms/few00002/acts", act="take")
    expect(rows(page).first.get_by_text(f"taken · {SECOND}")).to_be_visible(timeout=SOON_MS)
    drawer(page).get_by_role("button", name="Take").click()
    expect(drawer(page).get_by_role("alert").get_by_text(f"{SECOND} has taken")).to_be_visible()
    theirs = second("/duty?mine=1&state=all")
    expect(rows(theirs)).to_have_count(1)
    drawer_of_theirs = rows(theirs).first
    drawer_of_theirs.click()
    drawer(theirs).get_by_role("button", name="Release").click()
    expect(rows(theirs)).to_have_count(0)
    expect(rows(page).first.get_by_text("acknowledged")).to_be_visible(timeout=SOON_MS)


def test_a_wave_folds_is_marked_and_handled_at_once(first: Open) -> None:
    page = first("/duty?q=wave")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("g")
    expect(rows(page)).to_have_count(5)
    for _ in range(5):
        page.keyboard.press("x")
        page.keyboard.press("j")
    bulk = page.get_by_role("toolbar", name="Acts on what is marked")
    expect(bulk.get_by_text("5 marked")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("a")
    page.get_by_role("dialog").get_by_label("Note").press("Enter")
    expect(bulk).to_be_hidden()
    expect(rows(page).filter(has_text="acknowledged")).to_have_count(5)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 6
    assert {id for id in WAVE if any(id in line for line in lines[1:])} == WAVE


def test_filters_stand_in_the_address_and_are_kept_with_the_account(first: Open, second: Open) -> None:
    page = first("/duty?q=few&state=all")
    page.get_by_role("group", name="Severity").get_by_role("button").first.click()
    expect(page).to_have_url(re.compile(r"severity=I(&|$)"))
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name=re.compile("^Filter")).click()
    page.get_by_label("Order").select_option("at")
    expect(page).to_have_url(re.compile("sort=at"))
    page.get_by_placeholder("What to call this filter").fill("the worst")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Reset").click()
    expect(page).not_to_have_url(re.compile("severity"))
    elsewhere = first("/duty?state=all")
    elsewhere.get_by_role("button", name=re.compile("^Filter")).click()
    elsewhere.get_by_label("Saved filters").select_option("the worst")
    expect(elsewhere).to_have_url(re.compile("severity=I"))
    assert violations(elsewhere) == []
    elsewhere.get_by_role("button", name="Forget “the worst”").click()
    expect(elsewhere.get_by_label("Saved filters").get_by_role("option")).to_have_count(1)
    theirs = second("/duty")
    theirs.get_by_role("button", name=re.compile("^Filter")).click()
    expect(theirs.get_by_label("Saved filters").get_by_role("option")).to_have_count(1)


def test_twenty_thousand_rows_stay_smooth(first: Open, city: RunningCity) -> None:
    seed(city, "many", last=MANY, kind="operations.air_limit")
    page = first("/duty?kind=operations.air_limit")
    expect(page.get_by_text("20,000 alarms")).to_be_visible(timeout=SOON_MS)
    listbox = page.get_by_role("listbox", name="List of alarms")
    listbox.focus()
    for _ in range(3):
        last = rows(page).last.get_attribute("aria-posinset") or ""
        page.keyboard.press("End")
        expect(rows(page).last).not_to_have_attribute("aria-posinset", last)
    expect(rows(page).last).to_be_visible()
    assert int(rows(page).last.get_attribute("aria-posinset") or 0) > FEW_ROWS
    assert rows(page).count() < FEW_ROWS, "only what is seen is drawn"
    written(city, "DELETE FROM event_handling WHERE event_id LIKE 'many%'")
    written(city, "DELETE FROM event WHERE id LIKE 'many%'")


def test_the_list_follows_the_clock(first: Open, city: RunningCity) -> None:
    begin = city.get("/api/replay/extent")["from"]
    page = first(f"/alarms?at={begin}&state=all&q=few")
    expect(page.get_by_text("REPLAY · not live")).to_be_visible()
    expect(page.get_by_text("No alarm fits this filter.")).to_be_visible()
    page.keyboard.press("l")
    expect(rows(page)).to_have_count(8)


def test_the_field_follows_the_clock(first: Open, city: RunningCity) -> None:
    tow = "urn:ngsi-ld:Team:tow-1"
    says = {
        "name": {"value": "Tow 1"},
        "skill": {"value": "tow"},
        "status": {"value": "free"},
    }
    with Client(city, "operator", city.password or "") as operator:
        operator.do("POST", "/ngsi-ld/v1/entities", id=tow, type="Team", **says)
        told_at = city.get("/api/status")["city_time"]
        eventually(lambda: city.get("/api/status")["city_time"] > _seconds_after(told_at, 4))
        then = city.get("/api/status")["city_time"]
        eventually(lambda: city.get("/api/status")["city_time"] > _seconds_after(then, 4))
        operator.do("PATCH", f"/ngsi-ld/v1/entities/{tow}/attrs", status={"value": "busy"})
    page = first(f"/field?at={then}")
    line = page.get_by_role("region", name="Teams and vehicles").get_by_role("button", name="Tow 1")
    expect(line.get_by_text("free 0/1")).to_be_visible()
    page.keyboard.press("l")
    expect(line.get_by_text("busy 0/1")).to_be_visible()


def _seconds_after(at: str, seconds: float) -> str:
    """A city time as the city writes it."""
    return (datetime.fromisoformat(at) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "path", ["/alarms?sel=event:few00003", "/duty?alarm=few00003&state=all", "/handling", "/field", "/shift"]
)
def test_every_place_is_accessible_in_every_look(first: Open, path: str) -> None:
    page = first(path)
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    for look in ("dark", "light", "contrast"):
        wear(page, look)
        expect(page.locator("html")).to_have_attribute("data-theme", look)
        assert violations(page) == [], look


def wear(page: Page, look: str) -> None:
    """Change the look until it is this one."""
    names = {"dark": "dark", "light": "light", "contrast": "high contrast"}
    button = page.get_by_role("banner").get_by_role("button", name=re.compile("^Look:"))
    for _ in range(4):
        if names[look] == (button.get_attribute("aria-label") or "").removeprefix("Look: "):
            return
        button.click()
    raise AssertionError(look)


def test_the_look_is_remembered(first: Open) -> None:
    page = first("/alarms")
    wear(page, "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_the_wall_needs_no_account_and_has_nothing_to_press(
    browser: Browser, city: RunningCity, width: int, height: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{city.url}/wall?lang=en")
    wall = page.get_by_role("main", name="Wall")
    worst = wall.get_by_role("region", name="List of alarms").get_by_role("listitem")
    expect(worst.first).to_be_visible(timeout=SOON_MS)
    expect(worst.first.locator(".mark")).to_have_text(re.compile(r"^\W*I$"))
    for role in ("button", "link", "textbox", "checkbox", "combobox"):
        expect(page.get_by_role(role)).to_have_count(0)
    assert page.locator("body").evaluate(
        "body => body.scrollWidth <= body.clientWidth && body.scrollHeight <= body.clientHeight"
    )
    assert violations(page) == []
    context.close()


def test_a_wall_shows_figures_of_handling_by_a_token_that_may_nothing_else(browser: Browser, city: RunningCity) -> None:
    with Client(city, "operator", city.password or "") as operator:
        token = operator.do("POST", "/api/services", name="wall-1", may=["operations.wall"])["token"]
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    figures = page.get_by_role("region", name="Figures")
    page.goto(f"{city.url}/wall?lang=en&only=figures")
    expect(figures.get_by_text("need a wall token")).to_be_visible(timeout=SOON_MS)
    with page.expect_response(re.compile("/api/operations/wall")) as told:
        page.goto(f"{city.url}/wall?lang=en&only=figures#token={token}")
        page.reload()
    assert "found_by_machine" in {figure["name"].split(".")[-1] for figure in told.value.json()}
    expect(figures.get_by_text("need a wall token")).to_be_hidden()
    expect(page).to_have_url(re.compile("figures$"))
    assert violations(page) == []
    bearer = {"authorization": f"Bearer {token}"}
    for path in ("indicators", "playbooks", "runs", "contacts", "shift-report"):
        assert context.request.get(f"{city.url}/api/operations/{path}", headers=bearer).status == 403, path
    page.goto("about:blank")
    page.goto(f"{city.url}/wall?lang=en&only=figures#token=nobodys")
    expect(figures.get_by_text("not valid or is over")).to_be_visible(timeout=SOON_MS)
    context.close()


def test_the_list_of_vehicles_reaches_what_the_map_shows(first: Open) -> None:
    page = first("/vehicles")
    vehicles = page.get_by_role("listbox", name="List of vehicles")
    expect(vehicles.get_by_role("option").first).to_be_visible(timeout=SOON_MS)
    expect(page.get_by_text(re.compile(r"\d+ in sight of the map"))).to_be_visible()
    vehicles.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(drawer(page).get_by_role("heading", name=re.compile(r"Vehicle \d+"))).to_be_visible()
    expect(page).to_have_url(re.compile("sel=vehicle"))
    expect(vehicles.get_by_role("option").nth(1), "those in sight stay in the list").to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    road = page.get_by_role("combobox", name="Road")
    road.fill("1")
    road.press("Enter")
    expect(page.get_by_text(re.compile(r"\d+ on this road"))).to_be_visible()
    page.keyboard.press("Escape")


def test_the_twin_is_asked_before_a_person_decides(first: Open, city: RunningCity) -> None:
    seed(city, "jam", last=1, kind="traffic.congestion")
    page = first("/duty?q=jam&state=all&alarm=jam00001")
    suggested = drawer(page).get_by_role("region", name="Suggested playbook")
    expect(suggested.get_by_role("listitem").first).to_be_visible()
    suggested.get_by_role("combobox", name="Look ahead").first.select_option("5")
    suggested.get_by_role("button", name="What if?").first.click()
    expect(suggested.get_by_role("region", name="Side by side").get_by_role("row")).to_have_count(3, timeout=TWIN_MS)
    expect(suggested.get_by_text(re.compile("helps|harms|No difference"))).to_be_visible()
    assert violations(page) == []


def test_any_means_that_fits_can_be_ordered_and_the_order_knows_its_alarm(first: Open) -> None:
    page = first("/duty?q=few&state=all&alarm=few00004")
    means = drawer(page).get_by_role("region", name="Order something else")
    means.get_by_role("combobox").first.fill("speed limit")
    page.keyboard.press("Enter")
    means.get_by_role("button", name="Fill in and order").click()
    sheet = page.get_by_role("dialog")
    for field in sheet.get_by_role("textbox").all():
        if field.get_attribute("inputmode") == "decimal" and not field.input_value():
            field.fill("30")
    sheet.get_by_label("Reason").fill("too fast for what lies there")
    sheet.get_by_label("I understand").check()
    sheet.get_by_role("button", name=re.compile("Give the order|Propose it")).click()
    sheet.get_by_role("button", name="Close").last.click()
    orders = drawer(page).get_by_role("region", name="Orders about it")
    expect(orders.get_by_text(re.compile("operator ordered it about this event"))).to_be_visible(timeout=SOON_MS)


def test_a_shift_is_printed_handed_over_and_acknowledged(first: Open, second: Open) -> None:
    page = first("/shift")
    report = page.get_by_role("article")
    expect(report.get_by_role("heading", name=re.compile("shift report"))).to_be_visible(timeout=SOON_MS)
    expect(report.get_by_role("region", name="Figures").get_by_text("Found by the machine")).to_be_visible()
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(report).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_label("To (account)").fill(SECOND)
    page.get_by_label("What else to know").fill("road works on the ring")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("road works on the ring")).to_be_visible()
    assert violations(page) == []
    theirs = second("/shift")
    theirs.get_by_role("button", name="Take over").click()
    expect(theirs.get_by_text(re.compile(f"taken over by {SECOND}")).first).to_be_visible()
