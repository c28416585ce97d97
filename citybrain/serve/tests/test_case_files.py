# SPDX-License-Identifier: Apache-2.0
"""Files of cases over HTTP: too large a photo is refused while it comes, and only who sees the case sees its files."""

import os
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

from PIL import Image

from citybrain.kernel.store import Store
from citybrain.serve.tests.conftest import Clerk, Signs

MB = 1_000_000
HEAD = b"\xff\xd8\xff\xe0" + b"\0" * 100


def photo() -> bytes:
    """A picture with an author."""
    out = BytesIO()
    exif = Image.Exif()
    exif[0x013B] = "Wang Secret"
    Image.new("RGB", (32, 16), "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


async def sent(clerk: Clerk, data: bytes, name: str = "photo.jpg") -> Any:
    """An upload that is taken."""
    answer = await clerk.http.post("/api/uploads", params={"name": name}, content=data)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_photo_of_50_mb_is_refused_while_it_comes_and_nothing_of_it_stays(
    at_desk: Signs, staffed: Store
) -> None:
    li = await at_desk("li")
    sent_mb = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent_mb
        yield HEAD + os.urandom(MB - len(HEAD))
        for _ in range(49):
            sent_mb += 1
            yield os.urandom(MB)

    for how in ("announced", "unannounced"):
        headers = {"Content-Length": str(50 * MB)} if how == "announced" else {}
        answer = await li.http.post("/api/uploads?name=big.jpg", content=pieces(), headers=headers)
        assert answer.status_code == 400, how
        assert answer.json()["code"] == "kernel.photo_too_large"
        facts = answer.json()["facts"]
        assert (facts["limit_mb"], facts["size_mb"] >= 20) == (20, True), how
    folder = staffed.casework.attachments.files.folder
    assert [path for path in folder.glob("*/*") if path.stat().st_size > MB] == []


async def test_what_a_file_is_counts_and_not_its_name(at_desk: Signs) -> None:
    li = await at_desk("li")
    for data, code in ((b"MZ\x90\0\0\0", "kernel.file_type_refused"), (b"", "kernel.file_empty")):
        answer = await li.http.post("/api/uploads?name=photo.jpg", content=data)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    page = await sent(li, b"<script>alert(1)</script>", "photo.jpg")
    shown = await li.http.get(f"/api/attachments/{page['id']}")
    assert shown.headers["content-type"] == "text/plain; charset=utf-8"
    assert shown.headers["content-disposition"].startswith("attachment;")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert (shown.content, page["name"]) == (b"<script>alert(1)</script>", "photo.jpg.txt")


async def test_an_upload_of_somebody_else_cannot_be_seen_or_attached(at_desk: Signs) -> None:
    li, wang = await at_desk("li"), await at_desk("wang")
    own = await sent(li, photo())
    case = await li.open()
    path = f"/api/attachments/{own['id']}"
    assert await wang.refused("GET", path, status=404) == "kernel.no_such_attachment"
    assert await wang.refused("DELETE", path, status=404) == "kernel.no_such_attachment"
    into = f"/api/cases/{case['id']}/attachments"
    assert await wang.refused("POST", into, {"ids": [own["id"]]}, status=404) == "kernel.no_such_attachment"
    other = {"type": "ticket", "title": "x", "department": "roads", "fields": {"text": "x"}, "attachments": [own["id"]]}
    before = (await li.ask("GET", "/api/cases?scope=held"))["total"]
    assert await wang.refused("POST", "/api/cases", other, status=404) == "kernel.no_such_attachment"
    assert (await li.ask("GET", "/api/cases?scope=held"))["total"] == before, "the case is not opened either"
    assert [each["id"] for each in await li.ask("POST", into, {"ids": [own["id"]]})] == [own["id"]]
    assert (await wang.http.get(path)).content == photo(), "now it is the case's, which wang sees"
    chen = await at_desk("chen")
    assert await chen.refused("GET", path, status=404) == "kernel.no_such_attachment"


async def test_a_photo_that_comes_with_a_case_is_shown_to_everybody_only_without_its_author(at_desk: Signs) -> None:
    li, chen = await at_desk("li"), await at_desk("chen")
    case = await li.open(attachments=[(await sent(li, photo()))["id"]])
    (mine,) = (await li.ask("GET", f"/api/cases/{case['id']}"))["attachments"]
    path = f"/api/attachments/{mine['id']}"
    assert await chen.refused("PUT", f"{path}/public", status=404) == "kernel.no_such_attachment"
    assert (await li.ask("PUT", f"{path}/public"))["public"] is True
    public, original = await li.http.get(path), await li.http.get(f"{path}?original=1")
    assert b"Secret" not in public.content
    assert original.content == photo()
    assert public.headers["content-disposition"].startswith("inline;")
    assert public.headers["cache-control"] == "private, no-cache"
    assert (await li.ask("DELETE", f"{path}/public"))["public"] is False
    await li.ask("DELETE", path, status=204)
    detail = await li.ask("GET", f"/api/cases/{case['id']}")
    assert detail["attachments"] == []
    assert [list(each["facts"]["files"]) for each in detail["events"][1:]] == [
        ["published"],
        ["unpublished"],
        ["name", "removed"],
    ]
    assert await li.refused("GET", path, status=404) == "kernel.no_such_attachment"
