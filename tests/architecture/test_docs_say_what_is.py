# SPDX-License-Identifier: Apache-2.0
"""The docs say what is: generated pages are fresh, links lead somewhere, decisions have their form."""

import re
from collections.abc import Iterator
from pathlib import Path

from citybrain.kernel.settings import Settings
from docs import generate
from tests.architecture.tree import ROOT, files, refuse

LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
SECTIONS = ["Context", "Decision", "Consequences", "What would change our mind"]
ONE_PAGE = 60


def dead_links(root: Path) -> list[str]:
    """Links between our pages that lead nowhere."""
    return sorted(_dead_links(root))


def _dead_links(root: Path) -> Iterator[str]:
    for path in files(root, ".md"):
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            if not (path.parent / target).exists():
                yield f"{path.relative_to(root)}: {target} does not exist"


def test_generated_pages_are_what_the_program_says() -> None:
    assert generate.stale() == [], "run `make docs`"


def test_links_between_pages_lead_somewhere() -> None:
    refuse(dead_links(ROOT))


def test_every_setting_is_told() -> None:
    assert set(generate.SETTINGS) == set(Settings.__struct_fields__)


def test_decisions_are_numbered_in_order_and_have_their_form() -> None:
    for number, path in enumerate(generate.adrs(), start=1):
        text = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04}-")
        assert text.startswith(f"# {number:04} ")
        assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS, path.name
        assert len(text.splitlines()) <= ONE_PAGE, path.name


def test_both_readmes_and_quickstarts_have_the_same_sections() -> None:
    for english in ("README.md", "docs/quickstart.md"):
        chinese = english.replace(".md", ".zh.md")
        levels = [re.findall(r"^#+", (ROOT / name).read_text(), re.M) for name in (english, chinese)]
        assert levels[0] == levels[1], english
