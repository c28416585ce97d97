# SPDX-License-Identifier: Apache-2.0
"""Which page an address begins with."""

from pathlib import Path

import pytest

from citybrain.serve.web import first_page

# fmt: off
ADDRESSES = [
    ("/citizen",             "citizen.html", "the citizens' door"),
    ("/citizen/follow/abc",  "citizen.html", "and whatever lies behind it"),
    ("/citizens",            "index.html",   "a longer word is another address"),
    ("/events",              "index.html",   "a desk"),
    ("/",                    "index.html",   "the centre"),
]
# fmt: on


@pytest.mark.parametrize(("path", "page", "why"), ADDRESSES)
def test_citizens_begin_with_their_own_page(tmp_path: Path, path: str, page: str, why: str) -> None:
    (tmp_path / "citizen.html").touch()
    assert first_page(tmp_path, path).name == page, why


def test_screens_that_were_built_without_it_begin_with_the_common_page(tmp_path: Path) -> None:
    assert first_page(tmp_path, "/citizen").name == "index.html"
