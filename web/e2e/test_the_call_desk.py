# SPDX-License-Identifier: Apache-2.0
"""A day at the hotline's desks: a call taken in by keyboard alone, figures that open rows, rules tried first."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from citybrain.kernel.clock import new_id, utc_now
from tests.scenarios.city import RunningCity, running
from web.e2e.conftest import OWN_HEADER
from web.e2e.staff import Open, desks_of
from web.e2e.test_a_calm_screen import violations

DESKS = [
    "/calls",
    "/supervision?rows=1",
    "/supervision?tab=places",
    "/supervision?tab=supervised",
    "/supervision?tab=clerks",
    "/follow-ups",
    "/knowledge",
    "/routing",
    "/routing?tab=categories",
    "/routing?tab=model",
]
LAMPS = [
    "路灯坏了一排，晚上漆黑",
    "路灯白天亮着晚上不亮",
    "门口路灯一直闪",
    "路灯杆倾斜",
    "路灯不亮，老人摔了一跤",
    "整条街路灯没亮",
]
PHONE, MASKED = "13800138001", "138****8001"


def tell(client: httpx.Client, text: str, **more: Any) -> dict[str, Any]:
    """A ticket that is handed on by the rules."""
    told = {"text": text, "channel": "phone", "hand_on": True, "key": f"e2e:{new_id()}"} | more
    answer = client.post("/api/hotline/tickets", json=told)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ring(client: httpx.Client, phone: str = PHONE) -> None:
    """The telephone system tells of a call."""
    call = {"key": new_id(), "phone": phone, "rang_at": utc_now().isoformat()}
    client.post("/api/hotline/calls", json=call).raise_for_status()


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A city without streets, with some tickets close together."""
    with running(open_folder / "hotline-city", scenario="none") as started:
        with signed_in(started) as client:
            for number, text in enumerate(LAMPS):
                tell(client, text, longitude=116.39 + number / 5_000, latitude=39.9)
        yield started


@pytest.fixture(scope="module")
def city_url(city: RunningCity) -> str:
    """Where it listens."""
    return city.url


@contextmanager
def signed_in(city: RunningCity) -> Iterator[httpx.Client]:
    """The operator, by HTTP."""
    with httpx.Client(base_url=city.url, headers=OWN_HEADER, timeout=60) as client:
        client.post("/api/session", json={"name": "operator", "password": city.password}).raise_for_status()
        yield client


@pytest.fixture(scope="module")
def client(city: RunningCity) -> Iterator[httpx.Client]:
    """The operator, by HTTP, for all tests."""
    with signed_in(city) as found:
        yield found


