# SPDX-License-Identifier: Apache-2.0
"""Templates of answers and kept queues at the desk: written, tried, changed by two at once, retired, shared."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.scenarios.city import RunningCity, running
from web.e2e.staff import Client, Open, desks_of
from web.e2e.test_a_calm_screen import violations
from web.e2e.test_the_clerk_at_the_desk import CLERK, HEAD, PASSWORD, hire, opened


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A city without streets, with a clerk and a head in one department."""
    with running(open_folder / "answers-city", scenario="none") as started:
        hire(started)
        yield started


@pytest.fixture(scope="module")
def head(city: RunningCity) -> Iterator[Client]:
    """Who leads the department, by HTTP."""
    with Client(city, HEAD, PASSWORD) as client:
        yield client


@pytest.fixture
def desk(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens a desk as somebody; at the end no request may have gone elsewhere and nothing may have broken."""
    with desks_of(browser, city, HEAD, PASSWORD) as opens:
        yield opens


def template(client: Client, title: str, body: str = "{number}: done.") -> int:
    """A template of the department."""
    id: int = client.do("POST", "/api/answers", title=title, body=body, department="water")["id"]
    return id


def test_a_template_is_written_with_buttons_tried_on_a_case_and_kept(desk: Open, head: Client) -> None:
    case = head.do("GET", f"/api/cases/{opened(head, 'A pipe burst in Hubin road')}")["case"]
    page = desk("/templates")
    expect(page.get_by_text("There are no templates yet.")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    page.keyboard.type("Main repaired")
    expect(page.get_by_label("Who has it")).to_have_value(re.compile("水务|Water"))
    text = page.get_by_label("Text", exact=True)
    text.fill("Your request  is done. {colour}")
    text.evaluate("box => box.setSelectionRange(13, 13)")
    page.get_by_role("group", name="Insert from the case").get_by_role("button", name="Number").click()
    expect(text).to_have_value("Your request {number} is done. {colour}")
    expect(page.get_by_text("There is nothing called colour.")).to_be_visible()
    preview = page.get_by_role("region", name="Preview")
    expect(preview.locator("mark").first).to_have_text("Number")
    preview.get_by_label("Try it on the case with the number").fill(case["number"])
    page.keyboard.press("Enter")
    expect(preview.get_by_text(f"Your request {case['number']} is done.")).to_be_visible()
    expect(preview.get_by_text("1 places have nothing yet")).to_be_visible()
    text.fill("Your request {number} is done.")
    expect(preview.locator("mark")).to_have_count(0)
    assert violations(page) == []
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 1 is saved.")).to_be_visible()
    expect(page.get_by_role("option").filter(has_text="Main repaired")).to_contain_text("Not used yet")
    (kept,) = [each for each in head.do("GET", "/api/answers") if each["title"] == "Main repaired"]
    assert (kept["body"], kept["department"]) == ("Your request {number} is done.", "water")


def test_of_two_who_change_a_template_the_second_sees_both_side_by_side(desk: Open, head: Client) -> None:
    id = template(head, "Two at once")
    page = desk(f"/templates?answer={id}")
    text = page.get_by_label("Text", exact=True)
    text.fill("{number}: mine.")
    head.do("PUT", f"/api/answers/{id}", title="Two at once", body="{number}: theirs.", department="water", version=1)
    page.keyboard.press("Control+Enter")
    conflict = page.get_by_role("alertdialog", name="Somebody has just changed this template")
    expect(conflict.get_by_text("{number}: theirs.")).to_be_visible()
    expect(conflict.get_by_text("{number}: mine.")).to_be_visible()
    assert violations(page) == []
    conflict.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_text("Version 3 is saved.")).to_be_visible()
    assert head.do("GET", f"/api/answers/{id}")["body"] == "{number}: mine."


def test_what_was_typed_stays_when_the_page_is_left_and_a_template_is_retired_in_two_steps(
    desk: Open, head: Client
) -> None:
    id = template(head, "To go")
    page = desk(f"/templates?answer={id}")
    page.get_by_label("Text", exact=True).fill("half a sen")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Text", exact=True)).to_have_value("half a sen")
    page.get_by_role("button", name="Retire").click()
    page.get_by_role("dialog").get_by_role("button", name="Retire").click()
    expect(page.get_by_text("It is retired.")).to_be_visible()
    expect(page.get_by_role("option").filter(has_text="To go")).to_have_count(0)


def test_a_template_of_all_is_read_and_not_changed_by_a_department(desk: Open, head: Client, city: RunningCity) -> None:
    with Client(city, "operator", city.password or "") as operator:
        told = {"title": "Of all", "body": "Thank you, {title}.", "department": None}
        id = operator.do("POST", "/api/answers", **told)["id"]
    page = desk(f"/templates?answer={id}")
    expect(page.get_by_text("Others keep this template")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    clerk = desk("/templates", name=CLERK)
    expect(clerk.get_by_text("You may not change templates.")).to_be_visible()


def test_a_kept_queue_is_renamed_shared_and_deleted(desk: Open, head: Client) -> None:
    head.do("POST", "/api/queues", name="Mine alone", query={"scope": "held"})
    page = desk("/work?scope=seen")
    page.get_by_role("button", name="Change the queue “Mine alone”").click()
    sheet = page.get_by_role("dialog", name="Change a queue")
    sheet.get_by_label("Name").fill("For all of us")
    sheet.get_by_role("combobox").fill("water")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert violations(page) == []
    sheet.get_by_role("button", name="Save").click()
    expect(sheet).to_have_count(0)
    (queue,) = head.do("GET", "/api/queues")
    assert (queue["name"], queue["department"], queue["query"]) == ("For all of us", "water", {"scope": "held"})
    colleague = desk("/work?scope=seen", name=CLERK)
    expect(colleague.get_by_role("button", name="For all of us", exact=False).first).to_be_visible()
    expect(colleague.get_by_role("button", name="Change the queue", exact=False)).to_have_count(0)
    page.get_by_role("button", name="Change the queue “For all of us”").click()
    page.get_by_role("button", name="Delete the queue").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("For all of us")).to_have_count(0)
    assert head.do("GET", "/api/queues") == []


def test_marked_rows_are_taken_along_and_no_others(desk: Open, head: Client) -> None:
    for title in ("Leak one", "Leak two", "Leak three"):
        opened(head, title)
    page = desk("/work?scope=seen&order=newest")
    expect(page.get_by_role("option").filter(has_text="Leak three")).to_be_visible()
    page.get_by_role("listbox", name="List of cases").focus()
    page.keyboard.press("j")
    page.keyboard.press(" ")
    page.keyboard.press("x")
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_label("The 1 marked cases")).to_be_checked()
    sheet.get_by_label("Format").select_option("csv")
    with page.expect_download() as download:
        sheet.get_by_role("button", name="Export").click()
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == 2
