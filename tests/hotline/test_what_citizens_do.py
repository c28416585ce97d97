# SPDX-License-Identifier: Apache-2.0
"""Citizens over HTTP, without account: three steps, a link to follow, and nothing of them for anybody else."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from citybrain.apps.hotline.service import citizens
from citybrain.apps.hotline.service.hotline import Hotline
from citybrain.kernel.clock import utc_now
from tests.hotline.conftest import REPORT, People, answered

KEY = "a secret of this browser alone"
SCRIPT = "<script>alert(1)</script> 家里停水了"
PERSONAL = ("张三", "13800138000", "zhang@example.org", "幸福里")


def photo() -> bytes:
    """A picture that tells where it was taken."""
    out = BytesIO()
    exif = Image.Exif()
    exif[0x013B] = "Zhang Secret"
    Image.new("RGB", (64, 48), "blue").save(out, "JPEG", exif=exif)
    return out.getvalue()


async def test_three_steps_with_a_photo_give_a_number_and_a_link(people: People) -> None:
    citizen, wang = await people(""), await people("wang")
    sent = await citizen.http.post("/api/hotline/photos", params={"key": KEY, "name": "水.jpg"}, content=photo())
    assert sent.status_code == 201, sent.text
    told = {**REPORT, "photos": [sent.json()["id"]], "photos_key": KEY}
    given = await citizen.ask("POST", "/api/hotline/reports", told, status=201)
    assert given["number"].startswith("HT")
    report = await citizen.ask("GET", f"/api/hotline/reports/{given['link']}")
    assert (report["text"], report["state"]) == (REPORT["text"], "dispatched")
    (found,) = (await (await people("op")).ask("GET", "/api/cases", words=given["number"]))["cases"]
    (attachment,) = (await wang.ask("GET", f"/api/cases/{found['id']}"))["attachments"]
    path = f"/api/attachments/{attachment['id']}"
    assert b"Zhang Secret" in (await wang.http.get(path)).content, "who works on it sees it as it came"
    await wang.ask("PUT", f"{path}/public")
    assert b"Zhang Secret" not in (await wang.http.get(path)).content, "by whom it was taken is not for everybody"


async def test_photos_of_another_browser_are_not_ones_own(people: People) -> None:
    citizen = await people("")
    sent = await citizen.http.post("/api/hotline/photos", params={"key": KEY}, content=photo())
    told = {**REPORT, "photos": [sent.json()["id"]], "photos_key": "another secret of some browser"}
    assert (await citizen.http.post("/api/hotline/reports", json=told)).status_code in (403, 404, 409)
    assert await citizen.refused("POST", "/api/hotline/photos", None, status=400, key="short") is not None


async def test_a_report_sent_twice_is_one(people: People) -> None:
    citizen = await people("")
    told = {**REPORT, "key": "key of this browser for this report"}
    first, again = [await citizen.ask("POST", "/api/hotline/reports", told, status=201) for _ in range(2)]
    assert first["number"] == again["number"]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"text": "  "}, "text"),
        ({"text": "x" * 5_001}, "text"),
        ({"longitude": None}, "place"),
        ({"longitude": 200.0}, "place"),
        ({"phone": "call me"}, "phone"),
        ({"email": "nobody"}, "email"),
        ({"category": "no.such"}, "category"),
    ],
)
async def test_what_is_unusable_is_refused_by_its_field(people: People, more: dict[str, Any], field: str) -> None:
    refusal = await (await people("")).ask("POST", "/api/hotline/reports", {**REPORT, **more}, status=400)
    assert (refusal["code"], refusal["facts"]) == ("hotline.telling_unusable", {"field": field})


async def test_more_than_is_asked_for_is_refused(people: People) -> None:
    asked = {**REPORT, "id_number": "110101199003070000"}
    assert (await (await people("")).http.post("/api/hotline/reports", json=asked)).status_code == 400


async def test_only_the_link_follows_a_report(people: People, reported: tuple[str, str]) -> None:
    citizen, (number, link) = await people(""), reported
    for wrong in (number, link[:-1], link.swapcase(), "x" * 500):
        code = await citizen.refused("GET", f"/api/hotline/reports/{wrong}", status=404)
        assert code == "hotline.no_such_report"


async def test_the_citizen_says_more_rates_and_asks_again(
    people: People, reported: tuple[str, str], case_id: int, hotline: Hotline
) -> None:
    citizen, path = await people(""), f"/api/hotline/reports/{reported[1]}"
    await citizen.ask("POST", f"{path}/words", {"text": "今天也没有水"})
    wang = await people("wang")
    comments = (await wang.ask("GET", f"/api/cases/{case_id}"))["comments"]
    assert "今天也没有水" in [each["text"] for each in comments]
    assert await citizen.refused("POST", f"{path}/rating", {"satisfaction": "satisfied"}, status=409)
    await answered(people, case_id)
    report = await citizen.ask("GET", path)
    assert (report["answer"], set(report["may"])) == ("已修复", {"add", "rate", "reopen"})
    bad = {"satisfaction": "dissatisfied", "resolved": False, "note": "水又停了"}
    assert (await citizen.ask("POST", f"{path}/rating", bad))["satisfaction"] == "dissatisfied"
    assert await citizen.refused("POST", f"{path}/rating", bad, status=409) == "hotline.not_now"
    (follow_up,) = [each for each in await wang.ask("GET", "/api/follow-ups") if each["case_id"] == case_id]
    assert (follow_up["satisfaction"], follow_up["remark"]) == ("dissatisfied", "水又停了")
    (rating,) = await hotline.store.casework.ratings.of_case(case_id)
    assert rating.satisfaction == "dissatisfied"
    assert await citizen.refused("POST", f"{path}/reopening", {"text": " "}, status=400)
    assert (await citizen.ask("POST", f"{path}/reopening", {"text": "还是没水"}))["state"] == "working"


async def test_the_public_list_has_neither_words_nor_persons_and_no_exact_place(
    people: People, reported: tuple[str, str], case_id: int
) -> None:
    await answered(people, case_id)
    citizen = await people("")
    page = await citizen.ask("GET", "/api/hotline/public")
    (mine,) = [each for each in page["reports"] if each["number"] == reported[0]]
    text = str(page)
    assert not [each for each in (*PERSONAL, REPORT["text"], "已修复", "wang", reported[1]) if str(each) in text]
    assert (mine["longitude"], mine["latitude"]) != (REPORT["longitude"], REPORT["latitude"])
    assert abs(mine["longitude"] - float(str(REPORT["longitude"]))) < 0.002
    assert await citizen.refused("GET", "/api/hotline/public", status=400, after="nonsense")


async def test_what_is_not_public_is_not_on_the_list(people: People) -> None:
    citizen = await people("")
    hidden = [{**REPORT, "public": False}, {**REPORT, "text": "公司拖欠工资", "category": "labour.wage.arrears"}]
    numbers = {(await citizen.ask("POST", "/api/hotline/reports", each))["number"] for each in hidden}
    listed = {each["number"] for each in (await citizen.ask("GET", "/api/hotline/public"))["reports"]}
    assert not numbers & listed


async def test_a_script_in_a_description_is_text_everywhere(people: People) -> None:
    citizen, op = await people(""), await people("op")
    given = await citizen.ask("POST", "/api/hotline/reports", {**REPORT, "text": SCRIPT})
    answer = await citizen.http.get(f"/api/hotline/reports/{given['link']}")
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["text"] == SCRIPT
    now = utc_now()
    span: dict[str, Any] = {"since": f"{now.year}-01-01T00:00:00Z", "until": f"{now.year + 1}-01-01T00:00:00Z"}
    page = await op.ask("GET", "/api/hotline/rows", page="true", **span)
    report = await op.ask("GET", "/api/hotline/report", month=f"{now:%Y-%m}")
    for html in (page, report):
        assert "<html" in html
        assert "<script" not in html


async def test_an_area_is_followed_only_after_the_e_mail_was_confirmed(people: People, hotline: Hotline) -> None:
    citizen = await people("")
    asked = {"email": "li@example.org", "longitude": 116.35, "latitude": 39.95, "radius_m": 500}
    await citizen.ask("POST", "/api/hotline/areas", asked, status=202)
    queued = "SELECT count(*) FROM notice WHERE topic = 'hotline.area_confirm'"
    assert await hotline.db.read(queued, as_=int) == [1]
    areas = "SELECT count(*) FROM hotline_area WHERE confirmed_at IS NOT NULL"
    assert await hotline.db.read(areas, as_=int) == [0]
    wish = citizens.Wish(email="wu@example.org", longitude=116.35, latitude=39.95, radius_m=500, lang="zh", link="")
    secret = await citizens.follow_area(hotline, wish, now=utc_now())
    await citizen.ask("POST", f"/api/hotline/areas/{secret}", status=204)
    assert await hotline.db.read(areas, as_=int) == [1]
    await citizen.ask("DELETE", f"/api/hotline/areas/{secret}", status=204)
    assert await citizen.refused("DELETE", f"/api/hotline/areas/{secret}", status=404)
    assert await citizen.refused("POST", "/api/hotline/areas", {**asked, "radius_m": 1}, status=400)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/hotline/follow-ups"),
        ("GET", "/api/hotline/rules"),
        ("GET", "/api/hotline/supervision"),
        ("GET", "/api/hotline/knowledge"),
        ("GET", "/api/hotline/model"),
        ("GET", "/api/hotline/bursts"),
        ("GET", "/api/hotline/tickets/1"),
        ("GET", "/api/hotline/calls"),
    ],
)
async def test_what_is_for_clerks_is_not_for_citizens(people: People, method: str, path: str) -> None:
    answer = await (await people("")).http.request(method, path)
    assert answer.status_code in (401, 403)
