# SPDX-License-Identifier: Apache-2.0
"""What a duty officer does with warnings over CAP: reads one with its history, sees why a message was not believed,
lets it in or throws it away, and looks whom the city trusts."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from citybrain.doors.cap.tests.authority import Authority
from citybrain.doors.cap.tests.signing import pair, signed
from citybrain.kernel.clock import utc_now
from tests.scenarios.city import RunningCity, running
from web.e2e.staff import PASSWORD, Client, Open, desks_of
from web.e2e.test_a_calm_screen import violations

WEATHER, PROVINCE, RIVER = "weather@city.example", "alerts@province.example", "river@city.example"
NEWCOMER = "new.officer"
READY = "html[data-centre=ready], html[data-desk=ready]"
SOON_MS = 30_000
SCRIPT = "<script>document.title = 'taken'</script>"
ABOUT = {
    "rain": ("暴雨红色预警", "Red rainstorm warning", "Extreme"),
    "flood": ("河水上涨预警", "Rising river", "Moderate"),
    "drill": ("防汛演练", "Flood exercise", "Severe"),
    "joke": ("外星人入侵", "Invasion from Mars", "Extreme"),
    "wind": ("大风预警", "Gale warning", "Severe"),
    "heat": ("高温预警", "Heat warning", "Minor"),
}


def stamp(minutes: int = 0) -> str:
    """A time as CAP writes it, so many minutes from now."""
    at = (utc_now() + timedelta(minutes=minutes)).replace(microsecond=0)
    return at.isoformat().replace("+00:00", "-00:00")


def message(identifier: str, about: str, sender: str = WEATHER, **more: str) -> bytes:
    """A warning of now in both languages, of a square in the middle of the city."""
    sent, expires = more.get("sent", stamp(-10)), stamp(180)
    infos = ""
    for at, language in enumerate(("zh-CN", "en")):
        event = ABOUT[about][at]
        advice = ("不要出门，远离低洼处。", "Stay indoors, away from low ground.")[at]
        place = ("银滩区", "Silver Beach district")[at]
        infos += f"""<info><language>{language}</language><category>Met</category><event>{event}</event>
<responseType>Shelter</responseType><urgency>Immediate</urgency><severity>{ABOUT[about][2]}</severity>
<certainty>Observed</certainty><expires>{expires}</expires><senderName>{("气象台", "Observatory")[at]}</senderName>
<headline>{event}</headline><description>{more.get("text", "100 mm / 3 h")}</description>
<instruction>{advice}</instruction><web>https://elsewhere.example/{identifier}</web>
<area><areaDesc>{place}</areaDesc><polygon>21.46,109.10 21.46,109.14 21.49,109.14 21.49,109.10 21.46,109.10</polygon>
<geocode><valueName>GB/T 2260</valueName><value>450502</value></geocode></area></info>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier><sender>{sender}</sender>
<sent>{sent}</sent><status>{more.get("status", "Actual")}</status><msgType>{more.get("type", "Alert")}</msgType>
<scope>Public</scope>{more.get("head", "")}{infos}</alert>""".encode()


def trust(folder: Path) -> Path:
    """The operator's file: one sender by its certificate, one by an authority whose list is over, one not looked at."""
    folder.mkdir()
    pair("p256").write(folder, "weather")
    root = Authority("Province root")
    for name in ("ca", "crl"):
        (folder / name).mkdir()
    (folder / "ca" / "root.pem").write_bytes(root.pem)
    (folder / "crl" / "root.crl").write_bytes(root.revoked([], utc_now() - timedelta(days=9)))
    path = folder / "cap.toml"
    path.write_text(
        f'[[source]]\nsender = "{WEATHER}"\ncertificates = ["weather.crt"]\n'
        f'[[source]]\nsender = "{PROVINCE}"\nsignatures = "checked"\nauthorities = ["ca"]\nrevocations = ["crl"]\n'
    )
    return path


def send(city: RunningCity, token: str, body: bytes) -> int:
    """Bring a message by the public address; the status of the answer."""
    bearer = {"authorization": f"Bearer {token}", "content-type": "application/cap+xml"}
    return httpx.post(f"{city.url}/cap/alerts", content=body, headers=bearer, timeout=30).status_code


