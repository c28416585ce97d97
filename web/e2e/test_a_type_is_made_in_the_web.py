# SPDX-License-Identifier: Apache-2.0
"""A type of case is made on its desk: from nothing to the first case of it, by keyboard, and beside somebody else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.city import RunningCity, running
from web.e2e.conftest import OWN_HEADER
from web.e2e.staff import Open, desks_of
from web.e2e.test_a_calm_screen import violations

TABS = ("basics", "states", "form", "deadlines", "personal", "rules", "process", "try", "publish")
BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">
<process id="p" isExecutable="true"><startEvent id="s"/><{task} id="look" name="Look at it"/><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/><sequenceFlow id="b" sourceRef="look" targetRef="e"/>
</process></definitions>"""


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A city without streets."""
    with running(open_folder / "types-city", scenario="none") as started:
        yield started


@pytest.fixture(scope="module")
def client(city: RunningCity) -> Iterator[httpx.Client]:
    """The operator, by HTTP."""
    with httpx.Client(base_url=city.url, headers=OWN_HEADER, timeout=60) as found:
        found.post("/api/session", json={"name": "operator", "password": city.password}).raise_for_status()
        yield found


@pytest.fixture
def desk(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens a desk as the operator; at the end no request may have gone elsewhere and nothing may have broken."""
    with desks_of(browser, city, "operator", city.password or "") as opens:
        yield opens


def to_tab(page: Page, name: str) -> None:
    """Go to a part of the editor by its arrow keys."""
    page.get_by_role("tab", selected=True).focus()
    for _ in range(len(TABS)):
        if page.get_by_role("tab", selected=True).inner_text().startswith(name):
            return
        page.keyboard.press("ArrowRight")
    raise AssertionError(name)


def press(button: Locator) -> None:
    """Press a button as a keyboard does."""
    button.focus()
    button.press("Enter")


def type_over(page: Page, words: str) -> None:
    """Write over what is in the field that has the focus."""
    page.keyboard.press("Control+a")
    page.keyboard.type(words)


def add_an_unreachable_state(page: Page) -> None:
    """It is named by the drawing, by the bar and beside its row; from the bar one comes to it."""
    to_tab(page, "States and moves")
    press(page.get_by_role("button", name="Add a state"))
    type_over(page, "waiting")
    page.keyboard.press("Tab")
    page.keyboard.type("暂停")
    page.keyboard.press("Tab")
    page.keyboard.type("Waiting")
    expect(page.get_by_text("No move leads to: Waiting")).to_be_visible()
    bar = page.get_by_role("status", name="What the check says")
    expect(bar).to_contain_text("2 faults")
    expect(page.locator("[data-anchor='state:waiting'] + tr")).to_contain_text(
        "No move ever leads to state Waiting (waiting)"
    )
    to_tab(page, "Form")
    press(bar.locator("summary"))
    press(bar.get_by_role("button", name="No move ever leads to state Waiting (waiting)"))
    expect(page.get_by_role("textbox", name="State id").last).to_be_focused()


def lead_moves_to_it(page: Page) -> None:
    """A move to it and one back; what finishing takes."""
    bar = page.get_by_role("status", name="What the check says")
    for name, source, target in (("wait", "New", "waiting"), ("go_on", "Waiting", "new")):
        press(page.get_by_role("button", name="Add a move"))
        type_over(page, name)
        page.get_by_label(f"To {name}").select_option(target)
        if source == "Waiting":
            page.get_by_label(re.compile(f"^From {name}: ")).press("Enter")
            page.get_by_role("group", name=f"From {name}").get_by_label("New").press("Space")
            page.get_by_role("group", name=f"From {name}").get_by_label("Waiting").press("Space")
            page.keyboard.press("Escape")
    press(page.get_by_role("button", name="More of Finish"))
    page.get_by_label(re.compile("^Must come with it finish: ")).press("Enter")
    page.get_by_role("group", name="Must come with it finish").get_by_label("answer").press("Space")
    page.keyboard.press("Escape")
    expect(bar).to_contain_text("No faults")
    expect(page.get_by_text("Every state can be reached")).to_be_visible()


