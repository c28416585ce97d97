# SPDX-License-Identifier: Apache-2.0
import json
import re
from pathlib import Path

import pytest

from citybrain.apps.traffic.app import APP

CODE = re.compile(r'"(traffic\.[a-z_]+)"')
SOURCES = sorted(APP.folder.glob("*.py")) + sorted(APP.folder.glob("detect/*.py"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_name_the_app_says_has_words(language: str) -> None:
    words = json.loads((APP.folder / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
    said = {name for source in SOURCES for name in CODE.findall(Path(source).read_text(encoding="utf-8"))}
    prefixes = ("", "kind.", "means.", "indicator.", "permission.")
    assert not [name for name in sorted(said) if not any(prefix + name in words for prefix in prefixes)]
