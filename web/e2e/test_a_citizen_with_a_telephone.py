# SPDX-License-Identifier: Apache-2.0
"""A citizen with a telephone: three steps without an account, a receipt, an answer, and nothing lost on the way."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect

from tests.scenarios.city import RunningCity, free_port, running
from web.e2e.conftest import OWN_HEADER, _against_policy, _outside
from web.e2e.test_a_calm_screen import violations
from web.e2e.town import PICTURE_SIDE_PX, Postbox, act, go, picture

TELEPHONE: ViewportSize = {"width": 360, "height": 740}
SCRIPT = "<script>alert(1)</script>"
TEXT = f"幸福里小区 3 号楼停水两天了 {SCRIPT}"
MB = 1_000_000
# A page for everybody must open on a slow line: so much JavaScript, compressed, and not more.
MOST_SCRIPT = 120_000
PAGES = ["", "/report", "/follow", "/reports", "/areas", "/area/none", "/answers", "/me", "/receipt", "/nowhere"]

AREA = {"email": "area@example.org", "longitude": 116.35, "latitude": 39.95}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def postbox() -> Iterator[tuple[Postbox, int]]:
    box, port = Postbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


@pytest.fixture(scope="module")
def town(open_folder: Path, postbox: tuple[Postbox, int]) -> Iterator[RunningCity]:
    """A city without streets, with a hotline and a mail server."""
    port = free_port()
    variables = {
        "CITYBRAIN_SMTP": f"smtp://127.0.0.1:{postbox[1]}?from=city@example.org",
        "CITYBRAIN_ADDRESS": f"http://127.0.0.1:{port}",
    }
    with running(open_folder / "citizens", scenario="none", port=port, variables=variables) as started:
        # Letters go out by rounds: asked for now, it has come when its test looks for it.
        assert httpx.post(f"{started.url}/api/hotline/areas", json=AREA, headers=OWN_HEADER).status_code == 202
        yield started


@pytest.fixture(scope="module")
def clerk(town: RunningCity) -> Iterator[httpx.Client]:
    """Somebody at the city who answers."""
    with httpx.Client(base_url=town.url, headers=OWN_HEADER, timeout=30) as client:
        client.post("/api/session", json={"name": "operator", "password": town.password}).raise_for_status()
        yield client


@pytest.fixture
def phone(browser: Browser, town: RunningCity) -> Iterator[OpenPage]:
    """Opens a page on a telephone; at the end no request may have gone elsewhere and nothing may have broken."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_one(path: str = "", *, lang: str = "zh", large: bool = False, **options: Any) -> Page:
        context = browser.new_context(viewport=TELEPHONE, has_touch=True, reduced_motion="reduce", **options)
        contexts.append(context)
        remembered = f"if (!localStorage['citybrain.lang']) localStorage['citybrain.lang'] = '{lang}';"
        context.add_init_script(remembered + ("localStorage['citybrain.citizen.large'] = 'yes'" if large else ""))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: wrong.extend(_outside(request.url, town.url)))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.extend(_against_policy(message.text)))
        go(page, town, path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert wrong == []


def choose(page: Page, *files: Path) -> None:
    page.locator("input[type=file][multiple]").set_input_files(list(files))


def write_report(page: Page, text: str = TEXT) -> None:
    """The first two steps."""
    page.get_by_label("说说是什么事").fill(text)
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("地址或附近的标志").fill("幸福里小区 3 号楼")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("heading", name="有照片吗？")).to_be_visible()


def receipt_of(page: Page) -> tuple[str, str]:
    """The number and the path of the link."""
    expect(page.get_by_role("heading", name="收到了，谢谢您")).to_be_visible()
    link = page.get_by_label("您的专属链接").input_value()
    return page.locator("main .big").inner_text(), link.partition("/citizen")[2]