def add_fields_of_which_one_is_conditional(page: Page) -> None:
    """The preview shows it only with its answer; the JSON changes the list and the list the JSON."""
    to_tab(page, "Form")
    for field, title, kind in (("kind", "Kind", "choice"), ("depth", "Depth in cm", "number")):
        press(page.get_by_role("button", name="Add a field"))
        type_over(page, field)
        page.keyboard.press("Tab")
        page.keyboard.type(title)
        page.keyboard.press("Tab")
        page.keyboard.type(title)
        page.keyboard.press("Tab")
        page.locator(f"[data-anchor='field:{field}']").get_by_role("combobox", name="Kind", exact=True).select_option(
            kind
        )
    depth = page.locator("[data-anchor='field:depth']")
    depth.get_by_label("Shown").select_option(label="when Kind = A")
    expect(depth).to_have_class(re.compile("below"))
    preview = page.locator(".paper")
    expect(preview.get_by_label("Depth in cm")).to_have_count(0)
    preview.get_by_label("Kind").select_option(label="A")
    expect(preview.get_by_label("Depth in cm")).to_be_visible()
    press(page.get_by_role("button", name="JSON"))
    written = page.get_by_role("textbox", name="JSON")
    whole = written.input_value()
    written.fill(whole.replace('"number"', '"number",,'))
    expect(page.get_by_text(re.compile(r"Line \d+, column \d+ cannot be read"))).to_be_visible()
    written.fill(whole.replace('"number"', '"integer"'))
    expect(depth.get_by_role("combobox", name="Kind", exact=True)).to_have_value("whole")


def add_a_time_limit(page: Page) -> None:
    """Said in plain words at once."""
    to_tab(page, "Time limits")
    press(page.get_by_role("button", name="Add a time limit"))
    type_over(page, "permit")
    page.get_by_label("How long").fill("2")
    page.get_by_label("Unit").select_option("h")
    expect(page.get_by_text("All cases: within 2 h, from opened, reopened to closed.")).to_be_visible()


def try_it(page: Page) -> None:
    """The trail shows what is due, what is refused and who is told."""
    to_tab(page, "Test run")
    trail = page.get_by_role("list", name="Trail")
    expect(trail.get_by_text(re.compile("^permit due "))).to_be_visible()
    press(page.get_by_role("button", name="Finish", exact=True))
    type_over(page, "3h")
    page.keyboard.press("Enter")
    expect(trail.get_by_text(re.compile("Refused: "))).to_contain_text("answer")
    expect(trail.get_by_text(re.compile("warned of permit"))).to_be_visible()
    expect(trail.get_by_text(re.compile("permit overdue since"))).to_be_visible()


def test_a_type_goes_from_nothing_to_its_first_case_by_keyboard(desk: Open, client: httpx.Client) -> None:
    page = desk("/types")
    expect(page.get_by_role("heading", name="Choose a case type")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_label("Chinese name")).to_be_focused()
    page.keyboard.type("占道许可")
    page.keyboard.press("Tab")
    page.keyboard.type("Street permit")
    page.keyboard.press("Tab")
    page.keyboard.type("street_permit")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Street permit")).to_be_visible()
    expect(page.locator("output")).to_have_text(re.compile(r"^STREET_PERMIT\d{8}0001$"))
    add_an_unreachable_state(page)
    lead_moves_to_it(page)
    add_fields_of_which_one_is_conditional(page)
    add_a_time_limit(page)
    try_it(page)
    to_tab(page, "Publish")
    press(page.get_by_role("button", name="Publish …"))
    page.get_by_role("dialog").get_by_role("button", name="Publish version 1").press("Enter")
    expect(page.get_by_text("Version 1 is published.")).to_be_visible()
    published = client.get("/api/case-types/street_permit/1").json()
    assert published["form"]["allOf"][0]["then"]["properties"]["depth"]["type"] == "integer"
    assert "type:street_permit" not in [each["place"] for each in client.get("/api/drafts").json()]
    press(page.get_by_role("link", name="Open a case of it"))
    form = page.get_by_role("article", name="New case")
    form.get_by_label("Type").select_option(label="Street permit")
    form.get_by_label("Title").fill("A hole for the cable")
    form.get_by_role("combobox", name="Department").fill("roads")
    page.keyboard.press("Enter")
    form.get_by_label("Kind").select_option(label="A")
    form.get_by_label("Depth in cm").fill("80")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text(re.compile(r"STREET_PERMIT\d{8}0001")).first).to_be_visible()


def minutes_of(client: httpx.Client, id: str) -> dict[str, Any]:
    """A small type that is in force: opened, finished within two days."""
    definition = {
        "id": id,
        "name": {"zh": "纪要", "en": "Minutes"},
        "initial": "new",
        "states": {"new": {"words": {"zh": "待办", "en": "New"}}, "done": {"phase": "closed", "words": {"en": "Done"}}},
        "moves": [{"name": "finish", "from": ["new"], "to": "done", "words": {"en": "Finish"}}],
        "deadlines": [{"name": "write", "within": "2d"}],
    }
    made: dict[str, Any] = client.post("/api/case-types", json=definition).raise_for_status().json()
    return made


