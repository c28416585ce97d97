# SPDX-License-Identifier: Apache-2.0
"""Files of each format, written for these tests: two crossings of CityFlow, a crossing of OpenStreetMap."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from citybrain.kernel.importing import Wish

DATA = Path(__file__).parent / "data"
ROADNET = DATA / "roadnet.json"
FLOW = DATA / "flow.json"
MAP = DATA / "beihai.osm"
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, in which no city was imported."""
    monkeypatch.setenv("CITYBRAIN_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def wish(*files: Path, **more: Any) -> Wish:
    """What a person asks for."""
    return Wish(files=files, at=NOW, **more)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[dict[str, Any]], None]], Path]:
    """Writes the road net anew with one thing changed in it."""

    def change(act: Callable[[dict[str, Any]], None]) -> Path:
        net = msgspec.json.decode(ROADNET.read_bytes())
        act(net)
        path = tmp_path / "roadnet.json"
        path.write_bytes(msgspec.json.encode(net))
        return path

    return change