def test_three_steps_without_an_account_an_answer_a_rating_and_asking_again(
    phone: OpenPage, town: RunningCity, clerk: httpx.Client, tmp_path: Path
) -> None:
    photo = tmp_path / "漏水.png"
    photo.write_bytes(picture())
    page = phone()
    page.get_by_role("link", name="反映问题").click()
    page.get_by_label("说说是什么事").fill(TEXT)
    page.get_by_label("停水").check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    choose(page, photo)
    expect(page.get_by_text("已上传", exact=True)).to_be_visible()
    page.get_by_role("button", name="提交").click()
    number, path = receipt_of(page)
    page.get_by_role("button", name="记在这部手机上").click()

    act(clerk, number, verb="move", move="accept")
    act(clerk, number, verb="comment", kind="public", text="整栋楼都停水吗？")
    act(clerk, number, verb="comment", kind="internal", text="此人常来电")
    go(page, town, "/follow")
    page.get_by_role("link", name=number).click()
    expect(page.get_by_role("heading", name="水务局想问您")).to_be_visible()
    assert page.locator("main .words", has_text=SCRIPT).count() == 1, "a script in words is text"
    assert "此人常来电" not in page.locator("main").inner_text()
    image = page.get_by_role("img", name="漏水")
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("naturalWidth", PICTURE_SIDE_PX)
    page.get_by_label("回答").fill("是的")
    page.get_by_role("button", name="发送").click()
    expect(page.get_by_text("您补充：")).to_be_visible()

    facts = {"resolution": "resolved"}
    act(clerk, number, verb="move", move="answer", answer="已修好，今晚来水。", fields=facts)
    go(page, town, path)
    expect(page.get_by_role("heading", name="水务局的答复")).to_be_visible()
    page.get_by_label("不满意", exact=True).check()
    page.get_by_label("没解决").check()
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_text("您的评价：不满意")).to_be_visible()
    page.get_by_role("button", name="问题没解决，请再办").click()
    page.get_by_label("问题没解决，请再办").fill("还是没水")
    page.get_by_role("button", name="发送").click()
    expect(page.get_by_text("水务局正在办。")).to_be_visible()
    assert violations(page) == []
    row = clerk.get(f"/api/cases/by-number/{number}").json()["id"]
    assert clerk.get(f"/api/cases/{row}").json()["case"]["state"] == "working"


def test_without_a_network_nothing_is_lost_and_it_is_sent_once_there_is_one(
    phone: OpenPage, tmp_path: Path, clerk: httpx.Client
) -> None:
    photo = tmp_path / "lamp.png"
    photo.write_bytes(picture())
    page = phone("/report")
    text = "学院路路灯坏了，离线时写的"
    page.get_by_label("说说是什么事").fill(text)
    page.reload()
    expect(page.get_by_label("说说是什么事")).to_have_value(text)
    write_report(page, text)
    page.context.set_offline(True)
    expect(page.get_by_text("现在没有网络。")).to_be_visible()
    choose(page, photo)
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("没有网络，还没提交。")).to_be_visible()
    page.context.set_offline(False)
    number, _ = receipt_of(page)
    id = clerk.get(f"/api/cases/by-number/{number}").json()["id"]
    story = clerk.get(f"/api/cases/{id}").json()
    assert len(story["attachments"]) == 1
    page.goto(page.url.replace("/receipt", "/report"))
    expect(page.get_by_label("说说是什么事")).to_have_value("")


def test_a_receipt_that_was_lost_on_its_way_comes_again_and_the_report_is_one(
    phone: OpenPage, town: RunningCity
) -> None:
    page = phone("/report")
    sent: list[dict[str, str]] = []

    def lose_the_first(route: Route) -> None:
        if not sent:
            sent.append(route.fetch().json())
            route.abort()
        else:
            route.continue_()

    page.route("**/api/hotline/reports", lose_the_first)
    write_report(page, "公园垃圾没人收，回执丢了一次")
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_text("没有网络，还没提交。")).to_be_visible()
    page.go_back()
    page.go_back()
    page.get_by_label("说说是什么事").fill("公园东门的垃圾没人收")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name=re.compile("再试一次|提交")).click()
    number, path = receipt_of(page)
    assert (number, path) == (sent[0]["number"], f"/follow/{sent[0]['link']}")
    go(page, town, path)
    expect(page.get_by_role("heading", name=number)).to_be_visible()
    expect(page.get_by_text("公园东门的垃圾没人收")).to_be_visible()