def fill(city: RunningCity, token: str) -> None:
    """What comes on a bad day: warnings, an update, an exercise, a heat that is called off, and what is not to be
    believed."""
    own, strange = pair("p256"), pair("p256", 1)
    first, second = stamp(-20), stamp(-10)
    refers = f"<references>{WEATHER},rain-1,{first}</references>"
    heat = f"<references>{RIVER},heat-1,{first}</references>"
    good = [
        signed(message("rain-1", "rain", sent=first, text="60 mm / 3 h"), own),
        signed(message("rain-2", "rain", sent=second, type="Update", head=refers), own),
        message("flood-1", "flood", RIVER),
        message("drill-1", "drill", RIVER, status="Exercise"),
        message("heat-1", "heat", RIVER, sent=first),
        message("heat-2", "heat", RIVER, type="Cancel", head=heat),
    ]
    assert [send(city, token, body) for body in good] == [201] * len(good)
    ends = f"<references>{WEATHER},rain-2,{second}</references>"
    doubtful = [
        message("joke-1", "joke", text=SCRIPT.replace("<", "&lt;")),
        signed(message("wind-1", "wind"), strange),
        signed(message("over-1", "rain", type="Cancel", head=ends), own).replace(b"100 mm", b"0 mm"),
    ]
    assert send(city, token, message("noise-1", "heat")) == 400
    with Client(city, "operator", city.password or "") as operator:
        (noise,) = operator.do("GET", "/api/cap/quarantine")
        operator.do("POST", f"/api/cap/quarantine/{noise['number']}", decision="discard", note="twice by mistake")
    assert [send(city, token, body) for body in doubtful] == [400] * len(doubtful)


def furnished(city: RunningCity) -> None:
    """Lamps, so that the city has a place; a newcomer who has no right yet; the day's messages."""
    with Client(city, "operator", city.password or "") as operator:
        operator.do("POST", "/api/powers/admin", account="the.admin", password=PASSWORD)
    with Client(city, "the.admin", PASSWORD) as admin:
        admin.enrol()
        admin.do("POST", "/api/people", name=NEWCOMER, password=PASSWORD)
    with Client(city, "operator", city.password or "") as operator:
        token = operator.do("POST", "/api/services", name="centre", may=["cap.write"])["token"]
        lamps = [
            {
                "id": f"urn:ngsi-ld:Streetlight:{number}",
                "type": "Streetlight",
                "location": {
                    "type": "GeoProperty",
                    "value": {"type": "Point", "coordinates": [109.08 + number / 50, 21.44 + number / 60]},
                },
            }
            for number in range(5)
        ]
        operator.post("/ngsi-ld/v1/entityOperations/upsert", json=lamps).raise_for_status()
    fill(city, token)


@pytest.fixture(scope="module")
def city(open_folder: Path) -> Iterator[RunningCity]:
    """A city without streets whose operator has said whom to believe."""
    path = trust(open_folder / "trusted-by-warnings")
    with running(open_folder / "warned-city", scenario="none", variables={"CITYBRAIN_CAP": str(path)}) as started:
        furnished(started)
        yield started


@pytest.fixture
def desk(browser: Browser, city: RunningCity) -> Iterator[Open]:
    """Opens desks as the officer on duty."""
    with desks_of(browser, city, "operator", city.password or "", ready=READY) as opens:
        yield opens


def rows(page: Page, name: str = "List of warnings") -> Locator:
    """The lines of a list."""
    return page.get_by_role("listbox", name=name).get_by_role("option")


def shown(page: Page) -> Locator:
    """What is open."""
    return page.get_by_role("region", name="Open message")


def aside(page: Page, event: str) -> None:
    """Open what waits with an event."""
    rows(page, "List of messages set aside").filter(has_text=event).click()
    expect(shown(page).get_by_role("heading", name=event, level=2)).to_be_visible()


