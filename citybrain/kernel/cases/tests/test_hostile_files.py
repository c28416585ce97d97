# SPDX-License-Identifier: Apache-2.0
"""Files that would make a reader do something: pictures with scripts, documents that fetch others."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from citybrain.kernel.cases.attachments import Attachments, TypeRefused
from citybrain.kernel.cases.bpmn import ModelUnusable, read_model
from citybrain.kernel.cases.file_store import FileStore
from citybrain.kernel.cases.media import IMAGES, TEXT
from citybrain.kernel.db import Database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
SECRET = "nobody outside may read this"


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.mark.parametrize("data", [SVG, b'<?xml version="1.0"?>\n' + SVG, b"\xef\xbb\xbf" + SVG])
async def test_a_drawing_with_a_script_is_never_taken_for_a_picture(db: Database, tmp_path: Path, data: bytes) -> None:
    attachments = Attachments(db, FileStore(tmp_path))
    try:
        taken = await attachments.upload("li", "photo.svg", pieces(data), now=NOON)
    except TypeRefused:
        return
    assert taken.media_type == TEXT, "as words, which no browser runs"
    assert taken.media_type not in IMAGES


# fmt: off
FETCHING = [
    ("<!ENTITY x SYSTEM 'file://{secret}'>", "&x;", "an entity of a file"),
    ("<!ENTITY % x SYSTEM 'file://{secret}'> %x;", "", "an entity of the declaration"),
    ("<!ENTITY x SYSTEM 'http://127.0.0.1:1/x'>", "&x;", "an entity from elsewhere"),
    ("<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>", "&b;" * 100, "one that grows"),
]
# fmt: on


@pytest.mark.parametrize(("declared", "used", "why"), FETCHING)
def test_a_diagram_fetches_nothing(tmp_path: Path, declared: str, used: str, why: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    declared = declared.format(secret=secret)
    xml = f"<!DOCTYPE definitions [{declared}]><definitions><documentation>{used}</documentation></definitions>"
    with pytest.raises(ModelUnusable) as refused:
        read_model(xml)
    assert SECRET not in str(refused.value), why
    assert "aaaaaaaaaaaaaaaaaaaa" not in str(refused.value), why
