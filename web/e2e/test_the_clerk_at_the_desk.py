# SPDX-License-Identifier: Apache-2.0
"""What a clerk does all day: take, answer, close by keyboard; and the bad days, on which nothing typed is lost."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.scenarios.city import RunningCity, running
from web.e2e.staff import Client, Open, desks_of
from web.e2e.test_a_calm_screen import violations

CLERK, HEAD, PASSWORD = "water.clerk", "water.head", "Desk-of-water-2026"
SCRIPT = "<script>document.title = 'taken'</script>"
MANY, AT_ONCE = 1_000, 100
MB = 1_000_000
RESULT = re.compile("办理结果|Result")
LONG = "The main was repaired at noon; water runs again. " * 20


def hire(city: RunningCity) -> None:
    """A clerk and a head of one department, by those whose powers that takes."""
    with Client(city, "operator", city.password or "") as operator:
        for power in ("admin", "security"):
            operator.do("POST", f"/api/powers/{power}", account=f"the.{power}", password=PASSWORD)
    with Client(city, "the.admin", PASSWORD) as admin, Client(city, "the.security", PASSWORD) as security:
        for one in (admin, security):
            one.enrol()
        for name, role, shown in ((CLERK, "clerk", "水务局经办"), (HEAD, "head", "水务局负责人")):
            admin.do("POST", "/api/people", name=name, password=PASSWORD, shown_name=shown)
            security.do("POST", "/api/memberships", account=name, department="water", role=role)


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A city without streets, with a clerk and a head in one department."""
    with running(open_folder / "desk-city", scenario="none") as started:
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
    with desks_of(browser, city, CLERK, PASSWORD) as opens:

        def open_one(path: str = "/work", **how: Any) -> Page:
            page = opens(path, **how)
            expect(page.locator("main h1, main article").first).to_be_attached()
            return page

        yield open_one


def ticket(title: str, **more: Any) -> dict[str, Any]:
    """What a case is opened with."""
    return {"type": "hotline_ticket", "title": title, "department": "water", "fields": {"text": title}} | more


def opened(client: Client, title: str, *, moves: tuple[dict[str, Any], ...] = ()) -> int:
    """A case, gone along some moves; its id."""
    id: int = client.do("POST", "/api/cases", **ticket(title))["id"]
    for move in moves:
        client.do("POST", f"/api/cases/{id}/acts", verb="move", **move)
    return id


DISPATCH = {"move": "dispatch", "department": "water", "reason": "yours"}
WORKING = (DISPATCH, {"move": "accept"})


def detail(page: Page, title: str) -> Locator:
    """The open case."""
    expect(page.get_by_role("heading", name=title, level=2)).to_be_visible()
    return page.locator("article.detail")


def test_a_case_is_taken_answered_and_closed_by_keyboard_alone(desk: Open, head: Client) -> None:
    id = opened(head, "No water in Binhe garden", moves=(DISPATCH,))
    number = head.get(f"/api/cases/{id}").json()["case"]["number"]
    page = desk("/work?scope=pool")
    expect(page.get_by_role("listbox", name="List of cases").get_by_role("option").first).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Find cases")).to_be_focused()
    page.keyboard.type(number)
    page.keyboard.press("Enter")
    case = detail(page, "No water in Binhe garden")
    case.focus()
    page.keyboard.press("t")
    expect(case.get_by_text("took it")).to_be_visible()
    for move in ("Accept", "Answer", "Close"):
        moves = case.get_by_role("group", name="Moves")
        button = moves.get_by_role("button", name=move, exact=True)
        expect(button).to_be_enabled()
        page.keyboard.press("m")
        expect(moves.get_by_role("button").first).to_be_focused()
        for _ in range(moves.get_by_role("button").all_inner_texts().index(move)):
            page.keyboard.press("ArrowRight")
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        if move == "Answer":
            expect(case.get_by_role("textbox", name="Answer")).to_be_focused()
            page.keyboard.type("The main is repaired.")
            page.keyboard.press("Control+Enter")
            expect(case.get_by_text("Please fill in")).to_be_visible()
            expect(case.get_by_label(RESULT)).to_be_focused()
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Control+Enter")
        if move == "Close":
            expect(case.get_by_label("Reason")).to_be_focused()
            page.keyboard.press("Control+Enter")
        expect(case.get_by_text(f"made the move “{move}”")).to_be_visible()
    expect(case.get_by_role("region", name="Comments and answers")).to_contain_text("The main is repaired.")
    assert head.get(f"/api/cases/{id}").json()["case"]["state"] == "closed"


def test_two_clerks_on_one_case_see_both_sides_and_lose_nothing(desk: Open, head: Client) -> None:
    id = opened(head, "Two at once", moves=WORKING)
    page = desk(f"/work?scope=held&case={id}")
    case = detail(page, "Two at once")
    case.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit").click()
    case.get_by_label("Title").fill("Two at once, at number 8")
    other = desk(f"/work?scope=held&case={id}", name=HEAD)
    theirs = detail(other, "Two at once")
    other.keyboard.press("e")
    theirs.get_by_label("Address").fill("Binhe road")
    other.keyboard.press("Control+Enter")
    expect(theirs.get_by_text("Done.")).to_be_visible()
    case.get_by_role("button", name="Edit", exact=True).click()
    conflict = page.get_by_role("alertdialog")
    expect(conflict).to_contain_text("水务局负责人")
    expect(conflict).to_contain_text("Binhe road")
    expect(conflict).to_contain_text("Two at once, at number 8")
    assert violations(page) == []
    conflict.get_by_role("button", name="Apply mine").click()
    expect(page.get_by_role("heading", name="Two at once, at number 8", level=2)).to_be_visible()
    found = head.get(f"/api/cases/{id}").json()["case"]
    assert (found["title"], found["address"]) == ("Two at once, at number 8", "Binhe road")