def test_a_photo_of_fifty_megabytes_is_made_smaller_or_refused_in_plain_words(phone: OpenPage, tmp_path: Path) -> None:
    large, unreadable = tmp_path / "large.png", tmp_path / "broken.jpg"
    large.write_bytes(picture() + bytes(50 * MB))
    unreadable.write_bytes(b"\xff\xd8\xff\xe0" + bytes(50 * MB))
    page = phone("/report")
    sizes: list[int] = []
    page.on("request", lambda request: sizes.append(len(request.post_data_buffer or b"")))
    write_report(page, "下水道堵了，照片很大")
    choose(page, large)
    expect(page.get_by_text("已上传", exact=True)).to_be_visible()
    choose(page, unreadable)
    expect(page.get_by_role("alert").filter(has_text="最多 20 MB")).to_be_visible()
    assert max(sizes) < MB
    page.get_by_role("button", name="删除 broken.jpg").click()
    page.get_by_role("button", name="提交").click()
    receipt_of(page)


def test_the_public_list_tells_of_nobody(phone: OpenPage, town: RunningCity) -> None:
    told = {
        "text": "王小明家门口路灯坏了",
        "name": "王小明",
        "phone": "13800138000",
        "email": "wang@example.org",
        "address": "幸福里 5 号",
        "longitude": 116.351234,
        "latitude": 39.951234,
    }
    number = httpx.post(f"{town.url}/api/hotline/reports", json=told, headers=OWN_HEADER, timeout=30).json()["number"]
    page = phone("/reports")
    with page.expect_response("**/api/hotline/public*") as answer:
        page.get_by_role("button", name="刷新").click()
    shown = page.locator("main")
    shown.get_by_role("button", name=re.compile("路灯")).first.click()
    expect(shown.get_by_text(number)).to_be_visible()
    for secret in ("王小明", "13800138000", "wang@example.org", "幸福里", "116.351234"):
        assert secret not in shown.inner_text()
        assert secret not in answer.value.text()
    assert "更新于" in shown.inner_text()
    page.get_by_label("类别").select_option(label="交通运输")
    page.get_by_label("进展").select_option(label="已答复")
    expect(shown.get_by_text("没有符合条件的。")).to_be_visible()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_is_accessible_and_fits_a_telephone_in_large_print(
    phone: OpenPage, town: RunningCity, lang: str
) -> None:
    page = phone(lang=lang)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if lang == "zh" else "en")
    large = phone(lang=lang, large=True)
    assert large.locator("html").evaluate("html => getComputedStyle(html).fontSize") == "22px"
    for path in PAGES:
        go(page, town, path)
        assert violations(page) == [], path
        go(large, town, path)
        assert large.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    for width in (768, 1366):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_report_can_be_made_by_keyboard_alone_and_says_what_is_wrong(phone: OpenPage) -> None:
    page = phone("/report", lang="en")

    def tab_to(name: str) -> None:
        named = "e => e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent || ''"
        for _ in range(40):
            page.keyboard.press("Tab")
            if name in page.evaluate(f"({named})(document.activeElement)"):
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to("Next")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Tell us in your own words")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Write a sentence")
    assert violations(page) == []
    page.keyboard.type("No water in Station Road")
    tab_to("Next")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Where is it?")).to_be_focused()
    tab_to("Address")
    page.keyboard.type("Station Road 3")
    tab_to("Next")
    page.keyboard.press("Enter")
    tab_to("Leave a way")
    page.keyboard.press("Enter")
    tab_to("Phone number")
    page.keyboard.type("call me")
    assert violations(page) == []
    tab_to("Send")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Phone number")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("only digits")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="We have it. Thank you")).to_be_visible()
    assert violations(page) == []


