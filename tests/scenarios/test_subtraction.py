# SPDX-License-Identifier: Apache-2.0
"""A city from which something was taken away still boots."""

import shutil
from collections.abc import Callable
from pathlib import Path

import citybrain
from tests.scenarios.city import running


def test_without_the_traffic_app_the_streets_run_on_their_shipped_plans(
    new_folder: Callable[[], Path], tmp_path: Path
) -> None:
    code = tmp_path / "citybrain"
    shutil.copytree(Path(citybrain.__file__).parent, code, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    shutil.rmtree(code / "apps" / "traffic")
    with running(new_folder(), speed="20", code=tmp_path) as city:
        state = city.get("/api/state")
        assert city.get("/api/indicators") == []
        assert set(state["road_levels"]) == {0}, "nobody judges the roads"
        assert any(state["signals"]), "and the signals go on"
        signal_id = city.get("/api/network")["signals"][0]["id"]
        assert city.get(f"/api/entities/{signal_id}")["orders"] == []


def test_a_city_without_signals_is_watched_and_ordered_nothing(
    new_folder: Callable[[], Path], unsignalled: Path
) -> None:
    with running(new_folder(), scenario=str(unsignalled), speed="20") as city:
        assert city.get("/api/network")["signals"] == []
        assert len(city.get("/api/network")["roads"]) > 0
        assert city.get("/api/status")["condition"] == "running"
