# SPDX-License-Identifier: Apache-2.0
"""The repository speaks of the city, not of the desk it was written at: no machines, registries, trackers, tools."""

import re
from pathlib import Path

from tests.architecture.tree import ROOT, refuse, texts

# Written in pieces so that this file passes its own test.
BANNED = {
    "path of a machine": r"(?<![\w.])/(?:wo" r"rk|ro" r"ot|ho" r"me|Us" r"ers)/\w+",
    "folder outside the repository": r"\.\./sha" r"red|\bsha" r"red/(?:research|hooks|STYLE|DESIGN|SCREENS)",
    "host of a package registry": r"\b(?:py" r"pi\.org|python" r"hosted\.org|registry\.npm" r"js|npm" r"mirror"
    r"|deb\.deb" r"ian|mirrors?\.(?:tu" r"na|ali" r"yun|us" r"tc)|gh" r"cr\.io|docker\.io|conda\.anaconda)",
    "number of an issue": r"\b(?:[Ii]ssue|PR|pull request|closes|fixes|see)\s+#\d+",
    "who typed it": r"\b(?:Clau" r"de|Anthro" r"pic|Chat" r"GPT|Copi" r"lot|co-auth" r"ored-by)\b"
    r"|\b(?:AI|LLM|coding)[ -]ag" r"ents?\b",
    "work in hand": r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b",
}  # fmt: skip
# The tool's own lock file and the licence are others' words.
NOT_OURS = {"LICENSE", "package-lock.json"}


def complaints(root: Path) -> list[str]:
    """Words that date, name a machine, or tell of how the repository was made."""
    return sorted(
        f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}: {what}: {match[0]}"
        for path, text in texts(root)
        if path.name not in NOT_OURS
        for what, pattern in BANNED.items()
        for match in re.finditer(pattern, text)
    )


def test_no_word_names_a_machine_a_registry_or_how_this_was_made() -> None:
    refuse(complaints(ROOT))


def test_locks_name_no_address_to_download_from() -> None:
    for lock in [*(ROOT / "locks").glob("*.txt"), ROOT / "web" / "package-lock.json"]:
        assert not re.search(r'"resolved"|index-url|find-links|\.(?:whl|tgz|tar\.gz)\b', lock.read_text()), lock.name
