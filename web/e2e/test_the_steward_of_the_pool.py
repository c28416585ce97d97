# SPDX-License-Identifier: Apache-2.0
"""What a steward of the data pool does: find an entity, see who is not told and why, keep types in order."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from citybrain.kernel.clock import utc_now
from tests.scenarios.city import RunningCity, running
from web.e2e.conftest import OWN_HEADER
from web.e2e.test_a_calm_screen import violations
from web.e2e.test_the_operator_at_work import sign_in

Open = Callable[..., Page]

AIR, LAMP = "AirQualityObserved", "Streetlight"
BEACH = f"urn:ngsi-ld:{AIR}:beach"
NOBODY_LISTENS = "http://127.0.0.1:9/notify?token=secret"


def value(of: Any, observed_at: datetime, unit: str = "") -> dict[str, Any]:
    """A property as it is sent."""
    told = {"type": "Property", "value": of, "observedAt": observed_at.isoformat().replace("+00:00", "Z")}
    return told | ({"unitCode": unit} if unit else {})


def place(number: int) -> dict[str, Any]:
    """Somewhere in the city."""
    point = {"type": "Point", "coordinates": [109.1 + number % 20 / 500, 21.46 + number // 20 / 500]}
    return {"type": "GeoProperty", "value": point}


def station(number: int, now: datetime) -> dict[str, Any]:
    """An air station; the seventh has a name, the ninth has been silent for days."""
    seen = now - timedelta(days=3) if number == 9 else now - timedelta(minutes=1)
    found = {"id": f"urn:ngsi-ld:{AIR}:{number:03}", "type": AIR, "location": place(number)}
    found |= {"pm25": value(10 + number, seen, "GQ"), "temperature": value(24.5, seen, "CEL")}
    if number == 7:
        found |= {
            "id": BEACH,
            "name": {"type": "LanguageProperty", "languageMap": {"zh": "银滩站", "en": "Silver Beach"}},
        }
    return found


def lamp(number: int) -> dict[str, Any]:
    """A street light."""
    on = {"type": "Property", "value": "on"}
    return {"id": f"urn:ngsi-ld:{LAMP}:{number:04}", "type": LAMP, "location": place(number), "powerState": on}


def fill(client: httpx.Client, now: datetime) -> None:
    """Entities, the past of one of them, and a subscriber that nobody reaches."""
    ld = "/ngsi-ld/v1"
    subscription: dict[str, Any] = {
        "type": "Subscription",
        "subscriptionName": "Air to the health office",
        "entities": [{"type": AIR}],
    }
    subscription |= {"notification": {"endpoint": {"uri": NOBODY_LISTENS}}}
    client.post(f"{ld}/subscriptions", json=subscription).raise_for_status()
    stations = [station(number, now) for number in range(40)]
    client.post(f"{ld}/entityOperations/upsert", json=stations).raise_for_status()
    client.post(f"{ld}/entityOperations/upsert", json=[lamp(number) for number in range(300)]).raise_for_status()
    past = [value(12 + hour % 9, now - timedelta(hours=hour), "GQ") for hour in range(48, 0, -1)]
    client.post(f"{ld}/temporal/entities/{BEACH}/attrs", json={"pm25": past}).raise_for_status()


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A city without streets: the pool is all there is."""
    with running(open_folder / "pool-city", scenario="none") as started:
        with httpx.Client(base_url=started.url, headers=OWN_HEADER, timeout=60) as client:
            client.post("/api/session", json={"name": "operator", "password": started.password}).raise_for_status()
            fill(client, utc_now().replace(microsecond=0))
        yield started


@pytest.fixture(scope="module")
def city_url(city: RunningCity) -> str:
    """Where it listens."""
    return city.url


def drawer(page: Page) -> Locator:
    """What shows the selection."""
    return page.get_by_role("complementary", name="Selection")


def test_the_pool_is_the_first_desk_where_there_are_no_streets(open_page: Open) -> None:
    page = open_page("/")
    expect(page).to_have_url(re.compile("/pool"))
    expect(page.get_by_role("heading", name="Data pool", level=2)).to_be_visible()
    page.get_by_role("navigation", name="Desks").get_by_role("link", name="Roads").click()
    expect(page.get_by_text("This city has no streets")).to_be_visible()