@pytest.fixture
def desk(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens a desk as the operator; at the end no request may have gone elsewhere and nothing may have broken."""
    with desks_of(browser, city, "operator", city.password or "") as opens:
        yield opens


def test_a_call_becomes_a_ticket_by_keyboard_alone(desk: Open, client: httpx.Client) -> None:
    page = desk("/calls")
    expect(page.get_by_text("Nobody is calling")).to_be_visible()
    ring(client)
    expect(page.get_by_text(MASKED)).to_be_visible()
    expect(page.get_by_text("First call from this number")).to_be_visible()
    page.keyboard.press("F2")
    expect(page.get_by_text("Speaking")).to_be_visible()
    words = page.get_by_label("What the caller says")
    expect(words).to_be_focused()
    page.keyboard.type("建设路整栋楼停水两天了")
    suggested = page.get_by_role("button", name="No water")
    expect(suggested).to_contain_text("Alt 1")
    page.keyboard.press("Alt+1")
    expect(suggested).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("combobox", name="Department")).to_contain_text("Suggested: Water")
    page.keyboard.press("F4")
    receipt = page.get_by_role("status").filter(has_text="Receipt number")
    expect(receipt).to_contain_text("Handed on to Water")
    number = receipt.locator(".big").get_attribute("aria-label") or ""
    assert number.startswith("HT")
    page.keyboard.press("Enter")
    expect(words).to_have_value("")
    expect(words).to_be_focused()
    page.get_by_role("navigation", name="Desks").get_by_role("link", name="Supervision").click()
    page.get_by_role("row", name="Water").get_by_role("button").first.click()
    rows = page.get_by_role("complementary")
    rows.get_by_role("option", name=number).click()
    rows.get_by_role("link", name="Open the ticket").click()
    expect(page).to_have_url(re.compile(r"/work\?.*case=\d+"))


def test_who_calls_again_is_known_and_is_added_to_the_ticket(desk: Open, client: httpx.Client) -> None:
    caller = {"name": "陈先生", "phone": "13900000002"}
    number = tell(client, "长青街井盖松动，车压过去响声很大", caller=caller)["number"]
    page = desk("/calls")
    ring(client, "13900000002")
    expect(page.get_by_role("link", name=number)).to_be_visible()
    page.keyboard.press("F2")
    page.get_by_role("button", name="Show in clear").click()
    expect(page.get_by_text("13900000002")).not_to_be_visible()
    page.get_by_label("Reason (goes into the audit log)").fill("Confirm the address")
    page.keyboard.press("Enter")
    expect(page.get_by_text("13900000002")).to_be_visible()
    page.get_by_label("What the caller says").fill("长青街井盖松动，还没有人来修")
    expect(page.get_by_role("button", name=number)).to_contain_text("Alt 8")
    page.keyboard.press("Alt+8")
    expect(page.get_by_text(f"Added to {number}; no new ticket")).to_be_visible()
    page.keyboard.press("F4")
    expect(page.get_by_role("status").filter(has_text="Added to")).to_be_visible()


def test_what_was_typed_survives_a_reload_and_is_answered_at_once(desk: Open, client: httpx.Client) -> None:
    client.post(
        "/api/hotline/knowledge", json={"title": "居住证怎么办理", "body": "带身份证到社区办理。"}
    ).raise_for_status()
    page = desk("/calls")
    page.get_by_label("What the caller says").fill("咨询居住证怎么办理，需要什么材料")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("What the caller says")).to_have_value("咨询居住证怎么办理，需要什么材料")
    offered = page.locator("details", has_text="居住证怎么办理")
    offered.locator("summary").click()
    offered.get_by_role("button", name="Insert").click()
    expect(page.get_by_label("Answer", exact=True)).to_have_value("带身份证到社区办理。")
    page.keyboard.press("F6")
    expect(page.get_by_text("Answered at once.")).to_be_visible()


def test_a_number_opens_its_rows_and_a_supervisor_demands_one(desk: Open) -> None:
    page = desk("/supervision")
    page.get_by_role("button", name="Open", exact=False).filter(has_text="Open").first.click()
    rows = page.get_by_role("complementary")
    rows.get_by_role("option").first.click()
    rows.get_by_label("What is demanded").fill("Go there today and answer the caller")
    rows.get_by_role("button", name="Demand", exact=True).click()
    expect(rows.get_by_text("Demanded: the department sees it in red.")).to_be_visible()
    page.get_by_role("tab", name="Demands").click()
    expect(page.get_by_text("Go there today and answer the caller")).to_be_visible()
    page.get_by_role("tab", name="Bursts and hot spots").click()
    page.get_by_role("button", name="Spot 1: 6 tickets").first.click()
    expect(rows.get_by_role("option")).to_have_count(6)
    page.reload()
    expect(rows.get_by_role("option")).to_have_count(6)


def test_a_rule_is_tried_on_last_month_and_two_who_save_see_each_other(desk: Open, client: httpx.Client) -> None:
    page = desk("/routing")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Goes to").select_option("power")
    page.get_by_role("combobox", name="Category").fill("street light")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Try on last month").click()
    expect(page.get_by_text("6 would have gone elsewhere")).to_be_visible()
    expect(page.get_by_role("row", name="Roads Electricity 6")).to_be_visible()
    expect(page.get_by_role("listbox", name="Tickets that would go elsewhere").get_by_role("option")).to_have_count(6)
    table = client.get("/api/hotline/rules").json()
    client.put("/api/hotline/rules", json=table | {"rules": table["rules"][1:]}).raise_for_status()
    page.get_by_role("button", name="Save", exact=True).click()
    conflict = page.get_by_role("alert").filter(has_text="Somebody else saved version 2")
    expect(conflict).to_be_visible()
    conflict.get_by_role("button", name="Save mine over theirs").click()
    expect(page.get_by_text("saved and in force")).to_be_visible()
    now = client.get("/api/hotline/rules").json()
    assert (now["version"], now["rules"][-1]["department"]) == (3, "power")


def test_a_category_gets_another_name_and_keeps_what_it_asks(desk: Open, client: httpx.Client) -> None:
    page = desk("/routing?tab=categories")
    page.get_by_label("Find a category").fill("Street light")
    page.get_by_role("button", name="Street light out").click()
    page.get_by_label("English name").fill("Street light")
    page.get_by_role("button", name="Save categories").click()
    expect(page.get_by_text("Version 2")).to_be_visible()
    names = [each["name"]["en"] for each in client.get("/api/hotline/categories").json()["categories"]]
    assert "Street light" in names
    page.get_by_role("button", name="Add a question").click()
    page.get_by_label("Question in Chinese").fill("几盏灯？")
    page.get_by_label("Question in English").fill("How many lamps?")
    page.get_by_label("Answered by").select_option("number")
    page.get_by_role("button", name="Save categories").click()
    expect(page.get_by_text("Version 3")).to_be_visible()
    page.get_by_label("English name").fill("Street lights")
    page.get_by_role("button", name="Save categories").click()
    expect(page.get_by_text("Version 4")).to_be_visible()
    categories = client.get("/api/hotline/categories").json()["categories"]
    (lights,) = [each for each in categories if each["name"]["en"] == "Street lights"]
    assert [(each["words"]["en"], each["datatype"]) for each in lights["questions"]] == [("How many lamps?", "number")]


def test_an_article_remembers_who_wrote_what(desk: Open) -> None:
    page = desk("/knowledge")
    page.get_by_role("button", name="Write").click()
    page.get_by_label("Title").fill("Where to pay for water")
    page.get_by_label("Text").fill("At any bank.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Where to pay for water")).to_be_visible()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Text").fill("At any bank, or in the app.")
    page.keyboard.press("Control+Enter")
    history = page.locator(".editions li")
    expect(history).to_have_count(2)
    history.nth(1).locator("summary").click()
    expect(history.nth(1)).to_contain_text("At any bank.")


def test_whom_to_call_is_called_and_leaves_the_list(desk: Open, client: httpx.Client) -> None:
    told = tell(client, "办事大厅窗口几点下班", hand_on=False, caller={"phone": "13700000003"})
    act = {"verb": "move", "move": "answer_now", "answer": "五点半下班。", "fields": {"resolution": "explained"}}
    client.post(f"/api/cases/{told['case_id']}/acts", json=act).raise_for_status()
    page = desk("/follow-ups")
    people = page.get_by_role("listbox", name="Follow-ups")
    people.get_by_role("option", name=told["number"]).click()
    expect(page.get_by_text("137****0003")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Say whether it is resolved.")).to_be_visible()
    page.get_by_label("Resolved", exact=True).check()
    page.get_by_label("Very satisfied", exact=True).check()
    page.keyboard.press("Control+Enter")
    expect(people.get_by_role("option", name=told["number"])).to_have_count(0)
    span = {"since": (utc_now() - timedelta(days=1)).isoformat(), "until": (utc_now() + timedelta(hours=1)).isoformat()}
    rated = client.get("/api/hotline/rows", params=span | {"rate": "satisfaction"}).json()
    assert told["number"] in [each["number"] for each in rated]


def test_every_desk_is_accessible_in_both_languages_and_no_wider_than_the_screen(desk: Open, city: RunningCity) -> None:
    page = desk(DESKS[0])
    for path in DESKS:
        page.goto(city.url + path)
        page.wait_for_selector("html[data-desk=ready]", state="attached")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        expect(page.locator(".skeleton")).to_have_count(0)
        for lang, name in (("en", "EN"), ("zh-CN", "中文")):
            page.get_by_role("button", name=name, exact=True).click()
            expect(page.locator("html")).to_have_attribute("lang", lang)
            assert (path, lang, violations(page)) == (path, lang, [])
            assert page.locator("main").evaluate("main => main.scrollWidth <= main.clientWidth"), (path, lang)