def test_a_long_form_outlives_its_session(desk: Open, head: Client) -> None:
    id = opened(head, "A long answer", moves=WORKING)
    page = desk(f"/work?scope=held&case={id}", name=HEAD)
    case = detail(page, "A long answer")
    case.get_by_role("button", name="Answer", exact=True).click()
    case.get_by_role("textbox", name="Answer").fill(LONG)
    case.get_by_label(RESULT).select_option(index=1)
    expect(case.get_by_text("Draft saved")).to_be_visible()
    page.reload()
    case = detail(page, "A long answer")
    case.get_by_role("button", name="Answer", exact=True).click()
    expect(case.get_by_text(re.compile("Draft of .* restored"))).to_be_visible()
    expect(case.get_by_role("textbox", name="Answer")).to_have_value(LONG)
    page.context.clear_cookies()
    case.get_by_role("textbox", name="Answer").press("Control+Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(HEAD)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()
    expect(case.get_by_text("made the move “Answer”")).to_be_visible()
    said = head.get(f"/api/cases/{id}").json()["comments"]
    assert [one["text"] for one in said] == [LONG]
    assert head.get(f"/api/drafts/case:{id}:answer").status_code == 404


def test_a_photo_of_fifty_megabytes_is_refused_in_clear_words(desk: Open, head: Client, tmp_path: Path) -> None:
    id = opened(head, "A large photo", moves=WORKING)
    photo = tmp_path / "lamp.jpg"
    photo.write_bytes(bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + os.urandom(50 * MB))
    page = desk(f"/work?scope=held&case={id}")
    files = detail(page, "A large photo").get_by_role("region", name="Files")
    files.locator("input[type=file]").set_input_files(photo)
    expect(files).to_contain_text(re.compile("The photo has 50 MB, more than the 20 MB"))
    files.get_by_role("button", name="Understood").click()
    files.locator("input[type=file]").set_input_files({"name": "note.txt", "mimeType": "text/plain", "buffer": b"dry"})
    expect(files.get_by_role("link", name="note.txt")).to_be_visible()
    assert [one["name"] for one in head.get(f"/api/cases/{id}").json()["attachments"]] == ["note.txt"]


@pytest.fixture(scope="module")
def many(head: Client) -> int:
    """A case that was divided into a thousand."""
    id = opened(head, "Divided")
    parts = [ticket(f"Part {number:04} {SCRIPT}", priority=3) for number in range(MANY)]
    with ThreadPoolExecutor(2) as pool:
        groups = [parts[at : at + AT_ONCE] for at in range(0, MANY, AT_ONCE)]
        list(pool.map(lambda group: head.do("POST", f"/api/cases/{id}/acts", verb="split", openings=group), groups))
    return id


def test_a_thousand_rows_scroll_and_what_is_typed_stays_text(desk: Open, many: int) -> None:
    page = desk("/work?scope=held&words=Part&order=oldest")
    rows = page.get_by_role("listbox", name="List of cases")
    expect(rows.get_by_role("option").first).to_contain_text("<script>")
    assert page.title() != "taken"
    rows.focus()
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile(r"Part \d+ <script>"), level=2)).to_be_visible()
    for _ in range(15):
        rows.evaluate("box => { box.scrollTop = box.scrollHeight }")
        page.wait_for_timeout(150)
        if page.get_by_text(re.compile("^1,000 cases")).is_visible():
            break
    expect(page.get_by_text("1,000 cases")).to_be_visible()
    assert rows.get_by_role("option").count() < 60
    rows.focus()
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+K")
    expect(page.get_by_role("toolbar")).to_contain_text("2 marked")
    page.keyboard.press("t")
    results = page.get_by_role("dialog", name="What became of each")
    expect(results).to_contain_text("2 of 2 done.")
    results.get_by_role("button", name="Close", exact=True).last.click()


PLACES = [
    "/work?scope=held",
    "/work?scope=held&new=1",
    "/notices",
    "/notices?tab=choices",
    "/reviews",
    "/reviews?tab=followups",
    "/reviews?tab=samples",
]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_place_of_the_desk_is_accessible_and_fits(desk: Open, head: Client, many: int, lang: str) -> None:
    page = desk(f"/work?scope=held&case={many}", name=HEAD, lang=lang)
    detail(page, "Divided")
    assert violations(page) == []
    page.keyboard.press("e")
    expect(page.locator("form.act")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    for place in PLACES[("zh", "en").index(lang) :: 2]:
        page.goto(page.url.split("/work")[0].split("/notices")[0].split("/reviews")[0] + place)
        expect(page.locator("main h1, main h2").first).to_be_attached()
        expect(page.locator(".skeleton")).to_have_count(0)
        assert violations(page) == [], place
        main = page.locator("main")
        assert main.evaluate("box => box.scrollWidth <= box.clientWidth"), place