def test_the_report_is_light_and_works_without_the_words_of_the_server(phone: OpenPage, town: RunningCity) -> None:
    page = phone()
    page.route("**/api/words/*", lambda route: route.abort())
    loaded: dict[str, int] = {}

    def note(request: Any) -> None:
        loaded[request.url] = request.sizes()["responseBodySize"]

    page.context.clear_cookies()
    page.on("requestfinished", note)
    go(page, town, "/report")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_role("alert")).to_contain_text("请写一两句话")
    scripts = {url: size for url, size in loaded.items() if url.endswith(".js")}
    assert 0 < sum(scripts.values()) < MOST_SCRIPT
    assert not [url for url in loaded if "/api/words" in url or "/api/stream" in url or "maplibre" in url]


def test_one_address_behind_a_proxy_cannot_use_up_what_others_may(town: RunningCity) -> None:
    def tell(address: str) -> int:
        headers = {**OWN_HEADER, "X-Forwarded-For": address}
        return httpx.post(f"{town.url}/api/hotline/areas", json=AREA, headers=headers, timeout=30).status_code

    assert [tell("192.0.2.1") for _ in range(6)][-1] == 403
    assert tell("192.0.2.2") == 202


def test_an_area_is_followed_only_after_a_yes_and_left_again(
    phone: OpenPage, town: RunningCity, postbox: tuple[Postbox, int]
) -> None:
    where = {"longitude": 116.35, "latitude": 39.95}
    page = phone("/areas", geolocation=where, permissions=["geolocation"])
    page.get_by_role("button", name="发确认邮件").click()
    expect(page.get_by_role("alert").first).to_contain_text("请先选一个地点")
    page.get_by_role("button", name="用我现在的位置").click()
    page.get_by_label("邮箱").fill("another@example.org")
    page.get_by_role("button", name="发确认邮件").click()
    expect(page.get_by_role("heading", name="请查收邮件")).to_be_visible()
    for _ in range(150):
        link = re.search(r"http\S+/citizen(/area/\S+)", postbox[0].text_of("/citizen/area/") or "")
        if link:
            break
        page.wait_for_timeout(200)
    assert link
    go(page, town, link[1])
    page.get_by_role("button", name="是我，请通知我").click()
    expect(page.get_by_text("好了。")).to_be_visible()
    page.get_by_role("button", name="不再通知我").click()
    expect(page.get_by_text("已经取消")).to_be_visible()


def test_who_likes_signs_in_by_a_code_and_sees_takes_and_erases_their_own_data(
    phone: OpenPage, town: RunningCity, clerk: httpx.Client, postbox: tuple[Postbox, int]
) -> None:
    told = {"text": "停水了，请回复我", "email": "me@example.org"}
    number = httpx.post(f"{town.url}/api/hotline/reports", json=told, headers=OWN_HEADER, timeout=30).json()["number"]
    id = clerk.get(f"/api/cases/by-number/{number}").json()["id"]
    clerk.post(f"/api/hotline/tickets/{id}/caller", json={"reason": "核实地址"}).raise_for_status()
    page = phone("/me")
    page.get_by_label("邮箱或手机号").fill("me@example.org")
    page.get_by_role("button", name="发送验证码").click()
    field = page.get_by_label("验证码")
    expect(field).to_be_focused()
    code = re.search(r"\d{6}", postbox[0].text_of("验证码") or "")
    assert code
    field.fill(code[0])
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_text("您已登录。")).to_be_visible()
    expect(page.get_by_text("原因：核实地址")).to_be_visible()
    page.get_by_text("查看（1 项）").click()
    expect(page.get_by_role("definition").filter(has_text="me@example.org")).to_be_visible()
    assert violations(page) == []
    with page.expect_download() as file:
        page.get_by_role("button", name="下载一份带走").click()
    assert "me@example.org" in file.value.path().read_text()
    page.get_by_role("button", name="删除我的信息").click()
    page.get_by_role("button", name="确定删除").click()
    expect(page.get_by_text(re.compile("删除了 .* 项，保留 1 项"))).to_be_visible()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_label("邮箱或手机号")).to_be_visible()