def test_who_publishes_second_sees_the_first_and_loses_nothing(desk: Open, client: httpx.Client) -> None:
    first = minutes_of(client, "minutes")
    page = desk("/types?type=minutes&tab=deadlines")
    page.get_by_label("How long").fill("9")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    client.post("/api/case-types", json=first | {"rating": True}).raise_for_status()
    to_tab(page, "Publish")
    expect(page.get_by_role("row", name="write")).to_contain_text("changed")
    expect(page.get_by_role("row", name="write")).to_contain_text("within: 2d → 9d")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Nothing is changed.")).to_be_visible()
    page.keyboard.press("Control+y")
    expect(page.get_by_role("row", name="write")).to_be_visible()
    page.get_by_role("button", name="Publish …").click()
    page.get_by_role("button", name="Publish version 2").click()
    conflict = page.get_by_role("alert", name="Somebody published meanwhile")
    expect(conflict).to_contain_text("operator published version 2")
    expect(conflict).to_contain_text("nothing is lost")
    conflict.locator("summary").click()
    expect(conflict.get_by_role("row", name="rating")).to_contain_text("changed")
    assert violations(page) == []
    conflict.get_by_role("button", name="Keep mine").click()
    expect(page.get_by_role("heading", name="What changes of version 2")).to_be_visible()
    page.get_by_role("button", name="Publish …").click()
    page.get_by_role("button", name="Publish version 3").click()
    expect(page.get_by_text("Version 3 is published.")).to_be_visible()
    now = client.get("/api/case-types/minutes/3").json()
    assert (now["deadlines"][0]["within"], now["rating"]) == ("9d", False)
    page.get_by_role("list", name="Versions").get_by_role("button", name="version 1").click()
    expect(page.get_by_role("button", name="Change it, beginning from version 1")).to_be_visible()
    expect(page.get_by_label("Chinese name").first).to_be_disabled()


def test_more_personal_data_than_the_purpose_needs_and_a_process_that_cannot_run_are_named(
    desk: Open, client: httpx.Client
) -> None:
    minutes_of(client, "visit")
    page = desk("/types?type=visit&tab=form")
    page.get_by_role("button", name="Add a field").click()
    type_over(page, "phone")
    page.keyboard.press("Tab")
    bar = page.get_by_role("status", name="What the check says")
    expect(bar).to_contain_text("1 faults")
    to_tab(page, "Personal data")
    expect(page.locator("[data-anchor='purpose']")).to_contain_text("asks for personal data (phone)")
    page.get_by_label("What the form collects personal data for").fill("answer")
    lacking = page.locator("[data-anchor='personal:phone']")
    expect(lacking).to_contain_text("The field phone is personal data that the purpose “answer” does not need.")
    lacking.get_by_role("button", name="Declare it for this purpose").click()
    expect(bar).to_contain_text("No faults")
    to_tab(page, "Process")
    page.get_by_label("BPMN file", exact=True).fill(BPMN.replace("{task}", "scriptTask"))
    expect(page.get_by_text("The element look is a scriptTask, which is not run here.")).to_be_visible()
    page.get_by_label("BPMN file", exact=True).fill(BPMN.replace("{task}", "userTask"))
    expect(page.get_by_text("The process can be run.")).to_be_visible()
    expect(page.get_by_role("row", name="Look at it")).to_be_visible()
    to_tab(page, "Publish")
    page.get_by_role("button", name="Publish …").click()
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_text("Version 2 is published.")).to_be_visible()
    assert "Look at it" in client.get("/api/case-types/visit/2/process").text


def test_every_part_is_accessible_in_both_languages_and_no_wider_than_the_screen(desk: Open) -> None:
    page = desk("/types?type=hotline_ticket")
    expect(page.get_by_role("status", name="What the check says")).to_contain_text("No faults")
    for lang, name, parts in (("en", "EN", TABS[:5]), ("zh-CN", "中文", ("states", *TABS[5:]))):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("html")).to_have_attribute("lang", lang)
        for part in parts:
            page.locator(f"#types-tab-{part}").click()
            expect(page.locator(f"#types-tab-{part}")).to_have_attribute("aria-selected", "true")
            assert (part, lang, violations(page)) == (part, lang, [])
            assert page.locator("main").evaluate("main => main.scrollWidth <= main.clientWidth"), (part, lang)
