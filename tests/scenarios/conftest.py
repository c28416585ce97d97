# SPDX-License-Identifier: Apache-2.0
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def new_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders that PostgreSQL's own account can reach, which pytest's (mode 0700) are not."""
    with tempfile.TemporaryDirectory(prefix="citybrain-") as top:
        Path(top).chmod(0o755)
        yield lambda: Path(tempfile.mkdtemp(dir=top)) / "data"