def test_warnings_in_force_stand_with_the_worst_first_and_open_by_the_keyboard(desk: Open) -> None:
    page = desk("/warnings")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("Red rainstorm warning")
    expect(rows(page).first).to_contain_text(re.compile("▲.*I"))
    expect(rows(page).first).to_contain_text("Silver Beach district")
    expect(rows(page).first).to_contain_text(re.compile(r"\d+ (s|min) ago · in force until"))
    expect(rows(page).last).to_contain_text(re.compile("■.*III"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(shown(page).get_by_role("heading", name="Red rainstorm warning", level=2)).to_be_visible()
    expect(page).to_have_url(re.compile("open=weather@city.example,rain-2,|open=weather%40"))
    page.keyboard.press("Escape")
    expect(shown(page).get_by_role("heading", level=2)).to_have_count(0)


def test_one_warning_shows_its_signature_both_languages_and_what_it_replaced(desk: Open) -> None:
    page = desk("/warnings")
    rows(page).first.click()
    stands = shown(page).get_by_role("region", name="How it stands")
    expect(stands).to_contain_text("signature valid")
    expect(stands).to_contain_text("brought by the service centre")
    expect(shown(page)).to_contain_text("不要出门，远离低洼处。")
    expect(shown(page)).to_contain_text("Stay indoors, away from low ground.")
    expect(shown(page)).to_contain_text("GB/T 2260 = 450502")
    expect(shown(page).get_by_role("link", name="elsewhere")).to_have_count(0)
    chain = shown(page).get_by_role("region", name="Before and after it")
    expect(chain).to_contain_text("replaced by an update")
    chain.get_by_role("button", name="Red rainstorm warning").click()
    expect(shown(page)).to_contain_text("60 mm / 3 h")
    expect(page).to_have_url(re.compile("past=1"))
    expect(rows(page)).to_have_count(2)


def test_what_is_over_says_why_and_an_exercise_stands_apart(desk: Open) -> None:
    page = desk("/warnings?past=1")
    expect(rows(page).filter(has_text="Heat warning")).to_contain_text("called off")
    page.get_by_label("Kind of message").select_option("Exercise")
    page.get_by_label("Which ones").select_option("")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("Flood exercise")


def test_the_place_of_a_warning_is_seen_on_the_map(desk: Open) -> None:
    page = desk("/warnings")
    rows(page).first.click()
    shown(page).get_by_role("button", name="Show on the map").click()
    page.wait_for_selector("html[data-map=ready]", state="attached")
    expect(page).to_have_url(re.compile(r"v=109\.12000,21\.47500"))
    expect(page.get_by_role("complementary", name="Selection")).to_contain_text("Red rainstorm warning")


def test_a_message_that_is_let_in_needs_a_reason_and_becomes_a_warning(desk: Open) -> None:
    page = desk("/warnings")
    page.get_by_role("button", name="Set aside").click()
    expect(rows(page, "List of messages set aside")).to_have_count(3)
    aside(page, "Gale warning")
    why = shown(page).get_by_role("region", name="Why it was set aside")
    expect(why).to_contain_text("with a certificate that the city does not know")
    why.get_by_role("button", name="Let it in").click()
    sheet = page.get_by_role("dialog", name="Let it in")
    assert violations(page) == []
    sheet.get_by_role("button", name="Let it in").click()
    expect(sheet.get_by_text("without a reason nothing is done")).to_be_visible()
    sheet.get_by_label("Reason").fill("telephoned, they confirm it")
    sheet.get_by_role("button", name="Let it in").click()
    expect(sheet).to_be_hidden()
    expect(rows(page, "List of messages set aside")).to_have_count(2)
    decided = shown(page).get_by_role("region", name="Decided")
    expect(decided).to_contain_text("Let in by operator")
    expect(decided).to_contain_text("telephoned, they confirm it")
    expect(why.get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name="Warnings", exact=True).click()
    expect(rows(page).filter(has_text="Gale warning")).to_contain_text("certificate not known")


def test_what_another_officer_decided_meanwhile_is_told_and_not_done_twice(desk: Open, city: RunningCity) -> None:
    page = desk("/warnings?tab=aside")
    aside(page, "Invasion from Mars")
    expect(shown(page)).to_contain_text("is not signed")
    expect(shown(page)).to_contain_text(SCRIPT)
    assert page.title() != "taken"
    shown(page).get_by_role("button", name="Throw it away").click()
    sheet = page.get_by_role("dialog", name="Throw it away")
    sheet.get_by_label("Reason").fill("a joke")
    with Client(city, "operator", city.password or "") as other:
        (waits,) = [each for each in other.do("GET", "/api/cap/quarantine") if each["identifier"] == "joke-1"]
        other.do("POST", f"/api/cap/quarantine/{waits['number']}", decision="discard", note="seen first")
    sheet.get_by_role("button", name="Throw it away").click()
    expect(sheet.get_by_role("alert")).to_contain_text("decided")
    sheet.get_by_role("button", name="Cancel").click()
    expect(shown(page).get_by_role("region", name="Decided")).to_contain_text("seen first")


def test_a_false_cancel_says_what_it_would_end_and_is_thrown_away(desk: Open, city: RunningCity) -> None:
    page = desk("/warnings?tab=aside")
    aside(page, "Red rainstorm warning")
    why = shown(page).get_by_role("region", name="Why it was set aside")
    expect(why).to_contain_text("changed after it was signed")
    expect(why).to_contain_text("would end warnings in force (1): Red rainstorm warning")
    why.get_by_role("button", name="Throw it away").click()
    sheet = page.get_by_role("dialog", name="Throw it away")
    sheet.get_by_label("Reason").fill("they know nothing of it")
    sheet.get_by_role("button", name="Throw it away").click()
    expect(shown(page).get_by_role("region", name="Decided")).to_contain_text("Thrown away by operator")
    page.get_by_label("Which ones").select_option("1")
    expect(rows(page, "List of messages set aside").filter(has_text="Red rainstorm")).to_contain_text("thrown away")
    assert "rain-2" in [each["identifier"] for each in city.get("/cap/alerts")]


def test_a_message_that_comes_meanwhile_is_seen_without_a_reload(desk: Open, city: RunningCity) -> None:
    page = desk("/warnings")
    expect(rows(page).first).to_be_visible()
    with Client(city, "operator", city.password or "") as operator:
        token = operator.do("POST", "/api/services", name="late-centre", may=["cap.write"])["token"]
    assert send(city, token, message("heat-9", "heat", RIVER)) == 201
    expect(rows(page).filter(has_text="Heat warning")).to_be_visible(timeout=SOON_MS)


def test_whom_the_city_trusts_is_told_with_the_age_of_lists(desk: Open) -> None:
    page = desk("/warnings?tab=trust")
    weather = page.get_by_role("article", name=WEATHER)
    expect(weather).to_contain_text("the signature must be valid")
    expect(weather).to_contain_text("p256 0")
    expect(weather).not_to_contain_text("needs attention")
    province = page.get_by_role("article", name=PROVINCE)
    expect(province).to_contain_text("needs attention")
    expect(province).to_contain_text("list of revocations over")
    expect(province).to_contain_text("made 9 d ago")


def test_who_may_not_is_told_so_and_gets_no_buttons(browser: Browser, city: RunningCity) -> None:
    with desks_of(browser, city, NEWCOMER, PASSWORD, ready=READY) as opens:
        page = opens("/warnings")
        expect(page.get_by_text("This needs the permission “read warnings that are not public”")).to_be_visible()
        expect(page.get_by_role("navigation", name="Desks").get_by_role("link", name="Warnings")).to_have_count(0)
        page.get_by_role("button", name="Set aside").click()
        expect(page.get_by_text("decide on warnings that were kept aside").first).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("Let it in|Throw it away"))).to_have_count(0)


PLACES = ["/warnings", "/warnings?past=1", "/warnings?tab=aside&past=1", "/warnings?tab=trust"]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("place", PLACES)
def test_every_place_of_the_desk_is_accessible(desk: Open, place: str, lang: str) -> None:
    page = desk(place, lang=lang)
    if "trust" in place:
        expect(page.get_by_role("article").first).to_be_visible()
    else:
        page.get_by_role("listbox").get_by_role("option").first.click()
        expect(page.locator("section.open h2")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_nothing_of_the_desk_is_wider_than_the_screen(desk: Open, width: int) -> None:
    page = desk("/warnings", width=width)
    rows(page).first.click()
    expect(shown(page).get_by_role("heading", level=2)).to_be_visible()
    assert page.locator("body").evaluate("body => body.scrollWidth <= body.clientWidth")
    assert page.locator("section.open").evaluate("box => box.scrollWidth <= box.clientWidth")
