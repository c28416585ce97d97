# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import struct
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from citybrain.kernel.cases.attachments import (
    MB,
    Attachments,
    FileEmpty,
    Limits,
    NoSuchAttachment,
    NotForPublic,
    TooLarge,
    TypeRefused,
    UploadsWaiting,
    download_headers,
    safe_name,
)
from citybrain.kernel.cases.file_store import FileGone, FileStore, FileTooLarge
from citybrain.kernel.cases.media import media_type_of_head
from citybrain.kernel.cases.scanning import FileInfected, Scan, ScanUnavailable, scanner_of
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.stripping import PhotoBroken, scale, strip
from citybrain.kernel.cases.tests.city import ROADS, pothole
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
GPS, ARTIST, ORIENTATION = 0x8825, 0x013B, 0x0112
SECRET = b"Wang Xiaoming"


@pytest.fixture
def attachments(db: Database, tmp_path: Path) -> Attachments:
    return Attachments(db, FileStore(tmp_path / "files"))


def photo(kind: str = "JPEG", size: tuple[int, int] = (64, 32), orientation: int = 6) -> bytes:
    """A photo as a telephone takes it: with position, author and a note, lying on its side."""
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    exif = Image.Exif()
    exif[ARTIST] = SECRET.decode()
    exif[ORIENTATION] = orientation
    exif.get_ifd(GPS)[2] = (30.0, 15.0, 30.0)
    out = BytesIO()
    more: dict[str, Any] = {"exif": exif}
    if kind == "PNG":
        more["pnginfo"] = PngInfo()
        more["pnginfo"].add_text("Author", SECRET.decode())
    if kind == "JPEG":
        more["comment"] = SECRET
    image.save(out, kind, **more)
    return out.getvalue()