def test_an_entity_is_found_by_type_and_word_with_the_keyboard_alone(open_page: Open) -> None:
    page = open_page("/pool")
    types = page.get_by_role("listbox", name="Types of entities")
    air = types.get_by_role("option", name="Air quality 40")
    expect(air).to_be_visible()
    types.focus()
    for _ in range(int(air.get_attribute("aria-posinset") or 0)):
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Air quality")).to_be_visible()
    expect(page.get_by_label("Find by words: name, id, value")).to_be_focused()
    page.keyboard.type("silver")
    expect(page.get_by_text("1 of 40 found")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(drawer(page).get_by_role("heading", name="Silver Beach", level=2)).to_be_visible()
    expect(page).to_have_url(re.compile(f"type={AIR}.*words=silver.*sel={BEACH}"))
    page.reload()
    expect(drawer(page).get_by_role("heading", name="Silver Beach", level=2)).to_be_visible()
    expect(page.get_by_text("1 of 40 found")).to_be_visible()


def test_a_value_is_shown_with_unit_age_past_and_itself_as_it_came(open_page: Open) -> None:
    page = open_page(f"/pool?type={AIR}&sel={BEACH}")
    pm25 = drawer(page).locator("details", has_text="PM2.5").first
    expect(pm25).to_contain_text("17 µg/m³")
    expect(pm25).to_contain_text(re.compile(r"\d+ (s|min) ago"))
    past = drawer(page).get_by_role("region", name="History of PM2.5")
    past.get_by_role("button", name="Table").click()
    expect(past.get_by_role("row").nth(40)).to_be_attached()
    drawer(page).get_by_text("As NGSI-LD (JSON)").click()
    expect(drawer(page).get_by_role("region", name="As NGSI-LD (JSON)")).to_contain_text('"unitCode": "GQ"')
    with page.expect_download() as begun:
        past.get_by_role("link", name="Export (CSV)").click()
    assert begun.value.path().read_text("utf-8-sig").startswith("time,value")


def test_what_is_old_says_so(open_page: Open) -> None:
    page = open_page(f"/pool?sel=urn:ngsi-ld:{AIR}:009")
    expect(drawer(page).locator("details", has_text="PM2.5").first).to_contain_text("3 d ago · old")


def test_the_map_selects_what_the_list_shows(open_page: Open) -> None:
    page = open_page(f"/pool?type={AIR}&sel={BEACH}")
    expect(page.get_by_text("40 entities · 40 on the map")).to_be_visible()
    drawer(page).get_by_role("button", name="Show on the map").click()
    expect(page).to_have_url(re.compile(r"v=109\.1\d*,21\.4\d*"))
    drawer(page).get_by_role("button", name="Close").click()
    expect(drawer(page)).to_be_hidden()
    box = page.get_by_role("region", name="City map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(drawer(page).get_by_role("heading", name="Silver Beach", level=2)).to_be_visible()


def test_a_subscriber_that_nobody_reaches_is_seen_with_the_reason(open_page: Open) -> None:
    page = open_page("/subscriptions")
    row = page.get_by_role("listbox", name="List of subscriptions").get_by_role("option")
    expect(row).to_contain_text("failing")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(drawer(page)).to_contain_text("The receiver could not be reached")
    expect(drawer(page)).to_contain_text("http://127.0.0.1:9/notify")
    expect(drawer(page)).not_to_contain_text("secret")


def test_a_steward_has_a_type_watched_and_sees_what_does_not_fit(open_page: Open, city: RunningCity) -> None:
    page = open_page(f"/quality?sel=model:{AIR}")
    drawer(page).get_by_role("radio", name="warn").check()
    drawer(page).get_by_role("button", name="Save").click()
    sign_in(page, city)
    expect(drawer(page).get_by_text("Saved; it counts")).to_be_visible()
    with httpx.Client(base_url=city.url, headers=OWN_HEADER, timeout=60) as client:
        client.post("/api/session", json={"name": "operator", "password": city.password}).raise_for_status()
        hot = {"temperature": value(180, utc_now(), "CEL")}
        client.patch(f"/ngsi-ld/v1/entities/{BEACH}/attrs", json=hot).raise_for_status()
    marked = drawer(page).get_by_role("region", name="Marked on writing")
    expect(marked).to_contain_text("temperature is 180", timeout=30_000)
    marked.get_by_role("button", name="beach").first.click()
    expect(drawer(page).get_by_role("heading", name="Silver Beach", level=2)).to_be_visible()
    expect(drawer(page)).to_contain_text("temperature is 180")


def test_all_of_a_type_are_checked_without_anything_being_stored(open_page: Open) -> None:
    page = open_page(f"/quality?sel=model:{LAMP}")
    check = drawer(page).get_by_role("region", name="Check all now")
    check.get_by_role("button", name="Check").click()
    expect(check.get_by_role("status")).to_contain_text("300 looked at")


PLACES = ["/pool", f"/pool?type={AIR}&sel={BEACH}", "/subscriptions", f"/quality?sel=model:{AIR}", "/devices", "/roads"]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("place", PLACES)
def test_every_place_of_the_pool_is_accessible(open_page: Open, place: str, lang: str) -> None:
    page = open_page(place, lang=lang)
    expect(page.locator("aside h2").first).to_be_visible()
    page.wait_for_timeout(500)
    assert violations(page) == []


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_nothing_of_the_pool_is_wider_than_the_screen(open_page: Open, width: int) -> None:
    viewport = {"width": width, "height": 844 if width == 390 else width * 9 // 16}
    page = open_page(f"/pool?type={AIR}&sel={BEACH}", viewport=viewport, wait_for_map=False)
    expect(drawer(page).get_by_role("heading", name="Silver Beach", level=2)).to_be_visible()
    assert page.locator("body").evaluate("body => body.scrollWidth <= body.clientWidth")
    assert drawer(page).evaluate("box => box.scrollWidth <= box.clientWidth")