async def pieces(data: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def content(attachments: Attachments, id: int, *, original: bool = False) -> bytes:
    found = await attachments.get(id)
    return b"".join([piece async for piece in attachments.read(found, original=original)])


def lies(attachments: Attachments) -> list[Path]:
    return [path for path in attachments.files.folder.rglob("*") if path.is_file()]


def office(inside: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(inside, "<x/>")
    return out.getvalue()


# fmt: off
KINDS = [
    (photo(),                                  "image/jpeg",  "a photo"),
    (photo("PNG"),                             "image/png",   "a picture"),
    (photo("WEBP"),                            "image/webp",  "a photo of the web"),
    (b"%PDF-1.7\n",                            "application/pdf", "a document"),
    (b"\0\0\0\x18ftypheic\0\0\0\0",            "image/heic",  "a photo of some telephones"),
    (b"\0\0\0\x18ftypisom\0\0\0\0",            "video/mp4",   "a film"),
    ("路灯坏了\n".encode(),                     "text/plain",  "Chinese text"),
    ("路灯坏了\n".encode("gb18030"),            "text/plain",  "Chinese text as older programs write it"),
    (b"MZ\x90\0\x03\0\0\0",                    None,          "a program"),
    (b"\x7fELF\x02\x01\x01\0",                 None,          "another program"),
    (b"",                                      None,          "nothing"),
    (b"\0\0\0\x18ftypevil",                    None,          "a container of nothing we know"),
]
# fmt: on


@pytest.mark.parametrize(("data", "kind", "why"), KINDS)
def test_what_a_file_is_is_in_it(data: bytes, kind: str | None, why: str) -> None:
    assert media_type_of_head(data[:4096]) == kind, why


@given(st.binary(max_size=300))
def test_no_bytes_break_what_looks_at_them(data: bytes) -> None:
    media_type_of_head(data)
    for kind in ("image/jpeg", "image/png", "image/webp"):
        try:
            assert len(strip(data, kind)) <= len(data) + 40
        except PhotoBroken:
            continue


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_for_everybody_has_neither_position_nor_author_and_is_the_same_picture(kind: str) -> None:
    before = photo(kind) + b"trailing " + SECRET
    assert SECRET in before
    after = strip(before, f"image/{kind.lower()}")
    assert SECRET not in after
    with Image.open(BytesIO(before)) as was, Image.open(BytesIO(after)) as now:
        assert was.tobytes() == now.tobytes()
        assert not now.getexif().get_ifd(GPS)
        assert now.getexif().get(ARTIST) is None
        if kind == "JPEG":
            assert now.getexif()[ORIENTATION] == 6


def test_a_progressive_photo_with_colours_of_its_own_is_stripped_too() -> None:
    out = BytesIO()
    image = Image.radial_gradient("L").convert("RGB")
    image.save(out, "JPEG", progressive=True, icc_profile=b"profile" * 20, comment=SECRET)
    after = strip(out.getvalue(), "image/jpeg")
    with Image.open(BytesIO(after)) as now:
        now.load()
        assert now.info["icc_profile"] == b"profile" * 20
    assert SECRET not in after


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_a_photo_is_refused(kind: str) -> None:
    data = photo(kind)
    with pytest.raises(PhotoBroken):
        strip(data[: len(data) // 2], f"image/{kind.lower()}")


def test_a_photo_made_smaller_stands_upright() -> None:
    with Image.open(BytesIO(scale(photo(size=(64, 32), orientation=6)))) as now:
        assert now.size == (32, 64)
    with pytest.raises(PhotoBroken):
        scale(b"\xff\xd8\xff nothing")


async def test_a_file_is_uploaded_attached_and_read_again(attachments: Attachments, cases: Cases, db: Database) -> None:
    case = await cases.open(ROADS, pothole())
    data = photo()
    uploaded = await attachments.upload("li", "坑.png", pieces(data), now=NOON)
    assert (uploaded.name, uploaded.media_type, uploaded.scan) == ("坑.png.jpg", "image/jpeg", Scan.UNSCANNED)
    with pytest.raises(NoSuchAttachment):
        async with db.transaction() as transaction:
            await attachments.attach(transaction, "wang", [uploaded.id], case.id, NOON)
    async with db.transaction() as transaction:
        await attachments.attach(transaction, "li", [uploaded.id], case.id, NOON)
    assert [each.id for each in await attachments.of_case(case.id)] == [uploaded.id]
    assert await attachments.of_case(case.id, public_only=True) == []
    assert await content(attachments, uploaded.id) == data
    with pytest.raises(NoSuchAttachment):
        async with db.transaction() as transaction:
            await attachments.attach(transaction, "li", [uploaded.id], case.id, NOON)


async def test_what_is_shown_to_everybody_is_stripped_and_the_original_stays(attachments: Attachments) -> None:
    data = photo()
    uploaded = await attachments.upload("li", "a.jpg", pieces(data), now=NOON)
    public = await attachments.publish(uploaded.id, now=NOON)
    assert public.public
    assert SECRET not in await content(attachments, uploaded.id)
    assert await content(attachments, uploaded.id, original=True) == data
    await attachments.publish(uploaded.id, now=NOON)
    assert await content(attachments, uploaded.id, original=True) == data
    other = await attachments.upload("li", "a.pdf", pieces(b"%PDF-1.7 x"), now=NOON)
    with pytest.raises(NotForPublic):
        await attachments.publish(other.id, now=NOON)


async def test_the_same_content_lies_there_once(attachments: Attachments) -> None:
    first = await attachments.upload("li", "a.txt", pieces("一样\n".encode()), now=NOON)
    second = await attachments.upload("chen", "b.txt", pieces("一样\n".encode()), now=NOON)
    assert first.sha == second.sha
    assert len(lies(attachments)) == 1


REFUSED: list[tuple[bytes, type[Exception]]] = [
    (b"MZ\x90\0" + bytes(100), TypeRefused),
    (b"<html>".ljust(20, b"\0"), TypeRefused),
    (office("evil/macro.bin"), TypeRefused),
    (b"", FileEmpty),
]


@pytest.mark.parametrize(("data", "refusal"), REFUSED)
async def test_what_is_not_taken_leaves_nothing_behind(
    attachments: Attachments, data: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await attachments.upload("li", "photo.jpg", pieces(data), now=NOON)
    assert lies(attachments) == []


async def test_office_documents_are_known_by_what_is_packed_in_them(attachments: Attachments) -> None:
    found = await attachments.upload("li", "报表", pieces(office("xl/workbook.xml")), now=NOON)
    assert found.name == "报表.xlsx"
    assert (await attachments.upload("li", "公文", pieces(office("OFD.xml")), now=NOON)).name == "公文.ofd"


def large_photo() -> bytes:
    """More than 50 MB: noise does not pack."""
    image = Image.frombytes("RGB", (4_200, 4_000), os.urandom(4_200 * 4_000 * 3))
    out = BytesIO()
    image.save(out, "PNG", compress_level=0)
    return out.getvalue()


async def test_a_photo_of_50_mb_is_refused_clearly_or_made_smaller(db: Database, tmp_path: Path) -> None:
    data = large_photo()
    assert len(data) > 50 * MB
    refusing = Attachments(db, FileStore(tmp_path / "refusing"))
    with pytest.raises(FileTooLarge) as refused:
        await refusing.upload("big", "a.png", pieces(data), announced=len(data), now=NOON)
    assert refused.value.facts == {"limit_mb": 20, "size_mb": round(len(data) / MB, 1)}
    assert lies(refusing) == []
    scaling = Attachments(db, FileStore(tmp_path / "scaling"), limits=Limits(photo_too_large=TooLarge.SCALE))
    found = await scaling.upload("big", "a.png", pieces(data), now=NOON)
    assert (found.name, found.media_type) == ("a.jpg", "image/jpeg")
    assert found.size < 20 * MB
    assert len(lies(scaling)) == 1


async def test_what_never_ends_is_refused_as_soon_as_it_is_too_much(db: Database, tmp_path: Path) -> None:
    came = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal came
        while True:
            came += MB
            yield bytes(MB)

    small = Attachments(db, FileStore(tmp_path), limits=Limits(file_mb=5))
    with pytest.raises(FileTooLarge):
        await small.upload("li", "a", endless(), now=NOON)
    assert came == 6 * MB
    assert lies(small) == []


async def test_nobody_lets_more_wait_than_may_wait(db: Database, tmp_path: Path) -> None:
    few = Attachments(db, FileStore(tmp_path), limits=Limits(waiting=2))
    for number in range(2):
        await few.upload("hoarder", "a", pieces(f"{number}".encode()), now=NOON)
    with pytest.raises(UploadsWaiting):
        await few.upload("hoarder", "a", pieces(b"more"), now=NOON)


async def test_what_was_never_attached_is_thrown_away_and_what_somebody_needs_is_not(
    db: Database, tmp_path: Path, cases: Cases
) -> None:
    attachments = Attachments(db, FileStore(tmp_path / "files"))
    case = await cases.open(ROADS, pothole())
    kept = await attachments.upload("gc", "a.txt", pieces(b"kept"), now=NOON)
    await attachments.upload("gc", "a.txt", pieces(b"kept"), now=NOON)
    await attachments.upload("gc", "a.txt", pieces(b"never attached"), now=NOON)
    async with db.transaction() as transaction:
        await attachments.attach(transaction, "gc", [kept.id], case.id, NOON)
    orphan = attachments.files.path("ab" * 32)
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"of a crash")
    half = attachments.files.folder / "incoming" / "half"
    half.write_bytes(b"of another crash")
    for path in (orphan, half):
        os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    young = await attachments.upload("gc", "a.txt", pieces(b"young"), now=NOON + timedelta(days=1))
    await attachments.collect_garbage(now=NOON + timedelta(days=1, seconds=1))
    assert {path.name for path in lies(attachments)} == {kept.sha, young.sha}
    async with db.transaction() as transaction:
        await attachments.remove(transaction, kept.id, NOON)
    assert await attachments.of_case(case.id) == []
    await attachments.collect_garbage(now=NOON + timedelta(days=32))
    assert kept.sha not in {path.name for path in lies(attachments)}


async def test_uploading_while_the_same_content_is_thrown_away_loses_nothing(db: Database, tmp_path: Path) -> None:
    attachments = Attachments(db, FileStore(tmp_path / "files"), limits=Limits(waiting=1_000))
    for number in range(10):
        await attachments.upload("racer", "a.txt", pieces(b"race"), now=NOON - timedelta(days=3))
        upload = attachments.upload("racer", "b.txt", pieces(b"race"), now=NOON)
        found, _ = await asyncio.gather(upload, attachments.collect_garbage(now=NOON + timedelta(hours=number)))
        assert await content(attachments, found.id) == b"race"


# fmt: off
NAMES = [
    ("../../etc/passwd",           "text/plain", "passwd.txt"),
    ("C:\\Users\\x\\坑.JPG",       "image/jpeg", "坑.JPG"),
    ("a\r\nSet-Cookie: x.txt",     "text/plain", "a__Set-Cookie_ x.txt"),
    ("evil\u202egpj.exe",          "image/jpeg", "evil_gpj.exe.jpg"),
    ("...",                        "application/pdf", "file.pdf"),
    ("x" * 500,                    "text/plain", "x" * 120 + ".txt"),
    ("photo.jpeg",                 "image/jpeg", "photo.jpeg"),
]
# fmt: on


@pytest.mark.parametrize(("name", "kind", "safe"), NAMES)
def test_a_name_is_no_path_and_ends_as_what_the_file_is(name: str, kind: str, safe: str) -> None:
    assert safe_name(name, kind) == safe


async def test_a_download_is_saved_and_never_run(attachments: Attachments) -> None:
    found = await attachments.upload("li", '坑"<script>.txt', pieces(b"<script>alert(1)</script>"), now=NOON)
    headers = download_headers(found, inline=True)
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Disposition"].startswith("attachment; filename=\"___script_.txt\"; filename*=UTF-8''")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    image = await attachments.upload("li", "a.jpg", pieces(photo()), now=NOON)
    assert download_headers(image, inline=True)["Content-Disposition"].startswith("inline")
    for sha in ("../../etc/passwd", "a" * 63, "A" * 64, f"{'a' * 64}\n"):
        with pytest.raises(FileGone):
            attachments.files.path(sha)


async def clamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speaks as clamd does: reads INSTREAM, finds one word bad."""
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    data = b""
    while size := struct.unpack(">I", await reader.readexactly(4))[0]:
        data += await reader.readexactly(size)
    writer.write(b"stream: Eicar-Test-Signature FOUND\0" if b"EICAR" in data else b"stream: OK\0")
    writer.close()


async def test_a_virus_scanner_is_asked_before_anything_is_kept(db: Database, tmp_path: Path) -> None:
    socket = str(tmp_path / "clamd.sock")
    async with await asyncio.start_unix_server(clamd, socket):
        scanned = Attachments(db, FileStore(tmp_path / "files"), scanner=scanner_of(f"clamd:{socket}"))
        assert (await scanned.upload("li", "a.txt", pieces(b"x" * 200_000), now=NOON)).scan is Scan.CLEAN
        with pytest.raises(FileInfected) as refused:
            await scanned.upload("li", "b.txt", pieces(b"EICAR"), now=NOON)
        assert refused.value.facts == {"found": "Eicar-Test-Signature"}
    with pytest.raises(ScanUnavailable):
        await scanned.upload("li", "c.txt", pieces(b"c"), now=NOON)
    assert len(lies(scanned)) == 1


async def test_a_command_may_be_the_scanner(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("fine")
    script = tmp_path / "scan.sh"
    script.write_text('#!/bin/sh\nif grep -q EICAR "$1"; then echo "$1: Eicar FOUND"; exit 1; fi\n')
    script.chmod(0o755)
    scan = scanner_of(f"command:{script}")
    assert await scan(file) is Scan.CLEAN
    file.write_text("EICAR")
    with pytest.raises(FileInfected):
        await scan(file)
    with pytest.raises(ScanUnavailable):
        await scanner_of("command:/nowhere/scan")(file)
    with pytest.raises(ScanUnavailable):
        await scanner_of("command:sh -c 'exit 2'")(file)
    with pytest.raises(Invalid):
        scanner_of("nothing:else")
